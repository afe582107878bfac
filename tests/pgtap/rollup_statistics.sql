-- get_task_statistics: any span, widened to whole hours, from days where they lie within it.

begin;
select plan(24);
\ir helpers/fixed_clock.psql
\ir helpers/plans.psql

-- A task every hour, at half past, from the 9th of January until now.
select
    monitoring.record_finished_tasks(
        jsonb_agg(jsonb_build_object(
            'task_id', h.at, 'task_type', 'hourly', 'end_time', h.at,
            'start_time', h.at - interval '1 second' * extract(hour from h.at)
        ))
    )
from generate_series(timestamptz '2026-01-09 00:30+00', '2026-01-15 11:30+00', '1 hour') as h (at);

create function pg_temp.tasks_between(p_from timestamptz, p_to timestamptz) returns numeric
language sql
as $$
    select coalesce(sum(s.tasks), 0) from monitoring.get_task_statistics(p_from, p_to) as s
$$;

-- Interface

select has_function('monitoring', 'get_task_statistics', array['timestamptz', 'timestamptz']);
select volatility_is(
    'monitoring', 'get_task_statistics',
    array['timestamp with time zone', 'timestamp with time zone'], 'stable'
);

-- Behaviour

select is(pg_temp.tasks_between(from_at::timestamptz, to_at::timestamptz), tasks::numeric, about)
from (
    values
    ('2026-01-10 00:00+00', '2026-01-12 00:00+00', 48, 'whole days'),
    ('2026-01-10 05:00+00', '2026-01-12 07:00+00', 50, 'days with hours at both ends'),
    ('2026-01-10 05:00+00', '2026-01-10 07:00+00', 2, 'a part of a day'),
    ('2026-01-10 22:00+00', '2026-01-11 03:00+00', 5, 'a night, with no whole day in it'),
    ('2026-01-10 05:20+00', '2026-01-10 05:25+00', 1, 'an hour is counted whole'),
    ('2026-01-10 05:59:59.999999+00', '2026-01-10 06:00:00.000001+00', 2, 'at both ends'),
    ('2026-01-10 05:00+00', '2026-01-10 05:00+00', 0, 'no time at all'),
    ('2026-01-12 05:00+00', '2026-01-10 05:00+00', 0, 'an end before the beginning'),
    ('2026-01-01 00:00+00', '2026-01-05 00:00+00', 0, 'a time of which nothing is known'),
    ('2026-01-14 06:00+00', null, 30, 'no end'),
    ('2026-01-15 06:00+00', null, 6, 'no end, from today on'),
    (null, '2026-01-10 00:00+00', 24, 'no beginning'),
    (null, null, 156, 'neither: 30 days'),
    ('1970-01-01 00:00+00', '2030-01-01 00:00+00', 156, 'all there is')
) as spans (from_at, to_at, tasks, about);

select is_empty(
    $$
        select s.from_at, s.to_at, s.counted, s.shown
        from (
            select
                f as from_at,
                f + w * interval '1 hour' as to_at,
                (
                    select count(*) from monitoring._all_finished_tasks as t
                    where t.finished_at >= f and t.finished_at < f + w * interval '1 hour'
                ) as counted,
                pg_temp.tasks_between(f, f + w * interval '1 hour') as shown
            from generate_series(timestamptz '2026-01-09 22:00+00', '2026-01-12 02:00+00', '1 hour') as f,
                unnest(array[1, 23, 24, 25, 47, 60]) as w
            where set_config('timezone', 'America/New_York', true) is not null
        ) as s
        where s.counted <> s.shown
    $$,
    'every hour is counted once, wherever a span begins and however long it is'
);

-- A program whose clock is ahead.
select monitoring.complete_task_tracking('ahead', p_finished_at => '2026-01-15 18:00+00');
select monitoring.complete_task_tracking('far ahead', p_finished_at => '2026-01-16 06:00+00');

select
    results_eq(
        format(
            $$
            select t, pg_temp.tasks_between(%L, t::timestamptz)
            from unnest(array['2026-01-15 11:59:59+00', '2026-01-15 12:00+00']) as t
        $$, from_at
        ),
        format(
            $$values ('2026-01-15 11:59:59+00', %s::numeric), ('2026-01-15 12:00+00', %s)$$,
            counted, counted
        ),
        'what is to come is not in a span that ends before this hour, as one from ' || from_at
    )
from (values ('2026-01-14 11:00+00', 25), ('2026-01-15 06:00+00', 6)) as spans (from_at, counted);

select
    is(
        pg_temp.tasks_between(from_at::timestamptz, '2026-01-15 12:00:00.000001+00'),
        counted::numeric,
        'but in one that ends in this hour, as from ' || from_at
    )
from (values ('2026-01-14 11:00+00', 27), ('2026-01-15 06:00+00', 8)) as spans (from_at, counted);

-- Where the clocks of the session's zone are set forward within the span.
select monitoring.complete_task_tracking('summer', p_finished_at => '2025-03-09 00:30+00');

select is(
    pg_temp.tasks_between('2025-03-09 01:00+00', '2025-03-12 00:00+00'), 0::numeric,
    'nor does a day of 23 hours bring in what was before the span'
);
select set_config('timezone', 'UTC', true);

select results_eq(
    $$
        select task_type, status, tasks, avg_duration_ms, min_duration_ms, max_duration_ms,
            p50_duration_ms between 10720 and 11280, p99_duration_ms between 22400 and 23000
        from monitoring.get_task_statistics('2026-01-10', '2026-01-12')
    $$,
    $$
        values ('hourly', 'completed', 48::bigint, 11500::float8, 0::float8, 23000::float8, true,
            true)
    $$,
    'figures are those of all attempts together'
);

-- Plans

insert into monitoring.rollups (
    source, name, label, component, resolution, bucket_at, row_count, value_count, value_sum,
    value_sum_squares
)
select
    'tasks' as source,
    'type ' || n as name,
    'completed' as label,
    '' as component,
    r.resolution,
    b.bucket_at,
    1 as row_count,
    0 as value_count,
    0 as value_sum,
    0 as value_sum_squares
from (values ('hour', interval '1 hour'), ('day', '24 hours')) as r (resolution, width)
cross join
    lateral generate_series(timestamptz '2025-11-01 00:00+00', '2025-12-20 00:00+00', r.width)
        as b (bucket_at)
cross join generate_series(1, 10) as n;

analyze monitoring.rollups;

-- Rows of each partition that this transaction has looked at.
create temporary view rows_read as
select
    u.relname::text collate "default" as relation,
    coalesce(u.seq_tup_read, 0) + coalesce(u.idx_tup_fetch, 0) as rows_read
from pg_stat_xact_all_tables as u
where u.relname ~ '^rollups_';

create temporary table read_before as
select
    relation,
    rows_read
from rows_read;

-- So few rows are quicker read all.
set local enable_seqscan = off;
set local enable_bitmapscan = off;

select count(*) as groups
from monitoring.get_task_statistics('2025-11-10 22:00+00', '2025-12-10 02:00+00');

select results_eq(
    $$
        select r.relation, r.rows_read - b.rows_read
        from rows_read as r
        inner join read_before as b on r.relation = b.relation
        where r.rows_read > b.rows_read
        order by r.relation
    $$,
    $$values ('rollups_day', 290::bigint), ('rollups_hour', 40)$$,
    'of 30 days the days are read, and the hours at the ends alone'
);

select * from finish(); -- noqa: AM04
rollback;
