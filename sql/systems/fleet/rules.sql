-- The rule about members that are not heard, or whose own rules are not evaluated: nobody else
-- would tell. Of a member only its last reading is known: this rule cannot tell what was before.

-- Minutes for which each member has been due to be heard, or its alerts to be known.
create or replace function monitoring._find_silent_members(
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
        m.member_name,
        greatest(date_part('epoch', p_now - w.wanted_at), 0) / 60,
        jsonb_build_object('member', m.member_name),
        left(
            case
                when s.heard_at is null
                    then format('member %s has never been heard', m.member_name)
                when w.is_heard
                    then format('member %s is heard, but %s', m.member_name, s.not_current)
                else format('member %s was last heard at %s UTC', m.member_name,
                    to_char(s.heard_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI'))
            end || coalesce(': ' || s.last_error, ''),
            500
        ),
        null::text,
        null::double precision
    from monitoring.fleet_members m
    inner join monitoring.fleet_member_states s on s.member_name = m.member_name
    cross join lateral (
        select
            coalesce(l.due_at > p_now - monitoring._fleet_grace(), false) as is_heard,
            case
                -- Since when it is not known what is so there, by its own clock, which stood at
                -- told_at when it was heard.
                when l.due_at > p_now - monitoring._fleet_grace()
                    then case
                        when s.is_current is false then coalesce(
                            s.heard_at - (s.told_at - least(s.evaluated_at, s.rolled_up_at)),
                            m.enabled_at
                        )
                        else p_now
                    end
                else greatest(l.due_at, m.enabled_at)
            end as wanted_at
        from (
            select s.heard_at + make_interval(secs => m.every_seconds) as due_at
        ) l
    ) w
    where m.is_enabled and m.enabled_at <= p_now;
end
$$;

call monitoring._ship_rule(
    'fleet_member_silent', 'self',
    'A member of the fleet is not heard, or its rules or roll-ups are late: see v_fleet_members.',
    p_finder => '_find_silent_members',
    p_explainer => '_explain_silent_member',
    p_alert_for_each => 'member',
    p_comparison => '>=',
    p_unit => 'minutes',
    p_thresholds => '{"high": 5, "critical": 30}'
);

-- What is known of the member that an alert is about.
create or replace function monitoring._explain_silent_member(
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
        'member', coalesce(m.failed_at, m.heard_at, m.changed_at),
        jsonb_strip_nulls(jsonb_build_object(
            'state', m.state, 'heard_at', m.heard_at, 'version', m.version,
            'last_error', m.last_error, 'not_current', m.not_current,
            'consecutive_failures', m.consecutive_failures,
            'connection', m.connection_name, 'page', m.page_url
        ))
    from monitoring.v_fleet_members m
    where m.member_name = p_alert.labels ->> 'member'
    limit p_limit;
end
$$;
