-- A source of records, or a query, that is not read is alerted about after a while.

begin;
select plan(15);
\ir helpers/fixed_clock.psql
\ir helpers/judging.psql
\ir helpers/record_source.psql

select pg_temp.register();
insert into scratch.proposals values ('N', 1, '1');
select monitoring.register_source_query('hourly', 'A', 'select 1', '{a}');
select monitoring.register_source_query('daily', 'A', 'select 1', '{a}', p_every => '1 day');
select monitoring.register_record_source(
    'reader', 'apr', 'query:hourly', '{"record_key": "a", "status": "a"}'
);

create function pg_temp.minutes_at(p_now text) returns text
language sql
as $$
    select string_agg(
        f.fingerprint || ' ' || f.value || coalesce(' ' || f.severity, ''), ', '
        order by f.fingerprint
    )
    from pg_temp.judge('source_not_synchronised', p_now) as f where f.severity is not null
$$;

select pg_temp.sync_at('12:00');
select is(
    (
        select string_agg(f.fingerprint || ' ' || f.value, ', ' order by f.fingerprint)
        from pg_temp.find('source_not_synchronised', '2026-01-15 12:30+00') as f
    ),
    'query hourly 30, source crm 30',
    'minutes are counted since the last success, or since it was registered'
);
select is(pg_temp.minutes_at('2026-01-15 13:30+00'), null, 'an hour or so is no matter');
select is(
    pg_temp.minutes_at('2026-01-15 14:00+00'),
    'query hourly 120 medium, source crm 120 medium',
    'two are'
);
select is(
    pg_temp.minutes_at('2026-01-15 18:00+00'),
    'query hourly 360 high, source crm 360 high',
    'six are worse'
);
select is(
    pg_temp.minutes_at('2026-01-16 12:00+00') ~ 'daily', false,
    'what is loaded once a day has a day'
);
select is(
    pg_temp.minutes_at('2026-01-16 13:00+00') ~ 'query daily 120 medium', true, 'and an hour'
);

select pg_temp.set_clock('2026-01-15 15:00+00');
select monitoring.begin_source_load('hourly');
select monitoring.fail_source_load('hourly', 'access denied');
select is(
    (
        select summary from pg_temp.find('source_not_synchronised', '2026-01-15 15:00+00')
        where fingerprint = 'query hourly'
    ),
    'query hourly has never been read: cannot be read: access denied',
    'it says why'
);
select is(
    (
        select string_agg(e.source, ', ')
        from pg_temp.explain(
                'source_not_synchronised', '{"query": "hourly"}', 10, '2026-01-15 15:00+00'
            ) as e
    ),
    'source_loads, source_troubles',
    'and shows the loads'
);
select pg_temp.sync_at('16:00');
select is(
    pg_temp.minutes_at('2026-01-15 16:30+00'), 'query hourly 270 medium', 'a success ends it'
);
select monitoring.evaluate_alerts('2026-01-15 16:30+00');
select is(
    (
        select string_agg(a.labels ->> 'query', ', ') from monitoring.v_active_alerts as a
        where a.rule_name = 'source_not_synchronised'
    ),
    'hourly',
    'the engine evaluates it'
);

-- What was disabled for long

select pg_temp.set_clock('2026-01-16 08:00+00');
select monitoring.disable_source('crm');
select monitoring.disable_source_query('hourly');
select monitoring.disable_source_query('daily');
select is(
    pg_temp.minutes_at('2026-01-20 08:00+00'), null, 'nobody misses what is not to be read'
);
select pg_temp.set_clock('2026-01-20 08:00+00');
select monitoring.enable_source('crm');
select monitoring.enable_source_query('hourly');
select monitoring.enable_source_query('daily');
select is(
    pg_temp.minutes_at('2026-01-20 09:59+00'), null, 'enabled again, it has as long as a new one'
);
select is(
    pg_temp.minutes_at('2026-01-20 10:00+00'),
    'query daily 120 medium, query hourly 120 medium, source crm 120 medium',
    'and is missed after that'
);
select pg_temp.set_clock('2026-01-20 09:00+00');
select monitoring.enable_source('crm');
select monitoring.enable_source_query('hourly');
select is(
    pg_temp.minutes_at('2026-01-20 10:00+00'),
    'query daily 120 medium, query hourly 120 medium, source crm 120 medium',
    'to enable what is enabled changes nothing'
);
select monitoring.disable_source('reader');
select pg_temp.set_clock('2026-01-20 10:00+00');
select monitoring.begin_source_load('hourly');
select monitoring.finish_source_load(max(load_id)) from monitoring.source_loads;
select pg_temp.set_clock('2026-01-20 13:00+00');
select monitoring.enable_source('reader');
select is(
    pg_temp.minutes_at('2026-01-20 15:30+00') ~ 'reader', false,
    'nor is a source missed whose query was last loaded before it was enabled'
);

select * from finish(); -- noqa: AM04
rollback;
