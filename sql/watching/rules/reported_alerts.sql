-- Alerts that others raise: scripts, and systems that have rules of their own, such as
-- Alertmanager. What they tell is kept in reported_alerts until they clear it, and the rule
-- reported_alert finds it there, so that it has the life, silences, owners, channels and history of
-- every alert.

-- How an alert of others is known among the alerts of the rule.
create or replace function monitoring._reported_fingerprint(p_source_name text, p_fingerprint text)
returns text
language sql
stable
return monitoring._short_name(p_source_name || '/' || p_fingerprint);

-- What others have raised by a moment; the value is its severity, from 1 for low to 4 for critical.
create or replace function monitoring._find_reported_alerts(
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
        monitoring._reported_fingerprint(r.source_name, r.fingerprint),
        monitoring._severity_rank(r.severity)::double precision,
        r.labels || jsonb_build_object('source', r.source_name),
        r.summary,
        null::text,
        null::double precision
    from monitoring.reported_alerts r
    where r.raised_at <= p_now and r.expires_at > p_now;
end
$$;

-- What was told of the alert last.
create or replace function monitoring._explain_reported_alert(
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
        'reported alert',
        r.told_at,
        jsonb_strip_nulls(jsonb_build_object(
            'source', r.source_name,
            'fingerprint', r.fingerprint,
            'severity', r.severity,
            'summary', r.summary,
            'raised_at', r.raised_at,
            'expires_at', nullif(r.expires_at, 'infinity'),
            'login_name', r.login_name,
            'details', r.details
        ))
    from monitoring.reported_alerts r
    where monitoring._reported_fingerprint(r.source_name, r.fingerprint) = p_alert.fingerprint
        and r.raised_at <= p_now
    limit p_limit;
end
$$;

call monitoring._ship_rule(
    'reported_alert', 'reported',
    'Another system or a script has raised an alert and not cleared it.',
    p_finder => '_find_reported_alerts',
    p_explainer => '_explain_reported_alert',
    p_alert_for_each => 'source and fingerprint',
    p_comparison => '>=',
    p_thresholds => '{"low": 1, "medium": 2, "high": 3, "critical": 4}',
    p_has_past => false
);

-- Makes room for another alert of others: what has expired goes. False when there are too many, as
-- of a script that never clears what it raises.
create or replace function monitoring._has_room_for_alert(p_now timestamptz) returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_most constant integer := 10000;
begin
    delete from monitoring.reported_alerts r where r.expires_at <= p_now - interval '1 day';
    if (select count(*) from monitoring.reported_alerts) < v_most then
        return true;
    end if;
    perform monitoring._tell_repair(
        'alert',
        array[
            'PV004',
            format('%s alerts that others have raised are not cleared', v_most),
            'Clear them with clear_alert(), or raise them with p_expires_at.'
        ],
        'left out'
    );
    return false;
end
$$;

create or replace function monitoring.raise_alert(
    p_source text,
    p_fingerprint text,
    p_severity text,
    p_summary text,
    p_labels jsonb default null,
    p_details jsonb default null,
    p_expires_at timestamptz default null
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := monitoring.clock();
    v_source constant text := monitoring._mended_name('source', p_source);
    v_fingerprint constant text := monitoring._mended_name('fingerprint', p_fingerprint);
    v_is_new boolean;
begin
    if not exists (
        select from monitoring.reported_alerts r
        where r.source_name = v_source and r.fingerprint = v_fingerprint
    ) and not monitoring._has_room_for_alert(v_now) then
        return false;
    end if;
    insert into monitoring.reported_alerts as r (
        source_name, fingerprint, severity, summary, labels, details, raised_at, told_at, expires_at,
        login_name
    )
    values (
        v_source,
        v_fingerprint,
        monitoring._mended_severity(p_severity),
        monitoring._capped_text(
            coalesce(nullif(btrim(p_summary), ''), v_source || ': ' || v_fingerprint), 500
        ),
        coalesce(monitoring._mended_object('labels', p_labels), '{}'),
        monitoring._capped_json(p_details),
        v_now,
        v_now,
        coalesce(p_expires_at, 'infinity'),
        session_user
    )
    on conflict (source_name, fingerprint) do update
        set
            severity = excluded.severity,
            summary = excluded.summary,
            labels = excluded.labels,
            details = excluded.details,
            raised_at = case when r.expires_at > v_now then r.raised_at else v_now end,
            told_at = excluded.told_at,
            expires_at = excluded.expires_at,
            login_name = excluded.login_name
    returning r.raised_at = v_now into v_is_new;
    return v_is_new;
end
$$;

comment on function monitoring.raise_alert(text, text, text, text, jsonb, jsonb, timestamptz) is
'Raises an alert of another system or a script (severity low, medium, high or critical; labels '
'and details JSON), which the next evaluation opens by rule reported_alert. It is brought up to '
'date by another call, and lasts until clear_alert() or p_expires_at; true when it is new.';

create or replace function monitoring.clear_alert(p_source text, p_fingerprint text)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_was_raised boolean;
begin
    delete from monitoring.reported_alerts r
    where r.source_name = monitoring._mended_name('source', p_source)
        and r.fingerprint = monitoring._mended_name('fingerprint', p_fingerprint)
    returning r.expires_at > monitoring.clock() into v_was_raised;
    return coalesce(v_was_raised, false);
end
$$;

comment on function monitoring.clear_alert(text, text) is
'Takes back what raise_alert() raised, so that the next evaluation resolves it. False when it was '
'not raised, or has expired.';
