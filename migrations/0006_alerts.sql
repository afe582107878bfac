-- depends: 0005_retention

-- The alert engine: rules and their thresholds, what they found, what people decided about it,
-- whose alerts are, and which runs are expected when.

set local lock_timeout = '200ms';

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
    finder_name text,
    explainer_name text,
    query text,
    shipped jsonb not null default '{}',
    decided jsonb not null default '{}',
    description text generated always as (
        coalesce(decided ->> 'description', shipped ->> 'description')
    ) stored,
    unit text generated always as (
        coalesce(decided ->> 'unit', shipped ->> 'unit')
    ) stored,
    comparison text not null generated always as (
        coalesce(decided ->> 'comparison', shipped ->> 'comparison', '>')
    ) stored,
    parameters jsonb not null generated always as (
        coalesce(shipped -> 'parameters', '{}') || coalesce(decided -> 'parameters', '{}')
    ) stored,
    for_seconds double precision not null generated always as (
        coalesce(decided ->> 'for_seconds', shipped ->> 'for_seconds', '0')::double precision
    ) stored,
    for_evaluations integer not null generated always as (
        coalesce(decided ->> 'for_evaluations', shipped ->> 'for_evaluations', '1')
        ::numeric::integer
    ) stored,
    keep_firing_seconds double precision not null generated always as (
        coalesce(decided ->> 'keep_firing_seconds', shipped ->> 'keep_firing_seconds', '0')
        ::double precision
    ) stored,
    no_data text not null generated always as (
        coalesce(decided ->> 'no_data', shipped ->> 'no_data', 'ok')
    ) stored,
    on_error text not null generated always as (
        coalesce(decided ->> 'on_error', shipped ->> 'on_error', 'keep')
    ) stored,
    time_limit_seconds double precision not null generated always as (
        coalesce(decided ->> 'time_limit_seconds', shipped ->> 'time_limit_seconds', '10')
        ::double precision
    ) stored,
    is_enabled boolean not null generated always as (
        coalesce(decided ->> 'is_enabled', shipped ->> 'is_enabled', 'true')::boolean
    ) stored,
    changed_by text,
    changed_at timestamptz,
    constraint alert_rules_pk primary key (rule_name),
    constraint alert_rules_family_is_known_ck check (
        family in ('errors', 'processing', 'health', 'queues', 'records', 'self', 'reported', 'own')
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
comment on column monitoring.alert_rules.finder_name is
'Function in schema monitoring that finds, for built-in rules: (alert_rules, timestamptz) '
'to findings.';
comment on column monitoring.alert_rules.explainer_name is
'Function in schema monitoring that shows the rows behind an alert; null when there are none.';
comment on column monitoring.alert_rules.query is
'Query that finds, for the users'' own rules.';
comment on column monitoring.alert_rules.shipped is
'Settings as we ship them; {} for the users'' own rules.';
comment on column monitoring.alert_rules.decided is
'Settings that people set, which count more; {} as shipped.';
comment on column monitoring.alert_rules.description is
'What it is about, and what to do.';
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
'Who made or changed it last; null as shipped.';
comment on column monitoring.alert_rules.changed_at is
'When it was made or changed last; null as shipped.';

create table monitoring.alert_thresholds (
    rule_name text not null,
    labels jsonb not null default '{}',
    shipped jsonb,
    decided jsonb,
    low double precision generated always as (
        ((coalesce(shipped, '{}') || coalesce(decided, '{}')) ->> 'low')::double precision
    ) stored,
    medium double precision generated always as (
        ((coalesce(shipped, '{}') || coalesce(decided, '{}')) ->> 'medium')::double precision
    ) stored,
    high double precision generated always as (
        ((coalesce(shipped, '{}') || coalesce(decided, '{}')) ->> 'high')::double precision
    ) stored,
    critical double precision generated always as (
        ((coalesce(shipped, '{}') || coalesce(decided, '{}')) ->> 'critical')::double precision
    ) stored,
    is_empty boolean not null generated always as (
        jsonb_strip_nulls(coalesce(shipped, '{}') || coalesce(decided, '{}')) = '{}'
    ) stored,
    changed_by text,
    changed_at timestamptz,
    constraint alert_thresholds_pk primary key (rule_name, labels),
    constraint alert_thresholds_labels_are_an_object_ck check (labels @> '{}'),
    constraint alert_thresholds_decisions_have_a_time_ck check (
        (decided is null) = (changed_at is null)
    )
);

comment on table monitoring.alert_thresholds is
'From which value on a rule''s finding has which severity: for all, and for those with '
'certain labels.';
comment on column monitoring.alert_thresholds.rule_name is
'Rule that they belong to.';
comment on column monitoring.alert_thresholds.labels is
'Labels that a finding must have; of several rows that fit, the one with most labels counts.';
comment on column monitoring.alert_thresholds.shipped is
'Object of numbers by severity, as we ship them; null for labels that people added.';
comment on column monitoring.alert_thresholds.decided is
'Object of numbers that people set, or nulls for none, severity by severity; what it leaves out is '
'as shipped, and all is while it is null.';
comment on column monitoring.alert_thresholds.low is
'Threshold of severity low, in the unit of the rule; null when there is none.';
comment on column monitoring.alert_thresholds.medium is
'Threshold of severity medium.';
comment on column monitoring.alert_thresholds.high is
'Threshold of severity high.';
comment on column monitoring.alert_thresholds.critical is
'Threshold of severity critical.';
comment on column monitoring.alert_thresholds.is_empty is
'Whether there is none, so that those of fewer labels count.';
comment on column monitoring.alert_thresholds.changed_by is
'Who set them; null as shipped.';
comment on column monitoring.alert_thresholds.changed_at is
'When that was; null as shipped.';

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
'Periods of time in which certain alerts send no notifications.';
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
    shipped_labels text[],
    decided_labels text[],
    equal_labels text[] not null generated always as (
        coalesce(decided_labels, shipped_labels)
    ) stored,
    is_enabled boolean not null default true,
    changed_by text,
    changed_at timestamptz,
    constraint alert_inhibitions_pk primary key (source_rule, target_rule),
    constraint alert_inhibitions_name_two_rules_ck check (source_rule <> target_rule),
    constraint alert_inhibitions_decisions_have_a_time_ck check (
        (decided_labels is not null or not is_enabled) = (changed_at is not null)
    )
);

comment on table monitoring.alert_inhibitions is
'Which rule''s firing alert makes notices of another''s superfluous.';
comment on column monitoring.alert_inhibitions.source_rule is
'Rule whose firing alert inhibits.';
comment on column monitoring.alert_inhibitions.target_rule is
'Rule whose alerts are not told meanwhile.';
comment on column monitoring.alert_inhibitions.shipped_labels is
'Labels that both alerts must have in common, as we ship them; null for one that people added.';
comment on column monitoring.alert_inhibitions.decided_labels is
'Labels that people set, which count instead; null while nobody has.';
comment on column monitoring.alert_inhibitions.equal_labels is
'Labels that both alerts must have in common; missing in both counts as equal.';
comment on column monitoring.alert_inhibitions.is_enabled is
'Whether it holds; false for one of ours that people have lifted.';
comment on column monitoring.alert_inhibitions.changed_by is
'Who added, changed or lifted it; null as shipped.';
comment on column monitoring.alert_inhibitions.changed_at is
'When that was; null as shipped.';

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
    counts text not null default 'starts',
    is_enabled boolean not null default true,
    expected_since_at timestamptz not null,
    changed_by text not null,
    changed_at timestamptz not null,
    constraint expected_runs_pk primary key (task_type),
    constraint expected_runs_wait_no_negative_time_ck check (
        grace_seconds >= 0 and early_seconds >= 0
    ),
    constraint expected_runs_counts_is_known_ck check (counts in ('starts', 'successes'))
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
comment on column monitoring.expected_runs.counts is
'Which runs count: starts, whatever becomes of them, or successes, so that one that failed is as '
'one that did not come.';
comment on column monitoring.expected_runs.is_enabled is
'Whether runs are expected at present.';
comment on column monitoring.expected_runs.expected_since_at is
'What was due before is not expected.';
comment on column monitoring.expected_runs.changed_by is
'Who said so last.';
comment on column monitoring.expected_runs.changed_at is
'When they did.';

create table monitoring.reported_alerts (
    source_name text not null,
    fingerprint text not null,
    severity text not null,
    summary text not null,
    labels jsonb not null,
    details jsonb,
    raised_at timestamptz not null,
    told_at timestamptz not null,
    expires_at timestamptz not null,
    login_name text not null,
    constraint reported_alerts_pk primary key (source_name, fingerprint),
    constraint reported_alerts_severity_is_known_ck check (
        severity in ('low', 'medium', 'high', 'critical')
    )
);

comment on table monitoring.reported_alerts is
'What others have raised and not cleared; the rule reported_alert makes alerts of it.';
comment on column monitoring.reported_alerts.source_name is
'Who raised it, such as the name of a script or an Alertmanager.';
comment on column monitoring.reported_alerts.fingerprint is
'What it is about, unique within the source.';
comment on column monitoring.reported_alerts.severity is
'low, medium, high or critical, as told last.';
comment on column monitoring.reported_alerts.summary is
'What is wrong, as told last.';
comment on column monitoring.reported_alerts.labels is
'Object that silences, owners and channels go by, as told last.';
comment on column monitoring.reported_alerts.details is
'What else was told last, for explain_alert().';
comment on column monitoring.reported_alerts.raised_at is
'When it was raised.';
comment on column monitoring.reported_alerts.told_at is
'When it was told last.';
comment on column monitoring.reported_alerts.expires_at is
'When it resolves unless it is told again; infinity for never.';
comment on column monitoring.reported_alerts.login_name is
'Database user who told it last.';

insert into monitoring.installed_migrations (migration_id) values ('0006_alerts');
