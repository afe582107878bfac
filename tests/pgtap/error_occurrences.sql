-- get_error_occurrences: the occurrences of one group of errors, page by page.

begin;
select plan(11);
\ir helpers/fixed_clock.psql

-- The clock says 2026-01-15 12:00 UTC.
create function pg_temp.recorded(p_message text, p_ago interval, p_task_id text default null)
returns bigint
language sql
as $$
    select monitoring.record_error(
        p_task_id, 'Timeout', 'high', p_message, 'mail', '{"release": "1.4"}', 'in send()',
        'group-' || left(p_message, 1), monitoring.clock() - p_ago
    )
$$;
create function pg_temp.said(p_query text) returns text
language plpgsql
as $$
declare
    v_said text;
begin
    execute format('select string_agg(q.message, '' '') from (%s) q', p_query) into v_said;
    return v_said;
end
$$;

select monitoring.start_task_tracking('mail-1', 'mail', p_started_at => '2026-01-15 11:00+00');
select pg_temp.recorded('a1', '10 days');
select pg_temp.recorded('a2', '3 days');
select pg_temp.recorded('a3', '3 hours');
select pg_temp.recorded('b1', '3 hours');
select monitoring.roll_up();
select pg_temp.recorded('a4', '20 minutes', 'mail-1');

select is(
    pg_temp.said($$select * from monitoring.get_error_occurrences('group-a')$$),
    'a4 a3 a2 a1', 'the occurrences of a group, the newest first, rolled up or not'
);
select results_eq(
    $$
        select o.occurred_at, o.task_id, o.task_type, o.severity, o.component,
            o.details ->> 'release', o.stack
        from monitoring.get_error_occurrences('group-a', p_limit => 1) as o
    $$,
    $$values (
        '2026-01-15 11:40+00'::timestamptz, 'mail-1', 'mail', 'high', 'mail', '1.4', 'in send()'
    )$$,
    'each with all that was recorded, and the type of its task'
);
select is(
    (
        select count(o.task_type) + count(o.task_id)
        from monitoring.get_error_occurrences('group-b') as o
    ),
    0::bigint, 'outside any task it has neither name nor type'
);
select is(
    pg_temp.said(
        $$select * from monitoring.get_error_occurrences('group-a', '2026-01-13 00:00+00')$$
    ),
    'a4 a3', 'from a time on'
);
select is(
    pg_temp.said(
        $$select * from monitoring.get_error_occurrences('group-a', p_to => '2026-01-13 00:00+00')$$
    ),
    'a2 a1', 'or up to one'
);
select is(
    pg_temp.said($$select * from monitoring.get_error_occurrences('group-a', p_limit => 2)$$),
    'a4 a3', 'no more than wanted'
);
select is(
    pg_temp.said(
        $$
            select * from monitoring.get_error_occurrences(
                'group-a', p_limit => 2, p_before_time => '2026-01-15 09:00+00',
                p_before_error_id => (
                    select e.error_id from monitoring.error_tracking as e where e.message = 'a3'
                )
            )
        $$
    ),
    'a2 a1', 'a page begins after the last row of the page before'
);
select is_empty(
    $$select * from monitoring.get_error_occurrences('group-a', p_limit => 0)$$, 'even none'
);

-- Refusals

select throws_ok(
    $$select * from monitoring.get_error_occurrences('group-x')$$, 'PV007', null,
    'a group that nobody has seen is refused'
);
select throws_ok(
    'select * from monitoring.get_error_occurrences(null)', 'PV007', null, 'and none at all'
);
select throws_ok(
    $$select * from monitoring.get_error_occurrences('group-a', p_limit => -1)$$, 'PV004', null,
    'and a negative limit'
);

select * from finish(); -- noqa: AM04
rollback;
