-- Which attempt an end ends: overlapping runs, ends told late, heartbeats, ends before their start.

begin;
select plan(20);
-- Days and times are written here as they are in UTC.
set local timezone = 'UTC';
\ir helpers/fixed_clock.psql

select monitoring.ensure_partitions();

-- Ends of a task by attempt.
prepare ends_of (text) as
select
    m.attempt,
    m.task_type,
    m.status,
    m.start_time,
    m.end_time
from monitoring.processing_metrics as m
where m.task_id = $1
order by m.attempt, m.end_time;

-- Overlapping runs of one name

select monitoring.start_task_tracking('ovl', 'load', p_worker_id => 'w1');
select pg_temp.set_clock('2026-01-15 12:05+00');
select monitoring.start_task_tracking('ovl', 'load', p_worker_id => 'w2');
select pg_temp.set_clock('2026-01-15 12:06+00');
select ok(
    not monitoring.complete_task_tracking(
        'ovl', 'failed', 7, p_metadata => '{"why": "disk"}', p_attempt => 1
    ),
    'an end of an attempt that is not the running one gives false'
);
select is(
    (select attempt from monitoring.active_tasks where task_id = 'ovl'), 2, 'and does not end that'
);
select ok(
    not monitoring.update_task_progress('ovl', 5, p_attempt => 1)
    and monitoring.update_task_progress('ovl', 6, p_attempt => 2),
    'progress is that of the attempt that tells it'
);
select pg_temp.set_clock('2026-01-15 12:10+00');
select ok(
    monitoring.complete_task_tracking('ovl', 'completed', p_attempt => 2),
    'the running attempt ends as it says'
);
select results_eq(
    $$execute ends_of('ovl')$$,
    $$
        values
        (1, 'load', 'failed', timestamptz '2026-01-15 12:00+00', timestamptz '2026-01-15 12:06+00'),
        (2, 'load', 'completed', '2026-01-15 12:05+00', '2026-01-15 12:10+00')
    $$,
    'what was told of each run is known of it'
);
select results_eq(
    $$
        select t.duration_ms, t.output_size, t.worker_id, t.metadata
        from monitoring.finished_tasks as t where t.task_id = 'ovl' and t.attempt = 1
    $$,
    $$
        values (
            360000::double precision, 7::bigint, 'w1',
            '{"why": "disk", "taken_for_lost_at": "2026-01-15T12:05:00+00:00"}'::jsonb
        )
    $$,
    'and that it was taken for lost before'
);
select is(
    monitoring.start_task_tracking('ovl', 'load'), 1, 'attempts are counted from the last success'
);
select ok(
    not monitoring.complete_task_tracking(
        'ovl', 'failed', 7, p_metadata => '{"why": "disk"}', p_attempt => 2
    ),
    'an end that contradicts another is no end of what runs now'
);
select is(
    (
        select array_agg(m.status || ' ' || m.attempt || ' ' || m.task_type order by m.end_time)
        from monitoring.processing_metrics as m where m.task_id = 'ovl' and m.status <> 'running'
    ),
    array['failed 1 load', 'completed 2 load', 'failed 2 load'], 'and is kept'
);

-- A success that came late

select monitoring.start_task_tracking('slow', 'load');
select monitoring.start_task_tracking('slow', 'load');
select monitoring.complete_task_tracking('slow', 'failed', p_attempt => 2);
select monitoring.complete_task_tracking('slow', 'completed', p_attempt => 1);
select is(
    monitoring.start_task_tracking('slow', 'load'), 3,
    'an earlier attempt that turns out a success undoes no failure since'
);

-- Bare heartbeats

select
    pg_temp.set_clock(h.at::text) as clock,
    monitoring.complete_task_tracking('beat') as is_running
from generate_series(
        timestamptz '2026-01-15 13:00+00', '2026-01-15 13:25+00', interval '5 minutes'
    ) as h (at);
select monitoring.complete_task_tracking('beat');
select results_eq(
    $$
        select count(*), min(m.end_time), max(m.end_time)
        from monitoring.processing_metrics as m where m.task_id = 'beat'
    $$,
    $$values (6::bigint, timestamptz '2026-01-15 13:00+00', timestamptz '2026-01-15 13:25+00')$$,
    'ends alone, every few minutes, are all kept, and one told again is not'
);
select monitoring.complete_task_tracking('told', p_finished_at => '2026-01-15 13:00:00+00');
select monitoring.complete_task_tracking('told', p_finished_at => '2026-01-15 13:00:01+00');
select monitoring.complete_task_tracking('told', p_finished_at => '2026-01-15 13:00:00+00');
select is(
    (select count(*) from monitoring.processing_metrics where task_id = 'told'), 2::bigint,
    'who tells times tells different ends, a second apart as well'
);

-- An end before its start

select monitoring.complete_task_tracking('early', 'failed', 3, p_metadata => '{"a": 1}');
select pg_temp.set_clock('2026-01-15 13:25:03+00');
select is(
    monitoring.start_task_tracking('early', 'load', 10, 'w', p_metadata => '{"b": 2}'), 1,
    'a start that was overtaken by its end begins'
);
select results_eq(
    $$
        select m.task_type, m.status, m.attempt, m.start_time, m.end_time, m.duration_ms,
            m.input_size, m.output_size, m.worker_id, m.metadata
        from monitoring.processing_metrics as m where m.task_id = 'early'
    $$,
    $$
        values (
            'load', 'failed', 1, timestamptz '2026-01-15 13:25+00',
            timestamptz '2026-01-15 13:25+00', 0::double precision, 10::bigint, 3::bigint, 'w',
            '{"a": 1, "b": 2}'::jsonb
        )
    $$,
    'and is closed by that end, in one row'
);
select is(
    monitoring.start_task_tracking('early', 'load'), 2, 'the next is the attempt after that failure'
);

select monitoring.complete_task_tracking('times', p_finished_at => '2026-01-15 10:30+00');
select monitoring.start_task_tracking('times', 'load', p_started_at => '2026-01-15 10:00+00');
select monitoring.start_task_tracking('times', 'load', p_started_at => '2026-01-15 11:00+00');
select results_eq(
    $$execute ends_of('times')$$,
    $$
        values
        (1, 'load', 'completed', timestamptz '2026-01-15 10:00+00', timestamptz '2026-01-15 10:30+00'),
        (1, 'load', 'running', '2026-01-15 11:00+00', null)
    $$,
    'where both tell their times the start may come hours after the end'
);

select monitoring.complete_task_tracking('beat');
select pg_temp.set_clock('2026-01-15 13:26+00');
select monitoring.start_task_tracking('beat', 'load');
select is(
    (select attempt from monitoring.active_tasks where task_id = 'beat'), 1,
    'a start long after an end without one runs'
);

select monitoring.start_task_tracking('failing', 'load');
select monitoring.complete_task_tracking('failing', 'failed');
select monitoring.complete_task_tracking('failing', 'failed', p_metadata => '{"why": "more"}');
select is(
    monitoring.start_task_tracking('failing', 'load'), 2, 'the number of a restart is right'
);
select is(
    (select count(*) from monitoring.active_tasks where task_id = 'failing'), 1::bigint,
    'and a run that failed, told twice, does not close it'
);
select is(
    (select count(*) from monitoring.unsuccessful_attempts where attempt < 1), 1::bigint,
    'nothing else is left of ends without a start but one note a name'
);

select * from finish(); -- noqa: AM04
rollback;
