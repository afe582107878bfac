-- What people say about sources of queues: tables of items, or of figures about queues. Writes
-- sources.

-- Raises PV003 or PV005 unless an object names columns of items or of figures, and a table of
-- items its status only with what its codes mean.
create or replace function monitoring._check_queue_columns(p_columns jsonb, p_statuses jsonb)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_bad text;
begin
    if p_columns is null or jsonb_typeof(p_columns) <> 'object' then
        perform monitoring._refuse_json('columns', coalesce(p_columns::text, 'null'),
            'a JSON object such as {"queue": "queue", "status": "state", "ready_at": "run_at"}');
    end if;
    perform monitoring._refuse_unknown_keys('key of columns', p_columns, array(
        select f.field from monitoring._fields_of_queues() f
        where case when p_columns ? 'pending' then f.is_of_figures else f.is_of_items end
    ));
    select c.key into v_bad from jsonb_each(p_columns) c
    where jsonb_typeof(c.value) <> 'string' order by c.key limit 1;
    if v_bad is not null then
        perform monitoring._refuse_json('columns.' || v_bad, (p_columns -> v_bad)::text,
            'the name of a column');
    end if;
    if p_columns ? 'status' <> (coalesce(p_statuses, '{}') <> '{}') then
        perform monitoring._refuse_json('statuses', coalesce(p_statuses::text, 'null'),
            'what the codes of the column "status" mean, and only where columns name one');
    end if;
end
$$;

create or replace function monitoring.register_queue_source(
    p_source_name text,
    p_relation text,
    p_columns jsonb default '{}',
    p_statuses jsonb default '{}',
    p_queue_name text default null,
    p_time_zone text default 'UTC',
    p_by text default null,
    p_every interval default '1 minute',
    p_timeout interval default '30 seconds'
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_source monitoring.sources;
begin
    v_source := monitoring._new_source(
        p_source_name, 'queue', p_relation, p_columns, p_time_zone, p_every, p_timeout, p_by
    );
    perform monitoring._check_queue_columns(p_columns, p_statuses);
    v_source.statuses := case
        when p_columns ? 'status' then monitoring._checked_meanings(
            p_statuses, array['pending', 'processing', 'completed', 'failed', 'ignored'],
            '{"available": "pending", "executing": "processing"}'
        )
        else '{}'::jsonb
    end;
    v_source.settings := jsonb_strip_nulls(jsonb_build_object(
        'queue_name', monitoring._checked_optional_name('queue_name', p_queue_name)
    ));
    perform monitoring._put_source(
        v_source, array(select c.value from jsonb_each_text(p_columns) c order by c.key)
    );
end
$$;

comment on function monitoring.register_queue_source(
    text, text, jsonb, jsonb, text, text, text, interval, interval
) is
'Registers the relation, or query:NAME, in which another system keeps the items of its queues, or '
'figures about them; calling it again changes that. docs/sources.md lists the settings.';
