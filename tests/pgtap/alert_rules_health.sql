-- The built-in rules component_unhealthy and component_silent.

begin;
select plan(17);
\ir helpers/fixed_clock.psql
\ir helpers/judging.psql
\ir helpers/rolled_up.psql

create function pg_temp.check_component(
    p_name text, p_at text, p_status text, p_reason text default null, p_type text default 'service'
) returns bigint
language sql
as $$
    select monitoring.update_system_health(
        p_type, p_name, p_status, p_failure_reason => p_reason,
        p_checked_at => p_at::timestamptz
    )
$$;

-- Nothing recorded

select is_empty(
    $$select * from pg_temp.find('component_unhealthy')$$, 'without checks nothing is found'
);
select is_empty(
    $$select * from pg_temp.find('component_silent')$$, 'nor is anything silent'
);

-- Unhealthy

select pg_temp.check_component(name, at, status, reason)
from (
    values
    ('api', '2026-01-15 11:50+00', 'unhealthy', 'before'),
    ('api', '2026-01-15 11:59+00', 'healthy', null),
    ('mail', '2026-01-15 11:59+00', 'degraded', 'slow'),
    ('db', '2026-01-15 12:00+00', 'unhealthy', 'no connection'),
    ('db', '2026-01-15 12:00:00.000001+00', 'healthy', null),
    ('disk', '2026-01-15 11:58+00', 'unknown', null)
) as told (name, at, status, reason);

select results_eq(
    $$
        select fingerprint, value, severity, summary
        from pg_temp.judge('component_unhealthy') order by fingerprint
    $$,
    $$
        values
        ('service/api', 0::double precision, null, 'service api is healthy'),
        ('service/db', 2, 'critical', 'service db is unhealthy: no connection'),
        ('service/disk', null, null, 'service disk is unknown'),
        ('service/mail', 1, 'medium', 'service mail is degraded: slow')
    $$,
    'the newest check up to now says how a component is; one that could not tell is no data'
);

select is(
    (select labels from pg_temp.find('component_unhealthy') where fingerprint = 'service/db'),
    '{"component": "db", "component_type": "service"}',
    'a finding names the component and its type'
);

select is(
    (select no_data from monitoring.alert_rules where rule_name = 'component_unhealthy'),
    'keep',
    'while nobody can tell, what was known stays'
);

-- Times gone by, rolled up or not

prepare past as
select
    fingerprint,
    value
from pg_temp.find('component_unhealthy', '2026-01-15 11:55+00')
order by fingerprint;

select results_eq(
    'execute past',
    $$values ('service/api', 2::double precision)$$,
    'of a time gone by it is found how things were then'
);

select pg_temp.check_component('api', '2026-01-15 11:50+00', 'degraded', 'the later of two');
select monitoring._merge_component_states(9223372036854775807, '{}');
select pg_temp.take_all();

select results_eq(
    'execute past',
    $$values ('service/api', 1::double precision)$$,
    'after a roll-up too, and of two checks at once the later recorded counts'
);

select results_eq(
    $$select fingerprint, value from pg_temp.find('component_unhealthy') order by fingerprint$$,
    $$
        values
        ('service/api', 0::double precision),
        ('service/db', 2),
        ('service/disk', null),
        ('service/mail', 1)
    $$,
    'a check that lies ahead does not count yet'
);

-- From here on what this transaction records is new again.
update monitoring.rollup_progress set claimed_below = txid_current();
select pg_temp.check_component('mail', '2026-01-15 11:59:30+00', 'healthy');

select is(
    (select value from pg_temp.find('component_unhealthy') where fingerprint = 'service/mail'),
    0::double precision,
    'a check since the roll-up counts'
);

-- Silent

select results_eq(
    $$
        select fingerprint, value, severity, threshold
        from pg_temp.judge('component_silent', '2026-01-15 12:14+00') order by fingerprint
    $$,
    $$
        values
        ('service/api', 900::double precision, null, null::double precision),
        ('service/db', 839.999999, null, null),
        ('service/disk', 960, 'medium', 900),
        ('service/mail', 870, null, null)
    $$,
    'a component is silent when its last check is more than a quarter of an hour ago'
);

select results_eq(
    $$
        select severity, threshold, summary
        from pg_temp.judge('component_silent', '2026-01-15 12:58:01+00')
        where fingerprint = 'service/disk'
    $$,
    $$
        values ('high', 3600::double precision,
            'service disk has not been checked for 1 h, and was unknown then')
    $$,
    'after an hour it is serious, and the summary says how the component was'
);

select is(
    (
        select array_agg(fingerprint order by fingerprint)
        from pg_temp.find('component_silent', '2026-01-22 11:59+00')
    ),
    array['service/db', 'service/mail'],
    'after a week a component counts as taken away'
);

select pg_temp.set_parameters('component_silent', '{"forget_after_days": 0.5}');

select is_empty(
    $$select * from pg_temp.find('component_silent', '2026-01-16 00:00:01+00')$$,
    'or after as long as the parameter says'
);

select is_empty(
    $$
        select * from monitoring.alert_inhibitions
        where source_rule in ('component_unhealthy', 'component_silent')
            and target_rule in ('component_unhealthy', 'component_silent')
    $$,
    'neither inhibits the other: one is about the component, the other about what checks it'
);

-- Names

select pg_temp.check_component(
    repeat('ü', 255), '2026-01-15 11:59+00', 'unhealthy', repeat('x', 8000), repeat('Ö', 255)
);
select pg_temp.check_component('it''s "a" %s', '2026-01-15 11:59+00', 'unhealthy', E'100 %\n"b"');

select results_eq(
    $$
        select length(fingerprint), length(summary), labels ->> 'component' = repeat('ü', 255)
        from pg_temp.find('component_unhealthy') where labels ->> 'component' ~ 'ü'
    $$,
    $$values (236, 500, true)$$,
    'long names and reasons are shortened, labels are not'
);

select is(
    (
        select summary from pg_temp.find('component_unhealthy')
        where fingerprint = 'service/it''s "a" %s'
    ),
    E'service it''s "a" %s is unhealthy: 100 %\n"b"',
    'names and reasons may have any characters'
);

-- The rows behind it

select results_eq(
    $$
        select source, happened_at, details ->> 'status', details ->> 'failure_reason'
        from pg_temp.explain(
            'component_unhealthy', '{"component": "api", "component_type": "service"}', 2
        )
    $$,
    $$
        values
        ('health check', '2026-01-15 11:59+00'::timestamptz, 'healthy', null),
        ('health check', '2026-01-15 11:50+00', 'degraded', 'the later of two')
    $$,
    'the explainer shows the newest checks of the component'
);

select * from finish(); -- noqa: AM04
rollback;
