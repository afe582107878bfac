-- get_datasets, v_invalid_ages and get_invalid_by_day: what is invalid, for how long, day by day.

begin;
select plan(11);
\ir helpers/fixed_clock.psql

-- The clock says 2026-01-15 12:00 UTC. Records found invalid so many days ago.
select
    monitoring.load_invalid_records(jsonb_agg(jsonb_build_object(
        'dataset', r.dataset, 'record_key', r.record_key, 'validation_type', r.kind,
        'opened_at', monitoring.clock() - make_interval(days => r.days),
        'resolved_at', monitoring.clock() - make_interval(days => r.resolved),
        'resolution', case when r.resolved is not null then 'manual' end
    )))
from (
    values
    ('orders', '1', 'DUPLICATE', 0, null), ('orders', '2', 'DUPLICATE', 1, null),
    ('orders', '3', 'DUPLICATE', 6, null), ('orders', '4', 'MISSING', 7, null),
    ('orders', '5', 'MISSING', 30, null), ('orders', '6', 'MISSING', 3, 1),
    ('orders', '7', 'MISSING', 40, 2),
    ('bills', '1', 'MISSING', 2, null)
) as r (dataset, record_key, kind, days, resolved);
select monitoring.track_status_changes('contracts', '[{"record_key": "9", "status": "NEW"}]');
select monitoring.change_dataset('idle', '{"description": "Nothing yet"}');

select results_eq(
    $$select dataset, open_records, alerts from monitoring.get_datasets()$$,
    $$
        values
        ('orders', 5::bigint, 0::bigint), ('bills', 1, 0), ('contracts', 0, 0), ('idle', 0, 0)
    $$,
    'every dataset that anything is known of, those with the most invalid records first'
);
select results_eq(
    $$
        select open_below_1_day, open_1_to_7_days, open_7_to_30_days, open_above_30_days
        from monitoring.get_datasets(p_dataset => 'orders')
    $$,
    $$values (1::bigint, 2::bigint, 1::bigint, 1::bigint)$$, 'by how long they have been open'
);
select results_eq(
    $$
        select validation_type, open_records, open_below_1_day, open_1_to_7_days,
            open_7_to_30_days, open_above_30_days, oldest_opened_at
        from monitoring.v_invalid_ages
        where dataset = 'orders'
        order by validation_type
    $$,
    $$
        values
        ('DUPLICATE', 3::bigint, 1::bigint, 2::bigint, 0::bigint, 0::bigint,
            '2026-01-09 12:00+00'::timestamptz),
        ('MISSING', 2, 0, 0, 1, 1, '2025-12-16 12:00+00')
    $$,
    'and by what is wrong with them'
);
select results_eq(
    $$select dataset from monitoring.get_datasets('NOTHING')$$, array['idle'],
    'a part of name or description finds them, in any case'
);
select results_eq(
    $$
        select dataset from monitoring.get_datasets(
            p_limit => 2, p_after_trouble => 0, p_after_open => 5, p_after_dataset => 'orders'
        )
    $$,
    array['bills', 'contracts'], 'a page begins after the last row of the page before'
);
select
    monitoring.set_alert_thresholds(
        'invalid_records_many', '{"high": 1}', '{"dataset": "bills"}'
    );
select monitoring.evaluate_alerts();
select is(
    (
        select array[d.dataset, d.worst_severity] from monitoring.get_datasets() as d
        order by d.trouble desc, d.dataset asc limit 1
    ),
    array['bills', 'high'], 'with the alerts that fire about them'
);
select results_eq(
    $$select * from monitoring.get_invalid_by_day('orders', 5)$$,
    $$
        values
        ('2026-01-11'::date, 0::bigint, 0::bigint, 4::bigint), ('2026-01-12', 1, 0, 5),
        ('2026-01-13', 0, 1, 4), ('2026-01-14', 1, 1, 4), ('2026-01-15', 1, 0, 5)
    $$,
    'what was opened and resolved by day, and what was open when it ended'
);
select is(
    (select sum(d.opened) from monitoring.get_invalid_by_day('orders', 366) as d), 7::numeric,
    'each is opened once, resolved or not'
);
select is(
    (select max(d.open_records) from monitoring.get_invalid_by_day('idle') as d), 0::bigint,
    'where nothing is invalid nothing was'
);
select throws_ok(
    $$select * from monitoring.get_invalid_by_day('orders', 0)$$, 'PV004', null,
    'no days are refused'
);
select throws_ok(
    $$select * from monitoring.get_datasets(p_limit => null)$$, 'PV004', null,
    'and no number of rows'
);

select * from finish(); -- noqa: AM04
rollback;
