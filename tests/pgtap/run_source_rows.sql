-- What a source may hold: times of every make, or none, old runs, odd names, and columns of text.

begin;
select plan(29);
\ir helpers/fixed_clock.psql
\ir helpers/run_source.psql

select pg_temp.register();

-- Times that are missing

select pg_temp.put('1', 'RN', p_changed => '09:40');
select pg_temp.put('2', 'RN');
select pg_temp.put('3', 'CP', null, '09:50');
select pg_temp.put('4', 'CP', '09:00', null, p_changed => '09:45');
select pg_temp.put('5', 'CP', '09:00');
select pg_temp.put('6', 'CP');
select is(pg_temp.sync_at('09:00'), 'bad 2, new 4', 'what is needed of the times must be there');
select is(
    pg_temp.attempts_of('1') || '; ' || pg_temp.attempts_of('2'),
    '1 running 08:40; 1 running 09:00',
    'a run without a start began when it was last changed, or is seen'
);
select is(
    pg_temp.attempts_of('3') || '; ' || pg_temp.attempts_of('4'),
    '1 completed ? to 08:50; 1 completed 08:00 to 08:45',
    'one that has ended may lack the start, or the end if it says when it was changed'
);
select results_eq(
    $$select subject, message from monitoring.v_source_troubles order by subject$$,
    $$
        values
        ('5', 'run 5: has ended, and neither finished_at nor updated_at says when'),
        ('6', 'run 6: has ended, and neither finished_at nor updated_at says when')
    $$,
    'but no end is made up for a run that was never seen'
);
select pg_temp.put('2', 'CP');
select pg_temp.sync_at('09:15');
select is(
    pg_temp.attempts_of('2'), '1 completed 09:00 to 09:15',
    'one that was seen to run has ended when that is seen'
);

-- Times that cannot be

truncate scratch.runs;
select pg_temp.sync_at('09:20');
select pg_temp.put('11', 'RN', '47:00');
select pg_temp.put('12', 'RN', '33:00');
select pg_temp.put('13', 'CP', '10:30', '10:10');
select pg_temp.put('14', 'CP', '11:30', '10:10');
select pg_temp.put('15', 'RN', '10:00', null, -1);
insert into scratch.runs (id, step, state, begun) values
('16', 'billing', 'RN', '1969-12-31'), ('17', 'billing', 'RN', 'infinity'),
(null, 'billing', 'RN', '2026-01-15'), ('18', null, 'RN', '2026-01-15'),
(repeat('x', 252), 'billing', 'RN', '2026-01-15');
select is(pg_temp.sync_at('09:30'), 'bad 7, new 2', 'what cannot be is not believed');
select results_eq(
    $$
        select left(subject, 2), message from monitoring.v_source_troubles
        where ended_at is null and trouble = 'bad_row' order by subject
    $$,
    $$
        values ('', 'run (without run_id): has no run_id'),
            ('11', 'run 11: has a time more than a day ahead'),
            ('14', 'run 14: ends before it starts'),
            ('15', 'run 15: has a negative number'),
            ('17', 'run 17: has a time more than a day ahead'),
            ('18', 'run 18: has no task_type'),
            ('xx', 'run ' || repeat('x', 252) || ': run_id is too long')
    $$,
    'and each row is named; what is as old as 1969 is passed over'
);
select is(
    pg_temp.attempts_of('12') || '; ' || pg_temp.attempts_of('13'),
    '1 running 08:00; 1 completed 09:10 to 09:10',
    'a clock may be ahead by a day, and an end before its start by the hour of an autumn night'
);

-- Old runs

truncate scratch.runs;
select pg_temp.sync_at('09:40');
select monitoring.set_retention('finished_tasks', '2 days', 'short');
insert into scratch.runs (id, step, state, begun, done) values
('21', 'billing', 'CP', '2026-01-07 10:00', '2026-01-08 10:59:59'),
('22', 'billing', 'CP', '2026-01-07 10:00', '2026-01-08 11:00'),
('23', 'short', 'CP', '2026-01-12', '2026-01-13 10:59:59'),
('24', 'short', 'CP', '2026-01-12', '2026-01-13 11:00'),
('25', 'billing', 'RN', '2026-01-01 10:00', null);
select is(
    pg_temp.sync_at('10:00'), 'new 2', 'what is older than the source looks back is passed over'
);
select results_eq(
    $$
        select task_id from monitoring.processing_metrics
        where task_id ~ '^erp:2.' order by task_id
    $$,
    $$values ('erp:22'), ('erp:24')$$,
    'and so is what would be removed at once'
);
select pg_temp.set_clock('2026-02-20 10:00+00');
update scratch.runs set state = 'RN' where id = '25';
update scratch.runs set begun = '2026-02-19 12:00' where id = '25';
select is(
    monitoring.sync_source('erp') ->> 'new', '1', 'what begins later is new'
);
select pg_temp.set_clock('2026-03-20 10:00+00');
update scratch.runs set state = 'CP', done = '2026-02-20 12:00' where id = '25';
select is(
    monitoring.sync_source('erp') ->> 'ended', '1',
    'a run that is known to run is looked for however long that lasts'
);
select is(
    (select end_time from monitoring.processing_metrics where task_id = 'erp:25'),
    '2026-02-20 11:00+00'::timestamptz,
    'and ended when it says'
);
delete from monitoring.source_runs;
select is(
    monitoring.sync_source('erp') ->> 'new', '0', 'what was forgotten is not told again'
);

-- A source that was forgotten and is registered anew

select pg_temp.set_clock('2026-01-15 10:00+00');
truncate scratch.runs;
select pg_temp.put('31', 'ER', '10:00', '10:30');
select pg_temp.put('32', 'CP', '10:00', '10:30');
select pg_temp.sync_at('10:00');
select monitoring.remove_source('erp');
select pg_temp.register();
select is(pg_temp.sync_at('10:10'), 'unchanged 2', 'what is in history is not recorded twice');
select is(
    pg_temp.attempts_of('31') || '; ' || pg_temp.attempts_of('32'),
    '1 failed 09:00 to 09:30; 1 completed 09:00 to 09:30',
    'and stays as it is'
);

-- A time zone that is corrected

select pg_temp.put('33', 'RN', '10:30', null, 5, 9);
select pg_temp.sync_at('10:20');
select monitoring.register_run_source(
    'erp', 'scratch.runs',
    (select columns from monitoring.v_sources), (select statuses from monitoring.v_sources),
    p_time_zone => 'UTC'
);
select pg_temp.set_clock('2026-01-15 10:40+00');
select is(
    pg_temp.sync_at('10:40'), 'progressed 1, unchanged 2',
    'when the time zone of a source is corrected no run counts as begun anew'
);
select is(
    pg_temp.attempts_of('32') || '; ' || pg_temp.attempts_of('33'),
    '1 completed 09:00 to 09:30; 1 running 10:30 of 5/9',
    'and what runs has the right start from then on'
);

-- Columns of other types

-- Names that must be quoted are there to be met.
do $$
begin
    create table scratch."Odd Runs" (
        "Run Id" numeric, state text, begun text, changed date, done text, total text, day text
    );
    grant select on scratch."Odd Runs" to monitoring_reader;
    insert into scratch."Odd Runs" values
    (1, 'r', '2026-01-15 09:00', '2026-01-15', null, '12', '20260114'),
    (2, 'r', '2026-01-15T09:00:00Z', '2026-01-15', ' ', '12.0', '2026-01-14'),
    (3, 'r', '2026-01-15 09:00:00+05:30', null, null, null, null),
    (4, 'r', 'yesterday evening', '2026-01-15', null, '12', null),
    (5, 'r', '2026-01-15 09:00', '2026-01-15', null, '12.5', null),
    (6, 'r', '2026-02-30 09:00', '2026-01-15', null, '1', '2026-13-01'),
    (7.5, '', '2026-01-15 09:00', '2026-01-15', null, '', null);
end
$$;
select monitoring.register_run_source(
    'odd', 'scratch."Odd Runs"',
    '{"run_id": "Run Id", "status": "state", "started_at": "begun", "updated_at": "changed",
        "finished_at": "done", "records_total": "total", "business_date": "day"}',
    '{"R": "running", "": "pending"}', 'odd', 'Europe/Berlin'
);
select pg_temp.set_clock('2026-01-15 12:00+00');
select is(
    monitoring.sync_source('odd') - 'source',
    '{"new": 3, "restarted": 0, "progressed": 0, "ended": 0, "unchanged": 1, "vanished": 0,
        "went_backwards": 0, "bad": 3}'::jsonb,
    'texts are read where they mean something, and a status may be blank'
);
select results_eq(
    $$
        select task_id, start_time, items_total, metadata ->> 'business_date'
        from monitoring.processing_metrics where task_type = 'odd' order by task_id
    $$,
    $$
        values
        ('odd:1', '2026-01-15 08:00+00'::timestamptz, 12::bigint, '2026-01-14'),
        ('odd:2', '2026-01-15 09:00+00', 12, '2026-01-14'),
        ('odd:3', '2026-01-15 03:30+00', null, null)
    $$,
    'a time that names its zone is in that, others in the one of the source'
);
select results_eq(
    $$
        select message from monitoring.v_source_troubles
        where source_name = 'odd' order by message
    $$,
    $$
        values ('run 4: started_at is not a time: "yesterday evening"'),
            ('run 5: records_total is not a whole number: "12.5"'),
            ('run 6: started_at is not a time: "2026-02-30 09:00"; '
                'business_date is not a date: "2026-13-01"')
    $$,
    'what means nothing is shown'
);

-- A step that is blank

insert into scratch.runs (id, step, state, begun) values ('34', ' ', 'RN', '2026-01-15 11:00');
select monitoring.register_run_source(
    'blank', 'scratch.runs',
    '{"run_id": "id", "task_type": "step", "status": "state", "started_at": "begun",
        "finished_at": "done"}',
    '{"RN": "running", "ER": "failed", "CP": "completed"}', 'any step'
);
select monitoring.sync_source('blank');
select results_eq(
    $$
        select task_id, task_type from monitoring.processing_metrics
        where task_id in ('blank:33', 'blank:34') order by task_id
    $$,
    $$values ('blank:33', 'billing'), ('blank:34', 'any step')$$,
    'a blank step is none, and the task type of the source counts'
);
select monitoring.remove_source('blank');

-- Daylight saving

select monitoring.remove_source('odd');
select pg_temp.register();
select pg_temp.set_clock('2026-10-25 03:00+00');
truncate scratch.runs;
insert into scratch.runs (id, step, state, begun, done) values
('41', 'billing', 'CP', '2026-10-25 01:50', '2026-10-25 03:10'),
('42', 'billing', 'CP', '2026-10-25 02:50', '2026-10-25 02:10');
select monitoring.sync_source('erp');
select results_eq(
    $$
        select task_id, duration_ms / 60000 from monitoring.processing_metrics
        where task_id in ('erp:41', 'erp:42') order by task_id
    $$,
    $$values ('erp:41', 140::float8), ('erp:42', 0)$$,
    'a night with 25 hours has its length'
);

-- Thousands

truncate scratch.runs;
do $$
begin
    insert into scratch.runs (id, step, state, begun, done, total, processed)
    select 'm' || n, 'many', case when n % 10 = 0 then 'RN' else 'CP' end,
        timestamp '2026-10-25 00:00' - make_interval(mins => n), '2026-10-25 00:10', n, n
    from generate_series(1, 5000) n;
end
$$;
select is(
    (monitoring.sync_source('erp') - 'source') ->> 'new', '5000', 'thousands are read at once'
);
select is(
    (monitoring.sync_source('erp') - 'source') ->> 'unchanged', '5000', 'and once'
);
select results_eq(
    $$
        select status, count(*) from monitoring.processing_metrics
        where task_type = 'many' group by status order by status
    $$,
    $$values ('completed', 4500::bigint), ('running', 500)$$,
    'with each in its state'
);

-- Retention

select pg_temp.set_clock('2026-12-25 03:00+00');
select count(*) from monitoring.cleanup_old_monitoring_data();
select is(
    (select count(*) from monitoring.source_runs where source_name = 'erp'), 500::bigint,
    'what has ended is forgotten after a while, and what runs is not'
);

-- The job

select results_eq(
    $$
        select schedule, procedure_name, is_enabled
        from monitoring.v_jobs where job_name = 'sync_sources'
    $$,
    $$values ('1 minute', 'monitoring.sync_sources', true)$$,
    'every minute those are read that are due'
);
select is(
    (monitoring._call_job_routine('monitoring.sync_sources')) #>> '{0,source}', 'erp',
    'by a job'
);

select * from finish(); -- noqa: AM04
rollback;
