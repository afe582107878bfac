-- A named rules firing alert with equal labels keeps anothers from being told.

begin;
select plan(11);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql
\ir helpers/alert_engine.psql

insert into monitoring.alert_rules (rule_name, family, finder_name)
values ('down', 'self', '_find_scratch');
select monitoring.set_alert_thresholds('down', '{"critical": 0}');

create function pg_temp.suppressed() returns text
language sql
as $$
    select string_agg(concat_ws(' ', rule_name, fingerprint, suppressed_by), ', ' order by alert_id)
    from monitoring.v_active_alerts where suppressed_by is not null
$$;

-- Behaviour

select monitoring.define_inhibition('down', 'load', array['queue']);
select pg_temp.see('{"a": 20, "b": 20}');
select pg_temp.see('{"a": 1}', 'down');
select pg_temp.evaluate_at('12:00');
select is(
    pg_temp.suppressed(), 'load a inhibited by down',
    'what has the same label is inhibited, nothing else is'
);
select results_eq(
    'select source_rule, target_rule, equal_labels, is_enabled, changed_by is not null'
    ' from monitoring.v_inhibitions where source_rule = ''down''',
    $$values ('down', 'load', array['queue'], true, true)$$,
    'the inhibition is shown, and who said so'
);
select pg_temp.see('{}', 'down');
select pg_temp.evaluate_at('12:01');
select is(pg_temp.suppressed(), null, 'when the source has resolved it is not');

select monitoring.change_alert_rule('down', '{"for_seconds": 60}');
select pg_temp.see('{"a": 1}', 'down');
select pg_temp.evaluate_at('12:02');
select is(pg_temp.suppressed(), null, 'a pending source does not inhibit yet');
select pg_temp.evaluate_at('12:03');
select is(pg_temp.suppressed(), 'load a inhibited by down', 'once it fires it does');

select monitoring.define_inhibition('down', 'load');
select is(
    pg_temp.suppressed(), 'load a inhibited by down, load b inhibited by down',
    'without labels one alert inhibits all of the other rule'
);
select monitoring.define_inhibition('down', 'load', array['queue', 'team']);
select is(pg_temp.suppressed(), 'load a inhibited by down', 'a label that both lack is equal');
select monitoring.silence_alerts('{"queue": "a"}');
select matches(pg_temp.suppressed(), 'down a silence \d+', 'a silenced source');
select matches(pg_temp.suppressed(), 'load a silence \d+', 'and target name the silence');
select is(monitoring.remove_inhibition('down', 'load'), true, 'it can be taken back');

-- Refusals

select is(
    (pg_temp.refusal_of('monitoring.define_inhibition(''down'', ''nonsense'')')).message,
    'there is no alert rule "nonsense"',
    'a rule that does not exist is refused'
);

select * from finish(); -- noqa: AM04
rollback;
