-- Recording and reading do the same whatever the session of the caller is set to.

begin;
select plan(22);
\ir helpers/fixed_clock.psql

-- Bounds of a day's partition in UTC.
create function pg_temp.bounds_of(p_partition text) returns text
language sql
set timezone = 'UTC'
set datestyle = 'ISO'
as $$
    select pg_get_expr(c.relpartbound, c.oid)
    from pg_class as c
    where c.oid = to_regclass('monitoring.' || p_partition)
$$;

-- Search path

select set_config('search_path', 'pg_temp, tap', true);
create temporary table errors (task_id integer);
create temporary table log_lines (component integer);

select lives_ok(
    $$select monitoring.record_error('t', 'E', 'low', 'row 5')$$,
    'recording goes by no search path of the caller''s, where other tables may have our names'
);

select lives_ok(
    $$select monitoring.record_logs('[{"component": "c", "level": "INFO", "message": "m"}]')$$,
    'nor in bulk'
);

select isnt_empty(
    'select * from monitoring.error_groups',
    'views need none'
);

select is(
    monitoring.get_dashboard_summary() -> 'errors' ->> 'low',
    '1',
    'nor does the dashboard'
);

select set_config('search_path', 'monitoring, tap, public', true);

-- How times are written

select
    lives_ok(
        format(
            $$
                select set_config('datestyle', %L, true), set_config('timezone', %L, true);
                select monitoring.prepare_backfill('queue_samples', %L)
            $$,
            date_style, zone, day
        ),
        format('a day is made by a session that writes times in %s of %s', date_style, zone)
    )
from (
    values
    ('SQL, DMY', 'Asia/Kolkata', '2025-04-02'),
    ('Postgres, MDY', 'Asia/Shanghai', '2025-05-02'),
    ('German', 'America/St_Johns', '2025-06-02'),
    ('ISO, YMD', 'Pacific/Kiritimati', '2025-07-02')
) as setting (date_style, zone, day);

select set_config('timezone', 'UTC', true);
select set_config('datestyle', 'ISO, MDY', true);

select
    is(
        pg_temp.bounds_of('queue_samples_' || replace(day, '-', '')),
        format('FOR VALUES FROM (''%s 00:00:00+00'') TO (''%s 00:00:00+00'')', day, next_day),
        format('%s begins and ends at midnight UTC', day)
    )
from (
    values
    ('2025-04-02', '2025-04-03'), ('2025-05-02', '2025-05-03'), ('2025-06-02', '2025-06-03'),
    ('2025-07-02', '2025-07-03')
) as made (day, next_day);

-- A day of 23 hours

select set_config('timezone', 'America/St_Johns', true);
select pg_temp.set_clock('2026-03-07 12:00+00');

select lives_ok(
    $$select monitoring.record_log('c', 'INFO', 'm', p_logged_at => '2026-03-08 12:00+00')$$,
    'a day ahead is 24 hours, also when the clocks are changed in between'
);

select lives_ok(
    $$
        select monitoring.record_logs(
            '[{"component": "c", "level": "INFO", "message": "m",
                "logged_at": "2026-03-08T12:00:00Z"}]'
        )
    $$,
    'also in bulk'
);

select pg_temp.set_clock('2026-01-15 12:00+00');

-- Collations

create temporary table told (kind text, message text collate "C");
insert into told values ('kind', 'message');

select lives_ok(
    $$select monitoring.record_error(message, kind, 'low', message, kind) from told$$,
    'arguments may come from columns of different collations'
);

select lives_ok(
    $$
        select monitoring.start_task_tracking(message, kind),
            monitoring.record_performance_metric(kind, message, 1),
            monitoring.update_system_health(kind, message, 'healthy')
        from told
    $$,
    'in every recording call'
);

-- Other

select set_config('intervalstyle', 'iso_8601', true);
select set_config('extra_float_digits', '-15', true);
select set_config('quote_all_identifiers', 'on', true);
select set_config('standard_conforming_strings', 'off', true);
select set_config('escape_string_warning', 'off', true);
select set_config('transform_null_equals', 'on', true);

select lives_ok(
    'select monitoring.record_performance_metric(''m'', ''gauge'', 0.1,'
    ' p_recorded_at => ''2025-08-02 12:00+00'')',
    'unusual settings of output change nothing'
);

select results_eq(
    'select value = 0.1 from monitoring.performance_monitoring where metric_name = ''m''',
    'values (true)',
    'not even a digit of a value'
);

-- How keys are written

create schema scratch;
create table scratch.days (day date, at timestamptz, rate float8, state text);
insert into scratch.days values ('2026-01-02', '2026-01-02 12:00+00', 0.1, 'OPEN');
grant usage on schema scratch to monitoring_admin, monitoring_reader;
grant select on scratch.days to monitoring_admin, monitoring_reader;
select monitoring.attach_status_trigger('scratch.days', '{day,at,rate}', 'state', 'watched');
select monitoring.register_record_source(
    'days', 'read', 'scratch.days', '{"record_key": ["day", "rate"], "status": "state"}'
);
select monitoring.sync_source('days');
select set_config('standard_conforming_strings', 'on', true);
select set_config('datestyle', 'SQL, DMY', true);
select set_config('timezone', 'Asia/Kolkata', true);
select set_config('extra_float_digits', '-15', true);
update scratch.days set state = 'DONE';
select results_eq(
    $$select record_key, status from monitoring.v_record_status where dataset = 'watched'$$,
    $$values ('2026-01-02|2026-01-02 12:00:00+00|0.1', 'DONE')$$,
    'a trigger names the record of a program as it did before, whatever that has set'
);
select is(
    monitoring.sync_source('days') ->> 'changed', '1',
    'and so does whoever reads a source'
);
select is(
    monitoring.track_all_status_changes_from_source('days') ->> 'unchanged', '1',
    'on request as well'
);
select monitoring.register_run_source(
    'runs', 'scratch.days',
    '{"run_id": "day", "status": "state", "started_at": "at", "updated_at": "at",
        "business_date": "day"}',
    '{"DONE": "completed"}', 'night', p_look_back => '30 days'
);
select is(
    monitoring.sync_source('runs') ->> 'bad', '0', 'nor does a day of a run become none'
);

select * from finish(); -- noqa: AM04
rollback;
