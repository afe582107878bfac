-- update_task_progress: heartbeats, items and counters of a running task.

begin;
select plan(18);
\ir helpers/fixed_clock.psql

-- Minutes after twelve at which the task last spoke and last got further.
prepare spoke_and_got_further (text) as
select
    extract(minute from m.heartbeat_at - '2026-01-15 12:00+00')::integer as spoke,
    extract(minute from m.progress_at - '2026-01-15 12:00+00')::integer as got_further
from monitoring.processing_metrics as m
where m.task_id = $1;

select monitoring.start_task_tracking('load', 'load');

-- Interface

select ok(
    monitoring.update_task_progress('load', 10, 100, '{"failed": 1}'),
    'progress of a running task is told by position: task, items done, items expected, counters'
);

select results_eq(
    $$
        select items_done, items_total, counters from monitoring.processing_metrics
        where task_id = 'load'
    $$,
    $$values (10::bigint, 100::bigint, '{"failed": 1}'::jsonb)$$,
    'a running task shows how far it is'
);

select ok(
    not monitoring.update_task_progress('nobody', 1),
    'a task that is not running gives false'
);

select is_empty(
    $$select * from monitoring.processing_metrics where task_id = 'nobody'$$,
    'and nothing is kept of it'
);

-- Behaviour

select pg_temp.set_clock('2026-01-15 12:05+00');
select monitoring.update_task_progress('load');

select results_eq(
    $$execute spoke_and_got_further('load')$$,
    'values (5, 0)',
    'a bare heartbeat is no progress'
);

select pg_temp.set_clock('2026-01-15 12:06+00');
select monitoring.update_task_progress('load', 10, 200, '{"failed": 1.0}');

select results_eq(
    $$execute spoke_and_got_further('load')$$,
    'values (6, 0)',
    'the same numbers again, or another number expected, are no progress'
);

select pg_temp.set_clock('2026-01-15 12:07+00');
select monitoring.update_task_progress('load', 11);

select results_eq(
    $$execute spoke_and_got_further('load')$$,
    'values (7, 7)',
    'more items done are progress'
);

select pg_temp.set_clock('2026-01-15 12:08+00');
select monitoring.update_task_progress('load', p_counters => '{"succeeded": 10}');

select results_eq(
    $$execute spoke_and_got_further('load')$$,
    'values (8, 8)',
    'a new counter is progress'
);

select results_eq(
    $$
        select items_done, items_total, counters from monitoring.processing_metrics
        where task_id = 'load'
    $$,
    $$values (11::bigint, 200::bigint, '{"failed": 1, "succeeded": 10}'::jsonb)$$,
    'what a heartbeat leaves out stays as it was, and counters are merged by key'
);

select pg_temp.set_clock('2026-01-15 12:09+00');
select monitoring.update_task_progress('load', p_counters => '{"failed": 2}');

select results_eq(
    $$execute spoke_and_got_further('load')$$,
    'values (9, 9)',
    'a counter that changes is progress'
);

select is(
    (select counters from monitoring.processing_metrics where task_id = 'load'),
    '{"failed": 2, "succeeded": 10}',
    'of a counter told twice the newer value stands'
);

select pg_temp.set_clock('2026-01-15 12:25+00');
select monitoring.update_task_progress('load', 12, p_at => '2026-01-15 12:20+00');

select results_eq(
    $$execute spoke_and_got_further('load')$$,
    'values (20, 20)',
    'a caller may tell when it was'
);

select monitoring.update_task_progress('load', 13, p_at => '2026-01-15 12:10+00');

select results_eq(
    $$execute spoke_and_got_further('load')$$,
    'values (20, 20)',
    'a heartbeat that arrives late turns no clock back'
);

select monitoring.update_task_progress('load', 14, p_at => '2026-01-15 12:55+00');

select results_eq(
    $$execute spoke_and_got_further('load')$$,
    'values (25, 25)',
    'one from a clock that is ahead is taken for now, so that silence shows in time'
);

-- Boundaries

select monitoring.start_task_tracking('fresh', 'load');
select pg_temp.set_clock('2026-01-15 12:30+00');
select monitoring.update_task_progress('fresh', 0);

select results_eq(
    $$execute spoke_and_got_further('fresh')$$,
    'values (30, 25)',
    'no items done is no progress'
);

select monitoring.update_task_progress('fresh', 0, p_counters => '{}');

select is(
    (select counters from monitoring.processing_metrics where task_id = 'fresh'),
    '{}',
    'an empty set of counters is kept as it is'
);

select pg_temp.set_clock('2026-01-15 12:31+00');
select monitoring.update_task_progress('fresh', 5, 3);

select results_eq(
    $$
        select items_done, items_total from monitoring.processing_metrics where task_id = 'fresh'
    $$,
    'values (5::bigint, 3::bigint)',
    'more items done than expected are kept as told'
);

select monitoring.complete_task_tracking('fresh');

select ok(
    not monitoring.update_task_progress('fresh', 6),
    'a task that has ended gives false'
);

select * from finish(); -- noqa: AM04
rollback;
