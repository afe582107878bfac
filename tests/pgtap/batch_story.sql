-- A business day of the billing workflow, minute by minute: a normal day, a late start, a failure
-- and its re-run, a step that is stuck, midnight, and the days on which clocks are changed.

begin;
select plan(49);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/batch.psql

-- Alerts that fire after an evaluation, as short as can be.
create function pg_temp.alerts_at(p_at text) returns text
language plpgsql
as $$
begin
    perform set_config('monitoring.now', p_at, true);
    perform monitoring.evaluate_alerts();
    return (
        select string_agg(
            a.rule_name || ' ' || a.step_name, ', ' order by a.rule_name, a.step_name
        )
        from monitoring.batch_monitoring_alerts as a
        where a.status = 'firing'
    );
end
$$;

select pg_temp.set_clock('2026-01-15 04:00+01');
select pg_temp.apply_billing();

-- A normal day: Thursday

select is(
    pg_temp.statuses('2026-01-15 05:00+01'),
    'CM-DMRU pending, D1-IMD pending, C1-PPBTR pending, F1-FLUSH pending, CM_BSGGN pending, '
    'BILLRESTSMS pending',
    '05:00, the day begins with nothing done'
);
select is(
    (select distinct business_date from monitoring.v_batch_timeline), '2026-01-15',
    'it is the business day of Thursday'
);
select is(
    (select count(progress_percent) from monitoring.v_batch_timeline), 0::bigint,
    'of what has not begun there is no progress'
);
select is(
    pg_temp.alerts_at('2026-01-15 17:59+01'), null, '17:59, nothing was to be done so far'
);
select pg_temp.begin_step('CM-DMRU', '2026-01-15 18:02+01', 1000, '{"threads": 4}');
select is(
    pg_temp.statuses(),
    'CM-DMRU running, D1-IMD pending, C1-PPBTR pending, F1-FLUSH pending, CM_BSGGN pending, '
    'BILLRESTSMS pending',
    '18:02, the first step runs'
);
select pg_temp.progress_step('CM-DMRU', '2026-01-15 18:12+01', 500);
select results_eq(
    $$
        select progress_percent, records_per_second, threads, pg_temp.local(eta_at)
        from monitoring.v_batch_timeline where step_name = 'CM-DMRU'
    $$,
    $$values (50.0, 500 / 600::float8, 4, '15 18:22')$$,
    '18:12, half of it is done, at a rate that makes ten minutes more'
);
select pg_temp.progress_step('CM-DMRU', '2026-01-15 18:21+01', 1000);
select pg_temp.end_step('CM-DMRU', '2026-01-15 18:22+01');
select is(
    (
        select array_agg(step_name || ' ' || coalesce(pg_temp.local(due_at), '-'))
        from monitoring.v_batch_timeline where step_name in ('D1-IMD', 'C1-PPBTR')
    ),
    array['D1-IMD 15 18:22', 'C1-PPBTR -'],
    '18:22, the second step is due as soon as the first is through'
);
select pg_temp.begin_step('D1-IMD', '2026-01-15 18:25+01', 60000);
select pg_temp.progress_step('D1-IMD', '2026-01-15 18:54+01', 60000, '{"remaining": 30000}');
select pg_temp.end_step('D1-IMD', '2026-01-15 18:55+01');
select results_eq(
    $$
        select status, runs, records_processed, records_remaining, progress_percent
        from monitoring.v_batch_timeline where step_name = 'D1-IMD'
    $$,
    $$values ('pending', 1, 60000::bigint, 30000::bigint, 66.7)$$,
    '18:55, it ran, and is not done while records remain'
);
select is(
    (select waits_for from monitoring.v_batch_timeline where step_name = 'C1-PPBTR'),
    array['D1-IMD'],
    'the third step waits for it'
);
select pg_temp.begin_step('D1-IMD', '2026-01-15 19:05+01', 30000);
select pg_temp.progress_step('D1-IMD', '2026-01-15 19:19+01', 30000, '{"remaining": 0}');
select pg_temp.end_step('D1-IMD', '2026-01-15 19:20+01');
select results_eq(
    $$
        select status, runs, records_processed, duration_seconds, progress_percent
        from monitoring.v_batch_timeline where step_name = 'D1-IMD'
    $$,
    $$values ('complete', 2, 90000::bigint, 45 * 60::float8, 100.0)$$,
    '19:20, after its second run none remains'
);
select pg_temp.begin_step('C1-PPBTR', '2026-01-15 19:21+01');
select pg_temp.end_step('C1-PPBTR', '2026-01-15 19:50+01');
select is(
    pg_temp.statuses('2026-01-15 21:00+01'),
    'CM-DMRU complete, D1-IMD complete, C1-PPBTR complete, F1-FLUSH pending, CM_BSGGN pending, '
    'BILLRESTSMS pending',
    '21:00, the optional step may still come'
);
select is(pg_temp.alerts_at('2026-01-15 21:00+01'), null, 'and nobody is told that it has not');
select pg_temp.begin_step('CM_BSGGN', '2026-01-15 22:00+01', 72000);
select is(
    pg_temp.statuses(),
    'CM-DMRU complete, D1-IMD complete, C1-PPBTR complete, F1-FLUSH skipped, CM_BSGGN running, '
    'BILLRESTSMS pending',
    '22:00, it is skipped when what comes after it has begun'
);

-- Midnight

select pg_temp.progress_step('CM_BSGGN', '2026-01-15 23:59+01', 71000);
select is(
    pg_temp.statuses('2026-01-16 00:01+01'),
    'CM-DMRU complete, D1-IMD complete, C1-PPBTR complete, F1-FLUSH skipped, CM_BSGGN running, '
    'BILLRESTSMS pending',
    '00:01, at midnight the business day goes on'
);
select pg_temp.end_step('CM_BSGGN', '2026-01-16 00:02+01');
select pg_temp.begin_step('BILLRESTSMS', '2026-01-16 00:03+01');
select pg_temp.end_step('BILLRESTSMS', '2026-01-16 00:15+01');
select is(
    (select array_agg(distinct business_date) from monitoring.batch_execution_logs),
    array['2026-01-15'::date],
    '00:15, all runs belong to Thursday, those after midnight as well'
);
select is(
    pg_temp.statuses('2026-01-16 04:59+01'),
    'CM-DMRU complete, D1-IMD complete, C1-PPBTR complete, F1-FLUSH skipped, CM_BSGGN complete, '
    'BILLRESTSMS complete',
    '04:59, everything is done'
);
select is(pg_temp.alerts_at('2026-01-16 04:59+01'), null, 'and there is nothing to tell');
select is(
    pg_temp.statuses('2026-01-16 05:00+01'),
    'CM-DMRU pending, D1-IMD pending, C1-PPBTR pending, F1-FLUSH pending, CM_BSGGN pending, '
    'BILLRESTSMS pending',
    '05:00, the next day begins'
);
select is(pg_temp.alerts_at('2026-01-16 05:01+01'), null, '05:01, nothing of Thursday was missed');
select is(
    pg_temp.statuses(null, '2026-01-15'),
    'CM-DMRU complete, D1-IMD complete, C1-PPBTR complete, F1-FLUSH skipped, CM_BSGGN complete, '
    'BILLRESTSMS complete',
    'Thursday can be looked at'
);

-- A late start: Friday

select is(
    pg_temp.statuses('2026-01-16 18:14+01'),
    'CM-DMRU pending, D1-IMD pending, C1-PPBTR pending, F1-FLUSH pending, CM_BSGGN pending, '
    'BILLRESTSMS pending',
    '18:14, the first step may still come in time'
);
select is(pg_temp.alerts_at('2026-01-16 18:14+01'), null, 'so nobody is told');
select is(
    pg_temp.alerts_at('2026-01-16 18:15+01'), 'step_late CM-DMRU', '18:15, a late start is told'
);
select is(
    pg_temp.statuses(null, null, 'billing'),
    'CM-DMRU late, D1-IMD pending, C1-PPBTR pending, F1-FLUSH pending, CM_BSGGN pending, '
    'BILLRESTSMS pending',
    'what waits for it is not late itself'
);
select is(
    (select summary from monitoring.batch_monitoring_alerts where status = 'firing'),
    'step CM-DMRU of workflow billing: due at 2026-01-16 18:00 (Europe/Berlin), has not begun 15 '
    'min later',
    'in words'
);
select pg_temp.begin_step('CM-DMRU', '2026-01-16 18:40+01');
select is(pg_temp.alerts_at('2026-01-16 18:41+01'), null, '18:41, it has begun, and that is over');

-- A failure and its re-run

select pg_temp.end_step('CM-DMRU', '2026-01-16 18:45+01', 'failed');
select is(
    pg_temp.statuses(),
    'CM-DMRU failed, D1-IMD pending, C1-PPBTR pending, F1-FLUSH pending, CM_BSGGN pending, '
    'BILLRESTSMS pending',
    '18:45, it failed, and what comes after it waits'
);
select is(
    (select eta_at from monitoring.v_batch_timeline where step_name = 'BILLRESTSMS'), null,
    'nobody knows until when'
);
select is(pg_temp.alerts_at('2026-01-16 18:46+01'), 'task_failed CM-DMRU', 'a failure is told');
select pg_temp.begin_step('CM-DMRU', '2026-01-16 18:50+01');
select results_eq(
    $$
        select status, runs, pg_temp.local(started_at), pg_temp.local(eta_at)
        from monitoring.v_batch_timeline where step_name = 'CM-DMRU'
    $$,
    $$values ('running', 2, '16 18:50', '16 19:10')$$,
    '18:50, it runs again'
);
select pg_temp.end_step('CM-DMRU', '2026-01-16 19:05+01');
select is(pg_temp.alerts_at('2026-01-16 19:06+01'), null, '19:06, the re-run made it good');
select results_eq(
    $$
        select attempt, status, duration_seconds from monitoring.batch_execution_logs
        where business_date = '2026-01-16' order by attempt
    $$,
    $$values (1, 'failed', 300::float8), (2, 'completed', 900)$$,
    'both attempts are in the log'
);

-- Stuck

select pg_temp.begin_step('D1-IMD', '2026-01-16 19:10+01', 1000000);
select pg_temp.progress_step('D1-IMD', '2026-01-16 19:20+01', 100000, '{"remaining": 900000}');
select is(
    pg_temp.alerts_at('2026-01-16 20:19+01'), null, '20:19, it has been silent for 59 minutes'
);
select is(
    pg_temp.alerts_at('2026-01-16 20:20+01'), 'task_stuck D1-IMD',
    '20:20, after an hour without progress it is stuck'
);
select pg_temp.progress_step('D1-IMD', '2026-01-16 20:30+01', 1000000, '{"remaining": 0}');
select pg_temp.end_step('D1-IMD', '2026-01-16 20:31+01');
select is(pg_temp.alerts_at('2026-01-16 20:32+01'), null, '20:32, it got going, and ended');

-- What was missed

select pg_temp.begin_step('C1-PPBTR', '2026-01-16 20:35+01');
select pg_temp.end_step('C1-PPBTR', '2026-01-16 21:00+01');
select is(
    pg_temp.alerts_at('2026-01-16 22:29+01'), null,
    '22:29, what is scheduled later is not late as soon as it could be run'
);
select is(
    pg_temp.alerts_at('2026-01-17 04:59+01'), 'step_late CM_BSGGN',
    '04:59, bill segments are still to come'
);
select is(
    pg_temp.alerts_at('2026-01-17 05:00+01'),
    'step_missed BILLRESTSMS, step_missed CM_BSGGN',
    '05:00, they did not: of what was not run it is told, of the optional step not'
);
select pg_temp.begin_step(
    'CM_BSGGN', '2026-01-17 08:00+01', p_metadata => '{"business_date": "2026-01-16"}'
);
select pg_temp.end_step('CM_BSGGN', '2026-01-17 09:00+01');
select is(
    pg_temp.alerts_at('2026-01-17 09:01+01'), 'step_missed BILLRESTSMS',
    '09:01, a run that says for which day it is makes up for it'
);
select is(
    pg_temp.statuses(null, '2026-01-16'),
    'CM-DMRU complete, D1-IMD complete, C1-PPBTR complete, F1-FLUSH skipped, CM_BSGGN complete, '
    'BILLRESTSMS late',
    'Friday shows it'
);
select is(
    pg_temp.statuses(null),
    'CM-DMRU pending, D1-IMD pending, C1-PPBTR pending, F1-FLUSH pending, CM_BSGGN pending, '
    'BILLRESTSMS pending',
    'Saturday does not'
);

-- Rolled up, everything is the same.
select pg_temp.roll_up_own('tasks');
select is(
    pg_temp.statuses('2026-01-17 09:02+01', '2026-01-16'),
    'CM-DMRU complete, D1-IMD complete, C1-PPBTR complete, F1-FLUSH skipped, CM_BSGGN complete, '
    'BILLRESTSMS late',
    '09:02, what is rolled up is found as well'
);

select pg_temp.forget_roll_ups();

-- Summer begins: at two it is three

select is(
    (
        select pg_temp.local(due_at)
        from monitoring.get_batch_timeline('2026-03-28')
        where step_name = 'CM-DMRU'
    ),
    '28 18:00',
    'the step is due at six in the evening before clocks are changed'
);
select pg_temp.begin_step('CM-DMRU', '2026-03-28 18:00+01');
select pg_temp.end_step('CM-DMRU', '2026-03-28 18:20+01');
select pg_temp.begin_step('D1-IMD', '2026-03-29 01:50+01');
select pg_temp.end_step('D1-IMD', '2026-03-29 03:10+02');
select is(
    (
        select
            array_agg(
                format('%s %s %s', business_date, step_name, duration_seconds) order by step_name
            )
        from monitoring.batch_execution_logs where started_at > '2026-03-01'
    ),
    array['2026-03-28 CM-DMRU 1200', '2026-03-28 D1-IMD 1200'],
    'twenty minutes over the change are twenty minutes, of the day before'
);
select is(
    pg_temp.statuses('2026-03-29 04:59+02', null),
    'CM-DMRU complete, D1-IMD complete, C1-PPBTR late, F1-FLUSH pending, CM_BSGGN late, '
    'BILLRESTSMS pending',
    'that day ends at five in summer time'
);
select is(
    (
        select array_agg(distinct format('%s %s', business_date, pg_temp.local(due_at)))
        from monitoring.v_batch_timeline where step_name = 'CM-DMRU'
            and set_config('monitoring.now', '2026-03-29 05:00+02', true) <> ''
    ),
    array['2026-03-28 28 18:00'],
    'not before'
);
select is(
    (
        select pg_temp.local(due_at) || (due_at - timestamptz '2026-03-28 18:00+01')::text
        from monitoring.get_batch_timeline('2026-03-29') where step_name = 'CM-DMRU'
    ),
    '29 18:0023:00:00',
    'the next one is due 23 hours after the one before'
);

-- Winter begins: at three it is two

select is(
    (
        select monitoring._day_start(w, '2026-10-25') - monitoring._day_start(w, '2026-10-24')
        from monitoring.workflows as w
    ),
    interval '25 hours',
    'the day on which clocks go back has 25 hours'
);
select pg_temp.set_clock('2026-10-24 18:00+02');
select pg_temp.begin_step('CM_BSGGN', '2026-10-25 02:30+02');
select pg_temp.end_step('CM_BSGGN', '2026-10-25 02:30+01');
select results_eq(
    $$
        select business_date, duration_seconds from monitoring.batch_execution_logs
        where started_at > '2026-10-01'
    $$,
    $$values ('2026-10-24'::date, 3600::float8)$$,
    'from half past two to half past two an hour may pass'
);

select * from finish(); -- noqa: AM04
rollback;
