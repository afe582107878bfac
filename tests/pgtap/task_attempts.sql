-- Attempts: how starts of the same task are numbered.

begin;
select plan(13);
\ir helpers/fixed_clock.psql

-- What became of the attempts of a task, oldest first.
prepare attempts_of (text) as
select
    m.attempt,
    m.status,
    m.start_time,
    m.end_time
from monitoring.processing_metrics as m
where m.task_id = $1
order by m.attempt, m.status;

-- Behaviour: started again while running

select monitoring.start_task_tracking('crashed', 'load', p_started_at => '2026-01-15 11:00+00');

select is(
    monitoring.start_task_tracking('crashed', 'load', 7, 'worker-2'),
    2,
    'starting a running task again is its second attempt'
);

select results_eq(
    $$execute attempts_of('crashed')$$,
    $$
        values
        (1, 'lost', '2026-01-15 11:00+00'::timestamptz, '2026-01-15 12:00+00'::timestamptz),
        (2, 'running', '2026-01-15 12:00+00', null)
    $$,
    'the first attempt ended as lost when the second began'
);

select results_eq(
    $$
        select input_size, worker_id, items_done, counters from monitoring.active_tasks
        where task_id = 'crashed'
    $$,
    $$values (7::bigint, 'worker-2', null::bigint, null::jsonb)$$,
    'the second attempt takes nothing over from the first'
);

select is(
    monitoring.start_task_tracking('crashed', 'load', p_started_at => '2026-01-15 11:30+00'),
    3,
    'a start that is told late is still a further attempt'
);

select results_eq(
    $$
        select start_time, end_time, duration_ms from monitoring.processing_metrics
        where task_id = 'crashed' and attempt = 2
    $$,
    $$values ('2026-01-15 12:00+00'::timestamptz, '2026-01-15 12:00+00'::timestamptz, 0::float8)$$,
    'what it closes as lost does not end before it began'
);

-- Behaviour: started again after its end

select monitoring.start_task_tracking('nightly', 'load');
select monitoring.complete_task_tracking('nightly', 'failed');
select monitoring.start_task_tracking('nightly', 'load');
select monitoring.complete_task_tracking('nightly', 'timeout');
select monitoring.start_task_tracking('nightly', 'load');
select monitoring.complete_task_tracking('nightly', 'cancelled');

select is(
    monitoring.start_task_tracking('nightly', 'load'),
    4,
    'attempts that failed, timed out or were cancelled go on counting'
);

select results_eq(
    $$select task_id, attempt, finished_at from monitoring.unsuccessful_attempts order by task_id$$,
    $$
        values
        ('crashed', 2, '2026-01-15 12:00+00'::timestamptz),
        ('nightly', 3, '2026-01-15 12:00+00')
    $$,
    'only the last unsuccessful attempt of each task is remembered'
);

select monitoring.complete_task_tracking('nightly', 'completed');

select is_empty(
    $$select * from monitoring.unsuccessful_attempts where task_id = 'nightly'$$,
    'success forgets the unsuccessful attempts'
);

select is(
    monitoring.start_task_tracking('nightly', 'load'),
    1,
    'after success a start is attempt 1 again'
);

select results_eq(
    $$execute attempts_of('nightly')$$,
    $$
        values
        (1, 'failed', '2026-01-15 12:00+00'::timestamptz, '2026-01-15 12:00+00'::timestamptz),
        (1, 'running', '2026-01-15 12:00+00', null),
        (2, 'timeout', '2026-01-15 12:00+00', '2026-01-15 12:00+00'),
        (3, 'cancelled', '2026-01-15 12:00+00', '2026-01-15 12:00+00'),
        (4, 'completed', '2026-01-15 12:00+00', '2026-01-15 12:00+00')
    $$,
    'every attempt stays in history'
);

-- Boundaries

select monitoring.start_task_tracking('Nightly', 'load');

select is(
    (select count(*) from monitoring.active_tasks where lower(task_id) = 'nightly'),
    2::bigint,
    'names that differ in case are two tasks'
);

-- A client that sends again what it is not sure to have sent.
select monitoring.start_task_tracking('sent twice', 'load');
select monitoring.complete_task_tracking('sent twice');
select monitoring.start_task_tracking('sent twice', 'load');

select lives_ok(
    $$select monitoring.complete_task_tracking('sent twice')$$,
    'a run that is told again with the same times does not raise'
);

select is(
    (select count(*) from monitoring.processing_metrics where task_id = 'sent twice'),
    1::bigint,
    'and is in history once'
);

select * from finish(); -- noqa: AM04
rollback;
