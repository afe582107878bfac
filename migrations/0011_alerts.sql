-- depends: 0010_retention

-- The alert engine: rules and their thresholds, what they found, what people decided about it, and
-- the outbox of what is to be told.

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
        family in ('errors', 'processing', 'health', 'queues', 'self', 'own')
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
    created_at timestamptz not null,
    ended_by text,
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
comment on column monitoring.alert_silences.created_at is
'When it was made.';
comment on column monitoring.alert_silences.ended_by is
'Who ended it before its time; null when nobody did.';

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

create table monitoring.notification_channels (
    channel_name text not null,
    kind text not null default 'apprise',
    targets text[] not null,
    matchers jsonb not null default '{}',
    minimum_severity text not null default 'low',
    has_resolved_notices boolean not null default true,
    repeat_seconds double precision default 14400,
    max_per_hour integer default 60,
    max_attempts integer not null default 12,
    summary_time text,
    time_zone text not null default 'UTC',
    is_enabled boolean not null default true,
    changed_by text,
    changed_at timestamptz,
    held_back bigint not null default 0,
    held_back_at timestamptz,
    summarized_at timestamptz,
    constraint notification_channels_pk primary key (channel_name),
    constraint notification_channels_kind_is_known_ck check (kind in ('apprise', 'alertmanager')),
    constraint notification_channels_have_a_target_ck check (cardinality(targets) > 0),
    constraint notification_channels_matchers_are_an_object_ck check (matchers @> '{}'),
    constraint notification_channels_severity_is_known_ck check (
        minimum_severity in ('low', 'medium', 'high', 'critical')
    ),
    constraint notification_channels_limits_are_positive_ck check (
        repeat_seconds > 0 and max_per_hour > 0 and max_attempts > 0
    ),
    constraint notification_channels_summary_is_a_time_ck check (
        summary_time ~ '^([01]\d|2[0-3]):[0-5]\d$'
    )
);

comment on table monitoring.notification_channels is
'Where to tell people: which alerts go there, how often, and the names under which the '
'runner finds the addresses.';
comment on column monitoring.notification_channels.channel_name is
'Name of the channel.';
comment on column monitoring.notification_channels.kind is
'apprise (e-mail, chat, SMS, webhook) or alertmanager (handed over to an Alertmanager).';
comment on column monitoring.notification_channels.targets is
'Names of environment variables of the runner, or of keys in its file, that hold the '
'addresses; each is told on its own.';
comment on column monitoring.notification_channels.matchers is
'Labels of the alerts that are told here; empty for all.';
comment on column monitoring.notification_channels.minimum_severity is
'Least severity that is told here.';
comment on column monitoring.notification_channels.has_resolved_notices is
'Whether it is also told when an alert has resolved; false for quiet channels.';
comment on column monitoring.notification_channels.repeat_seconds is
'Seconds after which a firing alert that nobody has acknowledged is told again; null for never.';
comment on column monitoring.notification_channels.max_per_hour is
'Messages to each target within an hour, beyond which they are held back; null for any number.';
comment on column monitoring.notification_channels.max_attempts is
'Attempts after which a message is given up.';
comment on column monitoring.notification_channels.summary_time is
'Time of day, such as 07:30, at which the daily summary is sent; null for none.';
comment on column monitoring.notification_channels.time_zone is
'Time zone that this is meant in.';
comment on column monitoring.notification_channels.is_enabled is
'Whether anything is told here.';
comment on column monitoring.notification_channels.changed_by is
'Who made or changed it last.';
comment on column monitoring.notification_channels.changed_at is
'When it was made or changed last.';
comment on column monitoring.notification_channels.held_back is
'How many notices are being held back by the hourly limit.';
comment on column monitoring.notification_channels.held_back_at is
'Since when; null while none is.';
comment on column monitoring.notification_channels.summarized_at is
'When the last daily summary was made.';

create table monitoring.queued_notifications (
    notification_id bigserial not null,
    notification_key uuid not null default gen_random_uuid(),
    channel_name text not null,
    target text not null,
    kind text not null,
    subject text not null,
    body text not null,
    payload jsonb not null,
    created_at timestamptz not null,
    status text not null default 'waiting',
    attempts integer not null default 0,
    next_attempt_at timestamptz not null,
    leased_by text,
    last_error text,
    finished_at timestamptz not null default 'infinity',
    constraint queued_notifications_pk primary key (notification_id),
    constraint queued_notifications_kind_is_known_ck check (
        kind in ('alerts', 'held_back', 'summary', 'test')
    ),
    constraint queued_notifications_status_is_known_ck check (
        status in ('waiting', 'sending', 'sent', 'dead')
    ),
    constraint queued_notifications_finished_have_a_time_ck check (
        (status in ('sent', 'dead')) = (finished_at < 'infinity')
    )
)
with (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000
);

-- Serves the search for what is to be sent.
create index queued_notifications_unsent_ix on monitoring.queued_notifications (next_attempt_at)
where finished_at = 'infinity';

-- Serves hourly limits, and retention.
create index queued_notifications_finished_ix on monitoring.queued_notifications (finished_at);

comment on table monitoring.queued_notifications is
'The outbox: one row for each message and target, written together with what it tells.';
comment on column monitoring.queued_notifications.notification_id is
'Number of the notification.';
comment on column monitoring.queued_notifications.notification_key is
'Goes with every attempt, so that a receiver can tell a duplicate.';
comment on column monitoring.queued_notifications.channel_name is
'Channel that it goes to.';
comment on column monitoring.queued_notifications.target is
'Name of the target in the runner''s environment or file.';
comment on column monitoring.queued_notifications.kind is
'alerts, held_back (what the hourly limit kept), summary (of the day) or test.';
comment on column monitoring.queued_notifications.subject is
'Headline of the message.';
comment on column monitoring.queued_notifications.body is
'The message, as plain text.';
comment on column monitoring.queued_notifications.payload is
'The same for programs: an object with an array alerts.';
comment on column monitoring.queued_notifications.created_at is
'When it was made.';
comment on column monitoring.queued_notifications.status is
'waiting, sending, sent or dead (given up).';
comment on column monitoring.queued_notifications.attempts is
'How often sending began; says as well which attempt holds the lease.';
comment on column monitoring.queued_notifications.next_attempt_at is
'Not to be sent before; while sending, when the lease ends.';
comment on column monitoring.queued_notifications.leased_by is
'Runner that is sending it, or last did.';
comment on column monitoring.queued_notifications.last_error is
'Why the last attempt failed; null when it did not.';
comment on column monitoring.queued_notifications.finished_at is
'When it was sent or given up; infinity until then.';

insert into monitoring.retention_policies (table_name, category, keep)
values
('raised_alerts', '', '7 days'),
('alert_transitions', '', '90 days'),
('alert_silences', '', '90 days'),
('queued_notifications', '', '30 days');

-- The function comes with the code, which is loaded after the migrations.
insert into monitoring.jobs (
    job_name, description, schedule, procedure_name, timeout_seconds, next_run_at
)
values
(
    'evaluate_alerts', 'Evaluates the alert rules and queues what is to be told.', '1 minute',
    'monitoring.evaluate_alerts', 300, now()
);

-- The view gains columns in between, which replacing it cannot do; what reads it comes with the
-- code.
do $$
begin
    if to_regclass('monitoring.v_active_alerts') is not null then
        drop view monitoring.v_active_alerts cascade;
    end if;
end
$$;

insert into monitoring.installed_migrations (migration_id) values ('0011_alerts');
