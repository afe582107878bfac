-- Built-in rules about groups of errors: kinds never seen before, and kinds that have come back.
-- Reads error_group_totals by when a group was first seen, and the errors of the last days that are
-- not in them yet, so that nothing here grows with the history.

-- Error groups by type, severity and component among the errors of a span that are not rolled
-- up.
create or replace function monitoring._unrolled_error_groups(p_from timestamptz, p_to timestamptz)
returns table (
    fingerprint text,
    error_type text,
    severity text,
    component text,
    example text,
    first_seen_at timestamptz,
    last_seen_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Planned for the times: only the partitions of that time are looked at.
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select
        coalesce(m.merged_into, e.fingerprint),
        e.error_type,
        e.severity,
        coalesce(monitoring._short_name(e.component), ''),
        min(e.message),
        min(e.occurred_at),
        max(e.occurred_at)
    from monitoring._new_errors(p_from, p_to + interval '1 microsecond') e
    left join monitoring.error_group_merges m on m.fingerprint = e.fingerprint
    where e.occurred_at > p_from
    group by 1, 2, 3, 4;
end
$$;

-- All parts, as of p_now, of error groups of which one was first seen since a time: a group is
-- older when another of its parts is.
create or replace function monitoring._error_group_parts_at(
    p_now timestamptz, p_first_seen_after timestamptz
)
returns table (
    fingerprint text,
    error_type text,
    severity text,
    component text,
    example text,
    first_seen_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with unrolled as materialized (
        -- Rows that only now turn up from days ago are left to the next roll-up.
        select g.*
        from monitoring._unrolled_error_groups(
            p_first_seen_after - interval '24 hours', p_now
        ) g
    ),

    recent as (
        select coalesce(m.merged_into, t.fingerprint) as fingerprint
        from monitoring.error_group_totals t
        left join monitoring.error_group_merges m on m.fingerprint = t.fingerprint
        where t.first_seen_at > p_first_seen_after and t.first_seen_at <= p_now
        union
        select u.fingerprint from unrolled u where u.first_seen_at > p_first_seen_after
    )

    select r.fingerprint, t.error_type, t.severity, t.component, t.example, t.first_seen_at
    from recent r
    cross join unnest(monitoring._fingerprints_of_group(r.fingerprint)) f (fingerprint)
    inner join monitoring.error_group_totals t on t.fingerprint = f.fingerprint
    where t.first_seen_at <= p_now
    union all
    select u.fingerprint, u.error_type, u.severity, u.component, u.example, u.first_seen_at
    from recent r
    inner join unrolled u on u.fingerprint = r.fingerprint;
end
$$;

-- Error groups first seen within a window, neither muted nor resolved, with their worst
-- severity. One of many is who has more than so many before it in as long a window.
create or replace function monitoring._new_error_groups(
    p_now timestamptz, p_window interval, p_most double precision
)
returns table (
    fingerprint text,
    error_type text,
    severity text,
    component text,
    example text,
    first_seen_at timestamptz,
    is_one_of_many boolean
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with groups as (
        select distinct on (p.fingerprint)
            p.fingerprint,
            -- The worst part speaks for the group, the first part says how old it is.
            p.error_type,
            p.severity,
            p.component,
            p.example,
            min(p.first_seen_at) over (partition by p.fingerprint) as first_seen_at
        from monitoring._error_group_parts_at(p_now, p_now - 2 * p_window) p
        order by
            p.fingerprint, monitoring._severity_rank(p.severity) desc, p.first_seen_at,
            p.error_type, p.component
    ),

    undecided as (
        select
            g.*,
            -- Goes by what came before, so that a group stays what it was once found to be.
            count(*) over (
                order by g.first_seen_at range between p_window preceding and current row
            ) as new_by_then
        from groups g
        where g.first_seen_at > p_now - 2 * p_window
            and not exists (
                select from monitoring.error_group_states s
                where s.fingerprint = g.fingerprint
                    and s.changed_at <= p_now
                    and (s.status = 'resolved' or coalesce(s.muted_until, 'infinity') > p_now)
            )
    )

    select u.fingerprint, u.error_type, u.severity, u.component, u.example, u.first_seen_at,
        u.new_by_then > p_most
    from undecided u
    where u.first_seen_at > p_now - p_window;
end
$$;

-- Error groups first seen within window_minutes, with the worst severity of theirs; beyond so
-- many (parameter most) within as long, one finding for all others together.
create or replace function monitoring._find_new_error_groups(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_window constant interval := monitoring._span_of(p_rule, 'window_minutes');
begin
    return query
    with groups as materialized (
        select g.*
        from monitoring._new_error_groups(
            p_now, v_window, (p_rule.parameters ->> 'most')::double precision
        ) g
    )

    select
        g.fingerprint,
        1::double precision,
        jsonb_strip_nulls(jsonb_build_object(
            'error_group', g.fingerprint,
            'error_type', g.error_type,
            'component', nullif(g.component, '')
        )),
        monitoring._error_group_in_words('new error group', g.error_type, g.component, g.example),
        g.severity,
        null::double precision
    from groups g
    where not g.is_one_of_many
    union all
    select
        'all',
        count(*)::double precision,
        '{}',
        monitoring._error_group_in_words(
            format('more new error groups: %s, such as', count(*)),
            w.error_type, w.component, w.example
        ),
        w.severity,
        null::double precision
    from groups g
    cross join (
        select m.* from groups m
        where m.is_one_of_many
        order by monitoring._severity_rank(m.severity) desc, m.first_seen_at, m.fingerprint
        limit 1
    ) w
    where g.is_one_of_many
    group by w.error_type, w.component, w.example, w.severity;
end
$$;

call monitoring._ship_rule(
    'error_group_new', 'errors',
    'A kind of error that was never seen before: fix it, or mute or resolve its group.',
    p_finder => '_find_new_error_groups',
    p_explainer => '_explain_error_groups',
    p_alert_for_each => 'error group',
    p_comparison => '>=',
    p_unit => 'error groups',
    p_parameters => '{"window_minutes": 60, "most": 20}'
);

-- One sentence about an error group, with the first line of an example.
create or replace function monitoring._error_group_in_words(
    p_what text, p_error_type text, p_component text, p_example text
)
returns text
language sql
immutable
return left(
    format('%s %s', p_what, p_error_type)
    || coalesce(' in ' || nullif(p_component, ''), '')
    || coalesce(': ' || nullif(left(split_part(p_example, E'\n', 1), 300), ''), ''),
    500
);

-- Parts, seen after a time, of the error groups that somebody had resolved by p_now.
create or replace function monitoring._resolved_error_group_parts(
    p_now timestamptz, p_seen_after timestamptz
)
returns table (
    fingerprint text,
    error_type text,
    severity text,
    component text,
    example text,
    first_seen_at timestamptz,
    last_seen_at timestamptz,
    resolved_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select s.fingerprint, t.error_type, t.severity, t.component, t.example, t.first_seen_at,
        t.last_seen_at, s.changed_at
    from monitoring.error_group_states s
    cross join unnest(monitoring._fingerprints_of_group(s.fingerprint)) f (fingerprint)
    inner join monitoring.error_group_totals t on t.fingerprint = f.fingerprint
    where s.status = 'resolved'
        and s.changed_at <= p_now
        and t.last_seen_at > p_seen_after
        and s.fingerprint = monitoring._error_group_of(s.fingerprint)
    union all
    select u.fingerprint, u.error_type, u.severity, u.component, u.example, u.first_seen_at,
        u.last_seen_at, s.changed_at
    from monitoring._unrolled_error_groups(p_seen_after, p_now) u
    inner join monitoring.error_group_states s on s.fingerprint = u.fingerprint
    where s.status = 'resolved' and s.changed_at <= p_now;
end
$$;

-- Resolved error groups seen again since they were resolved and within window_minutes.
create or replace function monitoring._find_regressed_error_groups(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_since constant timestamptz := p_now - monitoring._span_of(p_rule, 'window_minutes');
begin
    if not exists (select from monitoring.error_group_states s where s.status = 'resolved') then
        return;
    end if;
    return query
    select distinct on (g.fingerprint)
        g.fingerprint,
        1::double precision,
        jsonb_strip_nulls(jsonb_build_object(
            'error_group', g.fingerprint,
            'error_type', g.error_type,
            'component', nullif(g.component, '')
        )),
        monitoring._error_group_in_words(
            'resolved error group is back:', g.error_type, g.component, g.example
        ),
        'high',
        null::double precision
    from monitoring._resolved_error_group_parts(p_now, v_since) g
    cross join lateral (select greatest(g.resolved_at, v_since) as at) a
    where g.last_seen_at > a.at
        and (
            (g.last_seen_at <= p_now or (g.first_seen_at > a.at and g.first_seen_at <= p_now))
            -- It has been seen later as well: only the rows know whether it had been by then.
            or exists (
                select from monitoring._all_errors e
                where e.fingerprint = any(monitoring._fingerprints_of_group(g.fingerprint))
                    and e.error_type = g.error_type
                    and e.severity = g.severity
                    and e.occurred_at > a.at
                    and e.occurred_at <= p_now
            )
        )
    order by g.fingerprint, g.last_seen_at desc, g.error_type, g.severity, g.component;
end
$$;

call monitoring._ship_rule(
    'error_group_regressed', 'errors',
    'An error that counted as resolved has come back: fix it, then resolve its group anew.',
    p_finder => '_find_regressed_error_groups',
    p_explainer => '_explain_error_groups',
    p_alert_for_each => 'error group',
    p_comparison => '>=',
    p_unit => 'error groups',
    p_parameters => '{"window_minutes": 1440}'
);

-- The newest errors of the group that an alert is about, or the groups when it is about many.
create or replace function monitoring._explain_error_groups(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rule monitoring.alert_rules;
begin
    select r.* into v_rule from monitoring.alert_rules r where r.rule_name = p_alert.rule_name;
    if p_alert.labels ? 'error_group' then
        return query
        select e.*
        from monitoring._errors_between(
            p_alert.labels ->> 'error_group',
            null,
            null,
            p_now - monitoring._span_of(v_rule, 'window_minutes'),
            p_now,
            p_limit
        ) e;
        return;
    end if;
    return query
    select
        'error group',
        g.first_seen_at,
        jsonb_strip_nulls(jsonb_build_object(
            'fingerprint', g.fingerprint,
            'error_type', g.error_type,
            'severity', g.severity,
            'component', nullif(g.component, ''),
            'example', g.example
        ))
    from monitoring._new_error_groups(
        p_now,
        monitoring._span_of(v_rule, 'window_minutes'),
        (v_rule.parameters ->> 'most')::double precision
    ) g
    where g.is_one_of_many
    order by g.first_seen_at desc, g.fingerprint
    limit p_limit;
end
$$;
