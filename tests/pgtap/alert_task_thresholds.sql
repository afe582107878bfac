-- Rules about tasks at their thresholds, in whole evaluations of the family.

begin;
select plan(17);
\ir helpers/fixed_clock.psql
\ir helpers/findings.psql

-- The limits of all types for this one too.
select monitoring.set_alert_thresholds('slow_processing', '{}', '{"task_type": "etl"}');

create function pg_temp.open_alerts() returns text[]
language sql
as $$
    select array_agg(
        format('%s %s %s', a.rule_name, a.fingerprint, a.severity)
        order by a.rule_name, a.fingerprint
    )
    from monitoring.v_active_alerts as a
$$;

create function pg_temp.evaluate() returns text[]
language plpgsql
as $$
begin
    perform monitoring.check_processing_performance_alerts();
    perform monitoring.resolve_resolved_alerts();
    return pg_temp.open_alerts();
end
$$;

-- Nothing at all

select is(monitoring.check_processing_performance_alerts(), 0, 'of nothing there are no alerts');
select is_empty(
    'select rule_name, last_error from monitoring.v_alert_rules where last_error is not null',
    'and no rule fails'
);

-- Durations

select pg_temp.ended(n || ' s', 'completed', '2026-01-15 11:30+00', n)
from unnest(array[180, 180.001, 300, 300.001, 600, 600.001, 900, 900.001]) as n;
select is(
    pg_temp.evaluate(),
    array[
        'slow_processing 180.001 s low', 'slow_processing 300 s low',
        'slow_processing 300.001 s medium', 'slow_processing 600 s medium',
        'slow_processing 600.001 s high', 'slow_processing 900 s high',
        'slow_processing 900.001 s critical'
    ],
    'a mean is slow when it is above the threshold'
);
select monitoring.set_alert_thresholds(
    'slow_processing', '{"low": 1000}', '{"task_type": "300 s"}'
);
select monitoring.set_alert_thresholds('task_too_fast', '{"low": 180.001}', l.labels)
from (values ('{"task_type": "180 s"}'::jsonb), ('{"task_type": "180.001 s"}')) as l (labels);
select is(
    (pg_temp.evaluate())[1:3],
    array[
        'slow_processing 180.001 s low', 'slow_processing 300.001 s medium',
        'slow_processing 600 s medium'
    ],
    'a type can have a limit of its own'
);
select is(
    (
        select array_agg(fingerprint)
        from monitoring.v_active_alerts
        where rule_name = 'task_too_fast'
    ),
    array['180 s'],
    'and be too fast below one'
);
select pg_temp.set_clock('2026-01-15 12:30+00');
select is(pg_temp.evaluate(), null, 'an hour later it is over');

-- Running tasks

select monitoring.start_task_tracking('t', 'etl', p_started_at => '2026-01-15 12:00+00');
select pg_temp.set_clock('2026-01-15 12:59:59.999999+00');
select is(pg_temp.evaluate(), null, 'a task may run for an hour');
select pg_temp.set_clock('2026-01-15 13:00+00');
select is(
    pg_temp.evaluate(), array['task_stuck t#1 critical'],
    'without progress for an hour it is stuck, though it has not been running for more'
);
select pg_temp.set_clock('2026-01-15 13:00:00.001+00');
select is(
    pg_temp.evaluate(),
    array['long_running_task t#1 medium', 'task_stuck t#1 critical'],
    'a moment later it runs for long'
);
select monitoring.update_task_progress('t', 1);
select is(pg_temp.evaluate(), array['long_running_task t#1 medium'], 'progress ends the one');
select monitoring.complete_task_tracking('t', 'failed');
select is(
    pg_temp.evaluate(), array['slow_processing etl critical', 'task_failed etl critical'],
    'its end the other, and what failed is critical'
);
select monitoring.start_task_tracking('t', 'etl', p_started_at => '2026-01-15 13:00+00');
select monitoring.complete_task_tracking('t');
select is(
    (pg_temp.evaluate())[2], null, 'until it completes'
);

-- Rates

select pg_temp.set_clock('2026-01-15 16:00+00');
select
    pg_temp.ended(
        k.name, case when n <= k.failures then 'failed' else 'completed' end,
        timestamptz '2026-01-15 15:30+00' + n * interval '1 minute' / 20
    )
from (values ('5 %', 1), ('10 %', 2), ('15 %', 3)) as k (name, failures),
    generate_series(1, 20) as n;
select is(
    pg_temp.evaluate(),
    array[
        'error_rate_high 10 % medium', 'error_rate_high 15 % medium', 'success_rate_low 15 % high'
    ],
    'five percent may fail, ninety must complete'
);
select pg_temp.ended('15 %', 'failed', '2026-01-15 15:50+00') from generate_series(1, 2);
select is(
    (select count(*) from monitoring.v_active_alerts where rule_name = 'consecutive_failures'),
    0::bigint,
    'two failures in a row are not too many'
);
select pg_temp.ended('15 %', 'failed', '2026-01-15 15:51+00');
select is(
    (pg_temp.evaluate())[1], 'consecutive_failures 15 % high', 'three are'
);

-- Runs

select monitoring.define_expected_runs('nightly', '02:30', p_grace => '0');
select pg_temp.set_clock('2026-01-16 02:29:59.999999+00');
select is(
    pg_temp.evaluate(), array['consecutive_failures 15 % high'],
    'a run that is not due is not missed'
);
select pg_temp.set_clock('2026-01-16 02:30+00');
select is(
    pg_temp.evaluate(), array['consecutive_failures 15 % high', 'missed_run nightly high'],
    'without a grace it is at once'
);

select * from finish(); -- noqa: AM04
rollback;
