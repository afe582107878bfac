-- Partitions: made when a recording call meets a day that has none.

begin;
select plan(15);
\ir helpers/fixed_clock.psql

-- Days from midnight to midnight UTC that a table has partitions for, in a part of the year 2026
-- or long before, where no installation has made any.
create function pg_temp.days_of(p_table text, p_from text, p_to text) returns text
language sql
as $$
    select string_agg(d.day, ' ' order by d.day)
    from pg_inherits as i
    cross join lateral substring(i.inhrelid::regclass::text from '\d{8}$') as d (day)
    where i.inhparent = to_regclass('monitoring.' || p_table) and d.day between p_from and p_to
$$;

-- Behaviour: a day that is past

select monitoring.record_log('c', 'INFO', 'm', p_logged_at => '2025-03-04 05:06+00');

select is(
    pg_temp.days_of('log_lines', '20250301', '20250331'),
    '20250304',
    'a call for a past day makes that day alone'
);

select is(
    pg_temp.days_of('errors', '20250301', '20250331'),
    null,
    'and for that table alone'
);

-- Behaviour: today and days ahead

select monitoring.record_log('c', 'INFO', 'm');

select is(
    pg_temp.days_of('log_lines', '20260101', '20260131'),
    '20260115 20260116 20260117 20260118 20260119 20260120 20260121 20260122',
    'a call that finds no partition for today makes today and a week ahead'
);

select monitoring.record_queue_metrics('q', 1, p_recorded_at => '2026-01-16 11:59+00');

select is(
    pg_temp.days_of('queue_samples', '20260101', '20260131'),
    '20260116 20260117 20260118 20260119 20260120 20260121 20260122',
    'a call for tomorrow makes tomorrow and the rest of that week'
);

select monitoring.record_queue_metrics('q', 1);

select is(
    pg_temp.days_of('queue_samples', '20260101', '20260131'),
    '20260115 20260116 20260117 20260118 20260119 20260120 20260121 20260122',
    'today is made when it is needed'
);

select pg_temp.set_clock('2026-01-20 23:59:59.999999+00');
select monitoring.record_log('c', 'INFO', 'm');

select is(
    pg_temp.days_of('log_lines', '20260101', '20260131'),
    '20260115 20260116 20260117 20260118 20260119 20260120 20260121 20260122',
    'as long as there is a partition for the day nothing is made'
);

-- Behaviour: bounds

select set_config('timezone', zone, true)
from unnest(array['Pacific/Kiritimati']) as zone;
select monitoring.record_log('far', 'INFO', 'm', p_logged_at => '2025-04-01 23:59:59.999999+00');
select monitoring.record_log('far', 'INFO', 'm', p_logged_at => '2025-04-02 00:00+00');
select set_config('timezone', 'America/St_Johns', true);
select monitoring.record_log('far', 'INFO', 'm', p_logged_at => '2025-04-03 00:00+00');
select set_config('timezone', 'UTC', true);

select results_eq(
    $$
        select l.logged_at, l.tableoid::regclass::text collate "default"
        from monitoring.log_lines as l where l.component = 'far' order by l.logged_at
    $$,
    $$
        values
        ('2025-04-01 23:59:59.999999+00'::timestamptz, 'log_lines_20250401'),
        ('2025-04-02 00:00+00', 'log_lines_20250402'),
        ('2025-04-03 00:00+00', 'log_lines_20250403')
    $$,
    'days begin at midnight UTC, whatever the time zone of the session'
);

select results_eq(
    $$
        select c.relname::text collate "default",
            pg_get_expr(c.relpartbound, c.oid) collate "default"
        from pg_class as c where c.relname ~ '^log_lines_202504\d\d$' order by c.relname
    $$,
    $$
        values
        ('log_lines_20250401',
            'FOR VALUES FROM (''2025-04-01 00:00:00+00'') TO (''2025-04-02 00:00:00+00'')'),
        ('log_lines_20250402',
            'FOR VALUES FROM (''2025-04-02 00:00:00+00'') TO (''2025-04-03 00:00:00+00'')'),
        ('log_lines_20250403',
            'FOR VALUES FROM (''2025-04-03 00:00:00+00'') TO (''2025-04-04 00:00:00+00'')')
    $$,
    'and last until the next'
);

-- Behaviour: what a partition is

select set_eq(
    $$
        select pg_get_indexdef(i.indexrelid) from pg_index as i
        where i.indrelid = 'monitoring.errors'::regclass
    $$,
    $$
        select regexp_replace(
            regexp_replace(
                pg_get_indexdef(i.indexrelid), 'INDEX \S+ ON', 'INDEX ' || p.relname || ' ON'
            ),
            'ON monitoring.\S+', 'ON ONLY monitoring.errors'
        )
        from pg_index as i
        inner join pg_inherits as h on h.inhrelid = i.indexrelid
        inner join pg_class as p on p.oid = h.inhparent
        where i.indrelid = (
            select max(inhrelid) from pg_inherits where inhparent = 'monitoring.errors'::regclass
        )
    $$,
    'a partition has every index of its table'
);

select is_empty(
    $$
        select c.oid::regclass
        from pg_inherits as i
        inner join pg_class as c on i.inhrelid = c.oid
        inner join pg_class as p on i.inhparent = p.oid
        where p.relnamespace = 'monitoring'::regnamespace
            and p.relname !~ '^rollups'
            and (
                c.relnamespace <> p.relnamespace or c.relowner <> p.relowner
                or c.relpersistence <> 'p'
                or c.relname !~ ('^' || p.relname || case p.relkind when 'p' then '_\d{8}$' end)
            )
    $$,
    'and lies in the same schema, belongs to the same role and is named after its table and day'
);

-- Behaviour: ensure_partitions

select pg_temp.set_clock('2024-02-28 23:00+00');

select is(
    monitoring.ensure_partitions(2),
    21,
    'partitions are made from today to so many days ahead for each of the seven tables'
);

select results_eq(
    $$
        select distinct pg_temp.days_of(t.table_name, '20240101', '20241231')
        from monitoring.partitioned_tables as t
    $$,
    $$values ('20240228 20240229 20240301')$$,
    'days are those of the calendar'
);

select is(monitoring.ensure_partitions(2), 0, 'those that are there are not made again');

select is(monitoring.ensure_partitions(), 35, 'a week ahead is usual');

-- Boundaries

select pg_temp.set_clock('2023-12-31 12:00+00');

select is(monitoring.ensure_partitions(0), 7, 'no day ahead makes today');

select * from finish(); -- noqa: AM04
rollback;
