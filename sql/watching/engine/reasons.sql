-- Why alerts fire: the newest of the rows behind each that says so. Writes raised_alerts; callers
-- hold _lock_alerts().

-- What a row behind an alert says of why; null when it says nothing.
create or replace function monitoring._reason_in(p_details jsonb) returns text
language sql
immutable
return nullif(btrim(coalesce(
    p_details ->> 'last_error',
    p_details ->> 'failure_reason',
    p_details ->> 'error_message',
    p_details ->> 'error',
    coalesce(p_details ->> 'error_type' || ': ', '')
    || coalesce(p_details ->> 'message', p_details ->> 'example')
)), '');

-- Why an alert fires, by the newest row behind it that says so; null when none does.
create or replace function monitoring._reason_of_alert(
    p_alert monitoring.raised_alerts, p_now timestamptz
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_explainer text;
    v_reason text;
begin
    select r.explainer_name into v_explainer
    from monitoring.alert_rules r
    where r.rule_name = p_alert.rule_name;
    if v_explainer is not null then
        execute format(
            'select monitoring._reason_in(e.details) from monitoring.%I($1, $2, 5) e'
            ' where monitoring._reason_in(e.details) is not null'
            ' order by e.happened_at desc limit 1',
            v_explainer
        )
        into v_reason
        using p_alert, p_now;
    end if;
    return monitoring._capped_text(v_reason, 1000);
exception
    -- It is told all the same, without a reason. A cancellation is not swallowed.
    when others then
        return null;
end
$$;

-- Looks for reason and owner of open alerts that are new or have changed, worst first, for half
-- a second and a hundred alerts at most.
create or replace function monitoring._give_reasons(p_now timestamptz) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_began_ms double precision := monitoring._stopwatch_ms();
    v_alert monitoring.raised_alerts;
begin
    for v_alert in
        select a.*
        from monitoring.raised_alerts a
        where a.resolved_at = 'infinity' and a.explained_at is null
        order by a.status = 'firing' desc, monitoring._severity_rank(a.severity) desc, a.alert_id
        limit 100
    loop
        update monitoring.raised_alerts
        set
            reason = coalesce(monitoring._reason_of_alert(v_alert, p_now), reason),
            owner = monitoring._owner_of(
                v_alert.labels || jsonb_build_object('rule', v_alert.rule_name)
            ),
            explained_at = p_now
        where alert_id = v_alert.alert_id;
        -- In a flood the others have theirs with the next evaluations.
        exit when monitoring._stopwatch_ms() > v_began_ms + 500;
    end loop;
end
$$;
