-- load_history: what happened before, of all kinds, each once; also what was exported from here.

begin;
select plan(20);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

-- Interface

select is(
    monitoring.load_history('queues', '[
        {"queue_name": "q", "pending": 3, "recorded_at": "2026-01-15 11:00Z"},
        {"queue_name": "q", "pending": 3, "recorded_at": "2026-01-15 11:00Z"},
        {"queue_name": "q", "pending": 3, "recorded_at": "2024-01-15 11:00Z"}
    ]'),
    2::bigint,
    'what was seen of a queue at a time is there once, however often it is told'
);
select results_eq(
    'select recorded_at, pending, failed from monitoring.queue_monitoring order by 1',
    $$values ('2024-01-15 11:00Z'::timestamptz, 3::bigint, 0::bigint),
        ('2026-01-15 11:00Z', 3, 0)$$,
    'of any age'
);
select is(
    monitoring.load_history('health', '[
        {"component_type": "api", "component_name": "shop", "status": "healthy",
            "checked_at": "2026-01-14 11:00Z"},
        {"component_type": "api", "component_name": "shop", "status": "unhealthy",
            "failure_reason": "gone", "checked_at": "2024-01-14 11:00Z"}
    ]'),
    2::bigint,
    'health checks'
);
select is(
    (select s.status from monitoring.system_health as s), 'healthy',
    'the newest check is the state of the component'
);

-- Behaviour: numbers

select monitoring.record_error(null, 'E', 'low', 'of here', p_occurred_at => '2026-01-15 11:00Z');

-- The errors as an export of them has them, with the number moved.
create function pg_temp.exported(p_by bigint default 0) returns jsonb
language sql
as $$
    select jsonb_agg(to_jsonb(e) || jsonb_build_object('error_id', e.error_id + p_by))
    from monitoring.error_tracking as e
$$;

select is(
    monitoring.load_history('errors', pg_temp.exported()), 0::bigint,
    'an error that was exported from here is the one that is here'
);
select is(
    monitoring.load_history('errors', jsonb_set(pg_temp.exported(), '{0,message}', '"of another"')),
    1::bigint,
    'one of another database that has its number and time, and says something else, is another one'
);
select is(
    monitoring.load_history('errors', jsonb_set(pg_temp.exported(), '{0,message}', '"of a third"')),
    1::bigint,
    'and so is one of a third'
);
select is(
    monitoring.load_history('errors', pg_temp.exported()), 0::bigint,
    'all of them are known by what they are, here and under the numbers they have here'
);
select is(
    (select count(distinct e.error_id) from monitoring.error_tracking as e), 3::bigint,
    'with a number each'
);
select is(
    monitoring.load_history('errors', pg_temp.exported(1000000)), 3::bigint,
    'errors that say the same at the same time under other numbers are further ones'
);

-- Behaviour: kinds that stand on others

select is(
    monitoring.load_history('runs', '[{"dataset": "orders", "finished_at": "2026-01-14 03:00Z",
        "execution_seconds": 60, "statistics": {"valid_records": 7}}]'),
    1::bigint,
    'a run of a program'
);
select results_eq(
    'select t.task_type, t.duration_ms from monitoring.processing_metrics as t',
    $$values ('records.orders', 60000::double precision)$$,
    'is a task as well'
);
select is(
    monitoring.load_history('runs', '[{"dataset": "orders", "finished_at": "2026-01-14 03:00Z",
        "execution_seconds": 60, "statistics": {"valid_records": 7}}]'),
    0::bigint,
    'and is known by the name that it gets'
);
select is(
    monitoring.load_history('tasks', (
        select jsonb_agg(to_jsonb(t) - 'attempt') from monitoring.processing_metrics as t
    )),
    0::bigint,
    'a task that does not say its attempt is the one that ended then'
);
select is(
    monitoring.load_history('products', '[{"dataset": "orders", "record_key": "1", "product": "A",
        "amount": 12.10, "changed_at": "2026-01-14 03:00Z"}]')
    + monitoring.load_history('products', '[{"dataset": "orders", "record_key": "1",
        "product": "A", "amount": 9, "changed_at": "2026-01-13 03:00Z"}]'),
    1::bigint,
    'products of a record, of which the latest are known'
);
select is(
    monitoring.load_history('summaries', '[{"dataset": "orders", "target_date": "2024-01-14",
        "runs": 4}]')
    + monitoring.load_history('summaries', '[{"dataset": "orders", "target_date": "2024-01-14",
        "runs": 5}]'),
    1::bigint,
    'the summary of a day, which stays as it is'
);

-- Behaviour: before it is loaded

select is(
    monitoring.prepare_history('logs', '[
        {"component": "c", "logged_at": "2026-01-02 11:00Z"},
        {"component": "c", "logged_at": "2026-01-02 12:00Z"},
        {"component": "c", "logged_at": "2024-01-02 12:00Z"}, {"logged_at": "soon"}
    ]'),
    '{"partitions": 1,
        "expired": [{"table_name": "log_lines", "category": "", "rows": 1}]}'::jsonb,
    'days that it lacks are made, and what retention would remove is counted'
);

-- Refusals

select throws_like(
    $$select monitoring.load_history('fruit', '[]')$$, '%kind of history%fruit%',
    'a kind that is none'
);
do $$ begin perform set_config('monitoring.strict', 'on', true); end $$;
select throws_like(
    $$select monitoring.load_history('queues', '[
        {"queue_name": "q", "pending": 1, "recorded_at": "2026-01-15 11:30Z"},
        {"queue_name": "q", "pending": "many", "recorded_at": "2026-01-15 11:30Z"}
    ]')$$,
    'row 2: %many%',
    'a row that cannot be is named'
);
select is(
    (select count(*) from monitoring.queue_monitoring), 2::bigint,
    'and nothing of its call is loaded'
);

select * from finish(); -- noqa: AM04
rollback;
