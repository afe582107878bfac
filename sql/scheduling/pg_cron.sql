-- pg_cron, where it is in this database: entries of ours that run the jobs.
-- Writes cron.job and cron.job_run_details with the rights of whoever calls, since pg_cron shows a
-- role its own rows only. Nothing here needs pg_cron when it is made, hence the dynamic SQL.

-- Schema of the extension pg_cron; null where it is not in this database.
create or replace function monitoring._pg_cron_schema() returns name
language sql
stable
return (
    select n.nspname
    from pg_catalog.pg_namespace as n
    where
        n.nspname = 'cron'
        and exists (select from pg_catalog.pg_extension as e where e.extname = 'pg_cron')
);

-- The entries that so many runners need: one each, and one that purges what they leave behind.
create or replace function monitoring._own_pg_cron_entries(p_runners integer)
returns table (entry_name text, schedule text, command text)
language sql
stable
begin atomic
    select
        'pgvigil runner ' || n.number as entry_name,
        '* * * * *' as schedule,
        'call monitoring.run_due_jobs()' as command
    from generate_series(1, p_runners) as n (number)
    union all
    -- Not a job of ours: these are run as monitoring_admin, and the rows are those of whoever has
    -- the entries.
    select
        'pgvigil history' as entry_name,
        '17 3 * * *' as schedule,
        'select monitoring.purge_pg_cron_history()' as command
    where p_runners > 0;
end;

-- Removes the caller's entries of ours that so many runners do not need, or not as they are;
-- returns how many.
create or replace function monitoring._remove_pg_cron_entries(p_runners integer) returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_removed integer;
begin
    execute format($sql$
        select count(%1$I.unschedule(j.jobid))::integer
        from %1$I.job j
        where j.jobname::text ~ '^pgvigil (runner [0-9]+|history)$'
            and j.database = current_database()
            and j.username = current_user
            and not (
                j.active
                and (j.jobname::text, j.schedule, j.command) in (
                    select e.entry_name, e.schedule, e.command
                    from monitoring._own_pg_cron_entries($1) e
                )
            )
    $sql$, monitoring._pg_cron_schema()) into v_removed using p_runners;
    return v_removed;
end
$$;

-- Raises PV007 with both ways to have pg_cron run the jobs of this database.
create or replace function monitoring._refuse_without_pg_cron(p_runners integer) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using
        errcode = 'PV007',
        message = format('pg_cron is not in database "%s"', current_database()),
        hint = format(
            'If cron.database_name is this database: create extension pg_cron; and call this again. '
            'Otherwise run in the database that it names: select cron.schedule_in_database('
            '%L || n, ''* * * * *'', ''call monitoring.run_due_jobs()'', %L) '
            'from generate_series(1, %s) n;',
            format('pgvigil runner of %s ', current_database()), current_database(), p_runners
        );
end
$$;

-- Adds the job import_pg_cron_runs when there is none; warns when it would not have the right.
create or replace function monitoring._schedule_import_of_pg_cron() returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_owner oid;
begin
    select p.proowner into v_owner
    from pg_proc p
    where p.oid = 'monitoring.import_pg_cron_runs(interval)'::regprocedure;
    if not has_schema_privilege(v_owner, 'cron', 'usage') then
        raise warning 'runs of pg_cron are not imported: % may not use schema cron',
            v_owner::regrole
            using hint = format('Run as superuser: grant usage on schema cron to %s; and call '
                'this again. docs/scheduler.md says what else it takes to see everybody''s runs.',
                v_owner::regrole);
    elsif not exists (select from monitoring.jobs j where j.job_name = 'import_pg_cron_runs') then
        perform monitoring.define_job(
            'import_pg_cron_runs', '5 minutes', 'monitoring.import_pg_cron_runs',
            p_description => 'Turns finished runs of pg_cron into tasks.'
        );
    end if;
end
$$;

create or replace function monitoring.enable_pg_cron(p_runners integer default 2)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_runners between 0 and 32) is not true then
        perform monitoring._refuse_number('p_runners', p_runners::text, 'a number from 0 to 32');
    end if;
    if p_runners = 0 then
        perform monitoring.disable_pg_cron();
        return 0;
    end if;
    if monitoring._pg_cron_schema() is null then
        perform monitoring._refuse_without_pg_cron(p_runners);
    end if;
    perform monitoring._remove_pg_cron_entries(p_runners);
    execute format($sql$
        select count(%1$I.schedule(e.entry_name, e.schedule, e.command))
        from monitoring._own_pg_cron_entries($1) e
        where e.entry_name not in (
            select j.jobname::text
            from %1$I.job j
            where j.jobname is not null
                and j.database = current_database()
                and j.username = current_user
        )
    $sql$, monitoring._pg_cron_schema()) using p_runners;
    perform monitoring._schedule_import_of_pg_cron();
    return p_runners;
end
$$;

comment on function monitoring.enable_pg_cron(integer) is
'Has pg_cron call run_due_jobs every minute in so many sessions (0 to 32), as the role that calls '
'this; changes nothing when it does already. Returns the number of sessions, or raises PV007 when '
'pg_cron is not in this database.';

create or replace function monitoring.disable_pg_cron() returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if monitoring._pg_cron_schema() is null then
        return 0;
    end if;
    return monitoring._remove_pg_cron_entries(0);
end
$$;

comment on function monitoring.disable_pg_cron() is
'Removes the caller''s entries that enable_pg_cron made; returns how many. The job '
'import_pg_cron_runs stays.';

create or replace function monitoring.purge_pg_cron_history(p_keep interval default '7 days')
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_purged bigint;
begin
    if (p_keep between interval '0' and interval '100 years') is not true then
        perform monitoring._refuse_number('p_keep', p_keep::text,
            'an interval from 0 to 100 years');
    end if;
    if monitoring._pg_cron_schema() is null
        or (select w.p_until from monitoring._clean_up_waits_until(monitoring.clock()) w) is not null
    then
        return 0::bigint;
    end if;
    -- Runs are numbered in the order they begin, and those that never got a connection have no time.
    execute format($sql$
        delete from %1$I.job_run_details d
        where d.command in (select e.command from monitoring._own_pg_cron_entries(1) e)
            and d.status in ('succeeded', 'failed')
            and d.runid <= (
                select max(r.runid) from %1$I.job_run_details r where r.start_time < $1
            )
    $sql$, monitoring._pg_cron_schema()) using monitoring.clock() - p_keep;
    get diagnostics v_purged = row_count;
    return v_purged;
end
$$;

comment on function monitoring.purge_pg_cron_history(interval) is
'Deletes from cron.job_run_details what our own entries left there longer ago than the interval, '
'as far as the caller may see it; returns how many rows. Rows of other entries are left alone.';
