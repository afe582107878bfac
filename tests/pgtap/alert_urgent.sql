-- What does not wait for the next minute, and what does.

begin;
select plan(15);
\ir helpers/fixed_clock.psql

create function pg_temp.is_requested() returns boolean
language sql
as $$ select requested_at is not null from monitoring.jobs where job_name = 'evaluate_alerts' $$;

-- As though the job had run at that time.
create function pg_temp.evaluated(p_at text) returns void
language sql
as $$
    select pg_temp.set_clock(p_at);
    select monitoring.evaluate_alerts();
    update monitoring.jobs set requested_at = null, last_started_at = p_at::timestamptz
    where job_name = 'evaluate_alerts';
$$;

select ok(
    not monitoring.request_urgent_evaluation(), 'before the job has ever run, nothing is urgent'
);
select pg_temp.evaluated('2026-01-15 12:00+00');
select ok(not monitoring.request_urgent_evaluation(), 'nor where nothing has come up');

-- Expected runs
select monitoring.define_expected_runs('etl', '12:10', p_grace => '5 minutes');
select pg_temp.evaluated('2026-01-15 12:14+00');
select pg_temp.set_clock('2026-01-15 12:14:59+00');
select ok(not monitoring.request_urgent_evaluation(), 'a run may come until its grace is over');
select pg_temp.set_clock('2026-01-15 12:15:02+00');
select ok(monitoring.request_urgent_evaluation(), 'one whose grace is over is urgent');
select ok(pg_temp.is_requested(), 'and so the job is due');
select ok(not monitoring.request_urgent_evaluation(), 'once');
select pg_temp.evaluated('2026-01-15 12:15:03+00');
select pg_temp.set_clock('2026-01-15 12:15:06+00');
select ok(
    not monitoring.request_urgent_evaluation(), 'what has been evaluated is urgent no longer'
);

-- Errors
select monitoring.record_error(null, 'Crash', 'high', 'boom');
select ok(not monitoring.request_urgent_evaluation(), 'an error of severity high can wait');
select monitoring.record_error(null, 'Crash', 'critical', 'boom');
select ok(monitoring.request_urgent_evaluation(), 'a critical one is urgent');
select pg_temp.evaluated('2026-01-15 12:15:09+00');
select pg_temp.set_clock('2026-01-15 12:15:20+00');
select monitoring.record_error(null, 'Crash', 'critical', 'boom');
select ok(
    not monitoring.request_urgent_evaluation(), 'one that comes again within a minute is known'
);

-- Components
select pg_temp.evaluated('2026-01-15 13:00+00');
insert into monitoring.component_states (
    component_name, component_type, checked_at, status, probe_id
)
values ('db', 'database', '2026-01-15 13:00+00', 'healthy', 1);
select pg_temp.set_clock('2026-01-15 13:00:10+00');
select monitoring.update_system_health('database', 'db', 'unhealthy');
select ok(
    monitoring.request_urgent_evaluation(), 'a component that has become unhealthy is urgent'
);
select pg_temp.evaluated('2026-01-15 13:00:12+00');
update monitoring.component_states set status = 'unhealthy';
select pg_temp.set_clock('2026-01-15 13:00:20+00');
select monitoring.update_system_health('database', 'db', 'unhealthy');
select ok(not monitoring.request_urgent_evaluation(), 'one that stays so is not');

-- Alerts of others
select pg_temp.evaluated('2026-01-15 14:00+00');
select pg_temp.set_clock('2026-01-15 14:00:10+00');
select monitoring.raise_alert('backup.sh', 'disk', 'medium', 'the disk fills up');
select ok(not monitoring.request_urgent_evaluation(), 'what others call medium can wait');
select monitoring.raise_alert('backup.sh', 'tape', 'high', 'the tape is torn');
select ok(monitoring.request_urgent_evaluation(), 'what they call high is urgent');
select pg_temp.evaluated('2026-01-15 14:00:12+00');

select monitoring.disable_job('evaluate_alerts');
select monitoring.record_error(null, 'Crash', 'critical', 'boom');
select ok(
    not monitoring.request_urgent_evaluation(), 'where people have switched the job off, nothing is'
);

select * from finish(); -- noqa: AM04
rollback;
