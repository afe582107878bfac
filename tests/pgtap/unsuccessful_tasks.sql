-- Why attempts did not complete, wherever that is shown.

begin;
select plan(9);
\ir helpers/fixed_clock.psql
\ir helpers/batch.psql

select pg_temp.apply_billing();

-- A task of the billing workflow that ran from 9:00 to 10:00 and ended so.
create function pg_temp.ended(
    p_task_id text, p_status text, p_metadata jsonb default null, p_start text default '09:00'
)
returns void
language sql
as $$
    select monitoring.record_finished_tasks(jsonb_build_array(jsonb_build_object(
        'task_id', p_task_id, 'task_type', 'D1-IMD', 'status', p_status, 'metadata', p_metadata,
        'start_time', '2026-01-15 ' || p_start || '+00', 'end_time', '2026-01-15 10:00+00'
    )))
$$;

create function pg_temp.said(p_task_id text, p_message text, p_at text) returns void
language sql
as $$
    select monitoring.record_error(
        p_task_id, 'Trouble', 'high', p_message, 'c', p_occurred_at => ('2026-01-15 ' || p_at)::timestamptz
    )
$$;

create function pg_temp.reason(p_task_id text) returns text
language sql
as $$
    select t.error_message from monitoring.v_unsuccessful_tasks as t where t.task_id = p_task_id
$$;

select is_empty('select * from monitoring.v_unsuccessful_tasks', 'nothing has ended');
select pg_temp.ended('well', 'completed');
select is_empty('select * from monitoring.v_unsuccessful_tasks', 'what completed is not there');

select pg_temp.ended('told', 'failed', '{"error_message": "no room"}');
select pg_temp.said('told', 'something else', '09:30+00');
select is(pg_temp.reason('told'), 'no room', 'what its metadata say is why');

select pg_temp.ended('hinted', 'timeout');
select pg_temp.said('hinted', 'of the attempt before', '08:59:59+00');
select pg_temp.said('hinted', 'first', '09:10+00');
select pg_temp.said('hinted', 'last', '10:00+00');
select pg_temp.said('hinted', 'of the attempt after', '10:00:01+00');
select pg_temp.said('other', 'of another task', '09:50+00');
select is(pg_temp.reason('hinted'), 'last', 'else the last error recorded while it ran');

select pg_temp.ended('silent', 'lost');
select is(pg_temp.reason('silent'), null, 'nobody may have said why');

select pg_temp.ended('endless', 'cancelled', null, '10:00');
select is(
    (
        select array_agg(t.status order by t.status) from monitoring.v_unsuccessful_tasks as t
    ),
    array['cancelled', 'failed', 'lost', 'timeout'],
    'whatever did not complete is there'
);

select is(
    (
        select l.error_message from monitoring.batch_execution_logs as l
        where l.task_id = 'hinted'
    ),
    'last',
    'a run of a step tells the same'
);
select is(
    (
        select r.error_message
        from monitoring.get_ended_batch_runs(
                '2026-01-15 00:00+00', '2026-01-15 12:00+00'
            ) as r
        where r.task_id = 'hinted'
    ),
    'last',
    'and page by page'
);
select is(
    (
        select f.details ->> 'error_message'
        from monitoring.v_batch_health as h
        cross join lateral jsonb_array_elements(h.recent_failures) as f (details)
        where f.details ->> 'task_id' = 'hinted'
    ),
    'last',
    'and the recent failures of its workflow'
);

select * from finish(); -- noqa: AM04
rollback;
