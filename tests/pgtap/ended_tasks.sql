-- get_ended_tasks: the newest tasks that ended, page by page.

begin;
select plan(15);
\ir helpers/fixed_clock.psql

-- The clock says 2026-01-15 12:00 UTC; one task ended at each of these minutes ago.
select
    monitoring.record_finished_tasks(jsonb_agg(jsonb_build_object(
        'task_id', 't' || m,
        'task_type', case when m % 2 = 0 then 'load' else 'send' end,
        'status', case when m in (2, 90) then 'failed' else 'completed' end,
        'worker_id', 'w' || m % 3,
        'end_time', monitoring.clock() - make_interval(mins => m)
    )))
from unnest(array[1, 2, 3, 6, 30, 31, 90, 600, 1439, 1441, 6000]) as m;

create function pg_temp.ids(p_query text) returns text
language plpgsql
as $$
declare
    v_ids text;
begin
    execute format('select string_agg(q.task_id, '' '') from (%s) q', p_query) into v_ids;
    return v_ids;
end
$$;

select is(
    pg_temp.ids('select * from monitoring.get_ended_tasks()'),
    't1 t2 t3 t6 t30 t31 t90 t600 t1439',
    'those of the last 24 hours, the newest first'
);
select is(
    pg_temp.ids($$select * from monitoring.get_ended_tasks('2026-01-01')$$),
    't1 t2 t3 t6 t30 t31 t90 t600 t1439 t1441 t6000',
    'or from a time on'
);
select is(
    pg_temp.ids($$select * from monitoring.get_ended_tasks(null, '2026-01-15 11:30+00')$$),
    't31 t90 t600 t1439',
    'up to a time, which is left out'
);
select is(
    pg_temp.ids($$select * from monitoring.get_ended_tasks('2026-01-15 11:30+00')$$),
    't1 t2 t3 t6 t30',
    'a time from which is included'
);
select is_empty(
    $$select * from monitoring.get_ended_tasks('2026-01-15 11:30+00', '2026-01-15 11:30+00')$$,
    'a span without length has none'
);
select is(
    pg_temp.ids('select * from monitoring.get_ended_tasks(p_limit => 3)'),
    't1 t2 t3', 'no more than wanted'
);
select is_empty('select * from monitoring.get_ended_tasks(p_limit => 0)', 'even none');
select is(
    pg_temp.ids($$select * from monitoring.get_ended_tasks(p_task_type => 'load')$$),
    't2 t6 t30 t90 t600', 'of a type'
);
select is(
    pg_temp.ids($$select * from monitoring.get_ended_tasks(p_status => 'failed')$$),
    't2 t90', 'of a status'
);
select is(
    pg_temp.ids(
        $$select * from monitoring.get_ended_tasks(p_worker_id => 'w1', p_task_type => 'send')$$
    ),
    't1 t31', 'of a worker, and a type'
);

-- Pages

select is(
    pg_temp.ids(
        $$
            select * from monitoring.get_ended_tasks(
                p_limit => 2, p_before_time => '2026-01-15 11:57+00', p_before_task_id => 't3',
                p_before_attempt => 1
            )
        $$
    ),
    't6 t30', 'a page begins after the last row of the page before'
);

select monitoring.record_finished_tasks(
    '[
        {"task_id": "same-a", "task_type": "x", "end_time": "2026-01-15T11:59:30Z"},
        {"task_id": "same-b", "task_type": "x", "end_time": "2026-01-15T11:59:30Z"},
        {"task_id": "same-b", "task_type": "x", "end_time": "2026-01-15T11:59:30Z", "attempt": 2},
        {"task_id": "ahead", "task_type": "x", "end_time": "2026-01-16T02:00:00Z"}
    ]'
);
select is(
    pg_temp.ids($$select * from monitoring.get_ended_tasks(p_task_type => 'x')$$),
    'ahead same-b same-b same-a', 'what ended ahead of our clock is seen as well'
);
select results_eq(
    $$
        select e.task_id, e.attempt
        from monitoring.get_ended_tasks(
            p_task_type => 'x', p_before_time => '2026-01-15 11:59:30+00',
            p_before_task_id => 'same-b', p_before_attempt => 2
        ) as e
    $$,
    $$values ('same-b', 1), ('same-a', 1)$$,
    'of what ended at one time, none is skipped or repeated'
);

-- Refusals

select throws_ok(
    'select * from monitoring.get_ended_tasks(p_limit => -1)', 'PV004', null,
    'a negative limit is refused'
);
select throws_ok(
    'select * from monitoring.get_ended_tasks(p_limit => null)', 'PV004', null,
    'and none at all'
);

select * from finish(); -- noqa: AM04
rollback;
