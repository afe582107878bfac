-- What is to be told, where and when. Writes queued_notifications, raised_alerts (told) and
-- notification_channels.
--
-- It is decided from state, never from events: an alert is compared with what has been told of it
-- in a channel (raised_alerts.told). So nothing is lost while notices are silenced, held back by a
-- limit or have nowhere to go, and nothing is told twice however often this is called.
--
-- told is an object by channel of
--   severity   the highest that was told since it fired; missing while nothing was
--   at         when it was last told
--   times      how often it was told
--   event      what was told last: firing, escalated, reminder or resolved. After resolved there is
--              nothing more to tell, which the index goes by; quiet channels are marked so untold.
--   held_back  event that the hourly limit keeps and that was counted; gone when it is told
--   labels     labels under which an Alertmanager knows it

-- Place of a notice in a message: the higher the earlier.
--
-- Worst first; what resolved comes last, and what was told before comes after what is new.
create or replace function monitoring._notice_rank(p_event text, p_severity text) returns integer
language sql
immutable
return case p_event
    when 'resolved' then 0
    when 'reminder' then 100
    else 101
end + monitoring._severity_rank(p_severity) * 2;

-- Whether alerts of the rule with these labels belong into the channel.
create or replace function monitoring._is_told_through(
    p_rule_name text, p_labels jsonb, p_channel monitoring.notification_channels
)
returns boolean
language sql
stable
return monitoring._severity_rank(p_labels ->> 'severity')
>= monitoring._severity_rank(p_channel.minimum_severity)
-- That messages do not get through cannot be told by one of them.
and not (
    p_rule_name = 'notification_dead'
    and coalesce(p_labels ->> 'channel', '') = p_channel.channel_name
)
and monitoring._matches(p_labels, p_channel.matchers);

-- Alerts of which something is to be told in a channel, and what: firing, escalated, reminder or
-- resolved.
--
-- Looks at what is cheap first: most alerts have been told, and their labels are not looked at.
create or replace function monitoring._due_notices(
    p_channel monitoring.notification_channels, p_now timestamptz
)
returns table (alert_id bigint, event text, severity text, fired_at timestamptz)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with suppressed as materialized (
        select s.alert_id from monitoring._suppressions_at(p_now) s
    ),
    unsaid as materialized (
        select a.alert_id, e.event, a.severity, a.fired_at, a.rule_name, a as alert
        from monitoring.raised_alerts a
        cross join lateral (select a.told -> p_channel.channel_name as told) t
        cross join lateral (
            select case
                when t.told ->> 'severity' is null then 'firing'
                when monitoring._severity_rank(a.severity)
                    > monitoring._severity_rank(t.told ->> 'severity') then 'escalated'
                when (t.told ->> 'at')::timestamptz
                    + make_interval(secs => p_channel.repeat_seconds) <= p_now then 'reminder'
            end as event
        ) e
        where a.resolved_at = 'infinity'
            and a.status = 'firing'
            and a.acknowledged_at is null
            and e.event is not null
    )
    -- Not by a join with _open_alerts: in a flood the statistics still know of no alerts, and each
    -- would be looked for among all.
    select u.alert_id, u.event, u.severity, u.fired_at
    from unsaid u
    left join monitoring.alert_rules r on r.rule_name = u.rule_name
    where monitoring._is_told_through(
            u.rule_name, monitoring._all_labels(u.alert, r.family), p_channel
        )
        and u.alert_id not in (select s.alert_id from suppressed s)
    union all
    -- Whoever was told that it fires is told that it no longer does, whatever else has changed.
    select a.alert_id, 'resolved', a.severity, a.fired_at
    from monitoring.raised_alerts a
    where a.resolved_at < 'infinity'
        and a.told @? '$.* ? (@.event != "resolved")'
        and a.told -> p_channel.channel_name ->> 'event' <> 'resolved'
        and p_channel.has_resolved_notices;
end
$$;

-- Notes of alerts what has been told of them in a channel.
create or replace function monitoring._note_told(
    p_channel_name text, p_alert_ids bigint[], p_events text[], p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.raised_alerts a
    set told = a.told || jsonb_build_object(
        p_channel_name,
        jsonb_build_object(
            'severity', case
                when monitoring._severity_rank(a.told -> p_channel_name ->> 'severity')
                    > monitoring._severity_rank(a.severity)
                    then a.told -> p_channel_name ->> 'severity'
                else a.severity
            end,
            'at', monitoring._iso_time(p_now),
            'times', coalesce((a.told -> p_channel_name ->> 'times')::integer, 0) + 1,
            'event', n.event
        )
    )
    from unnest(p_alert_ids, p_events) n (alert_id, event)
    where a.alert_id = n.alert_id;
end
$$;

-- Counts notices that a channel's hourly limit keeps; they stay to be told.
create or replace function monitoring._hold_back(
    p_channel_name text, p_alert_ids bigint[], p_events text[], p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_count bigint;
begin
    update monitoring.raised_alerts a
    set told = a.told || jsonb_build_object(
        p_channel_name,
        coalesce(a.told -> p_channel_name, '{}') || jsonb_build_object('held_back', n.event)
    )
    from unnest(p_alert_ids, p_events) n (alert_id, event)
    where a.alert_id = n.alert_id
        -- What waits is counted once, however long it does and whatever becomes of it.
        and a.told -> p_channel_name ->> 'held_back' is null;
    get diagnostics v_count = row_count;
    update monitoring.notification_channels
    set held_back = held_back + v_count, held_back_at = coalesce(held_back_at, p_now)
    where channel_name = p_channel_name and v_count > 0;
end
$$;

-- Counts what is held back from nothing again, once it is reported.
create or replace function monitoring._release_held_back(
    p_channel monitoring.notification_channels
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_channel.held_back > 0 then
        update monitoring.notification_channels
        set held_back = 0, held_back_at = null
        where channel_name = p_channel.channel_name;
        -- What is held back again after this counts again.
        update monitoring.raised_alerts
        set told = told #- array[p_channel.channel_name, 'held_back']
        where told -> p_channel.channel_name ? 'held_back';
    end if;
end
$$;

-- Whether a target of the channel has had all the messages of alerts that it may have in an
-- hour.
create or replace function monitoring._is_at_limit(
    p_channel monitoring.notification_channels, p_now timestamptz
)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return p_channel.max_per_hour is not null and coalesce((
        select max(t.messages) >= p_channel.max_per_hour
        from (
            select count(*) as messages
            from monitoring.queued_notifications n
            -- Nothing is finished before it is made: the index finds the last hour's.
            where n.finished_at > p_now - interval '1 hour'
                and n.created_at > p_now - interval '1 hour'
                -- Made by a clock that has been put back since, it would count for hours.
                and n.created_at <= p_now + interval '1 minute'
                and n.channel_name = p_channel.channel_name
                and n.kind in ('alerts', 'held_back')
            group by n.target
        ) t
    ), false);
end
$$;

-- Queues one message to each target of a channel with all that is to be told there, and returns
-- how many; or counts it as held back where the hourly limit is reached.
create or replace function monitoring._tell_channel(
    p_channel monitoring.notification_channels, p_now timestamptz
)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_ids bigint [];
    v_events text [];
    v_counts jsonb;
    v_notices jsonb;
    v_subject text;
begin
    with due as materialized (
        select d.* from monitoring._due_notices(p_channel, p_now) d
    )
    select
        array_agg(d.alert_id order by d.rank desc, d.fired_at, d.alert_id),
        array_agg(d.event order by d.rank desc, d.fired_at, d.alert_id),
        (
            select jsonb_object_agg(k.kind, k.count)
            from (
                select
                    case u.event when 'resolved' then 'resolved' else u.severity end as kind,
                    count(*) as count
                from due u
                group by 1
            ) k
        )
    into v_ids, v_events, v_counts
    from (
        select u.*, monitoring._notice_rank(u.event, u.severity) as rank from due u
    ) d;
    if v_ids is null and p_channel.held_back = 0 then
        return 0;
    elsif monitoring._is_at_limit(p_channel, p_now) then
        perform monitoring._hold_back(p_channel.channel_name, v_ids, v_events, p_now);
        return 0;
    end if;

    perform monitoring._note_told(p_channel.channel_name, v_ids, v_events, p_now);
    perform monitoring._release_held_back(p_channel);
    -- A flood of alerts must not become a flood of bytes; all of them are counted.
    v_notices := monitoring._notices_of(v_ids[:1000], v_events[:1000]);
    v_subject := case
        when v_ids is not null then monitoring._message_subject(v_notices, v_counts, p_now)
        else monitoring._shortened(monitoring._held_back_text(p_channel, null), 120)
    end;
    return monitoring._queue_message(
        p_channel, p_now, case when v_ids is null then 'held_back' else 'alerts' end, v_subject,
        monitoring._message_body(
            p_channel, v_notices, coalesce(cardinality(v_ids), 0), p_now
        ),
        jsonb_build_object('alerts', v_notices, 'held_back', p_channel.held_back)
    );
end
$$;

-- Has alerts that have resolved no longer looked at for a quiet channel, which is not told.
create or replace function monitoring._close_told(p_channel monitoring.notification_channels)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if not p_channel.has_resolved_notices then
        update monitoring.raised_alerts a
        set told = jsonb_set(a.told, array[p_channel.channel_name, 'event'], '"resolved"')
        where a.resolved_at < 'infinity'
            and a.told @? '$.* ? (@.event != "resolved")'
            and a.told -> p_channel.channel_name ->> 'event' <> 'resolved';
    end if;
end
$$;

-- Has what was told in the future count as told now: after a clock was put back, reminders come
-- neither at once nor only when that time has come again.
create or replace function monitoring._pull_back_times(p_now timestamptz) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now jsonb := jsonb_build_object('now', monitoring._iso_time(p_now));
begin
    update monitoring.raised_alerts a
    set told = (
        select jsonb_object_agg(t.key, case
            when t.value ->> 'at' > v_now ->> 'now'
                then t.value || jsonb_build_object('at', v_now -> 'now')
            else t.value
        end)
        from jsonb_each(a.told) t
    )
    where a.resolved_at = 'infinity'
        and jsonb_path_exists(a.told, '$.*.at ? (@ > $now)', v_now);
end
$$;

-- Queues what is to be told at this time, at most one message of alerts to each target, and
-- returns how many messages that are. Called by whatever changes alerts, in the same
-- transaction.
create or replace function monitoring._plan_notifications(p_now timestamptz) returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_channel monitoring.notification_channels;
    v_queued integer := 0;
begin
    perform monitoring._lock_alerts();
    perform monitoring._pull_back_times(p_now);
    for v_channel in
        select c.* from monitoring.notification_channels c
        where c.is_enabled
        order by c.channel_name
    loop
        perform monitoring._close_told(v_channel);
        v_queued := v_queued
            + case v_channel.kind
                when 'alertmanager' then monitoring._hand_over_alerts(v_channel, p_now)
                else monitoring._tell_channel(v_channel, p_now)
            end
            + monitoring._summarize_day(v_channel, p_now);
    end loop;
    if v_queued > 0 then
        perform monitoring._wake_senders();
    end if;
    return v_queued;
end
$$;
