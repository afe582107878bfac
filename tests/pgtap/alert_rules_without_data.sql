-- No data and failures: each rule says what they mean, and stops no other.

begin;
select plan(16);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql
\ir helpers/alert_engine.psql

-- A rule that fails when it sees a value of 666, beside one that does not.
create function monitoring._find_or_fail(p_rule monitoring.alert_rules, p_now timestamptz)
returns setof monitoring.finding
language plpgsql
as $$
begin
    if exists (select from scratch.findings f where (f.finding).value = 666) then
        raise 'no such luck';
    end if;
    return query select f.* from monitoring._find_scratch(p_rule, p_now) f;
end
$$;

insert into monitoring.alert_rules (rule_name, family, finder_name)
values ('brittle', 'errors', '_find_or_fail');
select monitoring.set_alert_thresholds('brittle', '{"low": 1}');

-- Behaviour: nothing to measure at all

select pg_temp.see('{"a": 20}');
select pg_temp.evaluate_at('12:00');
select pg_temp.see('{}');
select monitoring.change_alert_rule('load', '{"no_data": "keep"}');
select pg_temp.evaluate_at('12:01');
select is(pg_temp.open_alerts(), 'a medium firing', 'no data may mean that all stays as it is');
select monitoring.change_alert_rule('load', '{"no_data": "alert"}');
select pg_temp.evaluate_at('12:02');
select is(pg_temp.open_alerts(), 'a medium firing, no data high firing', 'or an alert of its own');
select is(
    (select summary from monitoring.alerts where fingerprint = 'no data'),
    'rule load has nothing to measure',
    'that says so'
);
select pg_temp.see('{"a": 20}');
select pg_temp.evaluate_at('12:03');
select is(pg_temp.open_alerts(), 'a medium firing', 'which resolves when there is data again');

-- Behaviour: nothing to measure about one thing

select pg_temp.see('{"a": null, "b": null}');
select pg_temp.evaluate_at('12:04');
select is(
    pg_temp.open_alerts(), 'a high firing, b high firing', 'a thing without a value is told as such'
);
select monitoring.change_alert_rule('load', '{"no_data": "keep"}');
select pg_temp.see('{"a": null, "c": null}');
select pg_temp.evaluate_at('12:05');
select is(pg_temp.open_alerts(), 'a high firing', 'or stays as it is');
select monitoring.change_alert_rule('load', '{"no_data": "ok"}');
select pg_temp.evaluate_at('12:06');
select is(pg_temp.open_alerts(), null, 'or is all right');

-- Behaviour: rules that fail

select pg_temp.see('{"x": 5}', 'brittle');
select pg_temp.see('{"a": 20}');
select pg_temp.evaluate_at('13:00');
select monitoring.change_alert_rule('brittle', '{"keep_firing_seconds": 60}');
select pg_temp.see('{}', 'brittle');
select pg_temp.evaluate_at('13:00:30');
insert into scratch.findings (rule_name, finding)
values ('watched', row('x', 666, '{}', 's', null, null));
select pg_temp.see('{"a": 20, "b": 20}');
select is(
    pg_temp.evaluate_at('13:01'), 'opened 1 raised 0 resolved 0', 'a rule that fails stops no other'
);
select is(
    pg_temp.open_alerts(), 'a medium firing, b medium firing, x low firing', 'its alerts stay'
);
select results_eq(
    $$
        select evaluations::integer, failures::integer, consecutive_failures::integer,
            last_error collate "default", last_failed_at
        from monitoring.v_alert_rules where rule_name = 'brittle'
    $$,
    $$values (10, 1, 1, 'no such luck', '2026-01-15 13:01+00'::timestamptz)$$,
    'why it failed is shown'
);
select pg_temp.evaluate_at('13:01:30');
select is(
    pg_temp.open_alerts(), 'a medium firing, b medium firing, x low firing',
    'what was gone before does not resolve while nobody can look'
);
select monitoring.change_alert_rule('brittle', '{"on_error": "ok"}');
select pg_temp.evaluate_at('13:02');
select is(
    pg_temp.open_alerts(), 'a medium firing, b medium firing', 'or clear, where the rule says so'
);
select is(
    (select consecutive_failures from monitoring.v_alert_rules where rule_name = 'brittle'),
    3::bigint,
    'how often in a row is counted'
);
delete from scratch.findings where rule_name = 'watched';
select pg_temp.evaluate_at('13:03');
select is(
    (
        select concat_ws(' ', failures, consecutive_failures, last_error)
        from monitoring.v_alert_rules where rule_name = 'brittle'
    ),
    '3 0',
    'a success ends the row'
);

-- Behaviour: rules that take too long

select monitoring.change_alert_rule('brittle', '{"time_limit_seconds": 1}');
create or replace function monitoring._find_or_fail(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
as $$
begin
    perform pg_sleep(1.05);
    return next row('slow', 5, '{}', 'found all the same', null, null)::monitoring.finding;
end
$$;
select pg_temp.evaluate_at('13:04');
select matches(
    (select last_error from monitoring.v_alert_rules where rule_name = 'brittle'),
    '^took 1(\.\d)? s, more than its limit of 1 s$',
    'one that takes too long has failed'
);
select is(
    (
        select format('%s, %s', pg_temp.open_alerts(), paused_until_at > '2026-01-15 13:04+00')
        from monitoring.v_alert_rules where rule_name = 'brittle'
    ),
    'a medium firing, b medium firing, slow low firing, t',
    'what it found counts, and it is paused'
);

select * from finish(); -- noqa: AM04
rollback;
