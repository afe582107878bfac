-- A source that cannot be read is noted, tells an alert, and stops no other.

begin;
select plan(18);
\ir helpers/fixed_clock.psql
\ir helpers/judging.psql
\ir helpers/run_source.psql

create table scratch.others (id integer, state text, begun timestamptz, changed timestamptz);
grant select on scratch.others to monitoring_reader;
insert into scratch.others values (1, 'run', '2026-01-15 09:00+00', null);

select pg_temp.register();
select monitoring.register_run_source(
    'other', 'scratch.others',
    '{"run_id": "id", "status": "state", "started_at": "begun", "updated_at": "changed"}',
    '{"run": "running"}', 'copy'
);
select pg_temp.put('1', 'RN', '09:30', null, 5, 9);

select is(
    jsonb_array_length(monitoring.sync_sources()),
    2,
    'all sources are read, each with its result'
);

alter table scratch.runs rename to runs_of_old;
select is(
    pg_temp.sync_at('12:15'),
    '{"error": "there is no relation \"scratch.runs\"", "source": "erp"}',
    'a table that was renamed cannot be read'
);
select is(pg_temp.attempts_of('1'), '1 running 08:30 of 5/9', 'nothing has vanished for that');
select results_eq(
    $$
        select synced_at, succeeded_at, last_error, consecutive_failures
        from monitoring.v_sources where source_name = 'erp'
    $$,
    $$
        values ('2026-01-15 12:15+00'::timestamptz, '2026-01-15 12:00+00'::timestamptz,
            'there is no relation "scratch.runs"', 1::bigint)
    $$,
    'it is noted why, and since when'
);
select results_eq(
    $$select value, severity, summary from pg_temp.judge('source_trouble', '2026-01-15 12:15+00')$$,
    $$
        values (1::float8, 'high',
            'source erp: cannot be read: there is no relation "scratch.runs"')
    $$,
    'and the rule finds it'
);

update scratch.others set state = 'stopped';
select monitoring.register_run_source(
    'other', 'scratch.others',
    '{"run_id": "id", "status": "state", "started_at": "begun", "updated_at": "changed"}',
    '{"run": "running", "stopped": "cancelled"}', 'copy'
);
select pg_temp.set_clock('2026-01-15 12:30+00');
select results_eq(
    $$
        select r.value ->> 'source', r.value ->> 'ended', r.value ->> 'error'
        from jsonb_array_elements(monitoring.sync_sources()) as r
    $$,
    $$
        values ('other', '1', null), ('erp', null, 'there is no relation "scratch.runs"')
    $$,
    'the others are read, and before it'
);
select is(
    (
        select count(*) from monitoring.error_tracking where error_type = 'SourceTrouble'
    ),
    1::bigint,
    'what goes on is told once'
);

alter table scratch.runs_of_old rename to runs;
alter table scratch.runs rename column processed to so_far;
select is(
    pg_temp.sync_at('12:45'),
    '{"error": "scratch.runs has no column \"processed\"", "source": "erp"}',
    'a column that was renamed is named'
);
select is(
    (select consecutive_failures from monitoring.v_sources where source_name = 'erp'),
    3::bigint,
    'failures are counted'
);

alter table scratch.runs rename column so_far to processed;
revoke select on scratch.runs from monitoring_reader;
select is(
    pg_temp.sync_at('13:00'),
    '{"error": "permission denied for table runs", "source": "erp"}',
    'a right that was taken away is named'
);

grant select on scratch.runs to monitoring_reader;
select is(pg_temp.sync_at('13:15'), 'unchanged 1', 'once it can be read again it goes on');
select results_eq(
    $$
        select last_error, consecutive_failures, succeeded_at
        from monitoring.v_sources where source_name = 'erp'
    $$,
    $$values (null, 0::bigint, '2026-01-15 13:15+00'::timestamptz)$$,
    'and all is well'
);
select is_empty(
    $$select * from pg_temp.find('source_trouble', '2026-01-15 13:15+00')$$,
    'also for the rule'
);

-- Enabling and removing

select monitoring.disable_source('erp');
select is(
    pg_temp.sync_at('13:30'), '{"source": "erp", "skipped": "not enabled"}',
    'a source that is not enabled is not read'
);
select is(
    jsonb_array_length(monitoring.sync_sources()), 1, 'nor is it among those that are'
);
select monitoring.enable_source('erp');
select is(pg_temp.sync_at('13:45'), 'unchanged 1', 'until it is enabled again');

select pg_temp.set_clock('2026-01-15 14:00+00');
select monitoring.remove_source('erp');
select is(
    pg_temp.attempts_of('1'), '1 lost 08:30 to 14:00 of 5/9',
    'what runs when its source is removed gets lost'
);
select is_empty(
    $$select * from monitoring.source_runs where source_name = 'erp'$$,
    'and nothing is remembered'
);

select * from finish(); -- noqa: AM04
rollback;
