-- Handing alerts over to an Alertmanager, which groups, silences and tells by its own rules. It
-- knows an alert by its labels and forgets it at endsAt, so what fires is handed over again and
-- again, and what changes its labels ends under the old ones. Writes queued_notifications and
-- raised_alerts (told).
--
-- Silenced, inhibited and acknowledged alerts are not begun there. One that is there already stays
-- as it was, with the labels that it had: a new severity would be a new alert.

-- Labels of an alert with names that Prometheus allows; alertname, severity and fingerprint are
-- ours.
create or replace function monitoring._alertmanager_labels(p_alert monitoring.raised_alerts)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return coalesce((
        select jsonb_object_agg(
            case
                -- As Prometheus does with labels that would take the place of its own.
                when n.name in ('alertname', 'severity', 'fingerprint') then 'exported_' || n.name
                when n.name ~ '^[A-Za-z_]' then n.name
                else '_' || n.name
            end,
            l.value
            order by l.key
        )
        from jsonb_each_text(p_alert.labels) l,
            regexp_replace(l.key, '[^A-Za-z0-9_]', '_', 'g') n (name)
        -- An Alertmanager takes an empty label for none.
        where l.value <> ''
    ), '{}') || jsonb_build_object(
        'alertname', p_alert.rule_name,
        'severity', p_alert.severity,
        'fingerprint', p_alert.fingerprint
    );
end
$$;

-- An alert as version 2 of the Alertmanager API takes it.
create or replace function monitoring._alertmanager_alert(
    p_alert monitoring.raised_alerts,
    p_rule monitoring.alert_rules,
    p_labels jsonb,
    p_ends_at timestamptz
)
returns jsonb
language sql
stable
return jsonb_build_object(
    'labels', p_labels,
    'annotations', jsonb_strip_nulls(jsonb_build_object(
        'summary', p_alert.summary,
        'description', p_rule.description,
        'value', monitoring._spell_value(p_alert.value, p_rule.unit),
        'threshold', monitoring._spell_value(p_alert.threshold, p_rule.unit),
        'acknowledged_by', p_alert.acknowledged_by,
        'reason', p_alert.reason,
        'owner', p_alert.owner
    )),
    'startsAt', monitoring._iso_time(p_alert.fired_at),
    -- An alert that ends before it starts, by a clock that was put back, would be refused.
    'endsAt', monitoring._iso_time(greatest(p_alert.fired_at, p_ends_at))
)
|| jsonb_strip_nulls(
    jsonb_build_object('generatorURL', monitoring._alert_link(p_alert.alert_id))
);

-- Alerts that an Alertmanager is to be told of, what of them, and the labels that it is to know
-- them by and knew them by before.
--
-- What is to be handed over: firing (begin), escalated (other labels, whether its severity rose or
-- fell), reminder (again), resolved, or withdrawn (fires, and does not belong there any more).
create or replace function monitoring._due_hand_overs(
    p_channel monitoring.notification_channels, p_now timestamptz
)
returns table (alert_id bigint, event text, labels jsonb, former_labels jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with suppressed as materialized (
        select s.alert_id from monitoring._suppressions_at(p_now) s
    ),
    firing as materialized (
        select
            a.alert_id,
            a.told -> p_channel.channel_name as told,
            monitoring._alertmanager_labels(a) as labels,
            monitoring._is_told_through(
                a.rule_name, monitoring._all_labels(a, r.family), p_channel
            ) as is_wanted,
            a.acknowledged_at is not null
                or a.alert_id in (select s.alert_id from suppressed s) as is_quiet
        from monitoring.raised_alerts a
        left join monitoring.alert_rules r on r.rule_name = a.rule_name
        where a.resolved_at = 'infinity' and a.status = 'firing'
    ),
    decided as (
        select
            f.*,
            case
                when f.told is null then case when f.is_wanted and not f.is_quiet then 'firing' end
                when not f.is_wanted then 'withdrawn'
                when f.labels is distinct from f.told -> 'labels' and not f.is_quiet
                    then 'escalated'
                when (f.told ->> 'at')::timestamptz
                    + make_interval(secs => p_channel.repeat_seconds) <= p_now then 'reminder'
            end as event
        from firing f
    )
    select
        d.alert_id,
        d.event,
        case when d.event in ('firing', 'escalated') then d.labels
            else coalesce(d.told -> 'labels', d.labels)
        end,
        case when d.event = 'escalated' then d.told -> 'labels' end
    from decided d
    where d.event is not null
    union all
    select
        a.alert_id,
        'resolved',
        coalesce(
            a.told -> p_channel.channel_name -> 'labels', monitoring._alertmanager_labels(a)
        ),
        null
    from monitoring.raised_alerts a
    where a.resolved_at < 'infinity'
        and a.told @? '$.* ? (@.event != "resolved")'
        and a.told -> p_channel.channel_name ->> 'event' <> 'resolved'
        and p_channel.has_resolved_notices;
end
$$;

-- Notes of alerts that an Alertmanager was told of them, and by which labels it knows them.
create or replace function monitoring._note_hand_over(
    p_channel_name text, p_alerts jsonb, p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._note_told(
        p_channel_name, array_agg(h.alert_id), array_agg(h.event), p_now
    )
    from jsonb_to_recordset(p_alerts) h (alert_id bigint, event text);
    update monitoring.raised_alerts a
    set told = case h.event
        when 'withdrawn' then a.told - p_channel_name
        else jsonb_set(a.told, array[p_channel_name, 'labels'], h.labels)
    end
    from jsonb_to_recordset(p_alerts) h (alert_id bigint, event text, labels jsonb)
    where a.alert_id = h.alert_id;
end
$$;

-- Queues what an Alertmanager is to be told, at most a thousand alerts at a time, and returns
-- how many messages that makes.
create or replace function monitoring._hand_over_alerts(
    p_channel monitoring.notification_channels, p_now timestamptz
)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_expires_at timestamptz := p_now + make_interval(secs => 3 * p_channel.repeat_seconds);
    v_alerts jsonb;
    v_ended bigint;
    v_payload jsonb;
begin
    -- What is left over stays to be told, and goes with the next evaluation.
    select jsonb_agg(to_jsonb(w) order by w.rank desc, w.alert_id)
    into v_alerts
    from (
        select d.*, monitoring._notice_rank(d.event, a.severity) as rank
        from monitoring._due_hand_overs(p_channel, p_now) d
        inner join monitoring.raised_alerts a on a.alert_id = d.alert_id
        order by rank desc, a.alert_id
        limit 1000
    ) w;
    if v_alerts is null then
        return 0;
    end if;
    select
        jsonb_agg(
            monitoring._alertmanager_alert(a, r, k.labels, k.ends_at) order by h.position, k.labels
        ),
        count(*) filter (where k.ends_at < v_expires_at)
    into v_payload, v_ended
    from jsonb_array_elements(v_alerts) with ordinality h (alert, position)
    inner join monitoring.raised_alerts a on a.alert_id = (h.alert ->> 'alert_id')::bigint
    left join monitoring.alert_rules r on r.rule_name = a.rule_name
    cross join lateral (
        select
            h.alert -> 'labels' as labels,
            case
                when h.alert ->> 'event' = 'resolved' then least(a.resolved_at, p_now)
                when h.alert ->> 'event' = 'withdrawn' then p_now
                else v_expires_at
            end as ends_at
        union all
        select h.alert -> 'former_labels', p_now
        where h.alert ->> 'former_labels' is not null
    ) k;
    perform monitoring._note_hand_over(p_channel.channel_name, v_alerts, p_now);
    return monitoring._queue_message(
        p_channel, p_now, 'alerts',
        format('Alertmanager: %s firing, %s ended',
            jsonb_array_length(v_payload) - v_ended, v_ended),
        null, v_payload
    );
end
$$;
