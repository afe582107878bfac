-- What the house does by itself in the configuration: sections retention, jobs, name_limits and
-- partitions_ahead. Writes nothing but through the functions that people call.

-- How long rows of a table are kept, by category, as it is in a configuration.
create or replace function monitoring._policies_config(p_table_name text) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select jsonb_object_agg(p.category, monitoring._length_in_words(p.keep))
        from monitoring.retention_policies p
        where p.table_name = p_table_name
    );
end
$$;

-- Section retention of a configuration.
create or replace function monitoring._retention_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(
            jsonb_object_agg(
                t.table_name,
                case
                    when t.policies = 1 and t.kept ? '' then t.kept -> ''
                    else t.kept
                end
            ),
            '{}'
        )
        from (
            select
                p.table_name,
                count(*) as policies,
                monitoring._policies_config(p.table_name) as kept
            from monitoring.retention_policies p
            group by p.table_name
        ) t
    );
end
$$;

-- Policies of a table by category, each as text that get_config() gives for it.
create or replace function monitoring._wanted_retention(p_new jsonb) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select jsonb_object_agg(
            n.key,
            case n.value
                when 'forever' then 'forever'
                else monitoring._length_in_words(justify_hours(n.value::interval))
            end
        )
        from jsonb_each_text(
            case jsonb_typeof(p_new)
                when 'string' then jsonb_build_object('', p_new)
                else p_new
            end
        ) n
    );
end
$$;

-- Keeps rows of a table for so long, by category.
create or replace function monitoring._configure_retention(p_name text, p_old jsonb, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_old jsonb := coalesce(monitoring._policies_config(p_name), '{}');
begin
    perform monitoring.set_retention(p_name, nullif(n.value, 'forever')::interval, n.key)
    from jsonb_each_text(monitoring._wanted_retention(p_new)) n
    where n.value is distinct from v_old ->> n.key;
end
$$;

-- Plan of a job as it is in a configuration; what it calls and is about where people said that.
create or replace function monitoring._job_config(p_job monitoring.jobs) returns jsonb
language sql
stable
return jsonb_build_object(
    'schedule', (p_job).schedule,
    'time_zone', (p_job).time_zone,
    'is_enabled', (p_job).is_enabled,
    'timeout_seconds', (p_job).timeout_seconds
) || jsonb_strip_nulls(
    jsonb_build_object(
        'procedure', (p_job).decided -> 'procedure_name',
        'description', (p_job).decided -> 'description'
    )
);

-- Section jobs of a configuration.
create or replace function monitoring._jobs_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(jsonb_object_agg(j.job_name, monitoring._job_config(j)), '{}')
        from monitoring.jobs j
    );
end
$$;

-- Adds, changes or removes a job; built-in ones can be neither added nor removed. What a job calls
-- is for admins to say, as it runs with the rights of the owner.
create or replace function monitoring._configure_jobs(p_name text, p_old jsonb, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_old constant jsonb := coalesce(p_old, '{
        "time_zone": "UTC", "timeout_seconds": 600, "is_enabled": true
    }');
    v_new constant jsonb := v_old || p_new;
begin
    if p_old is null and not p_new ? 'procedure' then
        perform monitoring._refuse_unknown(
            'job', p_name, 'Take the name from v_jobs, or give the procedure of a job to be added.'
        );
    end if;
    if p_new is null or v_new -> 'procedure' is distinct from p_old -> 'procedure' then
        perform monitoring._check_may_register('jobs');
    end if;
    if p_new is null then
        perform monitoring.remove_job(p_name);
        return;
    end if;
    if v_new - 'is_enabled' <> v_old - 'is_enabled' then
        perform monitoring.define_job(
            p_name,
            v_new ->> 'schedule',
            coalesce(
                v_new ->> 'procedure',
                (select j.procedure_name from monitoring.jobs j where j.job_name = p_name)
            ),
            v_new ->> 'time_zone',
            make_interval(secs => (v_new ->> 'timeout_seconds')::double precision),
            v_new ->> 'description'
        );
    end if;
    if v_new -> 'is_enabled' <> v_old -> 'is_enabled' then
        perform monitoring.enable_job(p_name, (v_new ->> 'is_enabled')::boolean);
    end if;
end
$$;

-- Section name_limits of a configuration: what people have decided.
create or replace function monitoring._name_limits_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(jsonb_object_agg(l.kind, l.at_most), '{}')
        from monitoring.name_limits l
        where l.at_most is not null
    );
end
$$;

-- Sets how many names of a kind are told apart; null for as many as we ship.
create or replace function monitoring._configure_name_limits(p_name text, p_old jsonb, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring.set_name_limit(p_name, (p_new #>> '{}')::numeric::integer);
end
$$;

-- Section partitions_ahead of a configuration: what people have decided.
create or replace function monitoring._partitions_ahead_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(jsonb_object_agg(t.table_name, t.decided_days_ahead), '{}')
        from monitoring.partitioned_tables t
        where t.decided_days_ahead is not null
    );
end
$$;

-- Sets how many days ahead partitions of a table are made; null for as many as we ship.
create or replace function monitoring._configure_partitions_ahead(
    p_name text, p_old jsonb, p_new jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring.set_partitions_ahead((p_new #>> '{}')::numeric::integer, p_name);
end
$$;
