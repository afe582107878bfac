-- Rule missed_run over a calendar: months, clocks that are changed, and years of history.

begin;
select plan(12);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/findings.psql
\ir helpers/plans.psql

create function pg_temp.missed(p_now text) returns text
language sql
as $$
    select string_agg(format('%s %s', f.fingerprint, f.value), ', ' order by f.fingerprint)
    from pg_temp.findings_of('missed_run', p_now::timestamptz) as f
$$;

create function pg_temp.expected(
    p_task_type text, p_schedule text, p_since text, p_time_zone text default 'UTC'
) returns timestamptz
language plpgsql
as $$
declare
    v_due_at timestamptz;
begin
    perform pg_temp.set_clock(p_since);
    v_due_at := monitoring.define_expected_runs(p_task_type, p_schedule, p_time_zone);
    -- What is recorded afterwards is not of the future.
    perform pg_temp.set_clock('2027-01-01 00:00+00');
    return v_due_at;
end
$$;

-- Clocks are set forward at 01:00 UTC on 29 March 2026, and back on 25 October.

select pg_temp.expected('berlin', '02:30', '2026-03-27 12:00+00', 'Europe/Berlin');
select pg_temp.ended('berlin', 'completed', '2026-03-28 01:40+00', 600);
select is(
    pg_temp.missed('2026-03-29 01:04+00'), null,
    'a time of day that is left out is due when the clocks are changed'
);
select is(pg_temp.missed('2026-03-29 01:05+00'), 'berlin 300', 'and missed after its grace');
select pg_temp.ended('berlin', 'completed', '2026-03-29 01:15+00', 600);
select is(pg_temp.missed('2026-03-29 23:00+00'), null, 'unless it ran then');
select is(pg_temp.missed('2026-03-30 00:40+00'), 'berlin 600', 'the next is due by summer time');

delete from monitoring.expected_runs;
select pg_temp.expected('berlin', '02:30', '2026-10-24 12:00+00', 'Europe/Berlin');
select pg_temp.ended('berlin', 'completed', '2026-10-25 00:40+00', 600);
select is(
    pg_temp.missed('2026-10-25 12:00+00'), null, 'a time of day that comes twice is due once'
);
select is(pg_temp.missed('2026-10-26 01:40+00'), 'berlin 600', 'the next is due by winter time');

-- Months

delete from monitoring.expected_runs;
select pg_temp.expected('monthly', '0 4 1 * *', '2025-12-15 12:00+00');
select is(pg_temp.missed('2025-12-31 12:00+00'), null, 'a monthly run is not due at once');
select is(pg_temp.missed('2026-01-31 12:00+00'), 'monthly 2620800', 'and missed all the month');
select pg_temp.ended('monthly', 'completed', '2026-01-01 05:00+00', 3000);
select pg_temp.roll_up_own('tasks');
select is(
    pg_temp.missed('2026-01-31 12:00+00'), null, 'unless it ran, however long ago that is'
);

-- Years of hours: reading what is expected daily costs as much as with none.

select pg_temp.expected('daily', '0 4 * * *', '2026-01-10 12:00+00');
insert into monitoring.rollups (
    source, name, label, component, resolution, bucket_at, row_count, value_count, value_sum,
    value_sum_squares, value_min, value_max
)
select
    'tasks' as source,
    'type ' || n as name,
    'completed' as label,
    '' as component,
    'hour' as resolution,
    b.bucket_at,
    1 as row_count,
    1 as value_count,
    1000 as value_sum,
    1000000 as value_sum_squares,
    1000 as value_min,
    1000 as value_max
from generate_series(timestamptz '2025-10-01 00:00+00', '2026-01-31 00:00+00', '1 hour')
        as b (bucket_at)
cross join generate_series(1, 5) as n;
analyze monitoring.rollups;

create temporary view rows_read as
select sum(coalesce(u.seq_tup_read, 0) + coalesce(u.idx_tup_fetch, 0)) as n
from pg_stat_xact_all_tables as u
where u.relname ~ '^rollups_';

create temporary table read_before as
select n from rows_read;

delete from monitoring.expected_runs where task_type = 'monthly';
select is(pg_temp.missed('2026-01-31 12:00+00'), 'daily 28800', 'a daily run is missed');
select ok(
    (select r.n - b.n from rows_read as r, read_before as b) < 200,
    'to know that, only the hours since it was due are looked at'
);

-- Names

delete from monitoring.expected_runs;
select pg_temp.expected(n.name, '@daily', '2026-01-10 12:00+00')
from (values ('it''s "größer" \ %s'), (repeat('ä', 255)), (repeat('😀', 255))) as n (name);
select is(
    (
        select count(distinct fingerprint)
        from pg_temp.findings_of('missed_run', '2026-01-12 00:05+00')
        where length(fingerprint) <= 255 and length(summary) <= 500
    ),
    3::bigint,
    'any name will do, of any length'
);

select * from finish(); -- noqa: AM04
rollback;
