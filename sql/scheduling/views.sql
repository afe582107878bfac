-- Reading jobs.

create or replace view monitoring.v_jobs as
select
    j.job_name,
    j.description,
    j.schedule,
    j.time_zone,
    j.procedure_name,
    j.timeout_seconds,
    j.is_enabled,
    d.next_run_at,
    j.requested_at is not null as is_requested,
    case
        when j.running_pid is null and d.next_run_at is not null
            then greatest(date_part('epoch', n.now - d.next_run_at), 0)
    end as seconds_late,
    r.pid is not null as is_running,
    r.pid as running_pid,
    case
        when r.pid is not null
            then greatest(date_part('epoch', n.now - j.last_started_at), 0)
    end as running_seconds,
    j.last_started_at,
    j.last_finished_at,
    j.last_status,
    j.last_error,
    j.runs,
    j.failures,
    j.consecutive_failures,
    j.missed_runs,
    j.changed_by,
    j.changed_at
from monitoring.jobs as j
cross join (select monitoring.clock() as now) as n
cross join
    lateral (
        select least(j.requested_at, case when j.is_enabled then j.next_run_at end) as next_run_at
    ) as d
-- Whoever works on a job has its guard. Nobody but our own code can lock a row of that table, and
-- who has one shows by its lock on the table.
left join pg_catalog.pg_locks as r
    on
        j.running_pid = r.pid
        and r.locktype = 'relation'
        and r.relation = 'monitoring.guards'::regclass
        and r.mode = 'RowShareLock'
        and r.granted
        and r.database = (
            select b.oid from pg_catalog.pg_database as b where b.datname = current_database()
        );

comment on view monitoring.v_jobs is
'What the scheduler runs, one row a job: its plan, whether it runs, and how its last run ended.';
comment on column monitoring.v_jobs.job_name is
'Name of the job; its runs are tasks named pgvigil. and this.';
comment on column monitoring.v_jobs.description is
'What it is for.';
comment on column monitoring.v_jobs.schedule is
'An interval such as 5 minutes, or a cron expression such as 0 2 * * *.';
comment on column monitoring.v_jobs.time_zone is
'Time zone that a cron expression is meant in.';
comment on column monitoring.v_jobs.procedure_name is
'Function or procedure that it calls, with its schema.';
comment on column monitoring.v_jobs.timeout_seconds is
'Seconds after which a run is cancelled.';
comment on column monitoring.v_jobs.is_enabled is
'Whether its schedule counts; a disabled job runs only when requested.';
comment on column monitoring.v_jobs.next_run_at is
'When it is due next, by its schedule or because it was requested; null when it is not.';
comment on column monitoring.v_jobs.is_requested is
'Whether somebody asked for a run that has not begun yet.';
comment on column monitoring.v_jobs.seconds_late is
'Seconds since it should have begun, 0 when it is not due; null while it runs or when it is never '
'due.';
comment on column monitoring.v_jobs.is_running is
'Whether a session is working on it at this moment.';
comment on column monitoring.v_jobs.running_pid is
'Process id of that session.';
comment on column monitoring.v_jobs.running_seconds is
'Seconds since the present run began; null when it does not run.';
comment on column monitoring.v_jobs.last_started_at is
'When the present or last run began.';
comment on column monitoring.v_jobs.last_finished_at is
'When a run last ended.';
comment on column monitoring.v_jobs.last_status is
'How it ended: completed, failed, cancelled (by a person), timeout or lost (its session is gone).';
comment on column monitoring.v_jobs.last_error is
'Why it did not complete; null when it did.';
comment on column monitoring.v_jobs.runs is
'Runs that began.';
comment on column monitoring.v_jobs.failures is
'Runs that ended without completing.';
comment on column monitoring.v_jobs.consecutive_failures is
'Runs that ended without completing since one last did.';
comment on column monitoring.v_jobs.missed_runs is
'Times at which it was due and that passed before a run began; they are not caught up.';
comment on column monitoring.v_jobs.changed_by is
'Who added or changed it last; null as shipped.';
comment on column monitoring.v_jobs.changed_at is
'When that was; null as shipped.';
