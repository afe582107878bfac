-- Ends that fit no running task: they never raise, and as much is kept as is known.

begin;
select plan(16);
\ir helpers/fixed_clock.psql

-- Ends of a task, oldest first.
prepare ends_of (text) as
select
    m.task_type,
    m.status,
    m.attempt,
    m.end_time
from monitoring.processing_metrics as m
where m.task_id = $1
order by m.end_time;

-- Behaviour: a start that was never told

select ok(
    not monitoring.complete_task_tracking(
        'unheard', 'failed', 12, '{"load": 7}', '{"done": 1}', '{"by": "cron"}'
    ),
    'ending a task that is not running gives false'
);

select results_eq(
    $$
        select task_type, status, attempt, start_time, end_time, duration_ms, output_size,
            step_durations, counters, metadata, backend_pid
        from monitoring.processing_metrics where task_id = 'unheard'
    $$,
    $$
        values ('unknown', 'failed', 1, null::timestamptz, '2026-01-15 12:00+00'::timestamptz,
            null::double precision, 12::bigint, '{"load": 7}'::jsonb, '{"done": 1}'::jsonb,
            '{"by": "cron"}'::jsonb, null::integer)
    $$,
    'what is known of its end is kept, as of unknown type'
);

select lives_ok(
    $$select monitoring.complete_task_tracking('unheard of', p_finished_at => '2025-06-01')$$,
    'not even on a day without a partition does it raise'
);

-- Behaviour: an end that is told twice

select monitoring.start_task_tracking('twice', 'load');
select monitoring.complete_task_tracking('twice', 'completed', 5, p_counters => '{"a": 1}');
select pg_temp.set_clock('2026-01-15 12:00:10+00');

select ok(
    not monitoring.complete_task_tracking('twice', 'completed', 5)
    and not monitoring.complete_task_tracking('twice'),
    'ending a task for the second time gives false'
);

select results_eq(
    $$execute ends_of('twice')$$,
    $$values ('load', 'completed', 1, '2026-01-15 12:00+00'::timestamptz)$$,
    'and an equal end, seconds later, is that end told again'
);

select monitoring.complete_task_tracking('twice', 'completed', 6);
select monitoring.complete_task_tracking('twice', 'failed');

select results_eq(
    $$execute ends_of('twice')$$,
    $$
        values
        ('load', 'completed', 1, '2026-01-15 12:00+00'::timestamptz),
        ('unknown', 'completed', 1, '2026-01-15 12:00:10+00'),
        ('unknown', 'failed', 1, '2026-01-15 12:00:10.000001+00')
    $$,
    'different facts are kept, even of one instant'
);

select pg_temp.set_clock('2026-01-15 12:05+00');
select monitoring.complete_task_tracking('twice', 'failed');

select results_eq(
    $$select max(end_time) from monitoring.processing_metrics where task_id = 'twice'$$,
    $$values ('2026-01-15 12:05+00'::timestamptz)$$,
    'an equal end minutes later is that of another run, whose start was not told'
);

select pg_temp.set_clock('2026-01-15 12:00+00');
select monitoring.start_task_tracking('daily', 'load');
select monitoring.complete_task_tracking('daily');
select monitoring.complete_task_tracking('daily', 'failed', p_finished_at => '2026-01-12 12:00+00');

select results_eq(
    $$execute ends_of('daily')$$,
    $$
        values
        ('unknown', 'failed', 1, '2026-01-12 12:00+00'::timestamptz),
        ('load', 'completed', 1, '2026-01-15 12:00+00')
    $$,
    'an end days ago that arrives late is kept although the task has ended again since'
);

-- Behaviour: restarted meanwhile

select monitoring.start_task_tracking('restarted', 'load');
select monitoring.start_task_tracking('restarted', 'load');

select ok(
    monitoring.complete_task_tracking('restarted', 'completed'),
    'an end after a restart is that of the attempt that runs now'
);

select ok(
    not monitoring.complete_task_tracking('restarted', 'failed'),
    'a further end of the earlier attempt gives false'
);

select results_eq(
    $$execute ends_of('restarted')$$,
    $$
        values
        ('load', 'lost', 1, '2026-01-15 12:00+00'::timestamptz),
        ('load', 'completed', 2, '2026-01-15 12:00+00'),
        ('unknown', 'failed', 1, '2026-01-15 12:00:00.000001+00')
    $$,
    'and is kept, of whatever run it is'
);

-- Behaviour: in a transaction that is undone

do $$
begin
    perform monitoring.start_task_tracking('undone', 'load');
    raise exception using errcode = 'XX999';
exception
    when sqlstate 'XX999' then null;
end
$$;

select ok(
    not monitoring.update_task_progress('undone', 1),
    'a start that was rolled back was never told'
);

-- Boundaries

select monitoring.complete_task_tracking('sent again', 'failed');
select monitoring.start_task_tracking('sent again', 'load');

select lives_ok(
    $$select monitoring.complete_task_tracking('sent again', 'failed')$$,
    'an end does not raise that falls together with one whose start was not told'
);

select pg_temp.set_clock('2026-01-15 12:30+00');
select monitoring.start_task_tracking('counted', 'load');
select monitoring.complete_task_tracking('counted', 'failed');
select monitoring.complete_task_tracking('counted', 'completed');

select is(
    monitoring.start_task_tracking('counted', 'load'),
    2,
    'a second telling does not change how the next attempt is numbered'
);

select monitoring.start_task_tracking('meanwhile', 'load', p_started_at => '2026-01-15 12:20+00');
select monitoring.start_task_tracking('meanwhile', 'load', p_started_at => '2026-01-15 12:10+00');

select lives_ok(
    $$
        select monitoring.start_task_tracking('meanwhile', 'load',
            p_started_at => '2026-01-15 12:10+00')
    $$,
    'starts told again and in the wrong order do not raise'
);

select is(
    (select count(*) from monitoring.processing_metrics where task_id = 'meanwhile'),
    3::bigint,
    'and each is an attempt'
);

select * from finish(); -- noqa: AM04
rollback;
