-- What is read from elsewhere in the configuration: section source_queries. Writes nothing but
-- through the functions that people call.

-- Raises insufficient_privilege unless whoever calls may register what is read with our rights. Not
-- by current_user: here that is the owner.
create or replace function monitoring._check_may_register(p_what text) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_caller constant text := coalesce(
        nullif(current_setting('role'), 'none'), session_user::text
    );
begin
    if not pg_has_role(v_caller, 'monitoring_admin', 'usage') then
        raise insufficient_privilege using
            message = format('%s may not register %s', v_caller, p_what),
            hint = 'Have a member of monitoring_admin apply it: what is registered is believed.';
    end if;
end
$$;

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
begin
    if p_new is null or v_new - 'is_enabled' is distinct from p_old - 'is_enabled' then
        perform monitoring._check_may_register('queries');
    end if;
    if p_new is null then
        perform monitoring.remove_source_query(p_name);
        return;
    end if;
    if v_new - 'is_enabled' is distinct from p_old - 'is_enabled' then
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
    if (v_new -> 'is_enabled') is distinct from coalesce(p_old -> 'is_enabled', 'true') then
        perform monitoring.enable_source_query(p_name, (v_new ->> 'is_enabled')::boolean);
    end if;
end
$$;
