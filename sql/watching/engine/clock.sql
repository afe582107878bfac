-- What a moment that cannot be has left behind in alerts: earlier code evaluated rules as of any.
-- Writes alert_rule_states, raised_alerts, alert_transitions and queued_notifications.

-- A time that was noted; now when it lies before 1970 or more than a day ahead, null when
-- missing.
create or replace function monitoring._possible_time(p_at timestamptz, p_now timestamptz)
returns timestamptz
language sql
stable
-- Rules may be evaluated as of a day ahead.
return case
    when p_at < '1970-01-01 00:00:00+00'::timestamptz or p_at > p_now + '25 hours'::interval
        then p_now
    else p_at
end;

-- Puts right what rules have left that were evaluated as of a time that cannot be, so that the
-- engine goes on and everybody can read it.
create or replace function monitoring._put_alerts_right(p_now timestamptz) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_first constant timestamptz := timestamptz '1970-01-01 00:00+00';
    v_last constant timestamptz := p_now + interval '25 hours';
begin
    update monitoring.alert_rule_states s
    set
        evaluated_at = monitoring._possible_time(s.evaluated_at, p_now),
        last_failed_at = monitoring._possible_time(s.last_failed_at, p_now),
        -- No rule is paused for longer than an hour.
        paused_until_at = case
            when s.paused_until_at <= p_now + interval '2 hours' then s.paused_until_at
        end
    where least(s.evaluated_at, s.last_failed_at) < v_first
        or greatest(s.evaluated_at, s.last_failed_at) > v_last
        or s.paused_until_at > p_now + interval '2 hours';
    update monitoring.raised_alerts a
    set
        started_at = monitoring._possible_time(a.started_at, p_now),
        fired_at = monitoring._possible_time(a.fired_at, p_now),
        last_seen_at = monitoring._possible_time(a.last_seen_at, p_now),
        cleared_at = monitoring._possible_time(a.cleared_at, p_now),
        acknowledged_at = monitoring._possible_time(a.acknowledged_at, p_now),
        resolved_at = case
            when a.resolved_at < 'infinity' then monitoring._possible_time(a.resolved_at, p_now)
            else a.resolved_at
        end,
        told = case when a.resolved_at < 'infinity' then a.told else '{}' end
    where (a.resolved_at < v_first or a.resolved_at > v_last)
        and (
            a.resolved_at < 'infinity'
            or least(a.started_at, a.fired_at, a.last_seen_at, a.cleared_at, a.acknowledged_at)
            < v_first
            or greatest(a.started_at, a.fired_at, a.last_seen_at, a.cleared_at, a.acknowledged_at)
            > v_last
        );
    update monitoring.alert_transitions t
    set changed_at = p_now
    where t.changed_at < v_first or t.changed_at > v_last;
    update monitoring.queued_notifications n
    set
        created_at = monitoring._possible_time(n.created_at, p_now),
        finished_at = case when n.finished_at < 'infinity' then p_now else n.finished_at end
    where (n.finished_at < v_first or n.finished_at > v_last)
        and (n.finished_at < 'infinity' or n.created_at < v_first or n.created_at > v_last);
end
$$;
