-- Numbers that cannot be: negative, infinite or not a number: PV004.

begin;
select plan(37);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

select monitoring.start_task_tracking('t', 'load');

select pg_temp.remember_state();

-- Refusals: sizes and counts

select
    results_eq(
        format('select * from pg_temp.refusal_of(%L)', call),
        format(
            $$
                values ('PV004', '%1$s is out of range: -1', 'Give %1$s as a number from 0 up.')
            $$,
            argument
        ),
        'is refused: ' || call
    )
from (
    values
    ('input_size', 'start_task_tracking(''u'', ''load'', -1)'),
    ('items_total', 'start_task_tracking(''u'', ''load'', p_items_total => -1)'),
    ('items_done', 'update_task_progress(''t'', -1)'),
    ('items_total', 'update_task_progress(''t'', 1, -1)'),
    ('output_size', 'complete_task_tracking(''t'', ''completed'', -1)'),
    ('pending', 'record_queue_metrics(''q'', -1)'),
    ('processing', 'record_queue_metrics(''q'', 1, -1)'),
    ('completed', 'record_queue_metrics(''q'', 1, 1, -1)'),
    ('failed', 'record_queue_metrics(''q'', 1, 1, 1, -1)')
) as bad (argument, call);

-- Refusals: lengths of time and measured values

select
    results_eq(
        format('select * from pg_temp.refusal_of(%L)', format(call, quote_literal(number))),
        format(
            $$values ('PV004', '%1$s is out of range: %2$s', '%3$s')$$, argument, number, hint
        ),
        format('%s %s is refused', argument, number)
    )
from
    (
        values
        (
            'duration_ms', 'record_log(''c'', ''INFO'', ''m'', p_duration_ms => %s)',
            'Give duration_ms as a number from 0 to 1e100.'
        ),
        (
            'response_time_ms', 'update_system_health(''s'', ''api'', ''healthy'', %s)',
            'Give response_time_ms as a number from 0 to 1e100.'
        ),
        (
            'oldest_ready_seconds', 'record_queue_metrics(''q'', 1, 1, 1, 1, %s)',
            'Give oldest_ready_seconds as a number from 0 to 1e100.'
        ),
        (
            'value', 'record_performance_metric(''m'', ''gauge'', %s)',
            'Give value as a number from -1e100 to 1e100.'
        )
    ) as bad (argument, call, hint)
cross join unnest(array['NaN', 'Infinity', '-Infinity', '1.1e+100', '-0.5']) as number
where not (argument = 'value' and number = '-0.5');

select is(
    pg_temp.refusal_of('record_performance_metric(''m'', ''gauge'', null)'),
    row(
        'PV004', 'value is out of range: null', 'Give value as a number from -1e100 to 1e100.'
    )::pg_temp.refusal,
    'a measured value is needed'
);

-- Refusals: days ahead

select
    is(
        pg_temp.refusal_of(format('ensure_partitions(%s)', days)),
        row(
            'PV004',
            format('p_days_ahead is out of range: %s', days),
            'Give p_days_ahead as a number from 0 to 100.'
        )::pg_temp.refusal,
        format('partitions are not made %s days ahead', days)
    )
from unnest(array['-1', '101']) as days;

-- Afterwards

select is(
    pg_temp.state(),
    pg_temp.remembered_state(),
    'none of the refused calls wrote anything or made a partition'
);

-- Boundaries

select
    is(
        (pg_temp.refusal_of(call)).code,
        'none',
        'is accepted: ' || call
    )
from unnest(array[
        'start_task_tracking(''zero'', ''load'', 0, p_items_total => 0)',
        'record_log(''c'', ''INFO'', ''m'', p_duration_ms => 0)',
        'record_performance_metric(''m'', ''gauge'', -1e100)',
        'record_performance_metric(''m'', ''gauge'', 1e-300)'
    ]) as call;

select is(
    (select array_agg(value order by value) from monitoring.performance_monitoring),
    array[-1e100, 1e-300]::float8[],
    'the largest and the smallest of numbers are kept as they are'
);

select * from finish(); -- noqa: AM04
rollback;
