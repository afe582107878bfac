-- depends: 0007_notifications

-- Workflows as data: which steps a business day has, in which order, when and how long. Their runs
-- are tasks like all others; nothing of those is stored here.

set local lock_timeout = '200ms';

create table monitoring.workflows (
    workflow_name text not null,
    description text,
    time_zone text not null default 'UTC',
    cutover_time text not null default '05:00',
    is_enabled boolean not null default true,
    changed_by text not null,
    changed_at timestamptz not null,
    constraint workflows_pk primary key (workflow_name),
    constraint workflows_cutover_is_a_time_of_day_ck check (
        cutover_time ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
    )
);

comment on table monitoring.workflows is
'Ordered sets of steps that are expected each business day.';
comment on column monitoring.workflows.workflow_name is
'Name of the workflow.';
comment on column monitoring.workflows.description is
'What it is about.';
comment on column monitoring.workflows.time_zone is
'Time zone by whose clocks its days begin and its steps are scheduled.';
comment on column monitoring.workflows.cutover_time is
'Time of day, such as 05:00, at which a business day begins.';
comment on column monitoring.workflows.is_enabled is
'Whether its steps are expected at present.';
comment on column monitoring.workflows.changed_by is
'Who applied it last.';
comment on column monitoring.workflows.changed_at is
'When they did.';

create table monitoring.workflow_steps (
    step_name text not null,
    workflow_name text not null,
    description text,
    position integer not null,
    run_order integer not null,
    after_steps text[] not null default '{}',
    schedule text,
    expected_seconds double precision,
    late_after_seconds double precision,
    stuck_after_seconds double precision,
    long_after_seconds double precision,
    minimum_rate double precision,
    is_optional boolean not null default false,
    is_repeated boolean not null default false,
    expected_since_at timestamptz not null,
    first_applied_at timestamptz,
    constraint workflow_steps_pk primary key (step_name),
    constraint workflow_steps_last_some_time_ck check (
        least(
            expected_seconds, late_after_seconds, stuck_after_seconds, long_after_seconds,
            minimum_rate, 0
        ) = 0
    ),
    constraint workflow_steps_count_from_one_ck check (position >= 1 and run_order >= 1)
);

comment on table monitoring.workflow_steps is
'Steps of workflows; each is a task type, and belongs to one workflow.';
comment on column monitoring.workflow_steps.step_name is
'Name of the step: the task type of its runs.';
comment on column monitoring.workflow_steps.workflow_name is
'Workflow that it belongs to.';
comment on column monitoring.workflow_steps.description is
'What it does.';
comment on column monitoring.workflow_steps.position is
'Its place as the workflow was given, from 1.';
comment on column monitoring.workflow_steps.run_order is
'Its place in an order in which every step follows those that it waits for, from 1.';
comment on column monitoring.workflow_steps.after_steps is
'Steps that must be through before it.';
comment on column monitoring.workflow_steps.schedule is
'Cron expression or time of day at which it is to begin; null for as soon as those before it are '
'through.';
comment on column monitoring.workflow_steps.expected_seconds is
'How long it is expected to take, in seconds; goes while there is no history.';
comment on column monitoring.workflow_steps.late_after_seconds is
'Seconds by which it may begin late before that is alerted about; null for what rule step_late '
'says.';
comment on column monitoring.workflow_steps.stuck_after_seconds is
'Seconds without progress after which it counts as stuck; null for what rule task_stuck says.';
comment on column monitoring.workflow_steps.long_after_seconds is
'Seconds after which it runs for long; null for twice what is expected.';
comment on column monitoring.workflow_steps.minimum_rate is
'Records a second below which it is slow; null for no limit.';
comment on column monitoring.workflow_steps.is_optional is
'Whether a day is complete without it, and no other step waits for it.';
comment on column monitoring.workflow_steps.is_repeated is
'Whether it runs several times a day, until its counter remaining is 0.';
comment on column monitoring.workflow_steps.expected_since_at is
'What was due before is not expected.';
comment on column monitoring.workflow_steps.first_applied_at is
'When the step was first applied; what was due before nobody can say anything about.';

-- A step on a business day, as far as it is known.
create type monitoring.batch_step as (
    workflow_name text,
    business_date date,
    step_name text,
    position integer,
    is_optional boolean,
    status text,
    due_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    runs integer,
    task_id text,
    duration_seconds double precision,
    records_processed bigint,
    records_total bigint,
    records_remaining bigint,
    threads integer,
    waits_for text [],
    through_at timestamptz,
    run_started_at timestamptz,
    run_progress_at timestamptz,
    run_fraction double precision,
    eta_at timestamptz,
    eta_from_at timestamptz,
    eta_to_at timestamptz,
    clear_at timestamptz,
    clear_from_at timestamptz,
    clear_to_at timestamptz
);

comment on type monitoring.batch_step is
'A step on a business day, and what those after it go by.';
comment on column monitoring.batch_step.workflow_name is
'Workflow of the step.';
comment on column monitoring.batch_step.business_date is
'Business day.';
comment on column monitoring.batch_step.step_name is
'Name of the step: the task type of its runs.';
comment on column monitoring.batch_step.position is
'Its place in the workflow, from 1.';
comment on column monitoring.batch_step.is_optional is
'Whether a day is complete without it.';
comment on column monitoring.batch_step.status is
'pending, running, complete, failed, late or skipped; before it is judged, that of its '
'newest run.';
comment on column monitoring.batch_step.due_at is
'When it was to begin; null while that is not known.';
comment on column monitoring.batch_step.started_at is
'When its newest run began, of a repeated step its first of the day.';
comment on column monitoring.batch_step.finished_at is
'When its newest run ended; null while it runs.';
comment on column monitoring.batch_step.runs is
'How many attempts there were.';
comment on column monitoring.batch_step.task_id is
'Task id of the newest.';
comment on column monitoring.batch_step.duration_seconds is
'Seconds of the newest, of a repeated step of all.';
comment on column monitoring.batch_step.records_processed is
'Records of the newest, of a repeated step of all.';
comment on column monitoring.batch_step.records_total is
'Records that the newest expects.';
comment on column monitoring.batch_step.records_remaining is
'Counter remaining of the newest.';
comment on column monitoring.batch_step.threads is
'Threads of the newest, from its metadata.';
comment on column monitoring.batch_step.waits_for is
'Steps before it that are not through.';
comment on column monitoring.batch_step.through_at is
'Since when those after it need not wait for it; null while they do.';
comment on column monitoring.batch_step.run_started_at is
'When the newest run began.';
comment on column monitoring.batch_step.run_progress_at is
'When a running one last got further.';
comment on column monitoring.batch_step.run_fraction is
'Share of its records that the newest has done, 0 to 1.';
comment on column monitoring.batch_step.eta_at is
'When it is expected to be complete.';
comment on column monitoring.batch_step.eta_from_at is
'The same, if it goes as well as in the best tenth of its runs.';
comment on column monitoring.batch_step.eta_to_at is
'The same, if it goes as in the worst tenth.';
comment on column monitoring.batch_step.clear_at is
'When those after it are expected not to wait for it any longer.';
comment on column monitoring.batch_step.clear_from_at is
'The same, if all goes well.';
comment on column monitoring.batch_step.clear_to_at is
'The same, if all goes badly.';

insert into monitoring.installed_migrations (migration_id) values ('0008_batch');
