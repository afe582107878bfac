-- What becomes of an alert. Each function is one arrow of the state machine (docs/alerts.md draws
-- it), writes raised_alerts and notes the transition in alert_transitions. Callers hold
-- _lock_alerts().

-- Notes what became of an alert.
create or replace function monitoring._note_transition(
    p_alert monitoring.raised_alerts,
    p_transition text,
    p_at timestamptz,
    p_by text default 'pgvigil',
    p_note text default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into monitoring.alert_transitions (
        alert_id, rule_name, fingerprint, changed_at, transition, severity, value, threshold,
        labels, summary, changed_by, note
    )
    values (
        p_alert.alert_id, p_alert.rule_name, p_alert.fingerprint, p_at, p_transition,
        p_alert.severity, p_alert.value, p_alert.threshold, p_alert.labels, p_alert.summary,
        p_by, p_note
    );
end
$$;

-- Whether what is pending has been found for long enough, and often enough in a row.
create or replace function monitoring._is_due_to_fire(
    p_rule monitoring.alert_rules, p_alert monitoring.raised_alerts, p_now timestamptz
)
returns boolean
language sql
stable
return (p_alert).found_in_a_row >= (p_rule).for_evaluations
and p_now - (p_alert).started_at >= make_interval(secs => (p_rule).for_seconds);

-- Nothing to pending, or to firing where the rule does not wait.
create or replace function monitoring._begin_alert(
    p_rule monitoring.alert_rules, p_finding monitoring.finding, p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_alert monitoring.raised_alerts;
begin
    insert into monitoring.raised_alerts (
        rule_name, fingerprint, status, severity, worst_severity, summary, value, threshold,
        labels, started_at, last_seen_at
    )
    values (
        p_rule.rule_name, p_finding.fingerprint, 'pending', p_finding.severity,
        p_finding.severity, p_finding.summary, p_finding.value, p_finding.threshold,
        p_finding.labels, p_now, p_now
    )
    returning * into v_alert;
    if monitoring._is_due_to_fire(p_rule, v_alert, p_now) then
        perform monitoring._fire_alert(v_alert, p_now);
    else
        perform monitoring._note_transition(v_alert, 'pending', p_now);
    end if;
end
$$;

-- Pending to firing.
create or replace function monitoring._fire_alert(
    p_alert monitoring.raised_alerts, p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.raised_alerts
    set status = 'firing', fired_at = p_now, worst_severity = severity
    where alert_id = p_alert.alert_id;
    perform monitoring._note_transition(p_alert, 'firing', p_now);
end
$$;

-- Firing to firing at another severity; one above that which was acknowledged ends that.
create or replace function monitoring._change_severity(
    p_old monitoring.raised_alerts, p_new monitoring.raised_alerts, p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rank integer := monitoring._severity_rank(p_new.severity);
begin
    if v_rank > monitoring._severity_rank(p_old.severity) then
        perform monitoring._note_transition(p_new, 'escalated', p_now);
    else
        perform monitoring._note_transition(p_new, 'eased', p_now);
    end if;
    if v_rank > monitoring._severity_rank(p_new.acknowledged_severity) then
        perform monitoring._end_acknowledgement(
            p_new, p_now, 'pgvigil', 'severity rose to ' || p_new.severity
        );
    end if;
end
$$;

-- An open alert was found once more: pending may fire, firing may change its severity.
create or replace function monitoring._find_alert_again(
    p_rule monitoring.alert_rules,
    p_old monitoring.raised_alerts,
    p_finding monitoring.finding,
    p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_new monitoring.raised_alerts;
begin
    update monitoring.raised_alerts
    set
        severity = p_finding.severity,
        worst_severity = case
            when monitoring._severity_rank(p_finding.severity)
                > monitoring._severity_rank(worst_severity) then p_finding.severity
            else worst_severity
        end,
        summary = p_finding.summary,
        value = p_finding.value,
        threshold = p_finding.threshold,
        labels = p_finding.labels,
        occurrences = occurrences + 1,
        found_in_a_row = found_in_a_row + 1,
        last_seen_at = p_now,
        cleared_at = null,
        -- Another summary may have another reason; one that only grows with time is asked now and
        -- then.
        explained_at = case
            when summary = p_finding.summary or severity <> p_finding.severity then explained_at
            when p_rule.unit is distinct from 'seconds' then null
            when explained_at > p_now - interval '10 minutes' then explained_at
        end
    where alert_id = p_old.alert_id
    returning * into v_new;
    if v_new.status = 'pending' then
        if monitoring._is_due_to_fire(p_rule, v_new, p_now) then
            perform monitoring._fire_alert(v_new, p_now);
        end if;
    elsif v_new.severity <> p_old.severity then
        perform monitoring._change_severity(p_old, v_new, p_now);
    end if;
end
$$;

-- An open alert was not found: pending to nothing; firing stays, noting since when it has been
-- gone.
create or replace function monitoring._lose_alert(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_note text default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_alert.status = 'pending' then
        delete from monitoring.raised_alerts where alert_id = p_alert.alert_id;
        perform monitoring._note_transition(p_alert, 'dropped', p_now, p_note => p_note);
    elsif p_alert.cleared_at is null then
        update monitoring.raised_alerts
        set cleared_at = p_now, found_in_a_row = 0
        where alert_id = p_alert.alert_id;
    end if;
end
$$;

-- Firing to resolved.
create or replace function monitoring._close_alert(
    p_alert monitoring.raised_alerts, p_at timestamptz, p_by text, p_resolution text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.raised_alerts
    set
        status = 'resolved',
        resolved_at = p_at,
        resolved_by = p_by,
        resolution = p_resolution
    where alert_id = p_alert.alert_id;
    perform monitoring._note_transition(p_alert, 'resolved', p_at, p_by, p_resolution);
end
$$;

-- Acknowledged to firing.
create or replace function monitoring._end_acknowledgement(
    p_alert monitoring.raised_alerts, p_at timestamptz, p_by text, p_note text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.raised_alerts
    set
        acknowledged_at = null,
        acknowledged_by = null,
        acknowledged_note = null,
        acknowledged_severity = null
    where alert_id = p_alert.alert_id;
    perform monitoring._note_transition(p_alert, 'unacknowledged', p_at, p_by, p_note);
end
$$;

call monitoring._ship_retention('raised_alerts', '7 days');
call monitoring._ship_retention('alert_transitions', '90 days');
