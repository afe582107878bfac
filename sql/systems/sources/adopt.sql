-- Adopting a queue or scheduler that lives in PostgreSQL: functions and views over its relations,
-- and sources that read them. The functions look their relations up when they are called, so that
-- the system may alter or drop its tables as if nobody looked. They run with the rights of whoever
-- reads the views, which for sources is monitoring_reader. Writes adoptions and sources.

-- Makes the functions and views of an adopted system.
create or replace function monitoring._make_adopted(
    p_name text, p_adapter monitoring.adapters, p_schema text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_adapter.runs is not null then
        perform monitoring._make_adopted_runs(p_name, p_adapter, p_schema);
    end if;
    if p_adapter.depths is not null then
        perform monitoring._make_adopted_queues(p_name, p_adapter, p_schema);
    end if;
end
$$;

-- Registers the sources of an adopted system.
create or replace function monitoring._register_adopted(
    p_name text, p_adapter monitoring.adapters, p_has_runs boolean, p_failed_severity text,
    p_runs_every interval, p_by text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_keep interval;
begin
    select p.keep into v_keep from monitoring.retention_policies p
    where p.table_name = 'source_runs' and p.category = '';
    if p_has_runs then
        perform monitoring.register_run_source(
            p_name, format('monitoring.v_adopted_%s_runs', p_name),
            '{"run_id": "run_id", "task_type": "task_type", "status": "status",
                "started_at": "started_at", "finished_at": "finished_at", "attempt": "attempt",
                "max_attempts": "max_attempts", "error_message": "error_message"}',
            p_adapter.statuses, p_look_back => least(v_keep, interval '7 days'), p_by => p_by,
            p_work => p_adapter.work, p_failed_severity => p_failed_severity,
            p_every => p_runs_every
        );
    end if;
    if p_adapter.depths is not null then
        perform monitoring.register_queue_source(
            p_name || '_queues', format('monitoring.v_adopted_%s_queues', p_name),
            '{"queue": "queue", "pending": "pending", "processing": "processing",
                "completed": "completed", "failed": "failed",
                "oldest_ready_at": "oldest_ready_at"}',
            p_queue_name => p_name, p_by => p_by
        );
    end if;
end
$$;

-- Makes what an adopted system needs here: functions, views and sources.
create or replace function monitoring._adopt(
    p_name text, p_adapter monitoring.adapters, p_schema text, p_has_runs boolean,
    p_failed_severity text, p_runs_every interval, p_by text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._make_adopted(p_name, p_adapter, p_schema);
    perform monitoring._register_adopted(
        p_name, p_adapter, p_has_runs, p_failed_severity, p_runs_every, p_by
    );
    insert into monitoring.adoptions as o (
        adoption_name, adapter_name, schema_name, changed_by, changed_at
    )
    values (
        p_name, p_adapter.adapter_name, p_schema, coalesce(p_by, session_user), monitoring.clock()
    )
    on conflict (adoption_name) do update
        set
            adapter_name = excluded.adapter_name,
            schema_name = excluded.schema_name,
            changed_by = excluded.changed_by,
            changed_at = excluded.changed_at;
end
$$;

-- Makes anew the functions and views of what was adopted, as the code at hand makes them.
create or replace function monitoring._adopt_again() returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_adoption monitoring.adoptions;
    v_adapter monitoring.adapters;
begin
    for v_adoption in select o.* from monitoring.adoptions o order by o.adoption_name loop
        begin
            v_adapter := monitoring._found_adapter(v_adoption.adapter_name);
            perform monitoring._make_adopted(
                v_adoption.adoption_name, v_adapter, v_adoption.schema_name
            );
        exception
            when others then
                raise warning 'what was adopted as "%" is not made anew: %',
                    v_adoption.adoption_name, sqlerrm
                    using hint = 'Call monitoring.adopt() for it again.';
        end;
    end loop;
end
$$;

create or replace function monitoring.adopt(
    p_adapter_name text,
    p_schema text default null,
    p_name text default null,
    p_has_runs boolean default true,
    p_failed_severity text default null,
    p_runs_every interval default '1 minute',
    p_is_dry_run boolean default false,
    p_by text default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_adapter monitoring.adapters := monitoring._found_adapter(p_adapter_name);
    v_name constant text := coalesce(p_name, p_adapter_name);
    v_has_runs constant boolean := coalesce(p_has_runs, true) and v_adapter.runs is not null;
    v_schema text;
    v_missing text [];
begin
    perform monitoring._check_adopted_name('name', v_name);
    v_schema := monitoring._schema_of_adapter(v_adapter, p_schema);
    if monitoring._reader_of_relations() is null then
        perform monitoring._refuse_unknown('role', 'monitoring_reader',
            'What is adopted is read with its rights: create it and run pgvigil migrate --reload.');
    end if;
    v_missing := monitoring._missing_grants(v_adapter, v_schema, 'monitoring_reader');
    if v_missing = '{}' and p_is_dry_run is not true then
        perform monitoring._adopt(
            v_name, v_adapter, v_schema, v_has_runs, p_failed_severity, p_runs_every, p_by
        );
    end if;
    return jsonb_build_object(
        'adapter', v_adapter.adapter_name,
        'schema', v_schema,
        'is_adopted', v_missing = '{}' and p_is_dry_run is not true,
        'sources', to_jsonb(array_remove(array[
            case when v_has_runs then v_name end,
            case when v_adapter.depths is not null then v_name || '_queues' end
        ], null)),
        'missing_grants', to_jsonb(v_missing)
    );
end
$$;

comment on function monitoring.adopt(
    text, text, text, boolean, text, interval, boolean, text
) is
'Finds the tables of a queue or scheduler that an adapter knows, and makes the views and sources '
'that read them. While rights are missing it makes nothing and returns the statements that grant '
'them.';

create or replace function monitoring.remove_adoption(p_name text) returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
-- The name is one that was checked before it was kept:
-- @plpgsql_check_options: security_warnings = off
declare
    v_source_name text;
begin
    delete from monitoring.adoptions o where o.adoption_name = p_name;
    if not found then
        perform monitoring._refuse_unknown('adoption', p_name,
            'Take the name from v_adapters, where adopted_as has those that are there.');
    end if;
    for v_source_name in
        select s.source_name from monitoring.sources s
        where s.relation_name in (
            format('monitoring.v_adopted_%s_runs', p_name),
            format('monitoring.v_adopted_%s_queues', p_name)
        )
        order by s.source_name
    loop
        perform monitoring.remove_source(v_source_name);
    end loop;
    execute format('drop view if exists monitoring.%I', format('v_adopted_%s_queues', p_name));
    execute format('drop view if exists monitoring.%I', format('v_adopted_%s_runs', p_name));
    execute format('drop function if exists monitoring.%I', format('_adopted_%s_depths', p_name));
    execute format('drop function if exists monitoring.%I', format('_adopted_%s_runs', p_name));
end
$$;

comment on function monitoring.remove_adoption(text) is
'Removes the sources and views that adopt() has made under a name. What they have reported stays '
'in history, and runs that were running end as lost.';

select monitoring._adopt_again();
