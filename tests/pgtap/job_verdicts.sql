-- get_job_verdicts and get_news: how jobs outside of workflows went, and what is new.

begin;
select plan(16);
\ir helpers/fixed_clock.psql

set local time zone 'UTC';
create function pg_temp.ended(
    p_task_type text,
    p_at timestamptz,
    p_status text default 'completed',
    p_reason text default null
) returns void
language sql
as $$
    select monitoring.record_finished_tasks(jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
        'task_id', p_task_type || p_at, 'task_type', p_task_type, 'status', p_status,
        'start_time', p_at - interval '4 minutes', 'end_time', p_at,
        'metadata', jsonb_build_object('error_message', p_reason)
    ))))
$$;
create function pg_temp.said(p_job_name text, p_time_zone text default 'UTC') returns text
language sql
as $$
    select concat_ws(' ', v.verdict, v.is_good, v.summary)
    from monitoring.get_job_verdicts(p_time_zone => p_time_zone) as v
    where v.job_name = p_job_name
$$;

select is_empty('select * from monitoring.get_job_verdicts()', 'without any job there are none');
select is_empty('select * from monitoring.get_news()', 'and there is nothing new');

-- The clock says 2026-01-15 12:00 UTC.
select pg_temp.set_clock('2026-01-08 12:00+00');
select monitoring.ensure_partitions();
select monitoring.define_expected_runs('backup', '0 3 * * *');
select monitoring.define_expected_runs('gone', '0 9 * * *');
select pg_temp.ended('backup', '2026-01-08 03:04+00');
select pg_temp.ended('load', '2026-01-08 03:04+00');
select pg_temp.ended('mail', '2026-01-08 03:04+00', 'failed');
select monitoring.record_error('t', 'Old', 'low', 'old', p_occurred_at => '2026-01-08 05:00+00');
select monitoring.roll_up();
select pg_temp.set_clock('2026-01-15 12:00+00');
select monitoring.ensure_partitions();
select pg_temp.ended('backup', '2026-01-15 03:04+00');
select pg_temp.ended('load', '2026-01-15 08:00+00');
select pg_temp.ended('load', '2026-01-15 09:00+00', 'failed', E'disk\nfull');
select pg_temp.ended('mail', '2026-01-15 09:00+00', 'timeout');
select pg_temp.ended('mail', '2026-01-15 10:00+00');
select pg_temp.ended('fresh', '2026-01-15 10:00+00');
select monitoring.start_task_tracking('r', 'report', p_started_at => '2026-01-15 11:00+00');
select monitoring.record_error('t', 'Old', 'low', 'old');
select monitoring.record_error('t', 'New', 'high', 'new', p_occurred_at => '2026-01-15 05:00+00');
select monitoring.roll_up();

select results_eq(
    'select job_name, is_expected, verdict, is_good from monitoring.get_job_verdicts()',
    $$values
        ('gone', true, 'missed', false), ('load', false, 'failed', false),
        ('mail', false, 'recovered', true), ('report', false, 'running', null),
        ('backup', true, 'done', true), ('fresh', false, 'done', true)$$,
    'those in trouble come first: missing, failed, recovered; then what runs'
);
select is(
    pg_temp.said('backup'), 'done t done at 03:04, took 4 min, usually 4 min',
    'a run that is expected is told against what is usual'
);
select is(
    pg_temp.said('backup', 'Asia/Tokyo'), 'done t done at 12:04, took 4 min, usually 4 min',
    'in the time zone that is asked for'
);
select is(pg_temp.said('gone'), 'missed f missing since 09:00', 'one that did not come is missed');
select is(
    pg_temp.said('load'), 'failed f failed at 09:00: disk full; 1 of 2 runs failed',
    'a failure is told with its reason in one line'
);
select is(
    pg_temp.said('mail'), 'recovered t 1 of 2 runs failed, completed at 10:00',
    'one that has run since is recovered, after a timeout as well'
);
select is(
    pg_temp.said('report'), 'running running since 11:00', 'what runs is neither good nor bad'
);
select is(
    (
        select string_agg(d.day ->> 'verdict', ' ' order by d.place)
        from monitoring.get_job_verdicts() as v
        cross join jsonb_array_elements(v.days) with ordinality as d (day, place)
        where v.job_name = 'load'
    ),
    'unknown unknown unknown unknown unknown unknown recovered',
    'the week is told day by day; without a run nothing is known'
);
select is(
    (select count(*) from monitoring.get_job_verdicts(p_limit => 1)), 1::bigint, 'it has a limit'
);
select is(
    (
        select v.summary
        from monitoring.get_job_verdicts('2026-01-07 12:00+00', '2026-01-08 12:00+00') as v
        where v.job_name = 'backup'
    ),
    'done at 03:04, took 4 min, usually 4 min',
    'a span that is past is told as it was'
);

-- What is new

select monitoring.record_release('api', '1.0', p_released_at => '2026-01-12 12:00+00');
select monitoring.record_release('api', '2.0', p_released_at => '2026-01-15 11:00+00');
select results_eq(
    'select kind, name, times, detail from monitoring.get_news()',
    $$values
        ('failing', 'load', 1::bigint, null), ('release', 'api', null, '2.0, before it 1.0'),
        ('error', 'New', 1::bigint, 'new'),
        ('task type', 'fresh', null, null)$$,
    'new is what failed for the first time in a week, was first seen, or first ran'
);

-- In the report

select is(
    monitoring.get_daily_report() #>> '{state}', 'trouble', 'a report says that there is trouble'
);
select is(
    monitoring.get_daily_report() #>> '{headline}',
    'gone missing since 09:00 (and 1 more in trouble)',
    'and what, in a line'
);
select throws_ok(
    'select monitoring.get_job_verdicts(p_limit => -1)', 'PV004', null, 'a limit has to be one'
);

select * from finish(); -- noqa: AM04
rollback;
