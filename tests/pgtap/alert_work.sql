-- Recovery goes by the work of a run, not by its name: rules task_failed and source_trouble.

begin;
select plan(27);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/findings.psql
\ir helpers/run_source.psql

create function pg_temp.ran(
    p_task_id text, p_status text, p_end timestamptz, p_task_type text,
    p_metadata jsonb default null
) returns void
language plpgsql
as $$
begin
    perform monitoring.start_task_tracking(
        p_task_id, p_task_type, p_started_at => p_end - interval '1 minute',
        p_metadata => p_metadata
    );
    perform monitoring.complete_task_tracking(p_task_id, p_status, p_finished_at => p_end);
end
$$;

-- Types that have failed, with how many tasks and how severe.
create function pg_temp.failed(
    p_now timestamptz default monitoring.clock(), p_task_type text default '%'
) returns text
language sql
as $$
    select coalesce(string_agg(
        format('%s %s %s', c.fingerprint, c.value, c.severity), ', ' order by c.fingerprint
    ), 'none')
    from monitoring.alert_rules as r,
        lateral monitoring._classify(
            r, array(select f from monitoring._find_failed_tasks(r, p_now) as f)
        ) as c
    where r.rule_name = 'task_failed'
        and c.severity is not null
        and c.fingerprint like p_task_type
$$;

-- Steps

select monitoring.apply_workflow(
    '{"workflow": "w", "time_zone": "Europe/Berlin", "cutover": "05:00",
        "steps": [{"step": "load"}, {"step": "hourly", "schedule": "0 * * * *"}]}'
);
select pg_temp.ran('run-1', 'failed', '2026-01-15 08:00+00', 'load');
select is(pg_temp.failed(), 'load 1 critical', 'a step that failed has failed');
select pg_temp.ran('run-2', 'completed', '2026-01-15 08:00:00.000001+00', 'load');
select is(pg_temp.failed(), 'none', 'a run of another name on the same day makes up for it');
select is(
    pg_temp.failed('2026-01-15 08:00+00'), 'load 1 critical', 'looking back it had not yet'
);
select is_empty(
    $$
        select * from pg_temp.explained('task_failed', '{"task_type": "load"}')
    $$,
    'nor is it among the rows behind the alert'
);
select pg_temp.ran('run-3', 'failed', '2026-01-15 09:00+00', 'load');
select pg_temp.ran('run-4', 'timeout', '2026-01-15 09:10+00', 'load');
select is(
    pg_temp.failed(), 'load 1 critical', 'several failed runs of a step on a day are one task'
);
select pg_temp.ran('run-5', 'cancelled', '2026-01-15 09:20+00', 'load');
select is(pg_temp.failed(), 'none', 'one that was run again and cancelled is nobody''s');

select pg_temp.ran('run-6', 'failed', '2026-01-15 03:30+00', 'load');
select pg_temp.ran('run-7', 'completed', '2026-01-15 10:00+00', 'load');
select is(
    pg_temp.failed(), 'load 1 critical', 'a run of another business day makes up for none'
);
select pg_temp.ran(
    'run-8', 'completed', '2026-01-15 10:30+00', 'load', '{"business_date": "2026-01-14"}'
);
select is(pg_temp.failed(), 'none', 'unless it states the day');

select pg_temp.ran('h-07', 'failed', '2026-01-15 07:00+00', 'hourly');
select pg_temp.ran('h-08', 'completed', '2026-01-15 08:00+00', 'hourly');
select is(pg_temp.failed(), 'none', 'of a step that runs often the next run makes up');

-- Sources

select pg_temp.register();
select pg_temp.put('1', 'ER', '09:00', '09:30', p_message => 'disk full');
select pg_temp.sync_at('09:00');
select
    is(
        pg_temp.failed(p_task_type => 'billing'),
        'billing 1 critical',
        'an adopted run that failed has failed'
    );
select pg_temp.put('2', 'CP', '10:00', '10:30');
select pg_temp.sync_at('10:00');
select
    is(
        pg_temp.failed(p_task_type => 'billing'), 'none', 'the next run of its type makes up for it'
    );

select
    monitoring.register_run_source(
        'erp', s.relation_name, s.columns || '{"work": "message"}', s.statuses,
        p_time_zone => s.time_zone
    )
from monitoring.v_sources as s;
select pg_temp.put('3', 'ER', '10:40', '10:45', p_message => 'invoices');
select pg_temp.put('4', 'CP', '10:50', '10:55', p_message => 'letters');
select pg_temp.sync_at('10:10');
select
    is(
        pg_temp.failed(p_task_type => 'billing'),
        'billing 1 critical',
        'where the source tells the work, no other does'
    );
select pg_temp.put('5', 'CP', '11:00', '11:05', p_message => 'invoices');
select pg_temp.sync_at('10:20');
select is(pg_temp.failed(p_task_type => 'billing'), 'none', 'but one of the same work');

select
    monitoring.register_run_source(
        'erp',
        s.relation_name,
        s.columns - 'work' || '{"attempt": "total", "max_attempts": "processed"}',
        s.statuses, p_time_zone => s.time_zone, p_work => 'run', p_failed_severity => 'high'
    )
from monitoring.v_sources as s;
select pg_temp.put('1', 'CP', '11:10', '11:15', 3, 1);
select pg_temp.put('3', 'CP', '11:10', '11:15', 3, 1);
select pg_temp.put('6', 'ER', '11:20', '11:25', 3, 1);
select pg_temp.put('7', 'CP', '11:30', '11:35', 3, 1);
select pg_temp.sync_at('10:40');
select is(
    pg_temp.failed(p_task_type => 'billing'), 'billing 1 medium',
    'a queue''s job is its own work, and with retries left nobody''s night'
);
select pg_temp.put('6', 'ER', '11:40', '11:45', 3, 3);
select pg_temp.sync_at('10:50');
select
    is(
        pg_temp.failed(p_task_type => 'billing'),
        'billing 1 high',
        'without, it has the severity of its source'
    );
select pg_temp.put('6', 'CP', '11:50', '11:55', 3, 3);
select pg_temp.sync_at('11:00');
select is(pg_temp.failed(p_task_type => 'billing'), 'none', 'until that job completes');

select results_eq(
    $$
        select task_id, error_type, message from monitoring.error_tracking
        where error_type = 'RunFailed' order by occurred_at
    $$,
    $$
        values ('erp:1', 'RunFailed', 'disk full'),
            ('erp:3', 'RunFailed', 'invoices'),
            ('erp:6', 'RunFailed',
                'run 6 of source erp failed, and the source does not say why'),
            ('erp:6', 'RunFailed',
                'run 6 of source erp failed, and the source does not say why')
    $$,
    'each failed run has its error, whether or not the source says why'
);

select pg_temp.set_clock('2026-01-15 11:00+00');
select
    monitoring.register_run_source(
        'erp', s.relation_name, s.columns, s.statuses, p_time_zone => s.time_zone
    )
from monitoring.v_sources as s;
select pg_temp.put('8', 'RN', '12:01');
select pg_temp.sync_at('11:02');
delete from scratch.runs where id = '8';
select pg_temp.sync_at('11:05');
select
    is(
        pg_temp.failed(p_task_type => 'billing'),
        'billing 1 critical',
        'a run that vanished got lost'
    );
select results_eq(
    $$select labels ->> 'trouble' from pg_temp.findings_of('source_trouble')$$,
    $$values ('vanished')$$, 'which is a trouble of its source'
);
select pg_temp.put('9', 'CP', '12:10', '12:15');
select pg_temp.sync_at('11:20');
select is(pg_temp.failed(p_task_type => 'billing'), 'none', 'the next run makes up for it');
select is_empty(
    $$select * from pg_temp.findings_of('source_trouble')$$, 'and for the trouble'
);

-- What programs say, and what is expected

select pg_temp.set_clock('2026-01-15 12:00+00');
select pg_temp.ran('8d0c', 'failed', '2026-01-15 11:30+00', 'report', '{"work": "monthly"}');
select pg_temp.ran('77ab', 'completed', '2026-01-15 11:40+00', 'report', '{"work": "weekly"}');
select is(pg_temp.failed(), 'report 1 critical', 'a program may state what a run does');
select pg_temp.ran('91ef', 'completed', '2026-01-15 11:50+00', 'report', '{"work": "monthly"}');
select is(pg_temp.failed(), 'none', 'another run that does it makes up');

select pg_temp.ran('doc 1', 'failed', '2026-01-15 11:30+00', 'scan');
select pg_temp.ran('doc 2', 'completed', '2026-01-15 11:40+00', 'scan');
select is(pg_temp.failed(), 'scan 1 critical', 'else a task is its own work');
select monitoring.define_expected_runs('scan', '11:00');
select is(
    pg_temp.failed(), 'none', 'unless runs of its type are expected: then any run is the work'
);
select pg_temp.ran('doc 3', 'failed', '2026-01-15 11:55+00', 'other', '{"retries_left": 2}');
select is(pg_temp.failed(), 'other 1 medium', 'any program may say that it tries again');
select monitoring.set_alert_thresholds('task_failed', '{"critical": 5}', '{"task_type": "other"}');
select is(pg_temp.failed(), 'none', 'what passes no threshold is no alert all the same');

select * from finish(); -- noqa: AM04
rollback;
