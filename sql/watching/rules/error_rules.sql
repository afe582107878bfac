-- The built-in rule about many errors, and what rules share. Reads roll-ups and the rows that are
-- not in them yet.

-- Errors of the last window_minutes: all together, or by component or error_type.
create or replace function monitoring._find_many_errors(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_by constant text := p_rule.parameters ->> 'by';
    v_window constant interval := monitoring._span_of(p_rule, 'window_minutes');
begin
    if v_by is null or v_by <> all (array['all', 'component', 'error_type']) then
        perform monitoring._refuse_choice('by', v_by, array['all', 'component', 'error_type']);
    end if;
    return query
    with counted as materialized (
        select
            case v_by
                when 'component' then coalesce(nullif(c.component, ''), 'no component')
                when 'error_type' then c.name
                else 'all'
            end as thing,
            coalesce(nullif(c.component, ''), 'no component') as component,
            c.name as error_type,
            c.row_count
        from monitoring._counted_between('errors', p_now - v_window, p_now) c
    )

    select
        t.thing,
        t.errors::double precision,
        case when v_by = 'all' then '{}' else jsonb_build_object(v_by, t.thing) end,
        left(
            format('errors in %s: %s', monitoring._spell_seconds(date_part('epoch', v_window)), t.errors)
            -- Without errors there is no component and no type, and nothing to add.
            || case when v_by = 'component' then '' else coalesce(
                ', ' || c.errors || ' in ' || c.component, ''
            ) end
            || case when v_by = 'error_type' then '' else coalesce(
                ', ' || e.errors || ' of type ' || e.error_type, ''
            ) end,
            500
        ),
        null::text,
        null::double precision
    from (
        select k.thing, sum(k.row_count)::bigint as errors from counted k group by k.thing
        union all
        select 'all', 0 where v_by = 'all' and not exists (select from counted)
    ) t
    left join lateral (
        select k.component, sum(k.row_count)::bigint as errors
        from counted k
        where k.thing = t.thing
        group by k.component
        order by 2 desc, 1
        limit 1
    ) c on true
    left join lateral (
        select k.error_type, sum(k.row_count)::bigint as errors
        from counted k
        where k.thing = t.thing
        group by k.error_type
        order by 2 desc, 1
        limit 1
    ) e on true;
end
$$;

call monitoring._ship_rule(
    'errors_per_hour', 'errors',
    'More errors than usual within the last hour: look at error_groups for which ones.',
    p_finder => '_find_many_errors',
    p_explainer => '_explain_errors',
    p_alert_for_each => 'what "by" says',
    p_comparison => '>=',
    p_unit => 'errors',
    p_thresholds => '{"low": 25, "medium": 50, "high": 75, "critical": 100}',
    p_parameters => '{"window_minutes": 60, "by": "all"}'
);

-- The newest errors of a span, of one group, component or type where these are given.
create or replace function monitoring._errors_between(
    p_fingerprint text,
    p_component text,
    p_error_type text,
    p_from timestamptz,
    p_to timestamptz,
    p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Planned for the times: only the partitions of that time are looked at.
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select
        'error',
        e.occurred_at,
        jsonb_strip_nulls(jsonb_build_object(
            'error_id', e.error_id,
            'task_id', nullif(e.task_id, ''),
            'error_type', e.error_type,
            'severity', e.severity,
            'message', e.message,
            'component', e.component,
            'fingerprint', e.fingerprint
        ))
    from monitoring._all_errors e
    where e.occurred_at > p_from
        and e.occurred_at <= p_to
        and (
            p_fingerprint is null
            or e.fingerprint = any(monitoring._fingerprints_of_group(p_fingerprint))
        )
        and (p_error_type is null or e.error_type = p_error_type)
        and (
            p_component is null
            or coalesce(nullif(monitoring._short_name(e.component), ''), 'no component')
                = p_component
        )
    order by e.occurred_at desc, e.error_id desc
    limit p_limit;
end
$$;

-- The newest errors of those that an alert counted.
create or replace function monitoring._explain_errors(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select e.source, e.happened_at, e.details
    from monitoring.alert_rules r
    cross join lateral monitoring._errors_between(
        null,
        p_alert.labels ->> 'component',
        p_alert.labels ->> 'error_type',
        p_now - monitoring._span_of(r, 'window_minutes'),
        p_now,
        p_limit
    ) e
    where r.rule_name = p_alert.rule_name;
end
$$;
