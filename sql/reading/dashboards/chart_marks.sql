-- What happened that may explain a chart: releases, and when alerts began or got worse. Reads
-- releases and alert_transitions, each by an index on its time, and no more than is shown.

create or replace function monitoring.get_chart_marks(
    p_from timestamptz,
    p_to timestamptz,
    p_component text default null,
    p_limit integer default 20
)
returns table (
    marked_at timestamptz,
    kind text,
    title text,
    component text,
    severity text,
    alert_id bigint
)
language sql
stable
begin atomic
    (
        select
            r.released_at as marked_at,
            'release' as kind,
            concat_ws(
                ' ', r.component, r.version, '(before: ' || r.previous_version || ')'
            ) as title,
            r.component,
            null as severity,
            null::bigint as alert_id
        from monitoring.get_releases(p_component, p_from, p_to, p_limit) as r
    )
    union all
    (
        select
            h.changed_at as marked_at,
            'alert' as kind,
            h.summary as title,
            h.labels ->> 'component' as component,
            h.severity,
            h.alert_id
        from monitoring.alert_history as h
        where h.changed_at >= p_from
            and h.changed_at < p_to
            and h.transition in ('firing', 'escalated')
            -- Marks for all of them would drown the chart.
            and h.severity in ('critical', 'high')
            and (
                p_component is null
                or p_component in (h.labels ->> 'component', h.labels ->> 'task_type')
            )
        order by h.changed_at desc, h.transition_id desc
        limit case when p_limit < 0 then 0 else p_limit end
    )
    order by marked_at;
end;

comment on function monitoring.get_chart_marks(timestamptz, timestamptz, text, integer) is
'What may explain a chart, of a component or job if given: releases, and alerts of severity high '
'or critical that began or got worse, of each the newest p_limit, in order of time.';
