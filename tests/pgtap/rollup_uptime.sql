-- Uptime in v_health_trends: a status holds until the next check, whatever buckets lie between.

begin;
select plan(15);
\ir helpers/fixed_clock.psql

-- Checks of a component as text: day of January and time, and the status then.
create function pg_temp.check_component(p_name text, p_checks text) returns bigint
language sql
as $$
    select count(
        monitoring.update_system_health(
            'service', p_name, c.told[3], 10,
            p_checked_at => format('2026-01-%s %s+00', c.told[1], c.told[2])::timestamptz
        )
    )
    from regexp_matches(p_checks, '(\d+) (\d+:[\d.:]+) (\w+)', 'g') as c (told)
$$;

create function pg_temp.uptime_by(p_resolution text, p_name text)
returns table (at text, up double precision, known double precision, percent numeric)
language sql
as $$
    select to_char(v.bucket_at at time zone 'UTC', 'DD HH24:MI'), v.up_seconds, v.known_seconds,
        v.uptime_percent
    from monitoring.v_health_trends as v
    where v.resolution = p_resolution and v.component_name = p_name
    order by v.bucket_at
$$;

-- Interface

select columns_are(
    'monitoring', 'v_health_trends',
    array[
        'resolution', 'bucket_at', 'component_type', 'component_name', 'checks',
        'unhealthy_checks', 'uptime_percent', 'up_seconds', 'known_seconds',
        'avg_response_time_ms', 'p95_response_time_ms', 'max_response_time_ms'
    ]
);

-- Behaviour

select pg_temp.check_component(component, checks)
from (
    values
    ('across', '10 22:30 healthy 11 01:15 unhealthy 11 01:45 healthy'),
    ('degraded', '10 10:00 degraded 10 10:30 unhealthy 10 11:00 healthy'),
    ('unknown', '10 10:00 unknown 10 10:30 healthy 10 10:45 unknown 10 12:00 healthy'),
    ('once', '10 10:00 healthy'),
    ('same', '10 10:00 healthy 10 10:30 unhealthy 10 10:30 degraded 10 11:00 healthy'),
    ('fine', '10 10:00:00.000001 healthy 10 10:00:00.000002 unhealthy'),
    ('long', '01 00:00 healthy 15 00:00 healthy')
) as told (component, checks);

select results_eq(
    $$select * from pg_temp.uptime_by('hour', 'across')$$,
    $$
        values ('10 22:00', 1800::float8, 1800::float8, 100.000), ('10 23:00', 3600, 3600, 100),
            ('11 00:00', 3600, 3600, 100), ('11 01:00', 900, 2700, 33.333)
    $$,
    'time between two checks is cut at the hours it crosses'
);
select results_eq(
    $$select * from pg_temp.uptime_by('day', 'across')$$,
    $$values ('10 00:00', 5400::float8, 5400::float8, 100.000), ('11 00:00', 4500, 6300, 71.429)$$,
    'and at midnight'
);
select results_eq(
    $$select * from pg_temp.uptime_by('week', 'across')$$,
    $$values ('05 00:00', 9900::float8, 11700::float8, 84.615)$$,
    'weeks and months add up days'
);
select results_eq(
    $$select up, known, percent from pg_temp.uptime_by('day', 'degraded')$$,
    $$values (1800::float8, 3600::float8, 50.000)$$,
    'degraded counts as up'
);
select results_eq(
    $$select * from pg_temp.uptime_by('hour', 'unknown')$$,
    $$
        values ('10 10:00', 900::float8, 900::float8, 100.000), ('10 11:00', 0, 0, null),
            ('10 12:00', 0, 0, null)
    $$,
    'unknown time counts neither way, and an hour of nothing else has no uptime'
);
select results_eq(
    $$select up, known, percent from pg_temp.uptime_by('day', 'once')$$,
    $$values (0::float8, 0::float8, null::numeric)$$,
    'one check alone says of no time how it was'
);
select results_eq(
    $$select up, known from pg_temp.uptime_by('day', 'same')$$,
    $$values (3600::float8, 3600::float8)$$,
    'of two checks at the same time the later recorded counts'
);
select results_eq(
    $$select up, known from pg_temp.uptime_by('hour', 'fine')$$,
    $$values (0.000001::float8, 0.000001::float8)$$,
    'every microsecond counts'
);
select results_eq(
    $$select count(*), sum(up) from pg_temp.uptime_by('day', 'long')$$,
    $$values (15::bigint, 14 * 86400::float8)$$,
    'days without any check are up if the one before them was'
);

-- Time zones

select set_config('timezone', 'Europe/Berlin', true);
select monitoring.update_system_health('service', 'summer', 'healthy', p_checked_at => at)
from unnest(array['2025-03-28 00:00+00', '2025-04-01 00:00+00']::timestamptz[]) as at;

select results_eq(
    $$select right(at, 5), up from pg_temp.uptime_by('day', 'summer')$$,
    $$values ('00:00', 86400::float8), ('00:00', 86400), ('00:00', 86400), ('00:00', 86400),
            ('00:00', 0)$$,
    'days have 24 hours, where the session''s zone changes its clocks as well'
);
select set_config('timezone', 'UTC', true);

-- Late checks, after roll-ups. Those leave out what this very transaction recorded, so here the
-- progress is set as if another had recorded it.

create function pg_temp.roll_up_everything() returns void
language sql
as $$
    select monitoring._roll_up_table('health_probes', txid_current() + 1, '{}')
$$;

select pg_temp.check_component('rolled up', '10 10:00 healthy 10 14:00 healthy');
select pg_temp.roll_up_everything();

select results_eq(
    $$
        select name, label, resolution, to_char(bucket_at at time zone 'UTC', 'HH24:MI'), value_sum
        from monitoring.rollups where source = 'uptime' and name = 'rolled up'
        order by resolution, bucket_at
    $$,
    $$
        values ('rolled up', 'healthy', 'day', '00:00', 14400::float8),
            ('rolled up', 'healthy', 'hour', '10:00', 3600),
            ('rolled up', 'healthy', 'hour', '11:00', 3600),
            ('rolled up', 'healthy', 'hour', '12:00', 3600),
            ('rolled up', 'healthy', 'hour', '13:00', 3600)
    $$,
    'hours and days are stored, and no minutes'
);

update monitoring.rollup_progress set claimed_below = txid_current();
update monitoring.health_probes set recorded_xid = 1;
update monitoring.late_health_probes set recorded_xid = 1;
select
    pg_temp.check_component(
        'rolled up', '10 11:30 unknown 10 12:00:00.3 healthy 10 12:45 unhealthy'
    );

create temporary view late as
select
    u.at,
    u.up,
    u.known,
    u.percent
from pg_temp.uptime_by('hour', 'rolled up') as u;

select results_eq(
    'select * from late',
    $$
        values ('10 10:00', 3600::float8, 3600::float8, 100.000), ('10 11:00', 1800, 1800, 100),
            ('10 12:00', 2699.7, 3599.7, 74.998), ('10 13:00', 0, 3600, 0),
            ('10 14:00', 0, 0, null)
    $$,
    'late checks take time back from the status before them'
);

create temporary table before as select * from late; -- noqa: AM04
select pg_temp.roll_up_everything();

select results_eq(
    'select * from late', 'select * from before', 'which a roll-up does not change'
);

select is_empty(
    $$
        select * from monitoring.rollups
        where source = 'uptime' and name = 'rolled up' and value_sum not between 0 and 86400
    $$,
    'nor does it leave less than nothing of any status'
);

select * from finish(); -- noqa: AM04
rollback;
