-- What is read from elsewhere in the configuration: section source_queries. Writes nothing but
-- through the functions that people call.

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
        perform monitoring.enable_source_query(p_name, (v_new ->> 'is_enabled')::boolean);
    end if;
end
$$;
