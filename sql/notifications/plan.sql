-- Not written yet.

create or replace function monitoring._plan_notifications(p_now timestamptz) returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform p_now;
    return 0;
end
$$;

comment on function monitoring._plan_notifications(timestamptz) is
'Queues nothing yet.';
