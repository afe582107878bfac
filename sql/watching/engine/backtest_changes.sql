-- What a change of a rule would have made of the past: two backtests beside each other.

-- What a backtest found as one object: how many alerts of which severity, for how long in all, and
-- the newest of them.
create or replace function monitoring._backtest_summary(
    p_alerts jsonb, p_others jsonb, p_until timestamptz, p_at_most integer
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_summary jsonb;
begin
    select jsonb_build_object(
        'fired', count(*),
        'still_firing', count(*) filter (where a.resolved_at is null),
        'firing_seconds', coalesce(
            sum(date_part('epoch', coalesce(a.resolved_at, p_until) - a.fired_at)), 0
        ),
        'by_severity', (
            select jsonb_object_agg(s.severity, (
                select count(*) from jsonb_array_elements(p_alerts) f (alert)
                where f.alert ->> 'severity' = s.severity
            ))
            from unnest(monitoring.severities()) s (severity)
        ),
        'alerts', coalesce(
            jsonb_agg(
                to_jsonb(a) || jsonb_build_object('is_in_both', exists (
                    select from jsonb_to_recordset(p_others) as o (
                        fingerprint text, fired_at timestamptz, resolved_at timestamptz
                    )
                    where o.fingerprint = a.fingerprint
                        and o.fired_at <= coalesce(a.resolved_at, 'infinity')
                        and coalesce(o.resolved_at, 'infinity') >= a.fired_at
                ))
                order by a.fired_at desc, a.fingerprint
            ) filter (where a.place <= p_at_most),
            '[]'
        )
    ) into v_summary
    from (
        select
            r.*,
            row_number() over (order by r.fired_at desc, r.fingerprint) as place
        from jsonb_to_recordset(p_alerts) as r (
            fingerprint text, severity text, summary text, labels jsonb,
            worst_value double precision, fired_at timestamptz, resolved_at timestamptz
        )
    ) a;
    return v_summary;
end
$$;

-- The alerts of a backtest as an array.
create or replace function monitoring._backtested_alerts(
    p_rule_name text,
    p_from timestamptz,
    p_to timestamptz,
    p_step interval,
    p_settings jsonb,
    p_thresholds jsonb,
    p_labels jsonb
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(jsonb_agg(to_jsonb(b)), '[]')
        from monitoring.backtest_alert_rule(
            p_rule_name, p_from, p_to, p_step, p_settings, p_thresholds, p_labels
        ) b
    );
end
$$;

create or replace function monitoring.backtest_rule_change(
    p_rule_name text,
    p_from timestamptz,
    p_to timestamptz,
    p_step interval default '15 minutes',
    p_settings jsonb default null,
    p_thresholds jsonb default null,
    p_labels jsonb default '{}',
    p_at_most integer default 200
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now constant jsonb := monitoring._backtested_alerts(
        p_rule_name, p_from, p_to, p_step, null, null, '{}'
    );
    v_then jsonb;
begin
    if p_settings is not null or p_thresholds is not null then
        v_then := monitoring._backtested_alerts(
            p_rule_name, p_from, p_to, p_step, p_settings, p_thresholds, p_labels
        );
    end if;
    return jsonb_build_object(
        'as_it_is', monitoring._backtest_summary(v_now, v_then, p_to, p_at_most),
        'as_changed', case
            when v_then is not null
                then monitoring._backtest_summary(v_then, v_now, p_to, p_at_most)
        end
    );
end
$$;

comment on function monitoring.backtest_rule_change(
    text, timestamptz, timestamptz, interval, jsonb, jsonb, jsonb, integer
) is
'How often and for how long a rule would have fired as it is and as a change would make it: for '
'each an object of figures and of its newest alerts, with whether the other has them as well. '
'Nothing stays.';
