-- The built-in rule about messages that could not be delivered.

-- Messages that were given up within window_minutes, by channel and target.
create or replace function monitoring._find_dead_notifications(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        q.channel_name || '/' || q.target,
        count(*)::double precision,
        jsonb_build_object('channel', q.channel_name, 'target', q.target),
        left(
            format(
                'channel %s: messages to %s given up: %s, the last because of: %s',
                q.channel_name, q.target, count(*),
                coalesce((array_agg(q.last_error order by q.finished_at desc))[1], 'no reason told')
            ),
            500
        ),
        null::text,
        null::double precision
    from monitoring.queued_notifications q
    where q.status = 'dead'
        -- A digest has told it since.
        and q.folded_into is null
        and q.finished_at > p_now - monitoring._span_of(p_rule, 'window_minutes')
        and q.finished_at <= p_now
    group by q.channel_name, q.target;
end
$$;

call monitoring._ship_rule(
    'notification_dead', 'self',
    'Messages could not be delivered and were given up: see v_notifications for why.',
    p_finder => '_find_dead_notifications',
    p_explainer => '_explain_dead_notifications',
    p_alert_for_each => 'channel and target',
    p_comparison => '>=',
    p_unit => 'messages',
    p_thresholds => '{"high": 1}',
    p_parameters => '{"window_minutes": 1440}'
);

-- The newest messages that were given up, of the channel and target that an alert is about.
create or replace function monitoring._explain_dead_notifications(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        'notification',
        q.finished_at,
        jsonb_strip_nulls(jsonb_build_object(
            'notification_id', q.notification_id,
            'kind', q.kind,
            'subject', q.subject,
            'attempts', q.attempts,
            'last_error', q.last_error,
            'created_at', q.created_at
        ))
    from monitoring.queued_notifications q
    where q.status = 'dead'
        and q.channel_name = p_alert.labels ->> 'channel'
        and q.target = p_alert.labels ->> 'target'
        and q.finished_at <= p_now
    order by q.finished_at desc, q.notification_id desc
    limit p_limit;
end
$$;
