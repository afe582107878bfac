-- Rule task_failed: tasks whose last attempt did not succeed.

begin;
select plan(18);
\ir helpers/fixed_clock.psql
\ir helpers/findings.psql

create function pg_temp.ran(
    p_task_id text, p_status text, p_end timestamptz default monitoring.clock(),
    p_task_type text default 'etl'
) returns boolean
language plpgsql
as $$
begin
    perform monitoring.start_task_tracking(
        p_task_id, p_task_type, p_started_at => p_end - interval '1 minute'
    );
    return monitoring.complete_task_tracking(p_task_id, p_status, p_finished_at => p_end);
end
$$;

-- Interface

select results_eq(
    $$
        select t.low, t.medium, t.high, t.critical, r.comparison
        from monitoring.alert_rules as r
        inner join monitoring.alert_thresholds as t on r.rule_name = t.rule_name
        where r.rule_name = 'task_failed'
    $$,
    $$values (null::float8, null::float8, null::float8, 1::float8, '>=')$$,
    'one failed task is critical'
);
select is_empty($$select * from pg_temp.findings_of('task_failed')$$, 'at first none has failed');

-- Behaviour

select pg_temp.ran('a', 'completed');
select pg_temp.ran('b', 'cancelled');
select is_empty(
    $$select * from pg_temp.findings_of('task_failed')$$,
    'neither what completed nor what was cancelled has failed'
);

select pg_temp.ran('c', 'failed', '2026-01-15 11:00+00');
select results_eq(
    $$select fingerprint, value, labels, summary from pg_temp.findings_of('task_failed')$$,
    $$
        values (
            'etl', 1::float8, '{"task_type": "etl"}'::jsonb,
            'task type etl: 1 task failed in 24 hours and has not completed since: c'
        )
    $$,
    'what failed has'
);

select pg_temp.ran('d', 'timeout', '2026-01-15 11:10+00');
select pg_temp.ran('e', 'lost', '2026-01-15 11:20+00');
select pg_temp.ran('f', 'failed', '2026-01-15 11:30+00');
select pg_temp.ran('g', 'failed', '2026-01-15 11:30+00', 'ocr');
select results_eq(
    $$select fingerprint, value, summary from pg_temp.findings_of('task_failed') order by 1$$,
    $$
        values
        (
            'etl', 4::float8,
            'task type etl: 4 tasks failed in 24 hours and have not completed since: f, e, d ...'
        ),
        ('ocr', 1, 'task type ocr: 1 task failed in 24 hours and has not completed since: g')
    $$,
    'as have those that timed out or got lost; the newest are named'
);

select monitoring.start_task_tracking('c', 'etl');
select is(
    (select value from pg_temp.values_of('task_failed') where fingerprint = 'etl'), 4.000,
    'one that was started again has not completed yet'
);
select monitoring.complete_task_tracking('c', 'failed');
select is(
    (select value from pg_temp.values_of('task_failed') where fingerprint = 'etl'), 4.000,
    'if it fails again it is still one task'
);
select pg_temp.ran('c', 'completed');
select is(
    (select value from pg_temp.values_of('task_failed') where fingerprint = 'etl'), 3.000,
    'once it has completed it counts no longer'
);
select pg_temp.ran('d', 'cancelled');
select is(
    (select value from pg_temp.values_of('task_failed') where fingerprint = 'etl'), 2.000,
    'nor when it was started again and cancelled'
);

-- Boundaries

select is_empty(
    $$
        select * from pg_temp.values_of('task_failed', '2026-01-16 11:30+00')
        where fingerprint = 'ocr'
    $$,
    'what failed a day ago is over'
);
select results_eq(
    $$select * from pg_temp.values_of('task_failed', '2026-01-16 11:29:59.999999+00')$$,
    $$values ('etl', 1.000), ('ocr', 1.000)$$,
    'a moment before it is not'
);
select results_eq(
    $$select * from pg_temp.values_of('task_failed', '2026-01-15 11:20+00')$$,
    $$values ('etl', 1.000)$$,
    'looking back, what had failed by then and has not completed to this day'
);
update monitoring.unsuccessful_attempts set task_type = null, status = null where task_id = 'g';
select is_empty(
    $$select * from pg_temp.values_of('task_failed') where fingerprint = 'ocr'$$,
    'attempts from before types were noted pass'
);

-- One alert for each task

select pg_temp.set_parameter('task_failed', 'by', '"task"');
select results_eq(
    $$
        select fingerprint, value, labels, summary
        from pg_temp.findings_of('task_failed') order by 1
    $$,
    $$
        values
        (
            'e', 1::float8, '{"task_id": "e", "task_type": "etl"}'::jsonb,
            'task e of type etl: got lost'
        ),
        ('f', 1, '{"task_id": "f", "task_type": "etl"}', 'task f of type etl: failed')
    $$,
    'each task can be an alert of its own'
);

-- Names

select pg_temp.ran(n.name || m, 'failed', p_task_type => n.name)
from (values ('it''s "größer" \ %s'), (repeat('ä', 254)), (repeat('😀', 254))) as n (name),
    generate_series(1, 4) as m;

select is(
    (
        select count(distinct fingerprint) from pg_temp.findings_of('task_failed')
        where length(fingerprint) <= 255 and length(summary) <= 500
    ),
    14::bigint,
    'any name will do, of any length'
);
select pg_temp.set_parameter('task_failed', 'by', '"task_type"');
select is_empty(
    $$
        select * from pg_temp.findings_of('task_failed')
        where fingerprint <> 'etl' and value <> 4
            or length(fingerprint) > 255 or length(summary) > 500 or summary is null
    $$,
    'of types as of tasks'
);

-- What rules ask must be quick, however many have failed.

insert into monitoring.unsuccessful_attempts (task_id, attempt, finished_at, task_type, status)
select
    'old ' || n as task_id,
    1 as attempt,
    timestamptz '2026-01-01 00:00+00' + n * interval '1 second' as finished_at,
    'etl' as task_type,
    'failed' as status
from generate_series(1, 20000) as n;
analyze monitoring.unsuccessful_attempts;
\ir helpers/plans.psql
select results_eq(
    $$
        select * from pg_temp.reads_of(
            'select count(*) from monitoring.unsuccessful_attempts as u'
            ' where u.finished_at > ''2026-01-14 12:00+00'' and u.finished_at <= ''2026-01-15 12:00+00'''
        )
    $$,
    $$values ('unsuccessful_attempts', 'unsuccessful_attempts_time_ix')$$,
    'those of the last day are found by an index'
);
select is(
    (select value from pg_temp.values_of('task_failed') where fingerprint = 'etl'), 2.000,
    'and those before do not count'
);

select * from finish(); -- noqa: AM04
rollback;
