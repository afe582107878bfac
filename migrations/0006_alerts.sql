-- depends: 0005_retention

-- The alert engine: rules and their thresholds, what they found, what people decided about it,
-- whose alerts are, and which runs are expected when.

set local lock_timeout = '5s';

-- What a rule's query or function returns; the engine makes alerts of it.
create type monitoring.finding as (
    fingerprint text,
    value double precision,
    labels jsonb,
    summary text,
    severity text,
    threshold double precision
);

comment on type monitoring.finding is
'What a rule found: with the rule, the fingerprint is the identity of an alert.';
comment on column monitoring.finding.fingerprint is
'What was found, such as the name of a queue; the same at every evaluation.';
comment on column monitoring.finding.value is
'Measured value, in the unit of the rule; null when there was nothing to measure.';
comment on column monitoring.finding.labels is
'Object of texts that silences, inhibitions, channels and thresholds go by.';
comment on column monitoring.finding.summary is
'What is the matter, in a sentence.';
comment on column monitoring.finding.severity is
'low, medium, high or critical; null to go by the thresholds of the rule.';
comment on column monitoring.finding.threshold is
'Threshold that was passed; null to go by the thresholds of the rule.';

create type monitoring.rule_outcome as (
    rule_name text,
    findings monitoring.finding [],
    error text,
    duration_ms double precision,
    is_over_time boolean
);

comment on type monitoring.rule_outcome is
'How an evaluation of a rule went.';
comment on column monitoring.rule_outcome.rule_name is
'Name of the rule.';
comment on column monitoring.rule_outcome.findings is
'What it found, before thresholds; null when it failed.';
comment on column monitoring.rule_outcome.error is
'Why it failed; null when it did not.';
comment on column monitoring.rule_outcome.duration_ms is
'Milliseconds that it took.';
comment on column monitoring.rule_outcome.is_over_time is
'Whether that was more than its time limit.';

create table monitoring.alert_rules (
    rule_name text not null,
    family text not null,
    description text,
    finder_name text,
    explainer_name text,
    query text,
    unit text,
    comparison text not null default '>',
    parameters jsonb not null default '{}',
    for_seconds double precision not null default 0,
    for_evaluations integer not null default 1,
    keep_firing_seconds double precision not null default 0,
    no_data text not null default 'ok',
    on_error text not null default 'keep',
    time_limit_seconds double precision not null default 10,
    is_enabled boolean not null default true,
    changed_by text,
    changed_at timestamptz,
    constraint alert_rules_pk primary key (rule_name),
    constraint alert_rules_family_is_known_ck check (
        family in ('errors', 'processing', 'health', 'queues', 'records', 'self', 'own')
    ),
    constraint alert_rules_have_a_finder_or_a_query_ck check (
        (finder_name is null) <> (query is null) and (query is null) = (family <> 'own')
    ),
    constraint alert_rules_comparison_is_known_ck check (comparison in ('>', '>=', '<', '<=')),
    constraint alert_rules_parameters_are_an_object_ck check (parameters @> '{}'),
    constraint alert_rules_wait_no_negative_time_ck check (
        for_seconds >= 0 and for_evaluations >= 1 and keep_firing_seconds >= 0
    ),
    constraint alert_rules_no_data_is_known_ck check (no_data in ('ok', 'keep', 'alert')),
    constraint alert_rules_on_error_is_known_ck check (on_error in ('keep', 'ok')),
    constraint alert_rules_end_after_a_while_ck check (time_limit_seconds > 0)
);

comment on table monitoring.alert_rules is
'What is to be alerted about: one row a rule, with a function of ours or a query of the users''.';
comment on column monitoring.alert_rules.rule_name is
'Name of the rule; label rule of its alerts.';
comment on column monitoring.alert_rules.family is
'errors, processing, health, queues or self for built-in rules, own for those that users made.';
comment on column monitoring.alert_rules.description is
'What it is about, and what to do.';
comment on column monitoring.alert_rules.finder_name is
'Function in schema monitoring that finds, for built-in rules: (alert_rules, timestamptz) '
'to findings.';
comment on column monitoring.alert_rules.explainer_name is
'Function in schema monitoring that shows the rows behind an alert; null when there are none.';
comment on column monitoring.alert_rules.query is
'Query that finds, for the users'' own rules.';
comment on column monitoring.alert_rules.unit is
'Unit of values and thresholds, such as seconds; null for a mere number.';
comment on column monitoring.alert_rules.comparison is
'How a value passes a threshold: >, >=, < or <=.';
comment on column monitoring.alert_rules.parameters is
'Object of what the finder goes by, such as {"window_minutes": 60}.';
comment on column monitoring.alert_rules.for_seconds is
'Seconds for which it must have been found before it fires.';
comment on column monitoring.alert_rules.for_evaluations is
'Number of evaluations in a row that must have found it before it fires.';
comment on column monitoring.alert_rules.keep_firing_seconds is
'Seconds for which it must have been gone before it resolves.';
comment on column monitoring.alert_rules.no_data is
'What it means to have nothing to measure: ok (all is well), keep (all stays as it is) or alert.';
comment on column monitoring.alert_rules.on_error is
'What becomes of its alerts while the rule fails: keep (they stay) or ok (they clear).';
comment on column monitoring.alert_rules.time_limit_seconds is
'Seconds after which an evaluation is cancelled, or counts as failed.';
comment on column monitoring.alert_rules.is_enabled is
'Whether it is evaluated.';
comment on column monitoring.alert_rules.changed_by is
'Who made or changed it last; null as installed.';
comment on column monitoring.alert_rules.changed_at is
'When it was made or changed last; null as installed.';

create table monitoring.alert_thresholds (
    rule_name text not null,
    labels jsonb not null default '{}',
    low double precision,
    medium double precision,
    high double precision,
    critical double precision,
    constraint alert_thresholds_pk primary key (rule_name, labels),
    constraint alert_thresholds_labels_are_an_object_ck check (labels @> '{}')
);

comment on table monitoring.alert_thresholds is
'From which value on a rule''s finding has which severity: for all, and for those with '
'certain labels.';
comment on column monitoring.alert_thresholds.rule_name is
'Rule that they belong to.';
comment on column monitoring.alert_thresholds.labels is
'Labels that a finding must have; of several rows that fit, the one with most labels counts.';
comment on column monitoring.alert_thresholds.low is
'Threshold of severity low, in the unit of the rule; null when there is none.';
comment on column monitoring.alert_thresholds.medium is
'Threshold of severity medium.';
comment on column monitoring.alert_thresholds.high is
'Threshold of severity high.';
comment on column monitoring.alert_thresholds.critical is
'Threshold of severity critical.';

create table monitoring.alert_rule_states (
    rule_name text not null,
    evaluated_at timestamptz not null,
    duration_ms double precision not null,
    findings integer not null,
    evaluations bigint not null default 1,
    failures bigint not null default 0,
    consecutive_failures bigint not null default 0,
    last_error text,
    last_failed_at timestamptz,
    paused_until_at timestamptz,
    constraint alert_rule_states_pk primary key (rule_name)
);

comment on table monitoring.alert_rule_states is
'How the last evaluation of each rule went.';
comment on column monitoring.alert_rule_states.rule_name is
'Name of the rule.';
comment on column monitoring.alert_rule_states.evaluated_at is
'When it was last evaluated.';
comment on column monitoring.alert_rule_states.duration_ms is
'Milliseconds that this took.';
comment on column monitoring.alert_rule_states.findings is
'How many findings there were, before thresholds.';
comment on column monitoring.alert_rule_states.evaluations is
'How often it has been evaluated.';
comment on column monitoring.alert_rule_states.failures is
'How often that failed.';
comment on column monitoring.alert_rule_states.consecutive_failures is
'How often it has failed since it last succeeded.';
comment on column monitoring.alert_rule_states.last_error is
'Why it last failed; null when the last evaluation did not.';
comment on column monitoring.alert_rule_states.last_failed_at is
'When it last failed.';
comment on column monitoring.alert_rule_states.paused_until_at is
'Not evaluated before, since it exceeded its time limit; null when it did not.';

create table monitoring.raised_alerts (
    alert_id bigserial not null,
    rule_name text not null,
    fingerprint text not null,
    status text not null,
    severity text not null,
    worst_severity text not null,
    summary text not null,
    reason text,
    explained_at timestamptz,
    owner text,
    value double precision,
    threshold double precision,
    labels jsonb not null,
    occurrences bigint not null default 1,
    found_in_a_row bigint not null default 1,
    started_at timestamptz not null,
    fired_at timestamptz,
    last_seen_at timestamptz not null,
    cleared_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    acknowledged_note text,
    acknowledged_severity text,
    resolved_at timestamptz not null default 'infinity',
    resolved_by text,
    resolution text,
    told jsonb not null default '{}',
    constraint raised_alerts_pk primary key (alert_id),
    constraint raised_alerts_status_is_known_ck check (status in ('pending', 'firing', 'resolved')),
    constraint raised_alerts_severity_is_known_ck check (
        severity in ('low', 'medium', 'high', 'critical')
        and worst_severity in ('low', 'medium', 'high', 'critical')
    ),
    constraint raised_alerts_resolved_have_a_time_ck check (
        (status = 'resolved') = (resolved_at < 'infinity')
    ),
    constraint raised_alerts_fired_have_a_time_ck check ((status = 'pending') = (fired_at is null)),
    constraint raised_alerts_acknowledged_by_somebody_ck check (
        (acknowledged_at is null) = (acknowledged_by is null)
        and (acknowledged_at is null) = (acknowledged_severity is null)
    )
)
with (
    -- Open alerts are updated at every evaluation.
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000
);

-- Serves the identity: one open alert for each rule and fingerprint.
create unique index raised_alerts_open_ix on monitoring.raised_alerts (rule_name, fingerprint)
where resolved_at = 'infinity';

-- Serves retention.
create index raised_alerts_resolved_ix on monitoring.raised_alerts (resolved_at);

-- Serves the search for alerts that have resolved and whose end is still to be told: those that are
-- kept for days must not be looked through at each evaluation.
create index raised_alerts_untold_ix on monitoring.raised_alerts (resolved_at)
where resolved_at < 'infinity' and told @? '$.* ? (@.event != "resolved")';

comment on table monitoring.raised_alerts is
'Alerts: pending, firing, and resolved ones for a while.';
comment on column monitoring.raised_alerts.alert_id is
'Number of the alert.';
comment on column monitoring.raised_alerts.rule_name is
'Rule that found it.';
comment on column monitoring.raised_alerts.fingerprint is
'What the rule found; with the rule it is the alert''s identity.';
comment on column monitoring.raised_alerts.status is
'pending, firing or resolved.';
comment on column monitoring.raised_alerts.severity is
'low, medium, high or critical, as last found.';
comment on column monitoring.raised_alerts.worst_severity is
'Highest severity that it has had.';
comment on column monitoring.raised_alerts.summary is
'What is wrong, in a sentence, as last found.';
comment on column monitoring.raised_alerts.reason is
'Why, such as the last error behind it; null when nobody said.';
comment on column monitoring.raised_alerts.explained_at is
'When the reason was last looked for; null when it is to be looked for.';
comment on column monitoring.raised_alerts.owner is
'Whose it is; null when nobody said.';
comment on column monitoring.raised_alerts.value is
'Measured value as last found, in the unit of the rule.';
comment on column monitoring.raised_alerts.threshold is
'Threshold that it passed, in the unit of the rule.';
comment on column monitoring.raised_alerts.labels is
'Object of labels, such as {"queue": "billing"}.';
comment on column monitoring.raised_alerts.occurrences is
'How many evaluations found it.';
comment on column monitoring.raised_alerts.found_in_a_row is
'How many evaluations in a row found it, up to the last; 0 while it is gone.';
comment on column monitoring.raised_alerts.started_at is
'When it was first found.';
comment on column monitoring.raised_alerts.fired_at is
'When it began to fire; null while pending.';
comment on column monitoring.raised_alerts.last_seen_at is
'When it was last found.';
comment on column monitoring.raised_alerts.cleared_at is
'Since when it has been gone; null while it is there.';
comment on column monitoring.raised_alerts.acknowledged_at is
'When it was acknowledged; null when it is not.';
comment on column monitoring.raised_alerts.acknowledged_by is
'Who acknowledged it.';
comment on column monitoring.raised_alerts.acknowledged_note is
'What they said.';
comment on column monitoring.raised_alerts.acknowledged_severity is
'Severity that it had then; a higher one ends the acknowledgement.';
comment on column monitoring.raised_alerts.resolved_at is
'When it resolved; infinity while it is open.';
comment on column monitoring.raised_alerts.resolved_by is
'Who resolved it; pgvigil when the condition was gone.';
comment on column monitoring.raised_alerts.resolution is
'Why it resolved.';
comment on column monitoring.raised_alerts.told is
'What was told where: an object by channel of severity, at, times and event.';

create table monitoring.alert_transitions (
    transition_id bigserial not null,
    alert_id bigint not null,
    rule_name text not null,
    fingerprint text not null,
    changed_at timestamptz not null,
    transition text not null,
    severity text not null,
    value double precision,
    threshold double precision,
    labels jsonb not null,
    summary text not null,
    changed_by text not null,
    login_name text default session_user,
    note text,
    constraint alert_transitions_pk primary key (transition_id),
    constraint alert_transitions_are_known_ck check (
        transition in (
            'pending', 'dropped', 'firing', 'escalated', 'eased', 'acknowledged', 'unacknowledged',
            'resolved'
        )
    )
);

-- Serves the history of one alert.
create index alert_transitions_alert_ix on monitoring.alert_transitions (alert_id);

-- Serves the history of a span of time, and retention.
create index alert_transitions_time_ix on monitoring.alert_transitions (changed_at);

comment on table monitoring.alert_transitions is
'Everything that ever became of an alert; replayed in order it gives the state.';
comment on column monitoring.alert_transitions.transition_id is
'Number of the transition, in order.';
comment on column monitoring.alert_transitions.alert_id is
'Alert that it became of.';
comment on column monitoring.alert_transitions.rule_name is
'Rule of the alert.';
comment on column monitoring.alert_transitions.fingerprint is
'Fingerprint of the alert.';
comment on column monitoring.alert_transitions.changed_at is
'When it happened.';
comment on column monitoring.alert_transitions.transition is
'pending, dropped (gone while pending), firing, escalated, eased, acknowledged, '
'unacknowledged or resolved.';
comment on column monitoring.alert_transitions.severity is
'Severity after it.';
comment on column monitoring.alert_transitions.value is
'Measured value at that time.';
comment on column monitoring.alert_transitions.threshold is
'Threshold at that time.';
comment on column monitoring.alert_transitions.labels is
'Labels of the alert.';
comment on column monitoring.alert_transitions.summary is
'What was wrong.';
comment on column monitoring.alert_transitions.changed_by is
'Who did it; pgvigil when a rule did.';
comment on column monitoring.alert_transitions.login_name is
'Database user in whose session it happened.';
comment on column monitoring.alert_transitions.note is
'What they said, or why it happened.';

create table monitoring.alert_silences (
    silence_id bigserial not null,
    matchers jsonb not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    is_until_resolved boolean not null default false,
    note text,
    created_by text not null,
    login_name text default session_user,
    created_at timestamptz not null,
    ended_by text,
    ended_login_name text,
    constraint alert_silences_pk primary key (silence_id),
    constraint alert_silences_end_after_they_start_ck check (ends_at >= starts_at),
    constraint alert_silences_match_something_ck check (matchers @> '{}' and matchers <> '{}')
);

comment on table monitoring.alert_silences is
'Windows of time in which certain alerts are not told.';
comment on column monitoring.alert_silences.silence_id is
'Number of the silence.';
comment on column monitoring.alert_silences.matchers is
'Labels of the alerts that it silences, with rule, fingerprint, severity and family among them.';
comment on column monitoring.alert_silences.starts_at is
'When it begins.';
comment on column monitoring.alert_silences.ends_at is
'When it ends; infinity when it has no end of its own.';
comment on column monitoring.alert_silences.is_until_resolved is
'Whether it ends as soon as no open alert matches it.';
comment on column monitoring.alert_silences.note is
'Why.';
comment on column monitoring.alert_silences.created_by is
'Who made it.';
comment on column monitoring.alert_silences.login_name is
'Database user whose session made it.';
comment on column monitoring.alert_silences.created_at is
'When it was made.';
comment on column monitoring.alert_silences.ended_by is
'Who ended it before its time; null when nobody did.';
comment on column monitoring.alert_silences.ended_login_name is
'Database user whose session ended it before its time.';

create table monitoring.alert_inhibitions (
    source_rule text not null,
    target_rule text not null,
    equal_labels text[] not null default '{}',
    constraint alert_inhibitions_pk primary key (source_rule, target_rule),
    constraint alert_inhibitions_name_two_rules_ck check (source_rule <> target_rule)
);

comment on table monitoring.alert_inhibitions is
'Which rule''s firing alert makes notices of another''s superfluous.';
comment on column monitoring.alert_inhibitions.source_rule is
'Rule whose firing alert inhibits.';
comment on column monitoring.alert_inhibitions.target_rule is
'Rule whose alerts are not told meanwhile.';
comment on column monitoring.alert_inhibitions.equal_labels is
'Labels that both alerts must have in common; missing in both counts as equal.';

create table monitoring.alert_owners (
    labels jsonb not null,
    owner text not null,
    changed_by text not null,
    changed_at timestamptz not null,
    constraint alert_owners_pk primary key (labels),
    constraint alert_owners_go_by_an_object_ck check (labels @> '{}')
);

comment on table monitoring.alert_owners is
'Whose alerts are: of several rows that fit an alert, the one with most labels counts.';
comment on column monitoring.alert_owners.labels is
'Labels that an alert must have, such as {"task_type": "etl"}; empty for all.';
comment on column monitoring.alert_owners.owner is
'Person or team, as messages name them.';
comment on column monitoring.alert_owners.changed_by is
'Who said so.';
comment on column monitoring.alert_owners.changed_at is
'When that was.';

create table monitoring.expected_runs (
    task_type text not null,
    schedule text not null,
    time_zone text not null default 'UTC',
    grace_seconds double precision not null default 300,
    early_seconds double precision not null default 60,
    is_enabled boolean not null default true,
    expected_since_at timestamptz not null,
    changed_by text not null,
    changed_at timestamptz not null,
    constraint expected_runs_pk primary key (task_type),
    constraint expected_runs_wait_no_negative_time_ck check (
        grace_seconds >= 0 and early_seconds >= 0
    )
);

comment on table monitoring.expected_runs is
'When runs of a task type are to start, so that one that does not can be told.';
comment on column monitoring.expected_runs.task_type is
'What kind of work is expected.';
comment on column monitoring.expected_runs.schedule is
'Cron expression, or a time of day such as 02:30.';
comment on column monitoring.expected_runs.time_zone is
'Time zone by whose clocks it goes.';
comment on column monitoring.expected_runs.grace_seconds is
'Seconds by which a run may start late before it counts as missed.';
comment on column monitoring.expected_runs.early_seconds is
'Seconds by which a run may start early and still be the one that is due.';
comment on column monitoring.expected_runs.is_enabled is
'Whether runs are expected at present.';
comment on column monitoring.expected_runs.expected_since_at is
'What was due before is not expected.';
comment on column monitoring.expected_runs.changed_by is
'Who said so last.';
comment on column monitoring.expected_runs.changed_at is
'When they did.';

-- The built-in rules about tasks.
insert into monitoring.alert_rules (
    rule_name, family, description, finder_name, explainer_name, unit, comparison, parameters,
    is_enabled
)
values
(
    'slow_processing', 'processing',
    'Attempts of a type that ended in the window took long on average.',
    '_find_slow_processing', '_explain_attempts', 'seconds', '>',
    '{"window_minutes": 60, "min_tasks": 1}', true
),
(
    'long_running_task', 'processing',
    'A task has been running for long.',
    '_find_long_running_tasks', '_explain_task', 'seconds', '>', '{}', true
),
(
    'task_stuck', 'processing',
    'A running task has not got further for long: no items done, no counter changed. With '
    '{"by": "heartbeat"} any word from it counts.',
    '_find_stuck_tasks', '_explain_task', 'seconds', '>=', '{"by": "progress"}', true
),
(
    'task_too_fast', 'processing',
    'The quickest attempt of a type that completed in the window did so suspiciously soon. Asleep '
    'until somebody sets a threshold for a type.',
    '_find_fast_tasks', '_explain_attempts', 'seconds', '<', '{"window_minutes": 60}', true
),
(
    'low_throughput', 'processing',
    'Attempts of a type, those that completed in the window and those that run, get few items '
    'done. Asleep until somebody sets a threshold for a type.',
    '_find_low_throughput', '_explain_attempts', 'items/s', '<',
    '{"window_minutes": 60, "min_running_seconds": 60}', true
),
(
    'task_failed', 'processing',
    'Tasks whose last attempt failed, timed out or got lost, and that have not completed since. '
    'With {"by": "task"} an alert for each task instead of each type.',
    '_find_failed_tasks', '_explain_failed_tasks', 'tasks', '>=',
    '{"window_minutes": 1440, "by": "task_type"}', true
),
(
    'success_rate_low', 'processing',
    'Few of the attempts of a type that ended in the window completed.',
    '_find_low_success_rates', '_explain_unsuccessful_attempts', '%', '<',
    '{"window_minutes": 60, "min_tasks": 10}', true
),
(
    'error_rate_high', 'processing',
    'Many of the attempts of a type that ended in the window failed, timed out or got lost.',
    '_find_high_error_rates', '_explain_unsuccessful_attempts', '%', '>',
    '{"window_minutes": 60, "min_tasks": 10}', true
),
(
    'consecutive_failures', 'processing',
    'The newest attempts of a type all failed, timed out or got lost; those that were cancelled '
    'count neither way.',
    '_find_consecutive_failures', '_explain_unsuccessful_attempts', 'attempts', '>=',
    '{"window_days": 30}', true
),
(
    'duration_deviation', 'processing',
    'Completed attempts of a type took much longer, or shorter, on average than at the same hour '
    'and weekday of past weeks; the value is the distance in standard deviations.',
    '_find_unusual_durations', '_explain_attempts', 'standard deviations', '>=',
    '{"window_minutes": 60, "weeks": 8, "min_weeks": 3, "min_tasks": 5,'
    ' "min_difference_percent": 25, "time_zone": "UTC"}',
    true
),
(
    'backend_gone', 'processing',
    'The database session that last spoke for a running task has ended. Only for programs that '
    'keep one session a task; with a pool of sessions it says nothing.',
    '_find_gone_backends', '_explain_task', 'seconds', '>=', '{}', false
),
(
    'missed_run', 'processing',
    'A run that expect_runs() told of has not started in time.',
    '_find_missed_runs', '_explain_missed_run', 'seconds', '>=', '{}', true
);

insert into monitoring.alert_thresholds (rule_name, low, medium, high, critical)
values
('slow_processing', 180, 300, 600, 900),
('long_running_task', null, 3600, null, null),
('task_stuck', null, null, null, 3600),
('task_failed', null, null, null, 1),
('success_rate_low', null, null, 90, null),
('error_rate_high', null, 5, null, null),
('consecutive_failures', null, null, 3, null),
('duration_deviation', null, 4, 8, null),
('backend_gone', null, null, 0, null),
('missed_run', null, null, 0, null);

insert into monitoring.alert_inhibitions (source_rule, target_rule, equal_labels)
values
('task_stuck', 'long_running_task', '{task_id}'),
('success_rate_low', 'error_rate_high', '{task_type}');

-- The built-in rules about the items of ETL executions. Executions, log lines and metrics of ETL
-- are tasks, log lines and metrics, so that there is no table of theirs.
insert into monitoring.alert_rules (
    rule_name, family, description, finder_name, explainer_name, unit, comparison, parameters
)
values
(
    'item_error_rate_high', 'processing',
    'Many of the items of an ETL execution failed; of one that runs, as soon as enough are done.',
    '_find_failed_items', '_explain_items', '%', '>',
    '{"window_minutes": 60, "min_items": 1, "min_items_running": 20}'
),
(
    'item_success_rate_low', 'processing',
    'Few of the items of an ETL execution went well; of one that runs, as soon as enough are done.',
    '_find_low_item_success', '_explain_items', '%', '<',
    '{"window_minutes": 60, "min_items": 1, "min_items_running": 20}'
);

insert into monitoring.alert_thresholds (rule_name, labels, low, medium, high, critical)
values
('item_error_rate_high', '{}', null, 5, null, null),
('item_success_rate_low', '{}', null, null, 90, null),
-- An execution takes as long as a batch, not as long as a document.
('slow_processing', '{"task_type": "etl"}', null, 3600, 7200, 14400);

insert into monitoring.alert_inhibitions (source_rule, target_rule, equal_labels)
values
('item_success_rate_low', 'item_error_rate_high', '{task_id}');

-- The built-in rules about errors, health, queues and pgvigil itself.
insert into monitoring.alert_rules (
    rule_name, family, description, finder_name, explainer_name, unit, comparison, parameters,
    no_data
)
values
(
    'errors_per_hour', 'errors',
    'More errors than usual within the last hour: look at error_groups for which ones.',
    '_find_many_errors', '_explain_errors', 'errors', '>=',
    '{"window_minutes": 60, "by": "all"}', 'ok'
),
(
    'error_group_new', 'errors',
    'A kind of error that was never seen before: fix it, or mute or resolve its group.',
    '_find_new_error_groups', '_explain_error_groups', 'error groups', '>=',
    '{"window_minutes": 60, "most": 20}', 'ok'
),
(
    'error_group_regressed', 'errors',
    'An error that counted as resolved has come back: fix it, then resolve its group anew.',
    '_find_regressed_error_groups', '_explain_error_groups', 'error groups', '>=',
    '{"window_minutes": 1440}', 'ok'
),
(
    'component_unhealthy', 'health',
    'The newest check of a component found it unhealthy or degraded.',
    '_find_unhealthy_components', '_explain_component', null, '>=',
    '{"forget_after_days": 7}', 'keep'
),
(
    'component_silent', 'health',
    'A component is no longer checked, so that nobody knows how it is: look at what checks it.',
    '_find_silent_components', '_explain_component', 'seconds', '>',
    '{"forget_after_days": 7}', 'ok'
),
(
    'queue_backlog', 'queues',
    'Many items wait in a queue: look whether its workers run and keep up.',
    '_find_queue_backlogs', '_explain_queue', 'items', '>=',
    '{"window_minutes": 60, "forget_after_minutes": 1440}', 'keep'
),
(
    'queue_oldest_ready_age', 'queues',
    'An item has been ready for long and nobody takes it: its workers are stuck or too few.',
    '_find_old_queue_items', '_explain_queue', 'seconds', '>',
    '{"window_minutes": 60, "forget_after_minutes": 1440}', 'keep'
),
(
    'scheduler_late', 'self',
    'Jobs are due and nothing runs them: see whether the runner or pg_cron works.',
    '_find_late_scheduler', '_explain_self_check', 'seconds', '>', '{}', 'ok'
),
(
    'job_failed', 'self',
    'The last run of a job did not complete: v_jobs says why.',
    '_find_failed_jobs', '_explain_job', 'runs', '>=', '{}', 'ok'
),
(
    'job_late', 'self',
    'A job is due and does not begin, or does not end: v_jobs says since when.',
    '_find_late_jobs', '_explain_job', 'seconds', '>', '{}', 'ok'
),
(
    'rollups_late', 'self',
    'Roll-ups are behind: views stay right but take longer to read. See job roll_up.',
    '_find_late_rollups', '_explain_self_check', 'seconds', '>', '{}', 'ok'
),
(
    'partitions_missing', 'self',
    'The partition of today or tomorrow is missing: see job make_partitions.',
    '_find_missing_partitions', '_explain_self_check', 'seconds', '>', '{}', 'ok'
),
(
    'cleanup_late', 'self',
    'Rows are still there a day after they were due to go: see job clean_up and v_retention.',
    '_find_late_cleanup', '_explain_self_check', 'seconds', '>', '{}', 'ok'
),
(
    'rule_failed', 'self',
    'An alert rule cannot be evaluated: what it watches over is not watched. Mend or disable it.',
    '_find_failed_rules', '_explain_failed_rule', 'evaluations', '>=', '{}', 'ok'
),
(
    'notification_dead', 'self',
    'Messages could not be delivered and were given up: see v_notifications for why.',
    '_find_dead_notifications', '_explain_dead_notifications', 'messages', '>=',
    '{"window_minutes": 1440}', 'ok'
);

insert into monitoring.alert_thresholds (rule_name, low, medium, high, critical)
values
('errors_per_hour', 25, 50, 75, 100),
-- 1 stands for degraded, 2 for unhealthy.
('component_unhealthy', null, 1, null, 2),
('component_silent', null, 900, 3600, null),
('queue_backlog', 50, 100, 200, 500),
('queue_oldest_ready_age', null, 300, 900, 3600),
('scheduler_late', null, null, 180, 1800),
('job_failed', null, null, 1, null),
('job_late', null, 180, 3600, null),
('rollups_late', null, 180, 3600, null),
('cleanup_late', null, 86400, 259200, null),
('rule_failed', null, null, 1, null),
('notification_dead', null, null, 1, null);

-- While nothing runs the jobs, whatever they do is late.
insert into monitoring.alert_inhibitions (source_rule, target_rule)
values
('scheduler_late', 'job_late'),
('scheduler_late', 'rollups_late'),
('scheduler_late', 'partitions_missing'),
('scheduler_late', 'cleanup_late');

-- The built-in rule about the number of names.
insert into monitoring.alert_rules (
    rule_name, family, description, finder_name, explainer_name, unit, comparison, parameters,
    no_data
)
values (
    'names_over_limit', 'self',
    'Programs send more different names than are told apart, often with an id in them: send the id '
    'as a task_id or in details, or raise the limit.',
    '_find_names_over_limit', '_explain_names_over_limit', 'names', '>=',
    '{"window_minutes": 60}', 'ok'
);

insert into monitoring.alert_thresholds (rule_name, medium) values ('names_over_limit', 1);

insert into monitoring.retention_policies (table_name, category, keep)
values
('raised_alerts', '', '7 days'),
('alert_transitions', '', '90 days'),
('alert_silences', '', '90 days');

-- The function comes with the code, which is loaded after the migrations.
insert into monitoring.jobs (
    job_name, description, schedule, procedure_name, timeout_seconds, next_run_at
)
values
(
    'evaluate_alerts', 'Evaluates the alert rules and queues what is to be told.', '1 minute',
    'monitoring.evaluate_alerts', 300, now()
);

insert into monitoring.installed_migrations (migration_id) values ('0006_alerts');
