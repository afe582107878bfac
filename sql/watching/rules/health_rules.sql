-- Built-in rules about health: components that are not well, and those that nobody checks any more.
-- Neither inhibits the other: the one is about the component, the other about what checks it, and
-- an unhealthy component that falls silent is worse news than before. Reads component_states, and
-- health_probes for what is not rolled up and for times gone by.

-- The newest check of each component up to p_now, if there is one after p_since; without those
-- beyond the limit of names.
create or replace function monitoring._component_states_at(
    p_now timestamptz, p_since timestamptz
)
returns table (
    component_name text,
    component_type text,
    checked_at timestamptz,
    status text,
    failure_reason text
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Planned for the times: only the partitions of that time are looked at.
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select p.component_name, p.component_type, p.checked_at, p.status, p.failure_reason
    from (
        select
            c.*,
            k.name is not null
            or row_number() over (
                partition by k.name is null order by c.component_name, c.component_type
            ) <= (select r.room from monitoring._name_room r where r.kind = 'health')
                as is_told_apart
        from (
            select distinct on (n.component_name, n.component_type)
                n.component_name,
                n.component_type,
                n.checked_at,
                n.status,
                n.failure_reason
            from (
                select s.component_name, s.component_type, s.checked_at, s.probe_id, s.status,
                    s.failure_reason
                from monitoring.component_states s
                where s.checked_at > p_since and s.checked_at <= p_now
                union all
                select p.component_name, p.component_type, p.checked_at, p.probe_id, p.status,
                    p.failure_reason
                from monitoring._new_probes(p_since, p_now + interval '1 microsecond') p
                where p.checked_at > p_since
                union all
                -- Those whose newest check came later, for a time gone by.
                select s.component_name, s.component_type, p.checked_at, p.probe_id, p.status,
                    p.failure_reason
                from monitoring.component_states s
                cross join lateral (
                    select h.checked_at, h.probe_id, h.status, h.failure_reason
                    from monitoring._all_health_probes h
                    where h.component_name = s.component_name
                        and h.component_type = s.component_type
                        and h.checked_at > p_since
                        and h.checked_at <= p_now
                    order by h.checked_at desc, h.probe_id desc
                    limit 1
                ) p
                where s.checked_at > p_now
            ) n
            order by n.component_name, n.component_type, n.checked_at desc, n.probe_id desc
        ) c
        left join monitoring._known_names k
            on k.kind = 'health' and k.name = c.component_name and k.component = c.component_type
    ) p
    where p.is_told_apart;
end
$$;

-- Fingerprint of a component in alerts: its type and its name, of long ones a checksum too.
create or replace function monitoring._component_fingerprint(p_type text, p_name text)
returns text
language sql
immutable
return case
    when length(p_type) + length(p_name) < 255 then p_type || '/' || p_name
    else left(p_type || '/' || p_name, 200) || '... ' || md5(p_type || '/' || p_name)
end;

-- What the newest check of each component found: 0 healthy, 1 degraded, 2 unhealthy; one that
-- could not tell is no data, and one longer ago than forget_after_days counts as healthy.
create or replace function monitoring._find_unhealthy_components(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_forgotten_at timestamptz := p_now - 1440 * monitoring._span_of(p_rule, 'forget_after_days');
begin
    return query
    select
        monitoring._component_fingerprint(c.component_type, c.component_name),
        case
            -- Told for a day, for an engine that hears of no component leaves all alerts open.
            when c.checked_at <= v_forgotten_at then 0
            when c.status = 'healthy' then 0
            when c.status = 'degraded' then 1
            -- A check that could not tell says nothing: what was known before stays.
            when c.status = 'unhealthy' then 2
        end::double precision,
        jsonb_build_object('component', c.component_name, 'component_type', c.component_type),
        left(
            format('%s %s is %s', c.component_type, c.component_name, c.status)
            || coalesce(': ' || nullif(left(c.failure_reason, 300), ''), ''),
            500
        ),
        null::text,
        null::double precision
    from monitoring._component_states_at(p_now, v_forgotten_at - interval '24 hours') c;
end
$$;

call monitoring._ship_rule(
    'component_unhealthy', 'health',
    'The newest check of a component found it unhealthy or degraded.',
    p_finder => '_find_unhealthy_components',
    p_explainer => '_explain_component',
    p_alert_for_each => 'component',
    p_comparison => '>=',
    p_thresholds => '{"medium": 1, "critical": 2}',
    p_parameters => '{"forget_after_days": 7}',
    p_no_data => 'keep'
);

-- Seconds since the newest check of each component; one that has been silent for
-- forget_after_days counts as taken away.
create or replace function monitoring._find_silent_components(
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
        monitoring._component_fingerprint(c.component_type, c.component_name),
        s.seconds,
        jsonb_build_object('component', c.component_name, 'component_type', c.component_type),
        left(
            format(
                '%s %s has not been checked for %s, and was %s then',
                c.component_type, c.component_name, monitoring._spell_seconds(s.seconds), c.status
            ),
            500
        ),
        null::text,
        null::double precision
    from monitoring._component_states_at(
        p_now,
        p_now - 1440 * monitoring._span_of(p_rule, 'forget_after_days')
    ) c
    cross join lateral (
        select extract(epoch from p_now - c.checked_at)::double precision as seconds
    ) s;
end
$$;

call monitoring._ship_rule(
    'component_silent', 'health',
    'A component is no longer checked, so that nobody knows how it is: look at what checks it.',
    p_finder => '_find_silent_components',
    p_explainer => '_explain_component',
    p_alert_for_each => 'component',
    p_comparison => '>',
    p_unit => 'seconds',
    p_thresholds => '{"medium": 900, "high": 3600}',
    p_parameters => '{"forget_after_days": 7}'
);

-- The newest checks of the component that an alert is about.
create or replace function monitoring._explain_component(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select
        'health check',
        p.checked_at,
        jsonb_strip_nulls(jsonb_build_object(
            'component_type', p.component_type,
            'component_name', p.component_name,
            'status', p.status,
            'response_time_ms', p.response_time_ms,
            'failure_reason', p.failure_reason,
            'details', p.details
        ))
    from monitoring._all_health_probes p
    where p.component_name = p_alert.labels ->> 'component'
        and p.component_type = p_alert.labels ->> 'component_type'
        and p.checked_at <= p_now
    order by p.checked_at desc, p.probe_id desc
    limit p_limit;
end
$$;
