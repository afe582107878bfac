-- Settled trends: figures of spans that are over are kept, and yet what comes later is in them.

begin;
select plan(14);
set local timezone = 'UTC';
\ir helpers/fixed_clock.psql

create function pg_temp.end_task(p_at text, p_seconds double precision) returns void
language sql
as $$
    select monitoring.record_finished_tasks(jsonb_build_array(jsonb_build_object(
        'task_id', p_at || p_seconds, 'task_type', 'load', 'end_time', p_at,
        'start_time', p_at::timestamptz - p_seconds * interval '1 second'
    )))
$$;

-- A roll-up as another transaction would have done it: the rows of this one are in it as well.
create function pg_temp.roll_up_at(p_now text) returns void
language sql
as $$
    select pg_temp.set_clock(p_now);
    select monitoring._roll_up_table('finished_tasks', txid_current() + 1, '{}');
    -- What comes next is new.
    update monitoring.rollup_progress set claimed_below = 2;
    update monitoring.finished_tasks set recorded_xid = 1;
    update monitoring.late_finished_tasks set recorded_xid = 1
$$;

create function pg_temp.shown(p_resolution text) returns text
language sql
as $$
    select string_agg(
        format(
            '%s: %s to %s s',
            t.tasks, round(t.p50_duration_ms / 1000), round(t.max_duration_ms / 1000)
        ),
        '; ' order by t.bucket_at
    )
    from monitoring.v_task_trends as t where t.resolution = p_resolution
$$;

-- Whether what is shown of a resolution comes from what is kept.
create function pg_temp.kept(p_resolution text) returns text
language sql
as $$
    select string_agg(t.tasks::text, '; ' order by t.bucket_at)
    from monitoring.task_trends as t where t.resolution = p_resolution
$$;

select pg_temp.end_task('2026-01-15 09:10+00', 10);
select pg_temp.end_task('2026-01-15 11:10+00', 20);
select pg_temp.roll_up_at('2026-01-15 12:10+00');

select is(pg_temp.kept('hour'), '1', 'an hour is settled once it has been over for a while');
select is(pg_temp.kept('day'), null, 'a day that goes on is not');
select is(pg_temp.shown('hour'), '1: 10 to 10 s; 1: 20 to 20 s', 'both hours are shown');

update monitoring.task_trends set tasks = 7;
select is(
    pg_temp.shown('hour'), '7: 10 to 10 s; 1: 20 to 20 s',
    'what is settled is shown as it is kept, and nothing is merged for it'
);
update monitoring.task_trends set tasks = 1;

select pg_temp.end_task('2026-01-15 09:20+00', 30);
select pg_temp.end_task('2026-01-15 09:40+00', 30);
select is(
    pg_temp.shown('hour'), '3: 30 to 30 s; 1: 20 to 20 s',
    'what comes to a settled hour is in it at once'
);

select pg_temp.roll_up_at('2026-01-15 12:14+00');
select is(
    pg_temp.shown('hour'), '3: 30 to 30 s; 1: 20 to 20 s', 'and after it was rolled up'
);
select is(pg_temp.kept('hour'), '1', 'though what is kept lacks it');

select pg_temp.roll_up_at('2026-01-15 12:15+00');
select is(pg_temp.kept('hour'), '3; 1', 'until the next hour is settled');
select is_empty(
    'select u.resolution, u.bucket_at from monitoring.unsettled_spans as u',
    'then nothing is left to be settled'
);

-- Days, weeks and months

select pg_temp.roll_up_at('2026-02-01 00:15+00');
select pg_temp.end_task('2026-01-14 10:00+00', 50);
select results_eq(
    $$
        select r.resolution, pg_temp.kept(r.resolution), pg_temp.shown(r.resolution)
        from unnest(array['hour', 'day', 'week', 'month']) as r (resolution)
    $$,
    $$
        values ('hour', '3; 1', '1: 50 to 50 s; 3: 30 to 30 s; 1: 20 to 20 s'),
            ('day', '4', '1: 50 to 50 s; 4: 20 to 30 s'),
            ('week', '4', '5: 30 to 50 s'),
            ('month', '4', '5: 30 to 50 s')
    $$,
    'days, weeks and months are settled as well, and what comes later is in each'
);
select pg_temp.roll_up_at('2026-02-01 00:16+00');

-- Rows that are taken back, and retention

update monitoring.late_finished_tasks set duration_ms = 90000 where duration_ms = 20000;
select monitoring.rebuild_rollups('tasks', '2026-01-15 00:00+00', '2026-01-16 00:00+00');
select is(
    pg_temp.shown('hour'), '1: 50 to 50 s; 3: 30 to 30 s; 1: 90 to 90 s',
    'figures that were rebuilt are shown'
);
delete from monitoring.rollups as r
where r.source = 'tasks' and r.bucket_at >= '2026-01-15 00:00+00';
select monitoring.rebuild_rollups('tasks', '2026-01-15 00:00+00', '2026-01-16 00:00+00');
select is(
    pg_temp.shown('week'), '5: 30 to 90 s', 'so they are of the week that the day lies in'
);

select monitoring.set_retention('rollups', '10 days', 'hour');
select pg_temp.roll_up_at('2026-02-01 01:15+00');
select is(
    pg_temp.shown('hour'), '1: 50 to 50 s; 3: 30 to 30 s; 1: 90 to 90 s',
    'hours that are due are shown as long as their roll-ups are there'
);
delete from monitoring.rollups as r where r.resolution = 'hour';
select pg_temp.roll_up_at('2026-02-01 02:15+00');
select is(
    (pg_temp.kept('hour'), pg_temp.kept('day'))::text, '(,4)',
    'and forgotten when these have been removed'
);

select * from finish(); -- noqa: AM04
rollback;
