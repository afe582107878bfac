-- get_jobs: task types, steps and expected runs, with how they went lately.

begin;
select plan(31);
\ir helpers/fixed_clock.psql

set local time zone 'UTC';
-- The clock says 2026-01-15 12:00 UTC.
create function pg_temp.ended(
    p_task_type text, p_ago interval, p_status text default 'completed',
    p_seconds integer default 10
) returns void
language sql
as $$
    select monitoring.record_finished_tasks(jsonb_build_array(jsonb_build_object(
        'task_id', p_task_type || ' ' || p_ago, 'task_type', p_task_type, 'status', p_status,
        'start_time', monitoring.clock() - p_ago - make_interval(secs => p_seconds),
        'end_time', monitoring.clock() - p_ago
    )))
$$;
-- A column of one job, as text.
create function pg_temp.of_job(p_job_name text, p_column text) returns text
language sql
as $$
    select to_jsonb(j) ->> p_column from monitoring.get_jobs(p_job_name => p_job_name) as j
$$;

select pg_temp.set_clock('2026-01-10 12:00+00');
select monitoring.ensure_partitions();
select monitoring.apply_workflow('{"workflow": "night", "cutover": "05:00", "steps": [
    {"step": "extract", "schedule": "06:00"}, {"step": "load", "after": ["extract"]}
]}');
select monitoring.define_expected_runs('backup', '0 3 * * *');
select monitoring.define_expected_runs('report', '0 9 * * *', p_counts => 'successes');
select pg_temp.ended('load', '1 day', p_seconds => 600);
select monitoring.roll_up();
select pg_temp.set_clock('2026-01-15 12:00+00');
select monitoring.ensure_partitions();
select pg_temp.ended('load', '26 hours', 'failed', 300);
select pg_temp.ended('extract', '5 hours 50 minutes', p_seconds => 600);
select pg_temp.ended('mail', '3 days');
select pg_temp.ended('mail', '2 hours', 'cancelled');
select pg_temp.ended('report', '3 hours', 'timeout');
select pg_temp.ended('forgotten', '28 days');
select monitoring.roll_up();
-- Not rolled up: as good as any other.
select pg_temp.ended('mail', '1 minute', p_seconds => 20);
select monitoring.start_task_tracking('now', 'runner', p_started_at => '2026-01-15 11:00+00');
select monitoring.evaluate_alerts();

-- Behaviour

select results_eq(
    'select job_name, kind, workflow_name, state from monitoring.get_jobs() order by job_name',
    $$values
        ('backup', 'expected', null, 'missed'),
        ('extract', 'step', 'night', 'ok'),
        ('forgotten', 'type', null, 'ok'),
        ('load', 'step', 'night', 'late'),
        ('mail', 'type', null, 'ok'),
        ('report', 'expected', null, 'missed'),
        ('runner', 'type', null, 'running')$$,
    'whatever ran, runs or is to run is a job, and a word says how it is'
);
select is(
    (select array_agg(j.job_name) from monitoring.get_jobs(p_limit => 3) as j),
    array['runner', 'backup', 'extract'],
    'those about which alerts fire come first, the worst before the others'
);
select is(
    pg_temp.of_job('backup', 'missing_since'), '2026-01-15T03:00:00+00:00',
    'a run that has not come was due then'
);
select is(pg_temp.of_job('backup', 'seconds_late'), '32400', 'which is so many seconds ago');
select is(
    pg_temp.of_job('backup', 'next_due_at'), '2026-01-16T03:00:00+00:00',
    'and the next is due then'
);
select is(
    pg_temp.of_job('report', 'missing_since'), '2026-01-15T09:00:00+00:00',
    'one that failed is missing where successes count'
);
select is(
    pg_temp.of_job('extract', 'schedule'), '06:00',
    'a step has the schedule of its workflow'
);
select is(
    pg_temp.of_job('extract', 'next_due_at'), '2026-01-16T06:00:00+00:00',
    'and is due next by it'
);
select is(
    pg_temp.of_job('mail', 'last_task_id'), 'mail 00:01:00',
    'the newest run counts, rolled up or not'
);
select is(pg_temp.of_job('mail', 'last_status'), 'completed', 'with its status');
select is(pg_temp.of_job('mail', 'last_duration_ms'), '20000', 'and how long it took');
select is(
    pg_temp.of_job('load', 'last_status'), 'failed',
    'a run of yesterday is the newest as well'
);
select is(
    (
        select (j.ended, j.completed, j.failed, j.success_percent)::text
        from monitoring.get_jobs(p_job_name => 'mail') as j
    ),
    '(3,2,0,66.67)', 'runs of the last 30 days are counted'
);
select is(
    (
        select (j.ended, j.completed, j.failed, j.success_percent)::text
        from monitoring.get_jobs(p_job_name => 'load') as j
    ),
    '(2,1,1,50.00)', 'those that failed apart'
);
select is(
    pg_temp.of_job('load', 'p50_duration_ms'), '600000',
    'the typical duration is that of completed runs'
);
select is(
    (select j.days from monitoring.get_jobs(p_job_name => 'mail') as j),
    jsonb_build_array(
        jsonb_build_object(
            'day', '2026-01-12', 'avg_ms', 10000.0, 'failed', 0, 'missed', 0, 'completed', 1,
            'ended_otherwise', 0
        ),
        jsonb_build_object(
            'day', '2026-01-15', 'avg_ms', 15000.0, 'failed', 0, 'missed', 0, 'completed', 1,
            'ended_otherwise', 1
        )
    ),
    'days tell how runs ended'
);
select is(
    (select j.days -> 0 ->> 'missed' from monitoring.get_jobs(p_job_name => 'backup') as j),
    '1', 'and how many did not come'
);
select is(
    (
        select (j.running, j.running_since)::text
        from monitoring.get_jobs(p_job_name => 'runner') as j
    ),
    '(1,"2026-01-15 11:00:00+00")', 'what runs is counted, and since when'
);
select is(pg_temp.of_job('backup', 'worst_severity'), 'high', 'the worst alert about it is named');
select is_empty(
    $$select j.job_name from monitoring.get_jobs() as j where j.job_name ~ '^pgvigil'$$,
    'our own jobs are none'
);

set local time zone 'America/New_York';
select pg_temp.set_clock('2026-03-10 12:00+00');
select monitoring.ensure_partitions();
select pg_temp.ended('spring', '3 days');
select pg_temp.ended('spring', '1 minute');
select monitoring.roll_up();
select is(
    (
        select array_agg(d.value ->> 'day' order by d.ordinality)
        from monitoring.get_jobs(p_job_name => 'spring') as j
        cross join jsonb_array_elements(j.days) with ordinality as d
    ),
    array['2026-03-07', '2026-03-10'],
    'days are those of UTC, wherever clocks change meanwhile'
);
select is(
    (select count(*) from monitoring.get_job_runs('spring')), 2::bigint,
    'and runs of all of them are found'
);
select pg_temp.set_clock('2026-01-15 12:00+00');
set local time zone 'UTC';

-- Choosing and paging

select set_eq(
    $$select job_name from monitoring.get_jobs(p_search => 'OR')$$,
    array['forgotten', 'report'], 'names are searched in any case'
);
select set_eq(
    $$select job_name from monitoring.get_jobs(p_workflow_name => 'night')$$,
    array['extract', 'load'], 'a workflow can be chosen'
);
select set_eq(
    $$select job_name from monitoring.get_jobs(p_kind => 'expected')$$,
    array['backup', 'report'], 'or a kind'
);
select set_eq(
    'select job_name from monitoring.get_jobs(p_is_troubled => false)',
    array['forgotten', 'mail', 'spring'], 'or those about which no alert fires'
);
select is(
    (
        select array_agg(j.job_name)
        from monitoring.get_jobs(p_limit => 3, p_after_trouble => 3, p_after_name => 'load') as j
    ),
    array['report', 'forgotten', 'mail'], 'a page begins after the last row of the page before'
);
select is(
    (select j.state from monitoring.get_jobs(p_job_name => 'forgotten', p_days => 7) as j),
    'silent', 'what has not run within the days is silent'
);
select is_empty(
    $$select * from monitoring.get_jobs(p_job_name => 'never heard of')$$,
    'a name that nothing has is no job'
);

-- Refusals

select throws_ok(
    'select * from monitoring.get_jobs(p_days => 0)', 'PV004', null, 'no day at all is refused'
);
select throws_ok(
    'select * from monitoring.get_jobs(p_limit => -1)', 'PV004', null, 'and a negative limit'
);

select * from finish(); -- noqa: AM04
rollback;
