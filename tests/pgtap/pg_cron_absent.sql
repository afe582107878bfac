-- Without pg_cron in the database everything is there, and says so. What happens with it is in
-- tests/python/scheduling/test_pg_cron.py.

begin;
select plan(10);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

select hasnt_extension('pg_cron', 'pg_cron is not in this database');

-- Refusals

select is(
    pg_temp.refusal_of('enable_pg_cron()'),
    row(
        'PV007',
        format('pg_cron is not in database "%s"', current_database()),
        format(
            'If cron.database_name is this database: create extension pg_cron; and call this '
            'again. Otherwise run in the database that it names: select cron.schedule_in_database('
            '''pgvigil runner of %1$s '' || n, ''* * * * *'', ''call monitoring.run_due_jobs()'', '
            '%1$L) from generate_series(1, 2) n;',
            current_database()
        )
    )::pg_temp.refusal,
    'nothing can be scheduled, and the hint has both ways to do it'
);

select
    is(
        (pg_temp.refusal_of(call)).code,
        'PV004',
        'is refused all the same: ' || call
    )
from unnest(array[
        'enable_pg_cron(-1)', 'enable_pg_cron(33)', 'import_pg_cron_runs(''0'')',
        'purge_pg_cron_history(''-1 day'')'
    ]) as call;

-- Behaviour

select is(monitoring.disable_pg_cron(), 0, 'there is nothing to unschedule');
select is(monitoring.import_pg_cron_runs(), 0::bigint, 'no run to import');
select is(monitoring.purge_pg_cron_history(), 0::bigint, 'and none to purge');
select is_empty('select * from monitoring.v_pg_cron_runs', 'nor to be seen');

select * from finish(); -- noqa: AM04
rollback;
