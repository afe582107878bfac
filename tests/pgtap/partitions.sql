-- Partitions: made for today and the days ahead, and for a backfill; never by recording.

begin;
select plan(20);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

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

-- Behaviour: recording makes none

select monitoring.record_log('c', 'INFO', 'm', p_logged_at => '2025-03-04 05:06+00');
select monitoring.record_log('c', 'INFO', 'm');

select is(
    pg_temp.days_of('log_lines', '20250301', '20260131'),
    null,
    'a call for a day without a partition makes none'
);

-- Behaviour: days for a backfill

select is(
    monitoring.prepare_backfill('log_lines', '2025-03-04', '2025-03-06'), 3,
    'those of a span that is past are made when an admin asks for them'
);

select is(
    pg_temp.days_of('log_lines', '20250301', '20250331'),
    '20250304 20250305 20250306',
    'from the first day to the last'
);

select is(
    pg_temp.days_of('errors', '20250301', '20250331'),
    null,
    'for that table alone'
);

select is(
    monitoring.prepare_backfill('log_lines', '2025-03-06', '2025-03-07'), 1,
    'those that are there are not made again'
);

select is(monitoring.prepare_backfill('log_lines', '2025-04-01'), 1, 'one day is a span as well');

select set_config('timezone', zone, true)
from unnest(array['Pacific/Kiritimati']) as zone;
select monitoring.prepare_backfill('log_lines', '2025-04-02');
select set_config('timezone', 'America/St_Johns', true);
select monitoring.prepare_backfill('log_lines', '2025-04-03');
select set_config('timezone', 'UTC', true);

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
    'days begin at midnight UTC, whatever the time zone of the session, and last until the next'
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
            and p.relname !~ '^(fleet_)?rollups'
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

select is(
    monitoring.prepare_backfill('errors', '1970-01-01', '1970-04-10'), 100,
    'a hundred days may be prepared at once, from 1970 on'
);

-- Refusals

select
    is(
        pg_temp.refusal_of(call),
        row(code, message, hint)::pg_temp.refusal,
        'refused: ' || call
    )
from (
    values
    (
        'monitoring.prepare_backfill(''errors'', ''2020-01-01'', ''2020-04-10'')', 'PV004',
        'the number of days is out of range: 101',
        'Give the number of days as a number from 1 to 100, and call again for others.'
    ),
    (
        'monitoring.prepare_backfill(''errors'', ''2023-12-31'', ''2024-01-01'')', 'PV006',
        'there are no past days from 2023-12-31 to 2024-01-01',
        'Give p_from and a p_to that is not before it, from 1970-01-01 until today.'
    ),
    (
        'monitoring.prepare_backfill(''errors'', ''5874897-01-01'')', 'PV006',
        'there are no past days from 5874897-01-01 to 5874897-01-01',
        'Give p_from and a p_to that is not before it, from 1970-01-01 until today.'
    ),
    (
        'monitoring.prepare_backfill(''errors'', ''-infinity'', ''infinity'')', 'PV006',
        'there are no past days from -infinity to infinity',
        'Give p_from and a p_to that is not before it, from 1970-01-01 until today.'
    ),
    (
        'monitoring.prepare_backfill(''jobs'', ''2020-01-01'')', 'PV007',
        'there is no partitioned table "jobs"', 'Take the name from v_retention.'
    )
) as refused (call, code, message, hint);

select * from finish(); -- noqa: AM04
rollback;
