-- One message for all that could not be told in time. Writes queued_notifications.
--
-- A target that was away is not to be told hours of news one after the other. Messages that failed
-- fold into one, which keeps their place in the order of attempts; it is written anew whenever it
-- is sent, from what has become of the alerts by then. What is new is tried by itself: when it gets
-- through the target is back, and the digest follows at once, with all that was given up before.

-- Whether a message tells of alerts, so that a digest can stand for it.
create or replace function monitoring._is_foldable(p_kind text, p_payload jsonb) returns boolean
language sql
immutable
-- An Alertmanager is told the state each time as it is.
return p_kind in ('alerts', 'held_back', 'digest') and jsonb_typeof(p_payload) = 'object';

-- A channel as far as writing a message to it needs it, also when it has been removed.
create or replace function monitoring._channel_of(p_channel_name text)
returns monitoring.notification_channels
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_channel monitoring.notification_channels;
begin
    select c.* into v_channel
    from monitoring.notification_channels c
    where c.channel_name = p_channel_name;
    v_channel.channel_name := p_channel_name;
    v_channel.time_zone := coalesce(v_channel.time_zone, 'UTC');
    v_channel.held_back := 0;
    return v_channel;
end
$$;

-- Numbers of the alerts that messages tell of.
create or replace function monitoring._alerts_in(p_payloads jsonb[]) returns bigint[]
language sql
immutable
return array(
    select distinct (a.alert ->> 'alert_id')::bigint
    from unnest(p_payloads) as p (payload)
    cross join lateral jsonb_array_elements(p.payload -> 'alerts') as a (alert)
);

-- Messages to a target that were given up, and that no digest has told since.
create or replace function monitoring._given_up(p_channel_name text, p_target text)
returns setof monitoring.queued_notifications
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select n.*
    from monitoring.queued_notifications n
    where n.status = 'dead'
        and n.folded_into is null
        and n.channel_name = p_channel_name
        and n.target = p_target
        and monitoring._is_foldable(n.kind, n.payload);
end
$$;

-- Alerts as they are now, worst first and resolved ones last, as an array of notices.
create or replace function monitoring._digest_notices(p_alert_ids bigint[], p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        with found as (
            select
                a.alert_id,
                case when a.resolved_at <= p_now then 'resolved' else 'firing' end as event,
                a.severity, a.fired_at
            from monitoring.raised_alerts a
            where a.alert_id = any(p_alert_ids) and a.fired_at is not null
            order by
                monitoring._notice_rank(
                    case when a.resolved_at <= p_now then 'resolved' else 'firing' end, a.severity
                ) desc,
                a.fired_at, a.alert_id
            limit 1000
        )
        select monitoring._notices_of(
            array_agg(
                f.alert_id
                order by monitoring._notice_rank(f.event, f.severity) desc, f.fired_at, f.alert_id
            ),
            array_agg(
                f.event
                order by monitoring._notice_rank(f.event, f.severity) desc, f.fired_at, f.alert_id
            )
        )
        from found f
    );
end
$$;

-- A digest as it is to be sent now: of the messages that it stands for and those to the same
-- target that were given up, what has become of their alerts.
create or replace function monitoring._written_digest(
    p_notification monitoring.queued_notifications, p_now timestamptz
)
returns monitoring.queued_notifications
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_channel monitoring.notification_channels := monitoring._channel_of(
        p_notification.channel_name
    );
    v_payloads jsonb [];
    v_messages bigint;
    v_since timestamptz;
    v_notices jsonb;
    v_counts jsonb;
    v_first text;
begin
    select
        array_agg(g.payload), p_notification.folded + coalesce(sum(greatest(g.folded, 1)), 0),
        least(p_notification.created_at, min(g.created_at))
    into v_payloads, v_messages, v_since
    from monitoring._given_up(p_notification.channel_name, p_notification.target) g
    where g.notification_id <> p_notification.notification_id;
    v_notices := monitoring._digest_notices(
        monitoring._alerts_in(p_notification.payload || coalesce(v_payloads, '{}')), p_now
    );
    select jsonb_object_agg(c.kind, c.count) into v_counts
    from (
        select
            case n.notice ->> 'event' when 'resolved' then 'resolved' else n.notice ->> 'severity'
            end as kind,
            count(*) as count
        from jsonb_array_elements(v_notices) n (notice)
        group by 1
    ) c;
    v_first := format('%s could not be sent since %s.', monitoring._count_of(v_messages, 'message'),
        monitoring._spell_time(v_since, v_channel.time_zone));
    p_notification.subject := case
        when v_counts is null then monitoring._shortened(v_first, 120)
        else monitoring._shortened(
            format('%s late: ', monitoring._count_of(v_messages, 'message'))
            || monitoring._message_subject(v_notices, v_counts, p_now), 120
        )
    end;
    p_notification.body := concat_ws(
        E'\n\n',
        v_first || case
            when v_counts is null then ' Nothing that they reported is still open.'
            else ' This is how what they reported stands now.'
        end,
        nullif(monitoring._message_body(
            v_channel, v_notices, jsonb_array_length(v_notices), p_now
        ), ''),
        concat_ws(E'\n', 'As of ' || monitoring._spell_time(p_now, v_channel.time_zone),
            'Notification ' || p_notification.notification_key)
    );
    p_notification.payload := jsonb_build_object(
        'key', p_notification.notification_key,
        'channel', p_notification.channel_name,
        'kind', 'digest',
        'created_at', monitoring._iso_time(p_now),
        'messages', v_messages,
        'since', monitoring._iso_time(v_since),
        'held_back', 0,
        'alerts', v_notices
    );
    return p_notification;
end
$$;

-- Puts one digest in the place of messages to a target.
create or replace function monitoring._fold_notifications(
    p_ids bigint[], p_channel_name text, p_target text, p_next_attempt_at timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    with gone as (
        delete from monitoring.queued_notifications n
        where n.notification_id = any(p_ids)
        returning n.*
    )
    insert into monitoring.queued_notifications (
        channel_name, target, kind, subject, body, payload, created_at, attempts, next_attempt_at,
        last_error, folded
    )
    select
        p_channel_name, p_target, 'digest', 'digest', '',
        jsonb_build_object('alerts', coalesce(
            (
                select jsonb_agg(jsonb_build_object('alert_id', i.alert_id))
                from unnest(monitoring._alerts_in(array_agg(g.payload))) i (alert_id)
            ),
            '[]'
        )),
        coalesce(min(g.created_at), monitoring.clock()),
        coalesce(max(g.attempts), 0),
        p_next_attempt_at,
        (array_agg(g.last_error order by g.attempts desc) filter (where g.last_error is not null))[1],
        coalesce(sum(greatest(g.folded, 1)), 0)
    from gone g;
end
$$;

-- Messages to a target that wait, were tried so often at least and may be folded, locked.
create or replace function monitoring._waiting_notifications(
    p_channel_name text, p_target text, p_least_attempts integer
)
returns bigint[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_ids bigint [] := array[]::bigint [];
    v_id bigint;
begin
    for v_id in
        select n.notification_id
        from monitoring.queued_notifications n
        where n.finished_at = 'infinity'
            and n.status = 'waiting'
            and n.channel_name = p_channel_name
            and n.target = p_target
            and n.attempts >= p_least_attempts
            and monitoring._is_foldable(n.kind, n.payload)
        for update skip locked
    loop
        v_ids := v_ids || v_id;
    end loop;
    return v_ids;
end
$$;

-- Folds the messages that failed to reach a target, once there are several.
create or replace function monitoring._fold_failed(
    p_notification monitoring.queued_notifications
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_ids bigint [] := monitoring._waiting_notifications(
        p_notification.channel_name, p_notification.target, 1
    );
begin
    if cardinality(v_ids) > 1 then
        perform monitoring._fold_notifications(
            v_ids, p_notification.channel_name, p_notification.target,
            -- What is new must not have the target asked more often.
            (
                select max(n.next_attempt_at) from monitoring.queued_notifications n
                where n.notification_id = any(v_ids)
            )
        );
    end if;
end
$$;

-- Folds messages that have waited for more than ten minutes, as when no runner was there, with
-- those that came after them.
create or replace function monitoring._fold_stale(p_now timestamptz) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_place record;
    v_ids bigint [];
begin
    for v_place in
        select n.channel_name, n.target
        from monitoring.queued_notifications n
        where n.finished_at = 'infinity'
            and n.status = 'waiting'
            and monitoring._is_due_notification(n.next_attempt_at, p_now)
            and monitoring._is_foldable(n.kind, n.payload)
        group by n.channel_name, n.target
        having count(*) > 1 and min(n.created_at) < p_now - interval '10 minutes'
        order by n.channel_name, n.target
    loop
        v_ids := monitoring._waiting_notifications(v_place.channel_name, v_place.target, 0);
        if cardinality(v_ids) > 1 then
            perform monitoring._fold_notifications(
                v_ids, v_place.channel_name, v_place.target, p_now
            );
        end if;
    end loop;
end
$$;

-- Once a message has got through to a target: has a digest sent at once of what failed before,
-- and of what was given up.
create or replace function monitoring._follow_up(
    p_notification monitoring.queued_notifications, p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_ids bigint [];
begin
    if p_notification.kind = 'digest' then
        update monitoring.queued_notifications
        set folded_into = p_notification.notification_id
        where notification_id in (
                select g.notification_id
                from monitoring._given_up(p_notification.channel_name, p_notification.target) g
                -- What was given up since it was written is not in it.
                where g.finished_at <= (p_notification.payload ->> 'created_at')::timestamptz
            );
    end if;
    v_ids := monitoring._waiting_notifications(
        p_notification.channel_name, p_notification.target, 1
    );
    if cardinality(v_ids) > 0 or exists (
            select
            from monitoring._given_up(p_notification.channel_name, p_notification.target) g
        )
    then
        perform monitoring._fold_notifications(
            v_ids, p_notification.channel_name, p_notification.target, p_now
        );
        perform monitoring._wake_senders();
    end if;
end
$$;
