-- What the house does by itself in the configuration: sections retention, jobs, name_limits and
-- partitions_ahead. Writes nothing but through the functions that people call.

-- How long rows are kept, by table and category, as it is in a configuration: as people decided, or
-- as it counts.
create or replace function monitoring._known_retention(p_is_complete boolean) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(
            jsonb_object_agg(
                t.table_name, case when t.kept - '' = '{}' then t.kept -> '' else t.kept end
            ),
            '{}'
        )
        from (
            select
                p.table_name,
                jsonb_object_agg(p.category, monitoring._written_length(p.keep)) as kept
            from monitoring.retention_policies p
            where p_is_complete or p.changed_at is not null
            group by p.table_name
        ) t
    );
end
$$;

-- Section retention of a configuration.
create or replace function monitoring._retention_config() returns jsonb
language sql
stable
return monitoring._known_retention(false);

-- The same with policies that are as shipped.
create or replace function monitoring._whole_retention_config() returns jsonb
language sql
stable
return monitoring._known_retention(true);

-- Policies of a table by category, each as text that get_config() gives for it; null for one that
-- is to be as shipped.
create or replace function monitoring._wanted_retention(p_new jsonb) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select jsonb_object_agg(
            n.key,
            case
                when n.value = 'forever' then 'forever'
                when n.value is not null
                    then monitoring._written_length(justify_hours(n.value::interval))
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

-- Keeps rows of a table for so long, by category; with null for as long as shipped.
create or replace function monitoring._configure_retention(p_name text, p_old jsonb, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_old constant jsonb := coalesce(monitoring._wanted_retention(p_old), '{}');
begin
    if p_new is null then
        perform monitoring.reset_retention(p_name, p.category)
        from monitoring.retention_policies p
        where p.table_name = p_name;
        return;
    end if;
    perform monitoring.reset_retention(p_name, n.key)
    from jsonb_each_text(monitoring._wanted_retention(p_new)) n
    where n.value is null;
    perform monitoring.set_retention(p_name, nullif(n.value, 'forever')::interval, n.key)
    from jsonb_each_text(monitoring._wanted_retention(p_new)) n
    where n.value <> coalesce(v_old ->> n.key, '');
end
$$;

-- Section jobs of a configuration: those that were added, and what people decided about others.
create or replace function monitoring._jobs_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(
            jsonb_object_agg(
                j.job_name,
                j.decided - 'procedure_name' || jsonb_strip_nulls(
                    jsonb_build_object('procedure', j.decided -> 'procedure_name')
                )
            ),
            '{}'
        )
        from monitoring.jobs j
        where j.decided <> '{}'
    );
end
$$;

-- The same with all jobs and all that counts.
create or replace function monitoring._whole_jobs_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(
            jsonb_object_agg(
                j.job_name,
                jsonb_build_object(
                    'schedule', j.schedule,
                    'time_zone', j.time_zone,
                    'is_enabled', j.is_enabled,
                    'timeout_seconds', j.timeout_seconds,
                    'procedure', j.procedure_name,
                    'description', j.description
                )
            ),
            '{}'
        )
        from monitoring.jobs j
    );
end
$$;

-- Adds, changes or removes a job, or takes back what was decided about a built-in one. Whatever is
-- called runs with our rights, so that only members of monitoring_admin say what that is.
create or replace function monitoring._configure_jobs(p_name text, p_old jsonb, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_job monitoring.jobs;
    v_decided jsonb;
    v_wanted jsonb;
begin
    select j.* into v_job from monitoring.jobs j where j.job_name = p_name for update;
    if v_job.job_name is null and not coalesce(p_new ? 'procedure', false) then
        perform monitoring._refuse_unknown(
            'job', p_name, 'Take the name from v_jobs, or give the procedure of a job to be added.'
        );
    elsif p_new is null and v_job.shipped <> '{}' then
        perform monitoring.reset_job(p_name);
        return;
    elsif p_new is null or p_new ->> 'procedure' <> coalesce(v_job.procedure_name, '') then
        perform monitoring._check_may_register('jobs');
    end if;
    if p_new is null then
        perform monitoring.remove_job(p_name);
        return;
    end if;
    v_decided := jsonb_strip_nulls(
        coalesce(v_job.decided, '{}') || p_new - 'procedure' || jsonb_strip_nulls(
            jsonb_build_object('procedure_name', p_new -> 'procedure')
        )
    );
    v_wanted := coalesce(v_job.shipped, '{}') || v_decided;
    if p_new - 'is_enabled' <> '{}' then
        perform monitoring.define_job(
            p_name,
            v_wanted ->> 'schedule',
            v_wanted ->> 'procedure_name',
            coalesce(v_wanted ->> 'time_zone', 'UTC'),
            make_interval(
                secs => coalesce((v_wanted ->> 'timeout_seconds')::double precision, 600)
            )
        );
    end if;
    perform monitoring._switch_job(p_name, (v_decided ->> 'is_enabled')::boolean);
    update monitoring.jobs
    set
        decided = v_decided,
        changed_by = case when v_decided <> '{}' then session_user end,
        changed_at = case when v_decided <> '{}' then monitoring.clock() end
    where job_name = p_name;
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

-- The same with kinds that are as shipped.
create or replace function monitoring._whole_name_limits_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(jsonb_object_agg(l.kind, coalesce(l.at_most, l.shipped_at_most)), '{}')
        from monitoring.name_limits l
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

-- The same with tables that are as shipped.
create or replace function monitoring._whole_partitions_ahead_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(jsonb_object_agg(t.table_name, t.days_ahead), '{}')
        from monitoring.partitioned_tables t
    );
end
$$;

-- Sets how many days ahead partitions of a table are made; null is as shipped.
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
