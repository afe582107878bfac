-- Running totals: counted by roll-ups and by those who send, never taken back.

begin;
select plan(19);
select set_config('monitoring.now', '2026-01-15 12:00+00', true);
set local timezone = 'UTC';

create function pg_temp.ended(p_id text, p_type text, p_status text, p_seconds double precision)
returns void
language sql
as $$
    select monitoring.record_finished_tasks(jsonb_build_array(jsonb_build_object(
        'task_id', p_id, 'task_type', p_type, 'status', p_status,
        'start_time', timestamptz '2026-01-13 11:00+00',
        'end_time', timestamptz '2026-01-13 11:00+00' + make_interval(secs => p_seconds),
        'items_done', 3
    ))::text)
$$;

-- Rows of the transaction that rolls up are left to the next one: here they count as of others.
create function pg_temp.count_all() returns void
language sql
as $$
    select monitoring._count_ended_tasks(9223372036854775807, '{}');
    select monitoring._count_errors(9223372036854775807, '{}');
    -- What was counted is taken.
    update monitoring.rollup_progress set claimed_below = 2;
    update monitoring.finished_tasks set recorded_xid = 1;
    update monitoring.late_finished_tasks set recorded_xid = 1;
    update monitoring.errors set recorded_xid = 1;
    update monitoring.late_errors set recorded_xid = 1
$$;

select is_empty('select * from monitoring.v_task_totals', 'nothing is counted at first');

select pg_temp.ended('a', 'ocr', 'completed', 0.01);
select pg_temp.ended('b', 'ocr', 'completed', 1.5);
select pg_temp.ended('c', 'ocr', 'failed', 100000);
select pg_temp.count_all();

select results_eq(
    $$
        select status collate "default", tasks, items, durations, duration_seconds
        from monitoring.v_task_totals order by 1
    $$,
    $$
        values ('completed', 2::bigint, 6::numeric, 2::bigint, 1.51::float8),
            ('failed', 1, 3, 1, 1e5)
    $$,
    'ends are counted by type and status, with their items and durations'
);
select results_eq(
    $$
        select b.seconds, b.n
        from monitoring.v_task_totals t, unnest(t.bucket_seconds, t.bucket_counts) b (seconds, n)
        where t.status = 'completed' and b.seconds in (0.01, 1, 2.5, 86400)
    $$,
    $$values (0.01::float8, 1::bigint), (1, 1), (2.5, 2), (86400, 2)$$,
    'a bucket counts what took as long as its bound or less'
);
select is(
    (
        select max(b.n)
        from monitoring.v_task_totals as t
        cross join unnest(t.bucket_counts) as b (n)
        where t.status = 'failed'
    ),
    0::bigint,
    'what took longer than the last bound is in none of the buckets'
);

select pg_temp.ended('d', 'load', 'completed', 1);
select pg_temp.count_all();
select results_eq(
    $$
        select status collate "default", tasks, bucket_counts is null
        from monitoring.v_task_totals where task_type = 'load' order by 1
    $$,
    $$values ('completed', 1::bigint, false), ('failed', 0, true)$$,
    'a type that has not failed yet has its failures at nothing'
);

select monitoring.complete_task_tracking('not started');
select pg_temp.count_all();
select results_eq(
    $$
        select tasks, items, durations, duration_seconds, bucket_counts is null
        from monitoring.v_task_totals where task_type = 'unknown' and status = 'completed'
    $$,
    $$values (1::bigint, 0::numeric, 0::bigint, 0::float8, true)$$,
    'an end without a beginning counts, and has no duration'
);

-- What is no longer there

delete from monitoring.finished_tasks where task_type = 'ocr';
delete from monitoring.late_finished_tasks where task_type = 'ocr';
delete from monitoring.rollups;
select is(
    (select sum(tasks) from monitoring.v_task_totals), 5::numeric,
    'removing rows and roll-ups takes nothing away'
);
select ok(
    (select bool_and(monitoring.rebuild_rollups('tasks', '2026-01-13', '2026-01-16') >= 0)),
    'roll-ups are rebuilt from what is there'
);
select is(
    (select sum(tasks) from monitoring.v_task_totals), 5::numeric,
    'and a rebuild neither'
);

-- Many names

select pg_temp.ended('m-' || n, 'type-' || n, 'completed', 1) from generate_series(1, 250) as n;
select pg_temp.ended('often-' || n, 'zz often', 'completed', 1) from generate_series(1, 5) as n;
select pg_temp.count_all();
select is(
    (select count(distinct task_type) from monitoring.v_task_totals), 201::bigint,
    'so many types are counted by themselves, and all others as one'
);
select is(
    (
        select tasks from monitoring.v_task_totals
        where task_type = 'zz often' and status = 'completed'
    ),
    5::bigint,
    'of new ones the most frequent come first'
);
select is(
    (
        select tasks from monitoring.v_task_totals
        where task_type = '(other)' and status = 'completed'
    ),
    54::bigint,
    'those that found no room are counted together'
);
create temporary table before_it as
select
    task_type,
    status,
    tasks
from monitoring.v_task_totals;
delete from monitoring.running_totals where name = 'load';
select pg_temp.ended('n-' || n, 'type-' || n, 'completed', 1) from generate_series(1, 250) as n;
select pg_temp.count_all();
select is_empty(
    $$
        select b.task_type, b.status from before_it b
        left join monitoring.v_task_totals t using (task_type, status)
        where b.task_type <> 'load' and (t.tasks < b.tasks) is not false
    $$,
    'no figure goes back when a name makes room, which another takes'
);

-- Errors

select monitoring.record_error('a', 'Timeout', s.severity, 'm', s.component)
from (
    values
    ('high', 'api'), ('high', 'api'), ('low', 'api'), ('high', null)
) as s (severity, component);
select pg_temp.count_all();
select results_eq(
    $$
        select severity collate "default", component collate "default", errors
        from monitoring.v_error_totals order by 1, 2
    $$,
    $$values ('high', '', 1::bigint), ('high', 'api', 2), ('low', 'api', 1)$$,
    'errors are counted by type, severity and component'
);
select set_config('monitoring.now', '2026-03-15 12:00+00', true);
select monitoring.record_error('a', 'Timeout', 'low', 'm', 'api');
select pg_temp.count_all();
select results_eq(
    $$
        select severity collate "default", errors, counted_at
        from monitoring.v_error_totals where component = 'api' order by 1
    $$,
    $$
        values ('high', 2::bigint, timestamptz '2026-03-15 12:00+00'),
            ('low', 2, '2026-03-15 12:00+00')
    $$,
    'a name that is still spoken of keeps all its figures'
);

-- Notifications

select monitoring._count_notifications('mail', 'sent');
select monitoring._count_notifications('mail', 'failed');
select monitoring._count_notifications('mail', 'sent', 2);
select results_eq(
    $$
        select result collate "default", notifications
        from monitoring.v_notification_totals where channel_name = 'mail' order by 1
    $$,
    $$values ('dead', 0::bigint), ('failed', 1), ('sent', 3)$$,
    'a channel has all its figures from the first notification on'
);

-- Adding counts

select is(
    monitoring._add_counts('{1,2,3}', '{10,20,30}'), '{11,22,33}'::bigint[],
    'counts are added place by place'
);
select is(monitoring._add_counts(null, '{1}'), '{1}'::bigint[], 'nothing and some are some');
select is(
    monitoring._duration_bounds(),
    array(select b from unnest(monitoring._duration_bounds()) as b order by b),
    'bounds are in order'
);

select * from finish(); -- noqa: AM04
rollback;
