-- Whether pgvigil says when it does not keep up itself.

begin;
select plan(28);
\ir helpers/fixed_clock.psql
-- Details tell times as the session's settings say.
set local timezone = 'UTC';
\ir helpers/jobs.psql

-- The partitions of the days that the clock stands at.
select monitoring.ensure_partitions(9);

prepare complaints as
select
    check_name,
    status,
    lateness
from monitoring.self_check()
where status <> 'ok'
order by check_name;

-- Interface

select results_eq(
    'select * from monitoring.self_check()',
    $$
        values
        ('scheduler', 'ok', interval '0', 'nothing has run yet, jobs due: 0'),
        ('roll-ups', 'ok', interval '0', 'never rolled up'),
        ('partitions', 'ok', interval '0', 'today''s and tomorrow''s are there'),
        ('retention', 'ok', interval '0', 'all that is due has been removed'),
        ('alerts', 'ok', interval '0', 'rules are not to be evaluated'),
        ('notifications', 'ok', interval '0', 'none is overdue')
    $$,
    'where nothing is to be done all is well'
);

set local role monitoring_reader;
select is_empty('execute complaints', 'readers may ask');
reset role;

-- Behaviour: the scheduler

select monitoring.define_job('count', '1 hour', 'errands.count_to_three');
select monitoring.define_job('later', '1 hour', 'errands.count_to_three');
select pg_temp.at_time('2026-01-15 12:03+00');
select is_empty('execute complaints', 'three minutes late is not late');
select pg_temp.at_time('2026-01-15 12:03:01+00');

select results_eq(
    'execute complaints',
    $$
        values
        ('job count', 'late', interval '3 minutes 1 second'),
        ('job later', 'late', interval '3 minutes 1 second'),
        ('scheduler', 'late', interval '3 minutes 1 second')
    $$,
    'a scheduler that has never come is late, and so is each job'
);

select results_eq(
    $$select detail from monitoring.self_check() where status = 'late' order by check_name$$,
    $$
        values
        ('due since 2026-01-15 12:00:00+00'),
        ('due since 2026-01-15 12:00:00+00'),
        ('nothing has run yet, jobs due: 2')
    $$,
    'the details say since when'
);

select monitoring._claim_job('2026-01-15 12:03:01+00', null);
select monitoring._run_job('count');

select results_eq(
    'execute complaints',
    $$values ('job later', 'late', interval '3 minutes 1 second')$$,
    'while it begins other jobs, one that is late is a matter of its own'
);

select is(
    (select detail from monitoring.self_check() where check_name = 'scheduler'),
    'last run began at 2026-01-15 12:03:01+00, jobs due: 1',
    'the scheduler is then in time'
);

select pg_temp.run_due();
select is_empty('execute complaints', 'when all was done all is well');

-- Behaviour: disabled and requested jobs

select monitoring.disable_job('later');
select pg_temp.at_time('2026-01-15 13:00+00');
select pg_temp.run_due();
select pg_temp.at_time('2026-01-15 13:59+00');
select is_empty('execute complaints', 'a disabled job is never late');
select monitoring.request_job('later');
select pg_temp.at_time('2026-01-15 13:59:50+00');
select is_empty('execute complaints', 'a requested one has the same three minutes');

-- Behaviour: failing jobs

create function errands.fail() returns void
language plpgsql
as $$ begin raise 'no such luck' using hint = 'Try again.'; end $$;

select monitoring.define_job('bad', '1 hour', 'errands.fail');
select pg_temp.run_due();

select results_eq(
    'execute complaints',
    $$values ('job bad', 'failed', interval '0')$$,
    'a job that did not complete has failed'
);

select is(
    (select detail from monitoring.self_check() where check_name = 'job bad'),
    '1 in a row did not complete, the last: failed: no such luck',
    'the detail says how often and why'
);

select monitoring.disable_job('bad');
select is_empty('execute complaints', 'a disabled one is nobody''s concern');

-- Behaviour: runs that do not end

delete from monitoring.jobs;
select monitoring.define_job('count', '1 day', 'errands.count_to_three', 'UTC', '1 minute');
select monitoring._claim_job('2026-01-15 13:59:50+00', null);
select monitoring._is_own_run('count');
select pg_temp.at_time('2026-01-15 14:03:50+00');
select is_empty('execute complaints', 'a run may outlast its timeout by three minutes');
select pg_temp.at_time('2026-01-15 14:03:52+00');

select results_eq(
    'select * from monitoring.self_check() where status <> ''ok''',
    $$
        values ('job count', 'late', interval '3 minutes 2 seconds',
            'still running 4 min 2 s after its start')
    $$,
    'then it is late'
);

-- Behaviour: partitions

-- The clock goes on by more than a week, and these would be due.
select monitoring.set_retention(table_name, '1 year')
from unnest(array['metric_samples', 'queue_samples']) as table_name;

delete from monitoring.jobs;
select pg_temp.at_time('2026-01-24 10:00+00');

select results_eq(
    'select check_name, status, lateness from monitoring.self_check() where status <> ''ok''',
    $$values ('partitions', 'late', interval '10 hours')$$,
    'without the partitions of the next day it is late since this day began'
);

drop table monitoring.errors_20260124;

select results_eq(
    $$select status, detail from monitoring.self_check() where check_name = 'partitions'$$,
    $$values ('failed', 'without today''s: errors')$$,
    'without one of today it has failed'
);

select monitoring.ensure_partitions();
select is_empty('execute complaints', 'once they are made all is well');

-- Behaviour: roll-ups and retention

select monitoring.roll_up();

select results_eq(
    $$select status, lateness, detail from monitoring.self_check() where check_name = 'roll-ups'$$,
    $$values ('ok', interval '0', 'rolled up at 2026-01-24 10:00:00+00')$$,
    'roll-ups that have just been made are in time'
);

select pg_temp.at_time('2026-01-24 10:03:01+00');

select results_eq(
    $$select status, lateness from monitoring.self_check() where check_name = 'roll-ups'$$,
    $$values ('late', interval '3 minutes 1 second')$$,
    'after more than three minutes they are late'
);

update monitoring.rollup_progress set rolled_up_at = null;
select monitoring.record_queue_metrics('q', 1);

select results_eq(
    $$select status, detail from monitoring.self_check() where check_name = 'roll-ups'$$,
    $$values ('ok', 'never rolled up')$$,
    'before the first time they have as long from the installation on'
);

select monitoring.prepare_backfill('errors', '2025-10-01');

select results_eq(
    $$
        select status, lateness, detail from monitoring.self_check()
        where check_name = 'retention'
    $$,
    $$
        values ('late', '2026-01-24 10:03:01+00'::timestamptz - interval '30 days'
            - '2025-10-02 00:00+00'::timestamptz, 'behind with errors')
    $$,
    'rows that are still there a day after they were due make retention late'
);

-- Behaviour: alerts

delete from monitoring.alert_rule_states;
select monitoring.define_job('evaluate_alerts', '1 minute', 'monitoring.clock');

select results_eq(
    $$select status, lateness, detail from monitoring.self_check() where check_name = 'alerts'$$,
    $$values ('ok', interval '0', 'no rule has been evaluated yet')$$,
    'before the first time rules have as long to be evaluated from the installation on'
);

insert into monitoring.alert_rule_states (rule_name, evaluated_at, duration_ms, findings)
values
('queue_backlog', '2026-01-24 10:00+00', 1, 0), ('job_failed', '2026-01-23 10:00+00', 1, 0);
select pg_temp.at_time('2026-01-24 10:03+00');

select results_eq(
    $$select status, lateness, detail from monitoring.self_check() where check_name = 'alerts'$$,
    $$values ('ok', interval '3 minutes', 'rules evaluated at 2026-01-24 10:00:00+00')$$,
    'three minutes after any rule was evaluated alerts are in time'
);

select pg_temp.at_time('2026-01-24 10:03:01+00');

select results_eq(
    $$select status, lateness from monitoring.self_check() where check_name = 'alerts'$$,
    $$values ('late', interval '3 minutes 1 second')$$,
    'after more they are late'
);

select monitoring.disable_job('evaluate_alerts');

select results_eq(
    $$select status, detail from monitoring.self_check() where check_name = 'alerts'$$,
    $$values ('ok', 'rules are not to be evaluated')$$,
    'where the job is disabled nobody waits for it'
);

-- Behaviour: notifications

insert into monitoring.queued_notifications (
    channel_name, target, kind, subject, body, payload, created_at, status, next_attempt_at,
    finished_at
)
values
(
    'ops', 'MAIL', 'test', 's', 'b', '{}', '2026-01-24 09:00+00', 'waiting', '2026-01-24 10:00+00',
    'infinity'
),
(
    'ops', 'MAIL', 'test', 's', 'b', '{}', '2026-01-24 09:00+00', 'sent', '2026-01-24 09:00+00',
    '2026-01-24 09:00+00'
),
(
    'ops', 'CHAT', 'test', 's', 'b', '{}', '2026-01-23 09:00+00', 'dead', '2026-01-23 09:00+00',
    '2026-01-23 10:10:00.5+00'
);

select pg_temp.at_time('2026-01-24 10:10:01+00');

select results_eq(
    $$
        select status, lateness, detail from monitoring.self_check()
        where check_name = 'notifications'
    $$,
    $$values ('late', interval '10 minutes 1 second', 'overdue: 1')$$,
    'a message that should have been sent more than ten minutes ago makes notifications late'
);

select pg_temp.at_time('2026-01-24 10:10+00');

select results_eq(
    $$
        select status, lateness, detail from monitoring.self_check()
        where check_name = 'notifications'
    $$,
    $$values ('failed', interval '10 minutes', 'given up within a day: 1, to CHAT')$$,
    'one that was given up within the last 24 hours makes them failed'
);

select * from finish(); -- noqa: AM04
rollback;
