-- Of the many jobs that River keeps a reading looks at those that are new, by River's own indexes.

begin;
select plan(3);
\ir helpers/fixed_clock.psql
\ir helpers/adopting.psql
\ir helpers/plans.psql
\ir helpers/river.psql

-- A job every four seconds of a day, some that wait and one that runs.
insert into app.river_job (kind, state, attempt, attempted_at, finalized_at, scheduled_at)
select
    'send' as kind,
    'completed' as state,
    1 as attempt,
    n.at,
    n.at + interval '1 second' as finalized_at,
    n.at as scheduled_at
from generate_series('2026-01-14 12:00+00', '2026-01-15 11:59+00', interval '4 seconds') as n (at);
insert into app.river_job (kind, state, scheduled_at)
select
    'send' as kind,
    'available' as state,
    timestamptz '2026-01-15 11:59+00' as scheduled_at
from generate_series(1, 20) as n;
insert into app.river_job (kind, state, attempt, attempted_at)
values ('send', 'running', 1, '2026-01-15 11:59+00');
analyze app.river_job;

-- A query of the adapter, as of noon and for what ended in the five minutes before.
create function pg_temp.query_of(p_query text) returns text
language sql
as $$
    select replace(replace(replace(replace(
        p_query, '{schema}', 'app'), 'p_since', 'timestamptz ''2026-01-15 11:55+00'''),
        'p_known', '''{1,2}'''), 'p_now', 'timestamptz ''2026-01-15 12:00+00''')
$$;

select doesnt_match(
    (
        select pg_temp.plan_of(pg_temp.query_of(a.runs))
        from monitoring.adapters as a where a.adapter_name = 'river'
    ),
    'Seq Scan', 'runs are found by indexes'
);
select matches(
    (
        select pg_temp.plan_of(pg_temp.query_of(a.runs))
        from monitoring.adapters as a where a.adapter_name = 'river'
    ),
    'river_job_state_and_finalized_at_index', 'those that have ended by when they did'
);
select matches(
    (
        select pg_temp.plan_of(pg_temp.query_of(a.depths))
        from monitoring.adapters as a where a.adapter_name = 'river'
    ),
    'river_job_prioritized_fetching_index', 'and jobs that wait or run by their state'
);

select * from finish(); -- noqa: AM04
rollback;
