-- cleanup_old_monitoring_data: rows that go before the rest of their table.

begin;
select plan(20);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/placed.psql

-- Long before any installation, so that no partitions are there but those of the test.
select pg_temp.set_clock('2020-06-15 12:00+00');

create function pg_temp.clean_up(p_is_dry_run boolean default false) returns setof text
language sql
as $$
    select format(
        '%s %s %s: %s rows, before %s%s',
        c.action, c.table_name, c.category, c.rows,
        to_char(c.removed_before at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), ', ' || c.note
    )
    from monitoring.cleanup_old_monitoring_data(p_is_dry_run) as c
$$;

create function pg_temp.record_errors(p_days_ago integer[]) returns void
language sql
as $$
    select monitoring.record_error(
        null, 'E', severity, days_ago::text, p_occurred_at => monitoring.clock() - age
    )
    from unnest(p_days_ago) as days_ago,
        make_interval(days => days_ago) as age,
        unnest(array['low', 'medium', 'high', 'critical']) as severity;
    select pg_temp.place_all();
$$;

-- Behaviour: severities of errors

select pg_temp.record_errors('{29, 31, 44, 46, 59, 61, 89, 91}');

select results_eq(
    'select * from pg_temp.clean_up()',
    array[
        'delete errors high: 0 rows, before 2020-03-17 00:00, waits for a roll-up',
        'delete errors low: 0 rows, before 2020-03-17 00:00, waits for a roll-up',
        'delete errors medium: 0 rows, before 2020-03-17 00:00, waits for a roll-up',
        'truncate errors : 0 rows, before 2020-03-17 00:00, waits for a roll-up'
    ],
    'what no roll-up has taken is not removed'
);

select is((select count(*) from monitoring.errors), 32::bigint, 'none of it');

select pg_temp.take_all();
create temporary table told as
select * from monitoring.cleanup_old_monitoring_data(true); -- noqa: AM04

select results_eq(
    'select * from monitoring.cleanup_old_monitoring_data()',
    'select * from told',
    'the clean-up returns what the dry run told'
);

select results_eq(
    'select action, category, rows, removed_before from told',
    $$
        values
        ('delete', 'high', 2::bigint, '2020-04-16 12:00+00'::timestamptz),
        ('delete', 'low', 6, '2020-05-16 12:00+00'),
        ('delete', 'medium', 4, '2020-05-01 12:00+00'),
        ('truncate', '', 4, '2020-03-17 00:00+00')
    $$,
    'each severity goes when it is due; a day that is due as a whole is not deleted row by row'
);

select results_eq(
    $$
        select severity, string_agg(message, ' ' order by message) from monitoring.errors
        group by severity order by severity
    $$,
    $$
        values ('critical', '29 31 44 46 59 61 89'), ('high', '29 31 44 46 59'), ('low', '29'),
        ('medium', '29 31 44')
    $$,
    'what is younger stays'
);

select is(
    (select complete_since from monitoring.rollup_progress where table_name = 'errors'),
    '2020-05-16 12:00+00'::timestamptz,
    'it is noted from when on rows are complete, of all severities'
);

select results_eq(
    'select * from pg_temp.clean_up()',
    array['drop errors : 0 rows, before 2020-03-17 00:00'],
    'no row is removed twice'
);

select pg_temp.set_clock('2020-06-15 12:10+00');
select pg_temp.record_errors('{30}');
select pg_temp.take_all();
select pg_temp.set_clock('2020-06-15 12:20+00');

select results_eq(
    'select * from pg_temp.clean_up()',
    array['delete errors low: 1 rows, before 2020-05-16 12:20'],
    'ten minutes later it goes on from where it was'
);

-- Behaviour: types of tasks

select monitoring.set_retention('finished_tasks', '60 days', 'batch.nightly');
select monitoring.set_retention('finished_tasks', '10 days', 'it''s "short"');
select monitoring.complete_task_tracking(n || t, 'completed', p_finished_at => f)
from
    unnest(array['batch.nightly', 'it''s "short"', 'other']) as t,
    unnest(array[9, 11, 29, 31, 59, 61]) as n,
    lateral (select monitoring.clock() - make_interval(days => n)) as v (f),
    lateral (select monitoring.start_task_tracking(n || t, t, p_started_at => f)) as s;
select pg_temp.place_all();
select pg_temp.take_all();

select results_eq(
    $$select * from pg_temp.clean_up() as c$$,
    array[
        'delete finished_tasks : 2 rows, before 2020-05-16 12:20',
        'delete finished_tasks it''s "short": 4 rows, before 2020-06-05 12:20',
        'truncate finished_tasks : 3 rows, before 2020-04-16 00:00'
    ],
    'a type of tasks may be kept longer or shorter than all others'
);

select results_eq(
    $$
        select task_type, string_agg(task_id, ' ' order by finished_at desc)
        from monitoring.finished_tasks group by task_type order by task_type
    $$,
    $$
        values ('batch.nightly', '9batch.nightly 11batch.nightly 29batch.nightly '
            '31batch.nightly 59batch.nightly'),
        ('it''s "short"', '9it''s "short"'), ('other', '9other 11other 29other')
    $$,
    'and nothing else goes'
);

-- Behaviour: levels of log lines

select monitoring.set_retention('log_lines', '3 days', 'DEBUG');
select monitoring.record_log('c', level, 'm', p_logged_at => monitoring.clock() - interval '4 days')
from unnest(array['DEBUG', 'INFO']) as level;
select pg_temp.place_all();

select results_eq(
    $$select * from pg_temp.clean_up() as c where c ~ 'log_lines'$$,
    array['delete log_lines DEBUG: 1 rows, before 2020-06-12 12:20'],
    'a level of log lines may be kept shorter'
);

-- Behaviour: for ever

select monitoring.set_retention('queue_samples', null);
select monitoring.record_queue_metrics('q', 1, p_recorded_at => '2010-01-01 00:00+00');
select pg_temp.place_all();
select pg_temp.take_all();

select is_empty(
    $$select * from pg_temp.clean_up() as c where c ~ 'queue'$$,
    'what is kept for ever is not removed'
);

select monitoring.set_retention('errors', null, 'critical');
select monitoring.set_retention('errors', '20 days', 'low');
select pg_temp.record_errors('{25, 100}');
select pg_temp.take_all();

select results_eq(
    $$select * from pg_temp.clean_up() as c where c ~ 'errors'$$,
    array['delete errors low: 2 rows, before 2020-05-26 12:20'],
    'where one category is, no day goes as a whole, and the others go row by row'
);

-- Behaviour: tables without partitions

insert into monitoring.unsuccessful_attempts (task_id, attempt, finished_at)
values ('old', 1, '2020-03-17 12:19+00'), ('new', 1, '2020-03-17 12:21+00');

select results_eq(
    'select * from pg_temp.clean_up()',
    array['delete unsuccessful_attempts : 1 rows, before 2020-03-17 12:20'],
    'attempts that have not succeeded for long are forgotten'
);

select results_eq(
    'select task_id from monitoring.unsuccessful_attempts where task_id in (''old'', ''new'')',
    array['new'],
    'the newer ones are not'
);

-- Behaviour: roll-ups

insert into monitoring.rollups (
    source, name, label, component, resolution, bucket_at, row_count, value_count, value_sum,
    value_sum_squares
)
select
    'errors' as source,
    'E' as name,
    'low' as label,
    '' as component,
    resolution,
    monitoring.clock() - make_interval(days => days) as bucket_at,
    1 as row_count,
    0 as value_count,
    0 as value_sum,
    0 as value_sum_squares
from unnest(array[1, 3, 89, 91, 1800, 1900]) as days
cross join unnest(array['minute', 'hour', 'day']) as resolution;

select set_eq(
    $$select * from pg_temp.clean_up() as c where c ~ 'rollups'$$,
    array[
        'delete rollups minute: 5 rows, before 2020-06-13 12:20',
        'delete rollups hour: 3 rows, before 2020-03-17 12:20',
        'delete rollups day: 1 rows, before 2015-06-15 12:20'
    ],
    'roll-ups go by how fine they are'
);

-- Boundaries

insert into monitoring.unsuccessful_attempts (task_id, attempt, finished_at)
select
    'many-' || n as task_id,
    1 as attempt,
    timestamptz '2020-01-01 00:00+00' + n * interval '1 second' as finished_at
from generate_series(1, 100010) as n;

select results_eq(
    $$select pg_temp.clean_up(n > 2) from generate_series(1, 2) as n$$,
    array[
        'delete unsuccessful_attempts : 100000 rows, before 2020-01-02 03:46',
        'delete unsuccessful_attempts : 10 rows, before 2020-03-17 12:20'
    ],
    'one call deletes no more than a hundred thousand rows'
);

insert into monitoring.unsuccessful_attempts (task_id, attempt, finished_at)
select
    'same-' || n as task_id,
    1 as attempt,
    timestamptz '2020-01-01 00:00+00' + (n / 4) * interval '1 day' as finished_at
from generate_series(1, 4) as n;

select results_eq(
    $$
        select monitoring._slice_end(
            'unsuccessful_attempts', 'finished_at', 'true', '-infinity', '2020-02-01 00:00+00', n
        )
        from generate_series(1, 4) as n
    $$,
    array[
        '2020-01-01 00:00:00.000001+00', '2020-01-01 00:00:00.000001+00',
        '2020-01-02 00:00+00', '2020-02-01 00:00+00'
    ]::timestamptz[],
    'rows of one instant go together, however many they are'
);

select is(
    monitoring._delete_slice(
        'errors', 'occurred_at', 'true', '2020-06-01', '2020-06-01', false
    ),
    0::bigint,
    'an empty span has no rows'
);

select set_eq(
    'select severity from monitoring.errors where message = ''100''',
    array['low', 'medium', 'high', 'critical'],
    'a late row that is older than what was removed stays until its day goes'
);

select * from finish(); -- noqa: AM04
rollback;
