-- Runs of pg_cron, read live and adopted as tasks.
-- Reads cron.job_run_details and cron.job; writes tasks and errors through their bulk forms.

-- The newest so many runs of pg_cron numbered below the given one that the caller may see, with
-- the names and status that we give them.
create or replace function monitoring._read_pg_cron_runs(p_below bigint, p_limit integer)
returns setof record
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query execute format(
        $sql$
        select
            d.runid,
            'cron:' || d.jobid || ':' || d.runid,
            coalesce(nullif(j.jobname::text, ''), d.jobid::text),
            d.database,
            d.username,
            case d.status when 'succeeded' then 'completed' else d.status end,
            d.return_message,
            d.start_time,
            d.end_time,
            d.command in (select e.command from monitoring._own_pg_cron_entries(1) e)
        from %1$I.job_run_details d
        left join %1$I.job j on j.jobid = d.jobid
        where d.runid < coalesce($1, 9223372036854775807)
        order by d.runid desc
        limit $2
        $sql$,
        monitoring._pg_cron_schema()
    )
    using p_below, p_limit;
end
$$;

-- Looks at the next hundred runs of pg_cron below a number: which ended since a given time and
-- are not recorded yet, as arrays for the bulk forms.
create or replace function monitoring._find_new_pg_cron_runs(
    p_below bigint,
    p_since timestamptz,
    out p_lowest bigint,
    out p_newest_at timestamptz,
    out p_tasks jsonb,
    out p_errors jsonb
)
language sql
volatile
begin atomic
    with runs as (
        select
            r.*,
            -- A run that never got a connection has no time; those around it tell about when.
            coalesce(
                r.end_time,
                r.start_time,
                max(r.start_time) over (order by r.run_id asc),
                min(r.start_time) over (order by r.run_id desc),
                monitoring.clock()
            ) as ended_at
        -- A hundred runs are on a hundred days at most, which is what one bulk call takes.
        from monitoring._read_pg_cron_runs(p_below, 100) as r (
                run_id bigint,
                task_id text,
                job_name text,
                database_name text,
                user_name text,
                status text,
                message text,
                start_time timestamptz,
                end_time timestamptz,
                is_own boolean
            )
    ),

    new_runs as (
        select
            r.task_id,
            r.run_id,
            r.status,
            r.start_time,
            r.ended_at,
            coalesce(r.message, '') as message,
            left('cron.' || r.job_name, 255) as task_type,
            jsonb_build_object(
                'database', r.database_name, 'user', r.user_name, 'message', r.message
            ) as metadata
        from runs as r
        where
            r.status in ('completed', 'failed')
            and not r.is_own
            and r.ended_at > p_since
            and not exists (
                select
                from monitoring._all_finished_tasks as t
                where
                    t.task_id = r.task_id
                    and t.finished_at >= coalesce(r.end_time, p_since)
                    and t.finished_at <= coalesce(r.end_time, 'infinity')
            )
    )

    select
        (select min(r.run_id) from runs as r) as lowest,
        (select max(r.ended_at) from runs as r) as newest_at,
        jsonb_agg(
            jsonb_build_object(
                'task_id', n.task_id, 'task_type', n.task_type, 'status', n.status,
                'start_time', n.start_time, 'end_time', n.ended_at, 'metadata', n.metadata
            )
        ) as tasks,
        jsonb_agg(
            jsonb_build_object(
                -- With a number of its own it is written once, whatever happens.
                'error_id', -n.run_id, 'task_id', n.task_id, 'occurred_at', n.ended_at,
                'error_type', 'cron_job_failed', 'severity', 'high', 'component', 'pg_cron',
                'message', n.message, 'details', n.metadata - 'message'
            )
        ) filter (where n.status = 'failed') as errors
    from new_runs as n;
end;

create or replace function monitoring.import_pg_cron_runs(p_within interval default '2 days')
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_since timestamptz;
    v_below bigint;
    v_newest_at timestamptz;
    v_tasks jsonb;
    v_errors jsonb;
    v_recorded bigint := 0::bigint;
begin
    if (p_within > interval '0' and p_within <= interval '100 years') is not true then
        perform monitoring._refuse_number('p_within', p_within::text,
            'an interval of more than 0 and at most 100 years');
    end if;
    v_since := monitoring.clock() - p_within;
    if monitoring._pg_cron_schema() is null then
        return 0::bigint;
    end if;
    -- One at a time: the time of a run that has none is estimated anew at each look.
    perform monitoring._guard('import of pg_cron runs');
    loop
        select r.p_lowest, r.p_newest_at, r.p_tasks, r.p_errors
        into v_below, v_newest_at, v_tasks, v_errors
        from monitoring._find_new_pg_cron_runs(v_below, v_since) r;
        exit when v_below is null;
        if v_tasks is not null then
            v_recorded := v_recorded + monitoring.record_finished_tasks(v_tasks);
        end if;
        if v_errors is not null then
            perform monitoring.record_errors(v_errors);
        end if;
        -- Runs are numbered as they begin: below a hundred that are too old there is nothing.
        exit when v_newest_at <= v_since;
    end loop;
    return v_recorded;
end
$$;

comment on function monitoring.import_pg_cron_runs(interval) is
'Records runs of pg_cron that ended within the interval as tasks named cron:<job id>:<run id>, '
'each once, and failed ones as errors too; our own entries are left out. Returns how many were '
'new; sees what pg_cron lets the caller see.';

-- The last 1,000 runs of pg_cron that monitoring_admin may see; none where pg_cron is not here.
create or replace function monitoring._read_recent_pg_cron_runs()
returns table (
    task_id text,
    job_name text,
    status text,
    start_time timestamptz,
    end_time timestamptz,
    duration_ms double precision,
    message text,
    database_name text,
    user_name text,
    is_own boolean
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    -- A view must not fail for everyone because a right is missing that most never need.
    if monitoring._pg_cron_schema() is null or not has_schema_privilege('cron', 'usage') then
        return;
    end if;
    return query
    select
        r.task_id, r.job_name, r.status, r.start_time, r.end_time,
        date_part('epoch', r.end_time - r.start_time) * 1000,
        r.message, r.database_name, r.user_name, r.is_own
    from monitoring._read_pg_cron_runs(null, 1000) r (
        run_id bigint, task_id text, job_name text, database_name text, user_name text,
        status text, message text, start_time timestamptz, end_time timestamptz, is_own boolean
    );
end
$$;

create or replace view monitoring.v_pg_cron_runs as
select
    r.task_id,
    r.job_name,
    r.status,
    r.start_time,
    r.end_time,
    r.duration_ms,
    r.message,
    r.database_name,
    r.user_name,
    r.is_own
from monitoring._read_recent_pg_cron_runs() as r;

comment on view monitoring.v_pg_cron_runs is
'The last 1,000 runs of pg_cron as they are now, as far as monitoring_admin may see them; empty '
'where pg_cron is not in this database.';
comment on column monitoring.v_pg_cron_runs.task_id is
'Name of the task that import_pg_cron_runs makes of it: cron:<job id>:<run id>.';
comment on column monitoring.v_pg_cron_runs.job_name is
'Name of the entry, or its number when it has no name or is gone.';
comment on column monitoring.v_pg_cron_runs.status is
'completed or failed; starting, connecting, sending or running before that.';
comment on column monitoring.v_pg_cron_runs.start_time is
'When it began; null when it never got a connection.';
comment on column monitoring.v_pg_cron_runs.end_time is
'When it ended; null until then, and when it never got a connection.';
comment on column monitoring.v_pg_cron_runs.duration_ms is
'Milliseconds from start to end.';
comment on column monitoring.v_pg_cron_runs.message is
'What the command returned, or why it failed.';
comment on column monitoring.v_pg_cron_runs.database_name is
'Database that it ran in.';
comment on column monitoring.v_pg_cron_runs.user_name is
'Role that it ran as.';
comment on column monitoring.v_pg_cron_runs.is_own is
'Whether it is one of pgvigil''s own entries; those are not imported.';
