-- What a change of a rule would have made of the past, beside what the rule makes of it.

begin;
select plan(8);
\ir helpers/fixed_clock.psql
set local timezone = 'UTC';

-- Each hour it grows with the minutes, of one thing up to 59 and of the other up to 39.
select monitoring.create_alert_rule(
    'minutes',
    $$
        select 'whole' as fingerprint, date_part('minute', clock()) as value
        union all
        select 'half', date_part('minute', clock())::integer % 40
    $$,
    '{"medium": 20, "high": 40}'
);
create temporary table outcomes as
select monitoring.backtest_rule_change(
    'minutes', '2026-01-15 09:00+00', '2026-01-15 11:45+00', p_thresholds => '{"high": 50}'
) as outcome;

-- Behaviour

select
    is(
        outcome -> 'as_it_is' #- '{alerts}',
        '{
        "fired": 6, "still_firing": 1, "firing_seconds": 7200,
        "by_severity": {"low": 0, "medium": 3, "high": 3, "critical": 0}
    }',
        'of a rule as it is: how many alerts there would have been, how bad and for how long'
    )
from outcomes;
select
    is(
        outcome -> 'as_changed' #- '{alerts}',
        '{
        "fired": 0, "still_firing": 0, "firing_seconds": 0,
        "by_severity": {"low": 0, "medium": 0, "high": 0, "critical": 0}
    }',
        'the same of it as changed'
    )
from outcomes;
select is(
    monitoring.backtest_rule_change(
        'minutes', '2026-01-15 09:00+00', '2026-01-15 09:59+00', '1 minute',
        p_thresholds => '{"low": 55}'
    ) -> 'as_changed' -> 'alerts',
    '[{
        "fingerprint": "whole", "severity": "low", "summary": "minutes: whole: 59", "labels": {},
        "worst_value": 59, "fired_at": "2026-01-15T09:56:00+00:00", "resolved_at": null,
        "place": 1, "is_in_both": true
    }]',
    'an alert is told with its worst value, and that the rule raises it as it is'
);
select results_eq(
    $$
        select a.alert ->> 'fingerprint', (a.alert -> 'is_in_both')::boolean
        from outcomes
        cross join jsonb_array_elements(outcome -> 'as_it_is' -> 'alerts') as a (alert)
        limit 3
    $$,
    $$values ('half', false), ('whole', false), ('half', false)$$,
    'the newest come first, each with whether the other has it'
);
select is(
    monitoring.backtest_rule_change(
        'minutes', '2026-01-15 09:00+00', '2026-01-15 11:45+00', p_at_most => 2
    ) #> '{as_it_is, alerts, 1, fingerprint}',
    '"whole"',
    'as many are listed as are asked for'
);
select is(
    jsonb_array_length(monitoring.backtest_rule_change(
        'minutes', '2026-01-15 09:00+00', '2026-01-15 11:45+00', p_at_most => 2
    ) #> '{as_it_is, alerts}'),
    2,
    'and no more, though all are counted'
);

-- Boundaries

select is(
    monitoring.backtest_rule_change(
        'minutes', '2026-01-15 09:00+00', '2026-01-15 09:30+00'
    ) -> 'as_changed',
    'null',
    'where nothing is to be changed there is nothing to compare with'
);
select throws_ok(
    $$
        select monitoring.backtest_rule_change(
            'minutes', '2026-01-15 09:00+00', '2026-01-15 09:30+00', p_settings => '{"none": 1}'
        )
    $$,
    'PV003', null, 'what the rule does not have cannot be tried'
);

select * from finish(); -- noqa: AM04
