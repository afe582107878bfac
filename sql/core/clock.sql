-- The one clock, and the check of times that callers give.

create or replace function monitoring.clock() returns timestamptz
language sql
volatile
return coalesce(
    nullif(current_setting('monitoring.now', true), '')::timestamptz, clock_timestamp()
);

comment on function monitoring.clock() is
'The time that everything here goes by: the wall clock, or the setting monitoring.now where a '
'test has set it.';

create or replace function monitoring._stopwatch_ms() returns double precision
language sql
volatile
return extract(epoch from clock_timestamp())::double precision * 1000;

comment on function monitoring._stopwatch_ms() is
'Milliseconds that go on whatever clock() says, to measure how long our own work takes.';

create or replace function monitoring._event_time(p_at timestamptz) returns timestamptz
language sql
volatile
return case
    when p_at is null then monitoring.clock()
    when p_at >= '1970-01-01 00:00:00+00'::timestamptz
        and p_at <= monitoring.clock() + '24 hours'::interval then p_at
    else monitoring._refuse_time(p_at)
end;

comment on function monitoring._event_time(timestamptz) is
'The time a caller gave, or now; refuses what lies before 1970 or more than a day ahead (PV006).';

create or replace function monitoring._is_recent(p_at timestamptz) returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return p_at between monitoring.clock() - interval '23 hours'
        and monitoring.clock() + interval '24 hours';
end
$$;

comment on function monitoring._is_recent(timestamptz) is
'Whether a time is ordinary: at most a day ahead, and in a partition that retention, which keeps a '
'day or more, cannot be about to drop. Not inlined, so that it costs only those who give a time.';
