-- _counted_between: what rules count, from roll-ups and rows together.

begin;
select plan(18);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql

-- Interface

select has_function(
    'monitoring', '_counted_between', array['text', 'timestamptz', 'timestamptz']
);

select is_empty(
    $$
        select name, label
        from monitoring._counted_between('tasks', '2026-01-15 11:00+00', '2026-01-15 12:00+00')
    $$,
    'where nothing was recorded there is nothing'
);

-- Seconds apart, with every millisecond of duration different.
select
    monitoring.record_finished_tasks(
        jsonb_agg(jsonb_build_object(
            'task_id', 's ' || n, 'task_type', 'type ' || n % 3,
            'status', case when n % 7 = 0 then 'failed' else 'completed' end,
            'end_time', timestamptz '2026-01-15 09:30+00' + n * interval '13 seconds',
            'duration_ms', case when n % 5 > 0 then n end
        ))
    )
from generate_series(1, 690) as n;

create function pg_temp.counted(p_from timestamptz, p_to timestamptz)
returns table (
    name text, label text, row_count bigint, value_count bigint, value_sum float8,
    value_sum_squares float8, value_min float8, value_max float8
)
language sql
as $$
    select c.name, c.label, c.row_count, c.value_count, round(c.value_sum),
        round(c.value_sum_squares), c.value_min, c.value_max
    from monitoring._counted_between('tasks', p_from, p_to) as c
    order by 1, 2
$$;

create function pg_temp.from_rows(p_from timestamptz, p_to timestamptz)
returns table (
    name text, label text, row_count bigint, value_count bigint, value_sum float8,
    value_sum_squares float8, value_min float8, value_max float8
)
language sql
as $$
    select t.task_type, t.status, count(*), count(t.duration_ms),
        coalesce(round(sum(t.duration_ms)), 0),
        coalesce(round(sum(t.duration_ms * t.duration_ms)), 0),
        min(t.duration_ms), max(t.duration_ms)
    from monitoring._all_finished_tasks as t
    where t.finished_at > p_from and t.finished_at <= p_to
    group by 1, 2
    order by 1, 2
$$;

-- The windows that are compared, the last one with another end than this one's.
create function pg_temp.differences() returns bigint
language sql
as $$
    select count(*)
    from (
        values
        ('2026-01-15 11:00+00'::timestamptz, '2026-01-15 12:00+00'::timestamptz),
        ('2026-01-15 10:59:47+00', '2026-01-15 11:59:47+00'),
        ('2026-01-15 11:00:13+00', '2026-01-15 11:00:26+00'),
        ('2026-01-15 11:00:13+00', '2026-01-15 11:01:05+00'),
        ('2026-01-15 09:00+00', '2026-01-15 09:45:00.000001+00'),
        ('2026-01-15 11:00+00', '2026-01-15 11:00+00')
    ) as w (from_at, to_at)
    cross join lateral (
        (select * from pg_temp.counted(w.from_at, w.to_at)
        except all select * from pg_temp.from_rows(w.from_at, w.to_at))
        union all
        (select * from pg_temp.from_rows(w.from_at, w.to_at)
        except all select * from pg_temp.counted(w.from_at, w.to_at))
    ) as d
$$;

-- Behaviour

select is(
    (
        select sum(row_count)
        from monitoring._counted_between('tasks', '2026-01-15 11:00+00', '2026-01-15 12:00+00')
    ),
    275::numeric,
    'rows of an hour are counted before they are rolled up'
);
select is(
    pg_temp.differences(), 0::bigint, 'as the rows have it, wherever a window begins or ends'
);

select pg_temp.roll_up_own('tasks');

select is(pg_temp.differences(), 0::bigint, 'and after they are rolled up');

select set_config('timezone', 'Asia/Kolkata', true);
select is(pg_temp.differences(), 0::bigint, 'in any time zone');
select set_config('timezone', 'UTC', true);

update monitoring.rollups set row_count = row_count + 1000
where resolution = 'minute' and bucket_at = '2026-01-15 11:30+00';

select is(
    (
        select sum(row_count) > 2000
        from monitoring._counted_between('tasks', '2026-01-15 11:29:59+00', '2026-01-15 11:31+00')
    ),
    true,
    'a minute that is in the window as a whole comes from the roll-ups'
);
select is(
    (
        select sum(row_count)
        from monitoring._counted_between('tasks', '2026-01-15 11:30+00', '2026-01-15 11:31+00')
    ),
    (select sum(row_count) from pg_temp.from_rows('2026-01-15 11:30+00', '2026-01-15 11:31+00')),
    'one that is not comes from the rows'
);

update monitoring.rollups set row_count = row_count - 1000
where resolution = 'minute' and bucket_at = '2026-01-15 11:30+00';

-- A row that comes late, and is not in the roll-ups.
select monitoring.record_finished_tasks(
    '[{"task_id": "late", "task_type": "late", "end_time": "2026-01-15 11:20:10+00"}]'
);
update monitoring.finished_tasks set recorded_xid = recorded_xid + 1000 where task_id = 'late';
update monitoring.late_finished_tasks set recorded_xid = recorded_xid + 1000 where task_id = 'late';

select is(
    (
        select row_count
        from monitoring._counted_between('tasks', '2026-01-15 11:00+00', '2026-01-15 12:00+00')
        where name = 'late'
    ),
    1::bigint,
    'a late row is counted at once'
);
select is(pg_temp.differences(), 0::bigint, 'once');

-- Minutes that are no longer stored
delete from monitoring.rollups where resolution = 'minute' and bucket_at < '2026-01-15 11:30+00';
update monitoring.retention_policies set removed_before = '2026-01-15 11:30+00'
where table_name = 'rollups' and category = 'minute';

select is(
    pg_temp.differences(), 0::bigint, 'where minutes have been removed the rows are read'
);

update monitoring.retention_policies set removed_before = null
where table_name = 'rollups' and category = 'minute';
delete from monitoring.rollups where resolution = 'minute';
update monitoring.rollup_progress set rolled_up_at = '2026-01-17 11:59:30+00';

select
    is(
        pg_temp.differences(),
        0::bigint,
        'as where they have become too old, whatever the clock says'
    );

update monitoring.rollup_progress set rolled_up_at = null;

select is(
    (select sum(row_count) from pg_temp.counted('2026-01-15 11:00+00', '2026-01-15 12:00+00')),
    5::numeric,
    'what the roll-ups have taken is not read again, but for the minutes at the ends'
);

-- What is read: nothing but the days of the window, however many there are.

create temporary view looked_at as
select
    u.relname::text collate "default" as relation,
    coalesce(u.seq_scan, 0) + coalesce(u.idx_scan, 0) as scans
from pg_stat_xact_all_tables as u
where u.relname ~ '^(finished_tasks|rollups)_';

select monitoring.ensure_partitions(7);
create temporary table looked_at_before as
select
    relation,
    scans
from looked_at;
update monitoring.rollup_progress set rolled_up_at = monitoring.clock();
select count(*) as rows_counted
from monitoring._counted_between('tasks', '2026-01-15 11:00+00', '2026-01-15 12:00+00');

select results_eq(
    $$
        select a.relation
        from looked_at as a
        left join looked_at_before as b on a.relation = b.relation
        where a.scans > coalesce(b.scans, 0)
        order by 1
    $$,
    $$values ('finished_tasks_20260115'), ('rollups_minute')$$,
    'of an hour today, today''s rows and the minutes are looked at'
);

truncate looked_at_before;
insert into looked_at_before select
    relation,
    scans
from looked_at;
select count(*) as rows_counted
from monitoring._counted_between('tasks', '2026-01-16 23:30+00', '2026-01-17 00:30+00');

select results_eq(
    $$
        select a.relation
        from looked_at as a
        left join looked_at_before as b on a.relation = b.relation
        where a.scans > coalesce(b.scans, 0) and a.relation like 'finished%'
        order by 1
    $$,
    $$values ('finished_tasks_20260116'), ('finished_tasks_20260117')$$,
    'of one across midnight the rows of both days'
);

-- Other sources

select monitoring.record_error('t', 'E', 'low', 'message', 'web');

select results_eq(
    $$
        select name, label, component, row_count, value_count, value_sum, value_min
        from monitoring._counted_between('errors', '2026-01-15 11:00+00', '2026-01-15 12:00+00')
    $$,
    $$values ('E', 'low', 'web', 1::bigint, 0::bigint, 0::float8, null::float8)$$,
    'errors are counted, and have no values'
);
select is_empty(
    $$
        select name, label
        from monitoring._counted_between('errors', '2026-01-15 12:00+00', '2026-01-15 13:00+00')
    $$,
    'what happens at the beginning of a window is not in it'
);

-- Figures

select is(
    array(
        select monitoring._figure(v)
        from unnest(array[0, 0.12345, 1, 12.34, 99.96, 1234.5, 1e15]::float8[]) as v
    ),
    array['0', '0.123', '1', '12.3', '100', '1235', '1000000000000000'],
    'a figure has no more digits than people read'
);

select * from finish(); -- noqa: AM04
rollback;
