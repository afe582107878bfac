-- The built-in rules about errors, health, queues and pgvigil itself in whole evaluations.

begin;
select plan(17);
\ir helpers/fixed_clock.psql
\ir helpers/jobs.psql
select monitoring.ensure_partitions(20);

-- Evaluates as of a time; what is open then, worst first.
create function pg_temp.open_at(p_now text) returns text
language plpgsql
as $$
begin
    perform set_config('monitoring.now', p_now, true);
    perform monitoring.evaluate_alerts();
    return (
        select string_agg(
            concat_ws(' ', a.rule_name, a.fingerprint, a.severity), ', '
            order by monitoring._severity_rank(a.severity) desc, a.rule_name, a.fingerprint
        )
        from monitoring.v_active_alerts as a
    );
end
$$;

-- Nothing recorded

select is(pg_temp.open_at('2026-01-15 12:00+00'), null, 'without anything recorded none opens');
select is(
    (select count(*) from monitoring.alert_rule_states where last_error is not null),
    0::bigint,
    'and no rule fails'
);

-- A queue, and whoever samples it

select monitoring.record_queue_metrics('q', 600, p_oldest_ready_seconds => 400);
select is(
    pg_temp.open_at('2026-01-15 12:01+00'),
    'queue_backlog q critical, queue_oldest_ready_age q medium',
    'one sample may pass thresholds of two rules'
);
select is(
    pg_temp.open_at('2026-01-15 13:30+00'),
    'queue_backlog q critical, queue_oldest_ready_age q medium',
    'when no more samples come nobody knows, and the alerts stay'
);
select is(
    pg_temp.open_at('2026-01-16 12:01+00'), null,
    'when the only queue is forgotten they resolve'
);

-- A component

select monitoring.update_system_health('service', 'api', 'degraded');
select is(
    pg_temp.open_at('2026-01-16 12:02+00'), 'component_unhealthy service/api medium',
    'a degraded component'
);
select monitoring.update_system_health('service', 'api', 'unhealthy');
select pg_temp.open_at('2026-01-16 12:03+00');
select monitoring.update_system_health('service', 'api', 'unknown');
select is(
    pg_temp.open_at('2026-01-16 12:04+00'), 'component_unhealthy service/api critical',
    'that gets worse is the same alert, and stays so while checks cannot tell'
);
select is(
    (select count(*) from monitoring.alerts where rule_name = 'component_unhealthy'),
    1::bigint,
    'there is one alert of it'
);
select monitoring.update_system_health('service', 'api', 'healthy');
select is(pg_temp.open_at('2026-01-16 12:05+00'), null, 'until one finds it healthy');
select is(
    pg_temp.open_at('2026-01-16 13:04+00'), 'component_silent service/api medium',
    'without checks it is silent'
);
select monitoring.update_system_health('service', 'api', 'unhealthy');
select pg_temp.open_at('2026-01-16 13:05+00');
select is(
    pg_temp.open_at('2026-01-23 13:04+00'), null,
    'after a week the only component counts as taken away, unhealthy or not'
);

-- Errors, and a rule that fails

select monitoring.record_error('t', 'E', 'critical', 'm', p_fingerprint => 'g')
from generate_series(1, 25);
select is(
    pg_temp.open_at('2026-01-23 13:05+00'), 'error_group_new g critical, errors_per_hour all low',
    'many errors of a new kind'
);
select monitoring.change_alert_rule('errors_per_hour', '{"parameters": {"by": "weekday"}}');
select is(
    pg_temp.open_at('2026-01-23 13:06+00'),
    'error_group_new g critical, rule_failed errors_per_hour high, errors_per_hour all low',
    'a rule that cannot be evaluated is found by that same evaluation, and its own alert stays'
);
select monitoring.change_alert_rule('errors_per_hour', '{"parameters": {"by": "all"}}');
select is(
    pg_temp.open_at('2026-01-23 13:07+00'), 'error_group_new g critical, errors_per_hour all low',
    'once it can it is all right'
);
select is(pg_temp.open_at('2026-01-23 14:05+00'), null, 'an hour later all is over');

-- The scheduler

select monitoring.define_job('count', '1 hour', 'errands.count_to_three');
select is(
    pg_temp.open_at('2026-01-23 14:10+00'), 'scheduler_late scheduler high, job_late count medium',
    'where nothing runs the jobs, the scheduler and its jobs are late'
);
select results_eq(
    $$
        select rule_name, suppressed_by from monitoring.v_active_alerts
        where rule_name in ('scheduler_late', 'job_late') order by rule_name
    $$,
    $$values ('job_late', 'inhibited by scheduler_late'), ('scheduler_late', null)$$,
    'but only the scheduler is told of'
);

select * from finish(); -- noqa: AM04
rollback;
