-- depends: 0003_rollups

-- What the scheduler runs inside the database: one row a job, its plan and what became of it.

set local lock_timeout = '200ms';

create table monitoring.jobs (
    job_name text not null,
    shipped jsonb not null default '{}',
    decided jsonb not null default '{}',
    description text generated always as (
        coalesce(decided ->> 'description', shipped ->> 'description')
    ) stored,
    schedule text not null generated always as (
        coalesce(decided ->> 'schedule', shipped ->> 'schedule')
    ) stored,
    time_zone text not null generated always as (
        coalesce(decided ->> 'time_zone', shipped ->> 'time_zone', 'UTC')
    ) stored,
    procedure_name text not null generated always as (
        coalesce(decided ->> 'procedure_name', shipped ->> 'procedure_name')
    ) stored,
    timeout_seconds double precision not null generated always as (
        coalesce(decided ->> 'timeout_seconds', shipped ->> 'timeout_seconds', '600')
        ::double precision
    ) stored,
    is_enabled boolean not null generated always as (
        coalesce(decided ->> 'is_enabled', shipped ->> 'is_enabled', 'true')::boolean
    ) stored,
    changed_by text,
    changed_at timestamptz,
    next_run_at timestamptz,
    requested_at timestamptz,
    running_pid integer,
    cancelled_at timestamptz,
    cancellations integer not null default 0,
    last_started_at timestamptz,
    last_finished_at timestamptz,
    last_status text,
    last_error text,
    runs bigint not null default 0,
    failures bigint not null default 0,
    consecutive_failures bigint not null default 0,
    missed_runs bigint not null default 0,
    constraint jobs_pk primary key (job_name),
    constraint jobs_are_shipped_or_decided_ck check (shipped || decided <> '{}'),
    constraint jobs_decisions_have_a_time_ck check ((decided = '{}') = (changed_at is null)),
    constraint jobs_time_out_after_a_while_ck check (timeout_seconds > 0),
    constraint jobs_last_status_is_known_ck check (
        last_status in ('completed', 'failed', 'cancelled', 'timeout', 'lost')
    )
)
with (
    -- A few rows that change all the time: room for the changes to stay on their page.
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 500
);

comment on table monitoring.jobs is
'What the scheduler runs inside the database, one row a job, with its plan and its last run.';
comment on column monitoring.jobs.job_name is
'Name of the job; its runs are tasks named pgvigil. and this.';
comment on column monitoring.jobs.shipped is
'Settings as we ship them; {} for a job that people added.';
comment on column monitoring.jobs.decided is
'Settings that people set, which count more; {} as shipped.';
comment on column monitoring.jobs.description is
'What it is for.';
comment on column monitoring.jobs.schedule is
'An interval such as 5 minutes, or a cron expression such as 0 2 * * *.';
comment on column monitoring.jobs.time_zone is
'Time zone that a cron expression is meant in; intervals do not know any.';
comment on column monitoring.jobs.procedure_name is
'Function or procedure that it calls without arguments, with its schema.';
comment on column monitoring.jobs.timeout_seconds is
'Seconds after which a run is cancelled.';
comment on column monitoring.jobs.is_enabled is
'Whether its schedule counts; a disabled job runs only when requested.';
comment on column monitoring.jobs.changed_by is
'Who added or changed it last; null as shipped.';
comment on column monitoring.jobs.changed_at is
'When that was; null as shipped.';
comment on column monitoring.jobs.next_run_at is
'When it is due by its schedule; null when it never is again.';
comment on column monitoring.jobs.requested_at is
'When somebody asked for a run that has not begun yet.';
comment on column monitoring.jobs.running_pid is
'Process id of the session that runs it; null when it does not run.';
comment on column monitoring.jobs.cancelled_at is
'When the present run was cancelled for taking too long.';
comment on column monitoring.jobs.cancellations is
'How often the present run was cancelled because it took too long; it is ended at the third time.';
comment on column monitoring.jobs.last_started_at is
'When the present or last run began.';
comment on column monitoring.jobs.last_finished_at is
'When a run last ended.';
comment on column monitoring.jobs.last_status is
'How it ended: completed, failed, cancelled (by a person), timeout or lost (its session is gone).';
comment on column monitoring.jobs.last_error is
'Why it did not complete; null when it did.';
comment on column monitoring.jobs.runs is
'Runs that began.';
comment on column monitoring.jobs.failures is
'Runs that ended without completing.';
comment on column monitoring.jobs.consecutive_failures is
'Runs that ended without completing since one last did.';
comment on column monitoring.jobs.missed_runs is
'Times at which it was due and that passed before a run began; they are not caught up.';

-- Where the clock stood when jobs were last looked at, so that a clock that moves is noticed.
create table monitoring.clock_readings (
    is_only boolean not null default true,
    seen_at timestamptz,
    last_step_ms double precision,
    moved_at timestamptz,
    moved_from_at timestamptz,
    constraint clock_readings_pk primary key (is_only),
    constraint clock_readings_are_one_ck check (is_only)
)
with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

comment on table monitoring.clock_readings is
'One row: where the clock stood when somebody last looked for due jobs.';
comment on column monitoring.clock_readings.is_only is
'Always true, so that there is one row.';
comment on column monitoring.clock_readings.seen_at is
'Where it stood.';
comment on column monitoring.clock_readings.last_step_ms is
'Milliseconds that it had gone on since the time before.';
comment on column monitoring.clock_readings.moved_at is
'Where it stood after it was last found to have gone on by far more than usual; null when it never '
'was, or was put back since.';
comment on column monitoring.clock_readings.moved_from_at is
'Where it had stood before that.';

insert into monitoring.clock_readings (is_only) values (true);

insert into monitoring.installed_migrations (migration_id) values ('0004_jobs');
