-- The few figures at the top of a page. Reads roll-ups, the workflows' day and open alerts.

create or replace function monitoring.get_dashboard_cards() returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now timestamptz := monitoring.clock();
begin
    return (
        select jsonb_build_object(
            'ended_7_days', coalesce(sum(r.row_count), 0),
            'success_percent_7_days',
            round(
                100.0 * coalesce(sum(r.row_count) filter (where r.label = 'completed'), 0)
                / nullif(sum(r.row_count), 0), 2
            )
        )
        from monitoring._counts_between('tasks', v_now - interval '167 hours', v_now) r
    ) || (
        select jsonb_build_object('failed_24_hours', coalesce(sum(d.row_count), 0))
        from monitoring._counts_between('tasks', monitoring._last_day_since(), v_now) d
        where monitoring._is_failure(d.label)
    ) || (
        select jsonb_build_object(
            'records_per_second_today',
            sum(s.records_processed) / nullif(sum(s.duration_seconds), 0)
        )
        from monitoring.workflows w
        cross join lateral monitoring._steps_of_day(
            w, monitoring._business_date(w, v_now), v_now
        ) s
        where w.is_enabled and s.records_processed is not null
    ) || (
        select jsonb_build_object('active_alerts', jsonb_object_agg(s.severity, (
            select count(*)
            from monitoring.raised_alerts a
            where a.severity = s.severity and a.status = 'firing' and a.resolved_at = 'infinity'
        )))
        from unnest(monitoring.severities()) s (severity)
    ) || (
        select jsonb_build_object('active_alerts_by_kind', coalesce(
            jsonb_object_agg(k.kind, k.alerts), '{}'
        ))
        from (
            select monitoring._alert_kind(a.rule_name) as kind, count(*) as alerts
            from monitoring.raised_alerts a
            where a.status = 'firing' and a.resolved_at = 'infinity'
            group by 1
        ) k
    ) || jsonb_build_object(
        'severities', monitoring.severities(), 'freshness', monitoring._summarize_freshness()
    );
end
$$;

comment on function monitoring.get_dashboard_cards() is
'The figures at the top of a page as one object: success percent of 7 days, tasks that failed, '
'timed out or got lost in 24 hours, mean rate of today''s workflows, alerts that fire by severity '
'and by kind of trouble, the severities in order, and how fresh what is known of alerts is.';
