-- What people decide about an alert. Takes the lock of alerts, writes raised_alerts and
-- alert_transitions, and queues notifications.

-- The alert of that number, locked against all changes; null when it does not fire, PV007 when
-- there is none.
create or replace function monitoring._firing_alert(p_alert_id bigint)
returns monitoring.raised_alerts
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_alert monitoring.raised_alerts;
begin
    perform monitoring._lock_alerts();
    select a.* into v_alert from monitoring.raised_alerts a where a.alert_id = p_alert_id;
    if not found then
        perform monitoring._refuse_unknown(
            'alert', p_alert_id::text,
            'Take the number from v_active_alerts or alerts; resolved ones go after a while.'
        );
    end if;
    if v_alert.status <> 'firing' then
        return null;
    end if;
    return v_alert;
end
$$;

create or replace function monitoring.acknowledge_alert(
    p_alert_id bigint, p_note text default null, p_by text default null
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_by text := coalesce(monitoring._checked_optional_name('by', p_by), session_user);
    v_note text := monitoring._capped_text(p_note, 8000);
    v_alert monitoring.raised_alerts := monitoring._firing_alert(p_alert_id);
    -- Read once, and after any wait for the lock: history goes by it.
    v_now timestamptz := monitoring.clock();
begin
    if v_alert.alert_id is null then
        return false;
    end if;
    update monitoring.raised_alerts
    set
        acknowledged_at = v_now,
        acknowledged_by = v_by,
        acknowledged_note = v_note,
        acknowledged_severity = severity
    where alert_id = p_alert_id;
    perform monitoring._note_transition(
        v_alert, 'acknowledged', v_now, v_by, v_note
    );
    return true;
end
$$;

comment on function monitoring.acknowledge_alert(bigint, text, text) is
'Somebody looks after a firing alert: no more reminders, until it resolves or its severity rises. '
'False when it does not fire.';

create or replace function monitoring.unacknowledge_alert(
    p_alert_id bigint, p_note text default null, p_by text default null
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_by text := coalesce(monitoring._checked_optional_name('by', p_by), session_user);
    v_alert monitoring.raised_alerts := monitoring._firing_alert(p_alert_id);
    -- Read once, and after any wait for the lock: history goes by it.
    v_now timestamptz := monitoring.clock();
begin
    if v_alert.acknowledged_at is null then
        return false;
    end if;
    perform monitoring._end_acknowledgement(
        v_alert, v_now, v_by, monitoring._capped_text(p_note, 8000)
    );
    perform monitoring._plan_notifications(v_now);
    return true;
end
$$;

comment on function monitoring.unacknowledge_alert(bigint, text, text) is
'Takes an acknowledgement back: reminders go on. False when there was none.';

create or replace function monitoring.resolve_alert(
    p_alert_id bigint, p_note text default null, p_by text default null
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_by text := coalesce(monitoring._checked_optional_name('by', p_by), session_user);
    v_alert monitoring.raised_alerts := monitoring._firing_alert(p_alert_id);
    -- Read once, and after any wait for the lock: history goes by it.
    v_now timestamptz := monitoring.clock();
begin
    if v_alert.alert_id is null then
        return false;
    end if;
    perform monitoring._close_alert(
        v_alert, v_now, v_by,
        coalesce(monitoring._capped_text(p_note, 8000), 'resolved by hand')
    );
    delete from monitoring.reported_alerts r
    where v_alert.rule_name = 'reported_alert'
        and monitoring._reported_fingerprint(r.source_name, r.fingerprint) = v_alert.fingerprint;
    perform monitoring._end_needless_silences(v_now);
    perform monitoring._plan_notifications(v_now);
    return true;
end
$$;

comment on function monitoring.resolve_alert(bigint, text, text) is
'Resolves a firing alert by hand; if its condition still holds, the next evaluation opens another; '
'one that others have raised counts as resolved by them. False when it does not fire.';
