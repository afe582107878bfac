-- What is read from elsewhere in the configuration: sections source_queries and sources. Writes
-- nothing but through the functions that people call.

-- Section source_queries of a configuration.
create or replace function monitoring._source_queries_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(
            jsonb_object_agg(
                q.query_name,
                jsonb_build_object(
                    'connection', q.connection_name,
                    'query', q.query,
                    'columns', q.columns,
                    'resume_column', q.resume_column,
                    'every_seconds', q.every_seconds,
                    'timeout_seconds', q.timeout_seconds,
                    'is_enabled', q.is_enabled
                )
            ),
            '{}'
        )
        from monitoring.source_queries q
    );
end
$$;

-- Registers, changes, enables or removes a query. Operators may enable and disable it.
create or replace function monitoring._configure_source_queries(
    p_name text, p_old jsonb, p_new jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_new jsonb := '{
        "every_seconds": 3600, "timeout_seconds": 600, "is_enabled": true
    }'::jsonb || coalesce(p_old, '{}') || p_new;
    v_is_other constant boolean
        := v_new - 'is_enabled' is distinct from p_old - 'is_enabled';
begin
    if v_is_other then
        perform monitoring._check_may_register('queries');
    end if;
    if p_new is null then
        perform monitoring.remove_source_query(p_name);
        return;
    end if;
    if v_is_other then
        perform monitoring.register_source_query(
            p_name,
            v_new ->> 'connection',
            v_new ->> 'query',
            array(select jsonb_array_elements_text(v_new -> 'columns')),
            v_new ->> 'resume_column',
            make_interval(secs => (v_new ->> 'every_seconds')::double precision),
            make_interval(secs => (v_new ->> 'timeout_seconds')::double precision)
        );
    end if;
    if v_new -> 'is_enabled' <> coalesce(p_old -> 'is_enabled', 'true') then
        perform monitoring._switch_source_query(p_name, (v_new ->> 'is_enabled')::boolean);
    end if;
end
$$;

-- Section sources of a configuration.
create or replace function monitoring._sources_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(
            jsonb_object_agg(
                s.source_name,
                s.settings || jsonb_build_object(
                    'kind', s.kind,
                    'relation', s.relation_name,
                    'columns', s.columns,
                    'statuses', s.statuses,
                    'time_zone', s.time_zone,
                    'every_seconds', s.every_seconds,
                    'timeout_seconds', s.timeout_seconds,
                    'is_enabled', s.is_enabled
                )
            ),
            '{}'
        )
        from monitoring.sources s
    );
end
$$;

-- Settings of a source with what those that are not given are for its kind, which must have them
-- all.
create or replace function monitoring._whole_source(p_settings jsonb) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_kinds constant jsonb := '{
        "run": {
            "statuses": null, "time_zone": "UTC", "every_seconds": 900, "timeout_seconds": 600,
            "task_type": null, "look_back_days": 7, "work": "type", "failed_severity": null
        },
        "record": {
            "statuses": {}, "time_zone": "UTC", "every_seconds": 3600, "timeout_seconds": 600,
            "dataset": null, "change_source": "SYSTEM", "is_complete": false
        },
        "queue": {
            "statuses": {}, "time_zone": "UTC", "every_seconds": 60, "timeout_seconds": 30,
            "queue_name": null
        }
    }'::jsonb;
    v_kind constant text := p_settings ->> 'kind';
begin
    if v_kind is null then
        perform monitoring._refuse_choice('kind', v_kind, array['run', 'record', 'queue']);
    end if;
    perform monitoring._refuse_unknown_keys(
        format('setting of a source of %ss', v_kind), p_settings,
        array['kind', 'relation', 'columns', 'is_enabled']
        || array(select k.key from jsonb_object_keys(v_kinds -> v_kind) k (key) order by k.key)
    );
    return '{"is_enabled": true, "columns": {}}'::jsonb || (v_kinds -> v_kind) || p_settings;
end
$$;

-- Registers a source, or changes the one of its name.
create or replace function monitoring._register_source(p_name text, p_settings jsonb) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_relation constant text := p_settings ->> 'relation';
    v_time_zone constant text := p_settings ->> 'time_zone';
    v_every interval;
    v_timeout interval;
begin
    v_every := make_interval(secs => (p_settings ->> 'every_seconds')::double precision);
    v_timeout := make_interval(secs => (p_settings ->> 'timeout_seconds')::double precision);
    case p_settings ->> 'kind'
        when 'run' then
            perform monitoring.register_run_source(
                p_name, v_relation, p_settings -> 'columns', p_settings -> 'statuses',
                p_settings ->> 'task_type', v_time_zone,
                make_interval(
                    secs => 86400 * (p_settings ->> 'look_back_days')::double precision
                ),
                p_work => p_settings ->> 'work',
                p_failed_severity => p_settings ->> 'failed_severity',
                p_every => v_every, p_timeout => v_timeout
            );
        when 'record' then
            perform monitoring.register_record_source(
                p_name, p_settings ->> 'dataset', v_relation, p_settings -> 'columns',
                p_settings -> 'statuses', p_settings ->> 'change_source', v_time_zone,
                (p_settings ->> 'is_complete')::boolean, p_every => v_every, p_timeout => v_timeout
            );
        else
            perform monitoring.register_queue_source(
                p_name, v_relation, p_settings -> 'columns', p_settings -> 'statuses',
                p_settings ->> 'queue_name', v_time_zone, p_every => v_every,
                p_timeout => v_timeout
            );
    end case;
end
$$;

-- Registers, changes, enables or removes a source. Operators may enable and disable it.
create or replace function monitoring._configure_sources(p_name text, p_old jsonb, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_new jsonb := coalesce(p_old, '{}') || p_new;
    v_is_other constant boolean
        := v_new - 'is_enabled' is distinct from p_old - 'is_enabled';
begin
    if v_is_other then
        perform monitoring._check_may_register('sources');
    end if;
    if p_new is null then
        perform monitoring.remove_source(p_name);
        return;
    end if;
    if v_is_other then
        perform monitoring._register_source(p_name, monitoring._whole_source(v_new));
    end if;
    if coalesce(v_new -> 'is_enabled', 'true') <> coalesce(p_old -> 'is_enabled', 'true') then
        perform monitoring._switch_source(p_name, (v_new ->> 'is_enabled')::boolean);
    end if;
end
$$;
