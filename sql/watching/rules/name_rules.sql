-- The built-in rule about names of which there are more than their limit.

-- Names of a kind that were beyond its limit in the last roll-up that met such, within
-- window_minutes.
create or replace function monitoring._find_names_over_limit(
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
        l.kind,
        l.beyond::double precision,
        jsonb_build_object('kind', l.kind),
        left(
            format('%s: more than %s, and so %s are counted as "(other)", such as %s',
                l.description, l.at_most, l.beyond, array_to_string(l.examples, ', ')),
            500
        ),
        null::text,
        null::double precision
    from monitoring.v_name_limits l
    where l.beyond_at > p_now - monitoring._span_of(p_rule, 'window_minutes')
        and l.beyond_at <= p_now;
end
$$;

call monitoring._ship_rule(
    'names_over_limit', 'self',
    'Programs send more different names than are kept apart, often with an id in them: send the '
    'id as a task_id or in details, or raise the limit.',
    p_finder => '_find_names_over_limit',
    p_explainer => '_explain_names_over_limit',
    p_alert_for_each => 'kind of name',
    p_comparison => '>=',
    p_unit => 'names',
    p_thresholds => '{"medium": 1}',
    p_parameters => '{"window_minutes": 60}'
);

-- The limit that an alert is about, as it is at present.
create or replace function monitoring._explain_names_over_limit(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select 'limit', l.beyond_at, jsonb_strip_nulls(to_jsonb(l))
    from monitoring.v_name_limits l
    where l.kind = p_alert.labels ->> 'kind'
    limit p_limit;
end
$$;
