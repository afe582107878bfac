-- depends: 0006_alerts

-- Whom alerts are told, and the outbox of what is to be told.

set local lock_timeout = '200ms';

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
    folded integer not null default 0,
    folded_into bigint,
    created_at timestamptz not null,
    status text not null default 'waiting',
    attempts integer not null default 0,
    next_attempt_at timestamptz not null,
    leased_by text,
    last_error text,
    finished_at timestamptz not null default 'infinity',
    constraint queued_notifications_pk primary key (notification_id),
    constraint queued_notifications_kind_is_known_ck check (
        kind in ('alerts', 'held_back', 'summary', 'test', 'digest')
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

-- Serves the search for what was given up and is still to be told, whenever one gets through.
create index queued_notifications_dead_ix on monitoring.queued_notifications (channel_name, target)
where status = 'dead' and folded_into is null;

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
comment on column monitoring.queued_notifications.folded is
'How many messages that could not be sent in time it stands for; 0 for one of its own.';
comment on column monitoring.queued_notifications.folded_into is
'Digest that has told what this message, which was given up, could not; null until one has.';
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

create table monitoring.page_addresses (
    page_name text not null,
    url text not null,
    changed_by text not null,
    changed_at timestamptz not null,
    constraint page_addresses_pk primary key (page_name),
    constraint page_addresses_are_addresses_ck check (url ~ '^https?://[^[:space:]]+$')
);

comment on table monitoring.page_addresses is
'Where people find what messages are about: at most one row, the page of pgvigil.';
comment on column monitoring.page_addresses.page_name is
'Name of the page: page.';
comment on column monitoring.page_addresses.url is
'Its address, without a slash at its end.';
comment on column monitoring.page_addresses.changed_by is
'Who said so.';
comment on column monitoring.page_addresses.changed_at is
'When that was.';

insert into monitoring.installed_migrations (migration_id) values ('0007_notifications');
