-- for a time, and for a number of evaluations: an alert waits before it fires.

begin;
select plan(13);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql
\ir helpers/alert_engine.psql

-- Behaviour: for a time

select monitoring.change_alert_rule('load', '{"for_seconds": 300}');
select pg_temp.see('{"a": 60}');
select is(pg_temp.evaluate_at('12:00'), 'opened 0 raised 0 resolved 0', 'it opens nothing yet');
select is(pg_temp.open_alerts(), 'a high pending', 'it is pending');
select is_empty('select * from monitoring.v_active_alerts', 'and not among the active ones');
select pg_temp.evaluate_at('12:04:59');
select is(pg_temp.open_alerts(), 'a high pending', 'a second early it still is');
select is(pg_temp.evaluate_at('12:05'), 'opened 1 raised 0 resolved 0', 'after the time it fires');
select is(
    (select fired_at - started_at from monitoring.v_active_alerts), interval '5 minutes',
    'it tells both times'
);
select is(pg_temp.history_of('a'), 'pending high, firing high', 'history has both');

-- Behaviour: gone in between

select pg_temp.see('{"b": 60}');
select pg_temp.evaluate_at('12:06');
select pg_temp.see('{}');
select pg_temp.evaluate_at('12:10');
select pg_temp.see('{"b": 60}');
select pg_temp.evaluate_at('12:11');
select pg_temp.evaluate_at('12:15');
select is(pg_temp.open_alerts(), 'b high pending', 'gone in between, it waits anew');
select is(
    pg_temp.history_of('b'), 'pending high, dropped high, pending high', 'history tells of it'
);

-- Behaviour: for a number of evaluations

select monitoring.change_alert_rule('load', '{"for_seconds": 0, "for_evaluations": 3}');
select pg_temp.see('{"c": 60}');
select pg_temp.evaluate_at('13:00');
select pg_temp.evaluate_at('13:01');
select is(pg_temp.open_alerts(), 'c high pending', 'two evaluations of three are not enough');
select pg_temp.evaluate_at('13:02');
select is(pg_temp.open_alerts(), 'c high firing', 'three are');

-- Behaviour: both

select monitoring.change_alert_rule('load', '{"for_seconds": 60, "for_evaluations": 2}');
select pg_temp.see('{"d": 60}');
select pg_temp.evaluate_at('14:00');
select pg_temp.evaluate_at('14:00:30');
select is(pg_temp.open_alerts(), 'd high pending', 'often enough is not long enough');
select pg_temp.evaluate_at('14:01');
select is(pg_temp.open_alerts(), 'd high firing', 'both together are');

select * from finish(); -- noqa: AM04
rollback;
