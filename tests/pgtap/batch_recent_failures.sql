-- The newest failures of a workflow: of all its steps together, rolled up or not.

begin;
select plan(6);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/batch.psql

create function pg_temp.end_run(p_step text, p_status text, p_at text) returns void
language sql
as $$
    select monitoring.record_finished_tasks(jsonb_build_array(jsonb_build_object(
        'task_id', p_step || ' ' || p_at, 'task_type', p_step, 'status', p_status,
        'start_time', p_at::timestamptz - interval '5 minutes', 'end_time', p_at,
        'metadata', jsonb_build_object('error_message', 'because of ' || p_step)
    )))
$$;

create function pg_temp.failures() returns setof text
language sql
as $$
    select f.details ->> 'task_id'
    from monitoring.v_batch_health as h
    cross join lateral jsonb_array_elements(h.recent_failures) with ordinality as f (details, place)
    order by f.place
$$;

select pg_temp.apply_billing();
select is_empty('select pg_temp.failures()', 'nothing has failed');

select pg_temp.end_run('CM-DMRU', 'failed', '2026-01-07 11:59+00');
select pg_temp.end_run('CM-DMRU', 'failed', '2026-01-08 12:01+00');
select pg_temp.end_run('D1-IMD', 'timeout', '2026-01-12 10:10+00');
select pg_temp.end_run('D1-IMD', 'completed', '2026-01-15 08:00+00');
select pg_temp.end_run('other', 'failed', '2026-01-15 08:30+00');
select results_eq(
    'select pg_temp.failures()',
    $$values ('D1-IMD 2026-01-12 10:10+00'), ('CM-DMRU 2026-01-08 12:01+00')$$,
    'those of seven days and of its own steps, the newest first, before a roll-up'
);
select pg_temp.roll_up_own('tasks');
-- As though of a transaction before; what comes now is new.
update monitoring.finished_tasks set recorded_xid = 1;
update monitoring.late_finished_tasks set recorded_xid = 1;
update monitoring.rollup_progress set claimed_below = 2;
select results_eq(
    'select pg_temp.failures()',
    $$values ('D1-IMD 2026-01-12 10:10+00'), ('CM-DMRU 2026-01-08 12:01+00')$$,
    'and after it'
);

select pg_temp.end_run('CM_BSGGN', 'lost', '2026-01-12 10:40+00');
select pg_temp.end_run('CM_BSGGN', 'failed', '2026-01-13 05:00+00');
select pg_temp.end_run('CM-DMRU', 'failed', '2026-01-13 05:30+00');
select pg_temp.end_run('D1-IMD', 'failed', '2026-01-15 11:00+00');
select pg_temp.end_run('D1-IMD', 'cancelled', '2026-01-15 11:30+00');
select results_eq(
    'select pg_temp.failures()',
    $$values ('D1-IMD 2026-01-15 11:00+00'), ('CM-DMRU 2026-01-13 05:30+00'),
        ('CM_BSGGN 2026-01-13 05:00+00'), ('CM_BSGGN 2026-01-12 10:40+00'),
        ('D1-IMD 2026-01-12 10:10+00')$$,
    'no more than five, of whichever steps, though an hour has rolled up ones and others'
);
select is(
    (select h.recent_failures -> 1 ->> 'error_message' from monitoring.v_batch_health as h),
    'because of CM-DMRU',
    'with what went wrong'
);
select is(
    (select h.recent_failures -> 1 ->> 'task_type' from monitoring.v_batch_health as h),
    'CM-DMRU',
    'and where'
);

select * from finish(); -- noqa: AM04
rollback;
