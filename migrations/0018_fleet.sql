-- depends: 0017_rule_changes

-- One pane over many databases. A hub asks each member what has changed and keeps what it is told,
-- in tables of its own; a member needs to know which hours of its roll-ups are new, and no more.

set local lock_timeout = '200ms';

-- At a member

create table monitoring.rollup_changes (
    source text not null,
    hour_at timestamptz not null,
    changed_xid xid8 not null default pg_current_xact_id(),
    rewritten_xid xid8,
    changed_at timestamptz not null,
    constraint rollup_changes_pk primary key (source, hour_at)
);

comment on table monitoring.rollup_changes is
'Hours whose roll-ups have changed lately, for a hub to ask for no others.';
comment on column monitoring.rollup_changes.source is
'Which roll-ups, as rollups has it.';
comment on column monitoring.rollup_changes.hour_at is
'Beginning of the hour.';
comment on column monitoring.rollup_changes.changed_xid is
'Transaction that changed it last.';
comment on column monitoring.rollup_changes.rewritten_xid is
'Transaction that made it anew last, so that rows of it may be gone; null when none has.';
comment on column monitoring.rollup_changes.changed_at is
'When it was last changed.';

-- At a hub

create table monitoring.fleet_members (
    member_name text not null,
    connection_name text not null,
    page_url text,
    every_seconds double precision not null,
    rollups_every_seconds double precision not null,
    timeout_seconds double precision not null,
    is_enabled boolean not null default true,
    enabled_at timestamptz not null,
    changed_by text not null,
    changed_at timestamptz not null,
    constraint fleet_members_pk primary key (member_name),
    constraint fleet_members_wait_some_time_ck check (
        every_seconds >= 10 and rollups_every_seconds >= every_seconds
    ),
    constraint fleet_members_may_take_some_time_ck check (timeout_seconds > 0)
);

comment on table monitoring.fleet_members is
'Databases that this one shows as well, each by the name under which the runner finds its address.';
comment on column monitoring.fleet_members.member_name is
'Name of the member.';
comment on column monitoring.fleet_members.connection_name is
'Name by which the runner finds the address of its database.';
comment on column monitoring.fleet_members.page_url is
'Where people find the page of that database; null when unknown.';
comment on column monitoring.fleet_members.every_seconds is
'Seconds from one reading to the next.';
comment on column monitoring.fleet_members.rollups_every_seconds is
'Seconds from one reading of its roll-ups to the next.';
comment on column monitoring.fleet_members.timeout_seconds is
'Seconds that a reading may take.';
comment on column monitoring.fleet_members.is_enabled is
'Whether it is read.';
comment on column monitoring.fleet_members.enabled_at is
'Since when it is to be read.';
comment on column monitoring.fleet_members.changed_by is
'Who registered or changed it last.';
comment on column monitoring.fleet_members.changed_at is
'When they did.';

create table monitoring.fleet_member_states (
    member_name text not null,
    pull_id bigint not null default 0,
    next_pull_at timestamptz not null,
    heard_at timestamptz,
    failed_at timestamptz,
    last_error text,
    consecutive_failures bigint not null default 0,
    rollups_asked_at timestamptz,
    rollups_cursor jsonb,
    server text,
    version text,
    told_at timestamptz,
    evaluated_at timestamptz,
    rolled_up_at timestamptz,
    is_current boolean,
    not_current text,
    open_alerts bigint,
    high_alerts bigint,
    critical_alerts bigint,
    running_tasks bigint,
    ended_tasks bigint,
    failed_tasks bigint,
    components bigint,
    unhealthy_components bigint,
    constraint fleet_member_states_pk primary key (member_name)
)
with (fillfactor = 50);

comment on table monitoring.fleet_member_states is
'How the readings of each member went, and what it said of itself last.';
comment on column monitoring.fleet_member_states.member_name is
'Name of the member.';
comment on column monitoring.fleet_member_states.pull_id is
'Number of its newest reading; what an older one tells is no longer taken.';
comment on column monitoring.fleet_member_states.next_pull_at is
'When it is to be read next.';
comment on column monitoring.fleet_member_states.heard_at is
'When it last told its state; null when it never has.';
comment on column monitoring.fleet_member_states.failed_at is
'When a reading last failed; null when none has.';
comment on column monitoring.fleet_member_states.last_error is
'Why the newest reading failed; null when it did not.';
comment on column monitoring.fleet_member_states.consecutive_failures is
'How many readings have failed in a row.';
comment on column monitoring.fleet_member_states.rollups_asked_at is
'When it last told which of its roll-ups have changed.';
comment on column monitoring.fleet_member_states.rollups_cursor is
'Up to where changes of its roll-ups are known, in its own words.';
comment on column monitoring.fleet_member_states.server is
'Which server and database it was.';
comment on column monitoring.fleet_member_states.version is
'Version of pgvigil there.';
comment on column monitoring.fleet_member_states.told_at is
'When that was, by its clock.';
comment on column monitoring.fleet_member_states.evaluated_at is
'When its alert rules were last evaluated, by its clock.';
comment on column monitoring.fleet_member_states.rolled_up_at is
'When it was last rolled up, by its clock.';
comment on column monitoring.fleet_member_states.is_current is
'Whether its rules, jobs and roll-ups are up to date, so that its alerts are known.';
comment on column monitoring.fleet_member_states.not_current is
'What is not up to date there.';
comment on column monitoring.fleet_member_states.open_alerts is
'How many alerts are open there.';
comment on column monitoring.fleet_member_states.high_alerts is
'How many of them are of severity high.';
comment on column monitoring.fleet_member_states.critical_alerts is
'How many of them are critical.';
comment on column monitoring.fleet_member_states.running_tasks is
'How many tasks run there.';
comment on column monitoring.fleet_member_states.ended_tasks is
'How many attempts ended there in the last 24 hours.';
comment on column monitoring.fleet_member_states.failed_tasks is
'How many of them failed, timed out or got lost.';
comment on column monitoring.fleet_member_states.components is
'How many components are checked there.';
comment on column monitoring.fleet_member_states.unhealthy_components is
'How many of them are unhealthy.';

create table monitoring.fleet_alerts (
    member_name text not null,
    alert_id bigint not null,
    rule_name text,
    fingerprint text,
    severity text,
    status text,
    summary text,
    value double precision,
    threshold double precision,
    unit text,
    labels jsonb,
    occurrences bigint,
    started_at timestamptz,
    fired_at timestamptz,
    last_seen_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    acknowledged_note text,
    suppressed_by text,
    owner text,
    link text,
    constraint fleet_alerts_pk primary key (member_name, alert_id)
);

comment on table monitoring.fleet_alerts is
'Alerts that were open at each member when it was last heard; the worst 1,000 of each.';
comment on column monitoring.fleet_alerts.member_name is
'Member that has the alert.';
comment on column monitoring.fleet_alerts.alert_id is
'Number of the alert there.';
comment on column monitoring.fleet_alerts.rule_name is
'Rule that found it.';
comment on column monitoring.fleet_alerts.fingerprint is
'What the rule found.';
comment on column monitoring.fleet_alerts.severity is
'low, medium, high or critical.';
comment on column monitoring.fleet_alerts.status is
'firing or acknowledged.';
comment on column monitoring.fleet_alerts.summary is
'What is wrong, in a sentence.';
comment on column monitoring.fleet_alerts.value is
'Measured value, in the unit of the rule.';
comment on column monitoring.fleet_alerts.threshold is
'Threshold that it passed, in the unit of the rule.';
comment on column monitoring.fleet_alerts.unit is
'Unit of value and threshold.';
comment on column monitoring.fleet_alerts.labels is
'Object of labels.';
comment on column monitoring.fleet_alerts.occurrences is
'How often it has been found.';
comment on column monitoring.fleet_alerts.started_at is
'When it was first found.';
comment on column monitoring.fleet_alerts.fired_at is
'When it fired.';
comment on column monitoring.fleet_alerts.last_seen_at is
'When it was last found.';
comment on column monitoring.fleet_alerts.acknowledged_at is
'Since when somebody looks after it.';
comment on column monitoring.fleet_alerts.acknowledged_by is
'Who does.';
comment on column monitoring.fleet_alerts.acknowledged_note is
'What they said.';
comment on column monitoring.fleet_alerts.suppressed_by is
'Why the member tells nobody of it.';
comment on column monitoring.fleet_alerts.owner is
'Who is to look after it.';
comment on column monitoring.fleet_alerts.link is
'Where the page of the member shows it.';

create table monitoring.fleet_tasks (
    member_name text not null,
    task_id text not null,
    task_type text,
    attempt bigint,
    worker_id text,
    start_time timestamptz,
    items_done bigint,
    items_total bigint,
    heartbeat_at timestamptz,
    progress_at timestamptz,
    constraint fleet_tasks_pk primary key (member_name, task_id)
);

comment on table monitoring.fleet_tasks is
'Tasks that ran at each member when it was last heard; the oldest 1,000 of each.';
comment on column monitoring.fleet_tasks.member_name is
'Member where it runs.';
comment on column monitoring.fleet_tasks.task_id is
'Name of the task.';
comment on column monitoring.fleet_tasks.task_type is
'What kind of task it is.';
comment on column monitoring.fleet_tasks.attempt is
'Number of the attempt, from 1.';
comment on column monitoring.fleet_tasks.worker_id is
'Who runs it.';
comment on column monitoring.fleet_tasks.start_time is
'When it began.';
comment on column monitoring.fleet_tasks.items_done is
'How many items are done.';
comment on column monitoring.fleet_tasks.items_total is
'How many there are.';
comment on column monitoring.fleet_tasks.heartbeat_at is
'When it was last heard of.';
comment on column monitoring.fleet_tasks.progress_at is
'When more was last done.';

create table monitoring.fleet_components (
    member_name text not null,
    component_type text not null,
    component_name text not null,
    status text,
    checked_at timestamptz,
    response_time_ms double precision,
    failure_reason text,
    constraint fleet_components_pk primary key (member_name, component_type, component_name)
);

comment on table monitoring.fleet_components is
'Health of the components of each member when it was last heard; the worst 1,000 of each.';
comment on column monitoring.fleet_components.member_name is
'Member that checks it.';
comment on column monitoring.fleet_components.component_type is
'What it is, such as database, service or queue.';
comment on column monitoring.fleet_components.component_name is
'Which component was checked.';
comment on column monitoring.fleet_components.status is
'healthy, degraded, unhealthy or unknown.';
comment on column monitoring.fleet_components.checked_at is
'When it was last checked.';
comment on column monitoring.fleet_components.response_time_ms is
'Milliseconds until the component answered.';
comment on column monitoring.fleet_components.failure_reason is
'What was wrong.';

create table monitoring.fleet_workflow_days (
    member_name text not null,
    workflow_name text not null,
    business_date date not null,
    is_enabled boolean,
    steps bigint,
    complete bigint,
    running bigint,
    late bigint,
    failed bigint,
    seen_at timestamptz not null,
    constraint fleet_workflow_days_pk primary key (member_name, workflow_name, business_date)
);

comment on table monitoring.fleet_workflow_days is
'Business days of the workflows of each member, as they were last heard of.';
comment on column monitoring.fleet_workflow_days.member_name is
'Member that has the workflow.';
comment on column monitoring.fleet_workflow_days.workflow_name is
'Name of the workflow.';
comment on column monitoring.fleet_workflow_days.business_date is
'The business day.';
comment on column monitoring.fleet_workflow_days.is_enabled is
'Whether its steps are expected.';
comment on column monitoring.fleet_workflow_days.steps is
'How many steps it has.';
comment on column monitoring.fleet_workflow_days.complete is
'Steps that are complete.';
comment on column monitoring.fleet_workflow_days.running is
'Steps that run.';
comment on column monitoring.fleet_workflow_days.late is
'Steps that were due and have not begun.';
comment on column monitoring.fleet_workflow_days.failed is
'Steps whose newest run did not complete.';
comment on column monitoring.fleet_workflow_days.seen_at is
'When the member last told of it.';

create table monitoring.fleet_decisions (
    decision_id bigserial not null,
    member_name text not null,
    alert_id bigint not null,
    started_at timestamptz,
    note text,
    decided_by text not null,
    decided_at timestamptz not null,
    settled_at timestamptz not null default 'infinity',
    outcome text,
    constraint fleet_decisions_pk primary key (decision_id),
    constraint fleet_decisions_are_made_once_uq unique (member_name, alert_id, settled_at)
);

comment on table monitoring.fleet_decisions is
'Acknowledgements made here of alerts of members, on their way there or arrived.';
comment on column monitoring.fleet_decisions.decision_id is
'Number of the decision.';
comment on column monitoring.fleet_decisions.member_name is
'Member that has the alert.';
comment on column monitoring.fleet_decisions.alert_id is
'Number of the alert there.';
comment on column monitoring.fleet_decisions.started_at is
'When that alert was first found, for the number alone may have been given again.';
comment on column monitoring.fleet_decisions.note is
'What they said.';
comment on column monitoring.fleet_decisions.decided_by is
'Who looks after the alert.';
comment on column monitoring.fleet_decisions.decided_at is
'When they said so.';
comment on column monitoring.fleet_decisions.settled_at is
'When the member had it, or refused it; infinity before.';
comment on column monitoring.fleet_decisions.outcome is
'What became of it there; null before.';

create table monitoring.fleet_rollups (
    member_name text not null,
    source text not null,
    name text not null,
    label text not null,
    component text not null,
    resolution text not null,
    bucket_at timestamptz not null,
    row_count bigint not null,
    value_count bigint not null,
    value_sum double precision not null,
    value_sum_squares double precision not null,
    value_min double precision,
    value_max double precision,
    histogram monitoring.histogram,
    constraint fleet_rollups_pk primary key (
        member_name, source, bucket_at, name, label, component, resolution
    )
)
partition by list (resolution);

-- The newest buckets are written again and again: room for that on their own pages.
create table monitoring.fleet_rollups_hour partition of
monitoring.fleet_rollups for values in ('hour')
with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create table monitoring.fleet_rollups_day partition of
monitoring.fleet_rollups for values in ('day')
with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

comment on table monitoring.fleet_rollups is
'Roll-ups of members by hour and day, as rollups has them there.';
comment on column monitoring.fleet_rollups.member_name is
'Member whose they are.';
comment on column monitoring.fleet_rollups.source is
'tasks, errors, metrics, queues, health or uptime.';
comment on column monitoring.fleet_rollups.name is
'Task type, error type, metric, queue or component, as the source has it.';
comment on column monitoring.fleet_rollups.label is
'Status of tasks and health, severity of errors, unit of metrics, or which figure of a queue.';
comment on column monitoring.fleet_rollups.component is
'Component of errors and metrics, type of a component for health; empty when there is none.';
comment on column monitoring.fleet_rollups.resolution is
'hour or day; decides the partition.';
comment on column monitoring.fleet_rollups.bucket_at is
'Beginning of the hour or day, in UTC.';
comment on column monitoring.fleet_rollups.row_count is
'Rows recorded.';
comment on column monitoring.fleet_rollups.value_count is
'How many of them had a value.';
comment on column monitoring.fleet_rollups.value_sum is
'Sum of the values; for uptime the seconds.';
comment on column monitoring.fleet_rollups.value_sum_squares is
'Sum of their squares.';
comment on column monitoring.fleet_rollups.value_min is
'Least value.';
comment on column monitoring.fleet_rollups.value_max is
'Greatest value.';
comment on column monitoring.fleet_rollups.histogram is
'Distribution of the values; null when there are none.';

create table monitoring.fleet_wanted_rollups (
    member_name text not null,
    source text not null,
    resolution text not null,
    bucket_at timestamptz not null,
    after_snapshot text,
    constraint fleet_wanted_rollups_pk primary key (member_name, source, resolution, bucket_at)
);

comment on table monitoring.fleet_wanted_rollups is
'Hours and days of roll-ups that a member has said are new, until it has told them.';
comment on column monitoring.fleet_wanted_rollups.member_name is
'Member whose they are.';
comment on column monitoring.fleet_wanted_rollups.source is
'Which roll-ups.';
comment on column monitoring.fleet_wanted_rollups.resolution is
'hour or day.';
comment on column monitoring.fleet_wanted_rollups.bucket_at is
'Beginning of the hour or day.';
comment on column monitoring.fleet_wanted_rollups.after_snapshot is
'Only rows changed after this snapshot of the member are wanted; null for all.';

insert into monitoring.installed_migrations (migration_id) values ('0018_fleet');
