-- How many alerts of one rule may be open: what comes beyond is told by one alert.

begin;
select plan(13);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql
\ir helpers/alert_engine.psql

select monitoring.set_name_limit('alerts', 10);

-- The rule "load" sees so many things from now on, of values 51 and up: all of them high.
create function pg_temp.see_many(p_first integer, p_last integer) returns void
language sql
as $$
    select pg_temp.see(jsonb_object_agg('q' || lpad(n::text, 4, '0'), 50 + n))
    from generate_series(p_first, p_last) as n
$$;

create temporary view told as
select
    a.fingerprint collate "C" as fingerprint,
    a.severity,
    a.value,
    a.summary
from monitoring.v_active_alerts as a
where a.rule_name = 'load';

-- Behaviour

select pg_temp.see_many(1, 10);
select is(
    pg_temp.evaluate_at('12:00'), 'opened 10 raised 0 resolved 0', 'as many as the limit are told'
);
select is_empty(
    $$select from told where fingerprint = '(more)'$$, 'one by one, and nothing beside them'
);

select pg_temp.see_many(1, 15);
select is(pg_temp.evaluate_at('12:01'), 'opened 1 raised 0 resolved 0', 'five more are one alert');
select results_eq(
    $$select value, severity, summary from told where fingerprint = '(more)'$$,
    $$
        values (
            5::double precision, 'high',
            '5 more alerts than the 10 that are reported one by one, such as: load of q0011 is 61'
        )
    $$,
    'which says how many there are, and of what kind'
);

select pg_temp.see_many(6, 15);
select is(
    pg_temp.evaluate_at('12:02'), 'opened 5 raised 0 resolved 6',
    'where others have gone there is room for them, and the one that stood for them goes as well'
);
select set_eq(
    $$select fingerprint from told$$,
    $$select 'q' || lpad(n::text, 4, '0') from generate_series(6, 15) as n$$,
    'what is left is told one by one'
);

-- What is open stays what it is, whatever else there is

select pg_temp.see('{"a critical one": 5000, "b critical one": 6000}');
insert into scratch.findings (finding)
select row('q' || lpad(n::text, 4, '0'), 50 + n, '{}', null, null, null)::monitoring.finding
from generate_series(6, 15) as n;
select is(
    pg_temp.evaluate_at('12:04'), 'opened 1 raised 0 resolved 0', 'open ones make no room for worse'
);
select results_eq(
    $$select value, severity from told where fingerprint = '(more)'$$,
    $$values (2::double precision, 'critical')$$,
    'but the alert that stands for those beyond is as bad as the worst of them'
);

-- Boundaries

select monitoring.set_name_limit('alerts', 100000);
select pg_temp.see('{"(more)": 60}');
select pg_temp.evaluate_at('12:05');
select is(
    (select summary from told where fingerprint = '(more)'), 'load of (more) is 60',
    'what a rule itself calls so is told like anything else'
);

select monitoring.set_name_limit('alerts', null, 'ann');
select results_eq(
    $$select at_most, changed_by, changed_at from monitoring.v_name_limits where kind = 'alerts'$$,
    $$values (500, null::text, null::timestamptz)$$,
    'a limit that is given back is the one that we ship'
);

select pg_temp.see_many(1, 20000);
select pg_temp.evaluate_at('12:06');
select is(
    (select count(*) from told), 501::bigint, 'twenty thousand findings are 501 alerts'
);

-- Refusals

select
    results_eq(
        format('select * from pg_temp.refusal_of(%L)', call),
        format('values (%L, %L, %L)', code, message, hint),
        call || ' is refused'
    )
from (
    values
    (
        'monitoring.set_name_limit(''alerts'', 9)', 'PV004', 'p_at_most is out of range: 9',
        'Give p_at_most as a number from 10 to 100000.'
    ),
    (
        'monitoring.set_name_limit(''colours'', 90)', 'PV003', 'kind is not known: "colours"',
        'Use one of: alerts, error_groups, errors, health, metrics, queues, tasks.'
    )
) as refused (call, code, message, hint);

select * from finish(); -- noqa: AM04
rollback;
