-- Reading channels and messages.

create or replace view monitoring.v_notifications as
select
    n.notification_id,
    n.notification_key,
    n.channel_name,
    n.target,
    n.kind,
    n.status,
    n.subject,
    n.body,
    n.payload,
    n.created_at,
    n.attempts,
    case when n.status in ('waiting', 'sending') then n.next_attempt_at end as next_attempt_at,
    n.leased_by,
    n.last_error,
    nullif(n.finished_at, 'infinity') as finished_at,
    n.folded,
    n.folded_into
from monitoring.queued_notifications as n;

create or replace view monitoring.v_notification_channels as
select
    c.channel_name,
    c.kind,
    c.targets,
    c.matchers,
    c.minimum_severity,
    c.has_resolved_notices,
    c.repeat_seconds,
    c.max_per_hour,
    c.max_attempts,
    c.summary_time,
    c.time_zone,
    c.is_enabled,
    c.changed_by,
    c.changed_at,
    c.held_back,
    c.held_back_at,
    c.summarized_at,
    coalesce(m.waiting, 0) as waiting,
    coalesce(m.dead, 0) as dead,
    m.last_sent_at,
    coalesce(m.sent_1_day, 0) as sent_1_day,
    coalesce(m.dead_1_day, 0) as dead_1_day,
    coalesce(m.sent_7_days, 0) as sent_7_days,
    coalesce(m.dead_7_days, 0) as dead_7_days,
    coalesce(m.failing, 0) as failing,
    m.last_error
from monitoring.notification_channels as c
left join (
    select
        n.channel_name,
        count(*) filter (where n.status in ('waiting', 'sending')) as waiting,
        count(*) filter (where n.status = 'dead') as dead,
        max(n.finished_at) filter (where n.status = 'sent') as last_sent_at,
        count(*) filter (where n.status = 'sent' and n.finished_at > t.day_ago) as sent_1_day,
        count(*) filter (where n.status = 'dead' and n.finished_at > t.day_ago) as dead_1_day,
        count(*) filter (where n.status = 'sent' and n.finished_at > t.week_ago) as sent_7_days,
        count(*) filter (where n.status = 'dead' and n.finished_at > t.week_ago) as dead_7_days,
        count(*) filter (
            where n.status in ('waiting', 'sending') and n.last_error is not null
        ) as failing,
        (
            array_agg(n.last_error order by n.notification_id desc)
            filter (where n.last_error is not null)
        )[1] as last_error
    from monitoring.queued_notifications as n
    cross join (
        select
            c.now - interval '1 day' as day_ago,
            c.now - interval '7 days' as week_ago
        from (select monitoring.clock() as now) as c
    ) as t
    group by n.channel_name
) as m on c.channel_name = m.channel_name;

comment on view monitoring.v_notifications is
'The outbox: messages that wait, and for a while those that were sent or given up; one row for '
'each target.';
comment on column monitoring.v_notifications.notification_id is
'Number of the message.';
comment on column monitoring.v_notifications.notification_key is
'Goes with every attempt, so that a receiver can tell a duplicate.';
comment on column monitoring.v_notifications.channel_name is
'Channel that it goes to.';
comment on column monitoring.v_notifications.target is
'Name of the target in the runner''s environment or file.';
comment on column monitoring.v_notifications.kind is
'alerts, held_back (what the hourly limit kept), digest (of what could not be sent in time), '
'summary (of the day) or test.';
comment on column monitoring.v_notifications.status is
'waiting, sending, sent or dead (given up).';
comment on column monitoring.v_notifications.subject is
'Headline of the message.';
comment on column monitoring.v_notifications.body is
'The message, as plain text.';
comment on column monitoring.v_notifications.payload is
'The same for programs: an object with an array alerts, or the array that an Alertmanager takes.';
comment on column monitoring.v_notifications.created_at is
'When it was made.';
comment on column monitoring.v_notifications.attempts is
'How often sending began.';
comment on column monitoring.v_notifications.next_attempt_at is
'When it is sent next, or when the lease of its sender ends; null when it is finished.';
comment on column monitoring.v_notifications.leased_by is
'Runner that is sending it, or last did.';
comment on column monitoring.v_notifications.last_error is
'Why the last attempt failed; null when it did not.';
comment on column monitoring.v_notifications.finished_at is
'When it was sent or given up; null until then.';

comment on column monitoring.v_notifications.folded is
'How many messages that could not be sent in time it stands for; 0 for one of its own.';
comment on column monitoring.v_notifications.folded_into is
'Digest that has delivered what this message, which was given up, could not; null until one has.';

comment on view monitoring.v_notification_channels is
'Where notifications go: one row a channel, with what is set and how it goes.';
comment on column monitoring.v_notification_channels.channel_name is
'Name of the channel.';
comment on column monitoring.v_notification_channels.kind is
'apprise (e-mail, chat, SMS, webhook) or alertmanager (handed over to an Alertmanager).';
comment on column monitoring.v_notification_channels.targets is
'Names of environment variables of the runner, or of keys in its file, that hold the addresses.';
comment on column monitoring.v_notification_channels.matchers is
'Labels of the alerts that are sent here; empty for all.';
comment on column monitoring.v_notification_channels.minimum_severity is
'Least severity that is sent here.';
comment on column monitoring.v_notification_channels.has_resolved_notices is
'Whether a message is also sent when an alert has resolved.';
comment on column monitoring.v_notification_channels.repeat_seconds is
'Seconds after which a firing alert that nobody has acknowledged is sent again; null for never.';
comment on column monitoring.v_notification_channels.max_per_hour is
'Messages of alerts to each target within an hour, beyond which they are held back; null for any '
'number.';
comment on column monitoring.v_notification_channels.max_attempts is
'Attempts after which a message is given up.';
comment on column monitoring.v_notification_channels.summary_time is
'Time of day at which the daily summary is sent; null for none.';
comment on column monitoring.v_notification_channels.time_zone is
'Time zone that this, and the times in messages, are meant in.';
comment on column monitoring.v_notification_channels.is_enabled is
'Whether anything is sent here.';
comment on column monitoring.v_notification_channels.changed_by is
'Who made or changed it last.';
comment on column monitoring.v_notification_channels.changed_at is
'When it was made or changed last.';
comment on column monitoring.v_notification_channels.held_back is
'How many notices the hourly limit has held back since it was last reported.';
comment on column monitoring.v_notification_channels.held_back_at is
'Since when; null while it holds none back.';
comment on column monitoring.v_notification_channels.summarized_at is
'When the last daily summary was made, or its time had passed when it was set.';
comment on column monitoring.v_notification_channels.waiting is
'How many messages are still to be sent.';
comment on column monitoring.v_notification_channels.dead is
'How many were given up, of those that are kept.';
comment on column monitoring.v_notification_channels.last_sent_at is
'When one was last sent; null when none is kept that was.';
comment on column monitoring.v_notification_channels.sent_1_day is
'How many were sent within the last 24 hours.';
comment on column monitoring.v_notification_channels.dead_1_day is
'How many were given up within the last 24 hours.';
comment on column monitoring.v_notification_channels.sent_7_days is
'How many were sent within the last 7 days.';
comment on column monitoring.v_notification_channels.dead_7_days is
'How many were given up within the last 7 days.';
comment on column monitoring.v_notification_channels.failing is
'How many of those still to be sent have failed at least once.';
comment on column monitoring.v_notification_channels.last_error is
'Why the newest message that failed and was not sent since did so; null when there is none.';
