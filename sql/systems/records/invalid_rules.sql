-- The built-in rules about invalid records: how many are open, and for how long. As of any moment,
-- for spells that have ended say what was open before.

-- How many records of each dataset were invalid at a moment, by type of validation, and since
-- when the oldest of them.
create or replace function monitoring._open_spells_at(p_now timestamptz)
returns table (
    dataset text, validation_type text, open_records bigint, oldest_opened_at timestamptz
)
language sql
stable
begin atomic
    select
        o.dataset,
        o.validation_type,
        count(*) as open_records,
        min(o.opened_at) as oldest_opened_at
    from (
        select
            s.dataset,
            s.validation_type,
            s.opened_at
        from monitoring.invalid_record_states as s
        where s.resolved_at = 'infinity' and s.opened_at <= p_now
        union all
        select
            e.dataset,
            e.validation_type,
            e.opened_at
        from monitoring.invalid_record_spells as e
        where e.resolved_at > p_now and e.opened_at <= p_now
    ) as o
    group by o.dataset, o.validation_type;
end;

-- Number of open invalid records of each dataset and type of validation.
create or replace function monitoring._find_many_invalid_records(
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
        monitoring._short_name(format('%s/%s', o.dataset, o.validation_type)),
        o.open_records::double precision,
        jsonb_build_object('dataset', o.dataset, 'validation_type', o.validation_type),
        format(
            '%s: %s records are invalid by %s', left(o.dataset, 200), o.open_records,
            left(o.validation_type, 200)
        ),
        null::text,
        null::double precision
    from monitoring._open_spells_at(p_now) o;
end
$$;

call monitoring._ship_rule(
    'invalid_records_many', 'records',
    'More records than usual are invalid: v_top_issues says of which kind.',
    p_finder => '_find_many_invalid_records',
    p_explainer => '_explain_invalid_records',
    p_alert_for_each => 'dataset and type of validation',
    p_comparison => '>=',
    p_unit => 'records',
    p_thresholds => '{"medium": 50, "high": 200}'
);

-- Hours for which the oldest open invalid record of each dataset and type has been open.
create or replace function monitoring._find_old_invalid_records(
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
        monitoring._short_name(format('%s/%s', o.dataset, o.validation_type)),
        date_part('epoch', p_now - o.oldest_opened_at) / 3600,
        jsonb_build_object('dataset', o.dataset, 'validation_type', o.validation_type),
        format(
            '%s: a record has been invalid by %s for %s', left(o.dataset, 200),
            left(o.validation_type, 200),
            monitoring._spell_seconds(date_part('epoch', p_now - o.oldest_opened_at))
        ),
        null::text,
        null::double precision
    from monitoring._open_spells_at(p_now) o;
end
$$;

call monitoring._ship_rule(
    'invalid_records_old', 'records',
    'Invalid records have been open for long: resolve them, or correct them at their origin.',
    p_finder => '_find_old_invalid_records',
    p_explainer => '_explain_invalid_records',
    p_alert_for_each => 'dataset and type of validation',
    p_comparison => '>=',
    p_unit => 'hours',
    p_thresholds => '{"medium": 48, "high": 168}'
);

-- The records of the alert's dataset and type that are open, those open for longest first.
create or replace function monitoring._explain_invalid_records(
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
        'invalid_records',
        s.opened_at,
        jsonb_build_object(
            'record_key', s.record_key, 'group_name', s.group_name,
            'reported_value', s.reported_value, 'message', left(s.message, 500),
            'target_date', s.target_date, 'times_detected', s.times_detected,
            'last_detected_at', s.last_detected_at
        )
    from monitoring.invalid_record_states s
    where s.dataset = p_alert.labels ->> 'dataset'
        and s.validation_type = p_alert.labels ->> 'validation_type'
        and s.resolved_at = 'infinity'
        and s.opened_at <= p_now
    order by s.opened_at, s.record_key
    limit p_limit;
end
$$;
