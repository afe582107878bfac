-- Rule low_throughput: items per second of what has completed and what runs.

begin;
select plan(11);
\ir helpers/fixed_clock.psql
\ir helpers/findings.psql

create function pg_temp.did(
    p_task_type text, p_items bigint, p_end timestamptz, p_seconds float8,
    p_status text default 'completed'
) returns bigint
language sql
as $$
    select monitoring.record_finished_tasks(jsonb_build_array(jsonb_build_object(
        'task_id', 'task ' || nextval('pg_temp.task_number'), 'task_type', p_task_type,
        'status', p_status, 'end_time', p_end, 'duration_ms', p_seconds * 1000,
        'items_done', p_items
    )))
$$;

select pg_temp.did('etl', 100, '2026-01-15 11:30+00', 10);
select pg_temp.did('etl', 20, '2026-01-15 12:00+00', 10);

-- Interface

select is_empty(
    $$select * from pg_temp.findings_of('low_throughput')$$,
    'nothing is too little until somebody says what is'
);

select monitoring.set_alert_thresholds('low_throughput', '{"high": 8}', '{"task_type": "etl"}');

-- Behaviour

select results_eq(
    $$select value, labels, summary from pg_temp.findings_of('low_throughput')$$,
    $$
        values (
            6::float8, '{"task_type": "etl"}'::jsonb,
            'task type etl: 6 items/s, 120 items in 20 s of 2 attempts'
        )
    $$,
    'items and seconds of all attempts are added up'
);

select pg_temp.did('etl', 1, '2026-01-15 11:00+00', 10);
select pg_temp.did('etl', 1, '2026-01-15 12:00:01+00', 10);
select pg_temp.did('etl', 1, '2026-01-15 11:30+00', 10, 'failed');
select pg_temp.did('etl', 1, '2026-01-15 11:30+00', null);
select pg_temp.did('etl', null, '2026-01-15 11:30+00', 10);

select results_eq(
    $$select * from pg_temp.values_of('low_throughput')$$,
    $$values ('etl', 6.000)$$,
    'none but those that completed in the hour and told both'
);
select results_eq(
    $$select * from pg_temp.values_of('low_throughput', '2026-01-15 11:30+00')$$,
    $$values ('etl', 5.050)$$,
    'looking back it is the hour before'
);

select pg_temp.did('instant', 0, '2026-01-15 11:30+00', 0);
select is_empty(
    $$select * from pg_temp.values_of('low_throughput') where fingerprint = 'instant'$$,
    'what takes no time has no throughput'
);
select pg_temp.did('idle', 0, '2026-01-15 11:30+00', 5);
select results_eq(
    $$select * from pg_temp.values_of('low_throughput') where fingerprint = 'idle'$$,
    $$values ('idle', 0.000)$$,
    'no items in some time are a throughput of nothing'
);

-- Running

select monitoring.start_task_tracking('run', 'load', p_started_at => '2026-01-15 11:50+00');
select is_empty(
    $$select * from pg_temp.values_of('low_throughput') where fingerprint = 'load'$$,
    'a running task that does not tell counts as little as one that has ended'
);
select monitoring.update_task_progress('run', 300, p_at => '2026-01-15 11:58+00');
select results_eq(
    $$select * from pg_temp.values_of('low_throughput') where fingerprint = 'load'$$,
    $$values ('load', 0.500)$$,
    'one that does counts for all the time that it has been running'
);
select is_empty(
    $$
        select * from pg_temp.values_of('low_throughput', '2026-01-15 11:57+00')
        where fingerprint = 'load'
    $$,
    'of before it told nothing is known'
);
select pg_temp.set_parameter('low_throughput', 'min_running_seconds', '601');
select is_empty(
    $$select * from pg_temp.values_of('low_throughput') where fingerprint = 'load'$$,
    'one that has just begun does not count'
);

select pg_temp.did(n.name, 1, '2026-01-15 11:30+00', 1)
from (values ('it''s "größer" \ %s'), (repeat('ä', 255)), (repeat('😀', 255))) as n (name);
select results_eq(
    $$
        select length(labels ->> 'task_type'), summary is not null
        from pg_temp.findings_of('low_throughput') where value = 1 order by 1
    $$,
    $$values (18, true), (255, true), (255, true)$$,
    'any name will do, of any length'
);

select * from finish(); -- noqa: AM04
rollback;
