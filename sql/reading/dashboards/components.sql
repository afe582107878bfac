-- Components as people look at them: how each is, how it was day by day, and how fast it answered.
-- Reads roll-ups by the day: the cost goes by components and days, not by checks.

-- Components in the order in which they are listed: those first about which alerts fire, the worst
-- before the others, then those that are not well. standing is 3 for unhealthy, 2 for degraded, 1
-- for unknown.
create or replace function monitoring._chosen_components(
    p_search text,
    p_component_type text,
    p_status text,
    p_is_troubled boolean,
    p_component_name text,
    p_limit integer,
    p_after_trouble integer,
    p_after_standing integer,
    p_after_type text,
    p_after_name text
)
returns table (
    component_type text,
    component_name text,
    status text,
    last_status text,
    response_time_ms double precision,
    failure_reason text,
    checked_at timestamptz,
    known_until_at timestamptz,
    last_unhealthy_at timestamptz,
    alerts bigint,
    worst_severity text,
    trouble integer,
    standing integer
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select
        s.component_type, s.component_name, s.status, s.last_status, s.response_time_ms,
        s.failure_reason, s.checked_at, s.known_until_at, s.last_unhealthy_at,
        coalesce(a.alerts, 0), a.worst_severity, coalesce(a.trouble, 0), r.standing
    from monitoring._component_standings s
    cross join lateral (
        select coalesce(
            array_position(array['unknown', 'degraded', 'unhealthy'], s.status), 0
        ) as standing
    ) r
    left join monitoring._alerts_about(array['component_type', 'component']) a
        on a.about = array[s.component_type, s.component_name]
    where (p_component_name is null or s.component_name = p_component_name)
        and (p_component_type is null or s.component_type = p_component_type)
        and (p_status is null or s.status = p_status)
        and (p_is_troubled is null or (a.alerts is not null) = p_is_troubled)
        and (p_search is null or position(
            lower(p_search collate "C")
            in lower(s.component_type || ' ' || s.component_name collate "C")
        ) > 0)
        and (p_after_name is null or (
            -coalesce(a.trouble, 0), -r.standing, s.component_type, s.component_name
        ) > (
            -coalesce(p_after_trouble::bigint, 0), -coalesce(p_after_standing::bigint, 0),
            p_after_type, p_after_name
        ))
    order by coalesce(a.trouble, 0) desc, r.standing desc, s.component_type, s.component_name
    limit p_limit;
end
$$;

-- Seconds in each state by component and UTC day, from a day on; the newest status holds until now,
-- or until nobody knows.
create or replace function monitoring._seconds_of_components(
    p_types text[],
    p_names text[],
    p_checked_at timestamptz[],
    p_known_until timestamptz[],
    p_statuses text[],
    p_from timestamptz,
    p_now timestamptz
)
returns table (
    component_type text, component_name text, day_at timestamptz, status text,
    seconds double precision
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select r.component, r.name, r.bucket_at, r.label, r.value_sum
    from generate_series(p_from, p_now, interval '24 hours') d (day_at)
    cross join unnest(p_types, p_names) c (component_type, component_name)
    inner join monitoring.rollups r
        on r.source = 'uptime'
        and r.resolution = 'day'
        and r.bucket_at = d.day_at
        and r.name = c.component_name
        and r.component = c.component_type
    where r.bucket_at >= p_from
    union all
    select n.component, n.name, n.bucket_at, n.label, n.seconds
    from monitoring._add_up_uptime() n
    inner join unnest(p_types, p_names) c (component_type, component_name)
        on c.component_name = n.name and c.component_type = n.component
    where n.resolution = 'day' and n.bucket_at >= p_from
    union all
    select c.component_type, c.component_name, b.bucket_at, c.status, b.seconds
    from unnest(p_types, p_names, p_checked_at, p_known_until, p_statuses)
        c (component_type, component_name, checked_at, known_until_at, status)
    cross join lateral monitoring._spell_buckets(
        greatest(c.checked_at, p_from), least(p_now, c.known_until_at)
    ) b
    where b.resolution = 'day' and b.bucket_at >= p_from;
end
$$;

-- Checks by component, UTC day and status, from a day on, with what they took.
create or replace function monitoring._checks_of_components(
    p_types text[], p_names text[], p_from timestamptz, p_now timestamptz
)
returns table (
    component_type text, component_name text, day_at timestamptz, status text, checks bigint,
    value_min double precision, value_max double precision, histogram monitoring.histogram
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select r.component, r.name, r.bucket_at, r.label, r.row_count, r.value_min, r.value_max,
        r.histogram
    from generate_series(p_from, p_now, interval '24 hours') d (day_at)
    cross join unnest(p_types, p_names) c (component_type, component_name)
    inner join monitoring.rollups r
        on r.source = 'health'
        and r.resolution = 'day'
        and r.bucket_at = d.day_at
        and r.name = c.component_name
        and r.component = c.component_type
    where r.bucket_at >= p_from
    union all
    select n.component, n.name, n.bucket_at, n.label, n.row_count, n.value_min, n.value_max,
        n.histogram
    from monitoring._add_up(
        'health', true, p_from => p_from, p_to => p_now + interval '1 minute'
    ) n
    inner join unnest(p_types, p_names) c (component_type, component_name)
        on c.component_name = n.name and c.component_type = n.component
    where n.resolution = 'day';
end
$$;

-- Days of components, and the sums of them: a day without checks is left out where a check tells of
-- less than a day, however long the status before it stood.
create or replace function monitoring._health_of_components(
    p_types text[],
    p_names text[],
    p_checked_at timestamptz[],
    p_known_until timestamptz[],
    p_statuses text[],
    p_from timestamptz,
    p_now timestamptz
)
returns table (
    component_type text,
    component_name text,
    checks bigint,
    uptime_percent numeric,
    p50_ms double precision,
    p95_ms double precision,
    p99_ms double precision,
    days jsonb
)
language sql
stable
begin atomic
    with checks as materialized (
        select * from monitoring._checks_of_components(p_types, p_names, p_from, p_now)
    ),

    sums as (
        select
            p.component_type,
            p.component_name,
            p.day_at,
            sum(p.checks)::bigint as checks,
            coalesce(sum(p.seconds) filter (where p.status = 'healthy'), 0) as healthy,
            coalesce(sum(p.seconds) filter (where p.status = 'degraded'), 0) as degraded,
            coalesce(sum(p.seconds) filter (where p.status = 'unhealthy'), 0) as unhealthy
        from (
            select
                s.component_type,
                s.component_name,
                s.day_at,
                s.status,
                0 as checks,
                s.seconds
            from monitoring._seconds_of_components(
                    p_types, p_names, p_checked_at, p_known_until, p_statuses, p_from, p_now
                ) as s
            union all
            select
                c.component_type,
                c.component_name,
                c.day_at,
                c.status,
                c.checks,
                0 as seconds
            from checks as c
        ) as p
        group by p.component_type, p.component_name, p.day_at
    ),

    day_sums as (
        select
            s.*,
            greatest(
                0,
                extract(
                    epoch from least(p_now, s.day_at + '24 hours'::interval) - s.day_at
                )::double precision - s.healthy - s.degraded - s.unhealthy
            ) as unknown
        from sums as s
        inner join
            unnest(p_types, p_names, p_checked_at, p_known_until)
                as n (component_type, component_name, checked_at, known_until_at)
            on s.component_type = n.component_type and s.component_name = n.component_name
        where s.checks > 0 or n.known_until_at - n.checked_at >= '24 hours'::interval
    ),

    answers as (
        select
            c.component_type,
            c.component_name,
            sum(c.checks)::bigint as checks,
            monitoring.merge_histograms(c.histogram) as histogram,
            min(c.value_min) as value_min,
            max(c.value_max) as value_max
        from checks as c
        group by c.component_type, c.component_name
    ),

    uptimes as (
        select
            d.component_type,
            d.component_name,
            round(
                (
                    100 * sum(d.healthy + d.degraded)
                    / nullif(sum(d.healthy + d.degraded + d.unhealthy), 0)
                )::numeric,
                3
            ) as uptime_percent,
            jsonb_agg(
                jsonb_build_object(
                    'day', to_char(d.day_at at time zone 'UTC', 'YYYY-MM-DD'),
                    'checks', d.checks,
                    'healthy', round(d.healthy),
                    'degraded', round(d.degraded),
                    'unhealthy', round(d.unhealthy),
                    'unknown', round(d.unknown)
                )
                order by d.day_at
            ) as days
        from day_sums as d
        group by d.component_type, d.component_name
    )

    select
        u.component_type,
        u.component_name,
        a.checks,
        u.uptime_percent,
        monitoring._clamped_percentile(a.histogram, 0.5, a.value_min, a.value_max) as p50_ms,
        monitoring._clamped_percentile(a.histogram, 0.95, a.value_min, a.value_max) as p95_ms,
        monitoring._clamped_percentile(a.histogram, 0.99, a.value_min, a.value_max) as p99_ms,
        u.days
    from uptimes as u
    left join answers as a
        on u.component_type = a.component_type and u.component_name = a.component_name;
end;

create or replace function monitoring.get_components(
    p_search text default null,
    p_component_type text default null,
    p_status text default null,
    p_is_troubled boolean default null,
    p_component_name text default null,
    p_days integer default 90,
    p_limit integer default 100,
    p_after_trouble integer default null,
    p_after_standing integer default null,
    p_after_type text default null,
    p_after_name text default null
)
returns table (
    component_type text,
    component_name text,
    status text,
    last_status text,
    response_time_ms double precision,
    failure_reason text,
    last_check_at timestamptz,
    last_unhealthy_at timestamptz,
    checks bigint,
    uptime_percent numeric,
    p50_response_time_ms double precision,
    p95_response_time_ms double precision,
    p99_response_time_ms double precision,
    alerts bigint,
    worst_severity text,
    trouble integer,
    standing integer,
    days jsonb
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_from timestamptz;
begin
    if p_days is null or p_days not between 1 and 366 then
        perform monitoring._refuse_number('days', p_days::text, 'a number from 1 to 366');
    end if;
    if p_limit is null or p_limit not between 0 and 10000 then
        perform monitoring._refuse_number('limit', p_limit::text, 'a number from 0 to 10000');
    end if;
    v_from := date_trunc('day', v_now, 'UTC') - make_interval(hours => 24 * (p_days - 1));
    return query
    with chosen as materialized (
        select c.*
        from monitoring._chosen_components(
            p_search, p_component_type, p_status, p_is_troubled, p_component_name, p_limit,
            p_after_trouble, p_after_standing, p_after_type, p_after_name
        ) c
    ),
    health as materialized (
        select h.*
        from (
            select array_agg(c.component_type) as types, array_agg(c.component_name) as names,
                array_agg(c.checked_at) as checked_at, array_agg(c.known_until_at) as known_until_at,
                array_agg(c.last_status) as statuses
            from chosen c
        ) n
        cross join lateral monitoring._health_of_components(
            n.types, n.names, n.checked_at, n.known_until_at, n.statuses, v_from, v_now
        ) h
        where n.names is not null
    )
    select
        c.component_type, c.component_name, c.status, c.last_status, c.response_time_ms,
        c.failure_reason, c.checked_at, c.last_unhealthy_at, coalesce(h.checks, 0),
        h.uptime_percent, h.p50_ms, h.p95_ms, h.p99_ms,
        c.alerts, c.worst_severity, c.trouble, c.standing, coalesce(h.days, '[]')
    from chosen c
    left join health h
        on h.component_type = c.component_type and h.component_name = c.component_name
    order by c.trouble desc, c.standing desc, c.component_type, c.component_name;
end
$$;

comment on function monitoring.get_components(
    text, text, text, boolean, text, integer, integer, integer, integer, text, text
) is
'Components, those in trouble first, with state, alerts, and uptime, answers (ms) and seconds in '
'each state of the last p_days UTC days; days without checks are left out. p_after_... say where '
'the page before ended: its last trouble, standing, component_type and component_name.';
