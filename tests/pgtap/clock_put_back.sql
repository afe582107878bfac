-- What was noted while the clock was six hours ahead counts as of now once it is put back.

begin;
select plan(20);
\ir helpers/fixed_clock.psql
set local timezone = 'UTC';
\ir helpers/jobs.psql

create schema shop;
create table shop.orders (id integer primary key, state text);
insert into shop.orders values (1, 'OPEN'), (2, 'OPEN');
grant usage on schema shop to monitoring_admin;
grant select on shop.orders to monitoring_admin;
select monitoring.attach_status_trigger('shop.orders', '{id}', 'state', 'orders');
select monitoring.ensure_partitions(9);
select monitoring.record_error('t', 'E', 'low', 'm', p_fingerprint => 'known');
select monitoring.record_error('t', 'E', 'low', 'm', p_fingerprint => 'muted');
select monitoring.define_job('count', '1 minute', 'errands.count_to_three');
select pg_temp.run_due();

-- Ahead

select pg_temp.at_time('2026-01-15 18:00+00');
select pg_temp.run_due();
select monitoring.start_task_tracking('nightly', 'x');
select monitoring.update_task_progress('nightly', 1, 2);
update shop.orders set state = 'SENT';
select monitoring.define_expected_runs('nightly', '5 minutes');
select monitoring.define_expected_runs('daily', '13:00');
select monitoring.silence_alerts('{"rule": "a"}', '2 hours');
select monitoring.silence_alerts('{"rule": "b"}', '1 hour', p_starts_at => '2026-01-15 20:00+00');
select monitoring.resolve_error_group('known');
select monitoring.mute_error_group('muted', '2026-01-15 19:00+00');
select monitoring.register_source_query(
    'q', 'main', 'select 1', array['id'], p_every => '1 hour'
);
select monitoring.define_notification_channel('mail', '{MAIL}');
update monitoring.notification_channels
set summarized_at = '2026-01-15 18:00+00', held_back_at = '2026-01-15 18:00+00';
update monitoring.source_queries set next_load_at = '2026-01-15 19:00+00';
insert into monitoring.raised_alerts (
    rule_name, fingerprint, status, severity, worst_severity, summary, labels, started_at,
    last_seen_at
)
values (
    'queue_backlog', 'q', 'pending', 'low', 'low', 's', '{}', '2026-01-15 18:00+00',
    '2026-01-15 18:00+00'
);

-- Put right: a status by itself

select pg_temp.at_time('2026-01-15 12:01+00');
update shop.orders set state = 'DONE' where id = 1;
select is(
    (select status from monitoring.v_record_status where dataset = 'orders' and record_key = '1'),
    'DONE',
    'a change is newer than one that the wrong clock has dated'
);
select is(
    (
        select from_status || ' > ' || to_status from monitoring.status_history
        where record_key = '1' order by change_id desc limit 1
    ),
    'SENT > DONE',
    'and is in the history as it was'
);

-- The rest with the first look for due jobs

select pg_temp.run_due();
select results_eq(
    $$select status, effective_at from monitoring.record_states where record_key = '2'$$,
    $$values ('SENT', '2026-01-15 12:01+00'::timestamptz)$$,
    'statuses are of now'
);
select is(
    monitoring.track_status_changes('orders', '[{"record_key": "2", "status": "BACK"}]'::jsonb)
    ->> 'late',
    '0',
    'so that what is told after them is not late'
);
select results_eq(
    $$
        select running_ms, seconds_without_progress from monitoring.v_realtime_processing_status
        where task_id = 'nightly'
    $$,
    $$values (0::double precision, 0::double precision)$$,
    'tasks are running since now'
);
select pg_temp.at_time('2026-01-15 12:11+00');
select is(
    (
        select running_ms from monitoring.v_realtime_processing_status where task_id = 'nightly'
    ),
    600000::double precision,
    'and the time that they take goes on'
);
select is(
    (select monitoring.complete_task_tracking('nightly')), true, 'they end'
);
select is(
    (select duration_ms from monitoring.processing_metrics where task_id = 'nightly'),
    600000::double precision,
    'after a time that is not negative'
);
select results_eq(
    $$select task_type, expected_since_at from monitoring.expected_runs order by task_type$$,
    $$
        values
        ('daily', '2026-01-15 12:01+00'::timestamptz), ('nightly', '2026-01-15 12:01+00')
    $$,
    'runs are expected from now on'
);
select results_eq(
    $$select matchers ->> 'rule', is_active, starts_at, ends_at from monitoring.v_silences
    order by silence_id$$,
    $$
        values
        ('a', true, '2026-01-15 12:01+00'::timestamptz, '2026-01-15 14:01+00'::timestamptz),
        ('b', false, '2026-01-15 14:01+00', '2026-01-15 15:01+00')
    $$,
    'silences hold as long as they were to, and begin as much later'
);
select results_eq(
    $$select fingerprint, changed_at, muted_until from monitoring.error_group_states order by 1$$,
    $$
        values
        ('known', '2026-01-15 12:01+00'::timestamptz, null::timestamptz),
        ('muted', '2026-01-15 12:01+00', '2026-01-15 13:01+00')
    $$,
    'so do mutes'
);
select monitoring.record_error('t', 'E', 'low', 'm', p_fingerprint => 'known');
select is(
    (select status from monitoring.error_groups where fingerprint = 'known'), 'regressed',
    'a group that was resolved then regresses when it comes back'
);
select is(
    (select next_load_at from monitoring.source_queries), '2026-01-15 13:01+00'::timestamptz,
    'a query is loaded an interval from now at the latest'
);
select results_eq(
    'select summarized_at, held_back_at from monitoring.notification_channels',
    $$values ('2026-01-15 12:01+00'::timestamptz, '2026-01-15 12:01+00'::timestamptz)$$,
    'channels go on'
);
select results_eq(
    'select started_at, last_seen_at from monitoring.raised_alerts where status = ''pending''',
    $$values ('2026-01-15 12:01+00'::timestamptz, '2026-01-15 12:01+00'::timestamptz)$$,
    'and what is pending fires when its time has come'
);
select is(
    (select count(*) from monitoring.error_tracking where error_type = 'ClockPutBack'), 1::bigint,
    'all that is told once'
);

-- What senders say of their own times stays

select monitoring.track_status_changes('orders', '[
    {"record_key": "3", "status": "PLANNED", "effective_at": "2026-01-15T20:00:00Z"}
]'::jsonb);
select pg_temp.at_time('2026-01-15 12:05+00');
select pg_temp.run_due();
select is(
    (select effective_at from monitoring.record_states where record_key = '3'),
    '2026-01-15 20:00+00'::timestamptz,
    'but for what was recorded after the clock was right'
);

-- An hour of saving daylight is none

select pg_temp.at_time('2026-01-15 12:20+00');
select pg_temp.run_due();
select monitoring.silence_alerts('{"rule": "c"}', '2 hours');
select pg_temp.at_time('2026-01-15 12:19:30+00');
select pg_temp.run_due();
select is(
    (select created_at from monitoring.v_silences where matchers ->> 'rule' = 'c'),
    '2026-01-15 12:20+00'::timestamptz,
    'a clock that is put back by less than a minute moves nothing'
);
select is_empty(
    'select * from monitoring.self_check() where check_name = ''clock''', 'nor is that a finding'
);
set local role monitoring_operator;
select throws_ok(
    'select monitoring._put_states_right(now())', '42501', null, 'nobody else moves times'
);
reset role;

select * from finish(); -- noqa: AM04
rollback;
