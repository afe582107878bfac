-- get_ended_batch_runs: the newest runs of steps that ended, page by page.

begin;
select plan(9);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/batch.psql

select is_empty('select * from monitoring.get_ended_batch_runs()', 'without workflows no runs');

select pg_temp.set_clock('2026-01-05 05:00+01');
select pg_temp.apply_billing();
select pg_temp.begin_step('D1-IMD', '2026-01-06 19:00+01', 10, null, 'old');
select pg_temp.end_step('old', '2026-01-06 19:10+01');
select pg_temp.begin_step('D1-IMD', '2026-01-13 19:00+01', 1000, '{"threads": 8}', 'imd 1');
select pg_temp.progress_step('imd 1', '2026-01-13 19:09+01', 600, '{"remaining": 400}');
select pg_temp.end_step('imd 1', '2026-01-13 19:10+01');
select pg_temp.begin_step('D1-IMD', '2026-01-13 20:00+01', 400, '{"threads": 2}', 'imd 2');
select pg_temp.end_step('imd 2', '2026-01-13 20:05+01', 'failed');
select pg_temp.begin_step('CM_BSGGN', '2026-01-14 02:00+01');
select pg_temp.end_step('CM_BSGGN', '2026-01-14 03:00+01', 'failed');
select pg_temp.begin_step('CM-DMRU', '2026-01-14 18:00+01', 100);
select monitoring.start_task_tracking('other', 'no step');
select monitoring.complete_task_tracking('other');

select results_eq(
    'select * from monitoring.get_ended_batch_runs()',
    $$
        select * from monitoring.batch_execution_logs
        where finished_at >= monitoring.clock() - interval '7 days'
        order by finished_at desc
    $$,
    'those of the last 7 days, as batch_execution_logs has them, the newest first'
);
select pg_temp.roll_up_own('tasks');
select results_eq(
    $$select * from monitoring.get_ended_batch_runs('2026-01-01')$$,
    $$
        select * from monitoring.batch_execution_logs
        where status <> 'running' order by finished_at desc
    $$,
    'or from a time on; the same once they are rolled up'
);
select results_eq(
    $$
        select task_id
        from monitoring.get_ended_batch_runs('2026-01-01', '2026-01-13 20:05+01')
    $$,
    $$values ('imd 1'), ('old')$$,
    'up to a time, which is left out'
);
select results_eq(
    $$select task_id from monitoring.get_ended_batch_runs(p_status => 'failed')$$,
    $$values ('CM_BSGGN'), ('imd 2')$$,
    'of a status'
);
select results_eq(
    $$select task_id from monitoring.get_ended_batch_runs(p_step => 'D1-IMD')$$,
    $$values ('imd 2'), ('imd 1')$$,
    'of a step'
);
select is_empty(
    $$select * from monitoring.get_ended_batch_runs(p_workflow_name => 'none')$$,
    'a workflow that is not there has none'
);
select results_eq(
    $$
        select task_id from monitoring.get_ended_batch_runs(
            p_limit => 1, p_before_time => '2026-01-14 03:00+01',
            p_before_task_id => 'CM_BSGGN', p_before_attempt => 1, p_before_workflow => 'billing'
        )
    $$,
    $$values ('imd 2')$$,
    'a page begins after the last row of the page before'
);
select throws_ok(
    'select * from monitoring.get_ended_batch_runs(p_limit => -1)', 'PV004', null,
    'a negative limit is refused'
);

select * from finish(); -- noqa: AM04
rollback;
