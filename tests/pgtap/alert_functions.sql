-- The functions by which families of rules are evaluated, and who may call them.

begin;
select plan(14);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql
\ir helpers/alert_engine.psql

insert into monitoring.alert_rules (rule_name, family, finder_name)
select
    f.family || ' rule' as rule_name,
    f.family,
    '_find_scratch' as finder_name
from unnest(array['errors', 'processing', 'health', 'queues']) as f (family);
do $$
declare
    v_family text;
begin
    foreach v_family in array array['errors', 'processing', 'health', 'queues'] loop
        perform monitoring.set_alert_thresholds(v_family || ' rule', '{"low": 10, "high": 50}');
        perform pg_temp.see('{"a": 20, "b": 20}', v_family || ' rule');
    end loop;
end
$$;

-- Behaviour

select is(monitoring.check_error_rate_alerts(), 2, 'two alerts about errors open');
select is(
    (select string_agg(distinct rule_name, ', ') from monitoring.v_active_alerts), 'errors rule',
    'and no others'
);
select is(monitoring.check_error_rate_alerts(), 0, 'found again they count no more');
select is(monitoring.check_processing_performance_alerts(), 2, 'two about tasks');
select is(monitoring.check_system_health_alerts(), 2, 'two about components');
select is(monitoring.check_queue_backlog_alerts(), 2, 'two about queues');

select pg_temp.see('{"a": 100, "c": 20}', 'errors rule');
select is(monitoring.check_error_rate_alerts(), 2, 'one that rises counts as one that opens');
select is(
    (select count(*) from monitoring.v_active_alerts where rule_name = 'errors rule'), 3::bigint,
    'what has cleared still fires'
);
select is(monitoring.resolve_resolved_alerts(), 1, 'until cleared ones are resolved');
select is(
    monitoring.evaluate_alerts('2026-01-15 12:30+00') - 'queued',
    '{"opened": 0, "raised": 0, "resolved": 0}',
    'evaluate_alerts() does it all'
);
select is(
    (select max(last_seen_at) from monitoring.v_active_alerts), '2026-01-15 12:30+00'::timestamptz,
    'as of the time that it is given'
);
select is(
    monitoring.clock(), '2026-01-15 12:00+00'::timestamptz, 'and leaves the clock as it was'
);

-- Who may

set local role monitoring_operator;
select lives_ok(
    $$
        select monitoring.acknowledge_alert(alert_id), monitoring.silence_alerts(labels)
        from monitoring.v_active_alerts limit 1
    $$,
    'operators may acknowledge and silence'
);
set local role monitoring_reader;
select throws_ok(
    'select monitoring.acknowledge_alert((select min(alert_id) from monitoring.v_active_alerts))',
    '42501',
    null,
    'readers may only look'
);
reset role;

select * from finish(); -- noqa: AM04
rollback;
