-- How long records stay in a status, and what bots do.

begin;
select plan(12);
\ir helpers/fixed_clock.psql
\ir helpers/statuses.psql
\ir helpers/findings.psql

-- Times in status

select pg_temp.track_at(
    '08:00', '[{"record_key": "1", "status": "OPEN"}, {"record_key": "2", "status": "OPEN"},
        {"record_key": "3", "status": "OPEN"}]'
);
select pg_temp.track_at('08:10', pg_temp.told('1', 'DONE'), 'BOT', 'robo');
select pg_temp.track_at('08:30', pg_temp.told('2', null), 'SYSTEM');

select results_eq(
    $$
        select status, records_now, oldest_since_at, ended_stays, avg_seconds, p50_seconds,
            round(p95_seconds::numeric)
        from monitoring.v_time_in_status where dataset = 'orders' order by status
    $$,
    $$
        values
        ('DONE', 1::bigint, '2026-01-15 08:10+00'::timestamptz, 0::bigint,
            null::double precision, null::double precision, null::numeric),
        ('OPEN', 1, '2026-01-15 08:00+00', 2, 1200, 1200, 1740)
    $$,
    'stays that ended are measured, those that go on are counted'
);
select pg_temp.track_at('08:40', pg_temp.told('1', 'CHECK', '08:05'));
select results_eq(
    $$
        select status, ended_stays, avg_seconds from monitoring.v_time_in_status
        order by status
    $$,
    $$
        values
        ('CHECK', 1::bigint, 300::double precision), ('DONE', 0, null),
        ('OPEN', 2, 1050)
    $$,
    'a late report divides the stay that it falls into'
);

-- Bots

select results_eq(
    $$
        select dataset, day, actor, changes, share_of_changes, avg_wait_seconds, runs,
            runs_without_effect
        from monitoring.v_bot_performance
    $$,
    $$
        values ('orders', '2026-01-15'::date, 'robo', 1::bigint, 1 / 6::double precision,
            300::double precision, 0::bigint, 0::bigint)
    $$,
    'changes of a bot are counted by actor and day, with how long records had waited'
);
select monitoring.change_dataset(
    'orders', '{"bot_task_type": "robot", "time_zone": "America/Sao_Paulo"}'
);
select pg_temp.ended('robot', 'completed', '2026-01-15 08:12+00', 300);
select pg_temp.ended('robot', 'completed', '2026-01-15 08:22+00', 300);
select pg_temp.ended('robot', 'failed', '2026-01-15 08:32+00', 300);
select pg_temp.ended('another', 'completed', '2026-01-15 08:32+00', 300);
select results_eq(
    'select actor, runs, runs_without_effect from monitoring.v_bot_performance',
    $$values ('robo', 3::bigint, 1::bigint)$$,
    'so are its runs, and those that completed without changing anything'
);
select pg_temp.ended('robot', 'completed', '2026-01-15 02:59+00', 300);
select results_eq(
    $$
        select day, actor, changes, share_of_changes, runs, runs_without_effect
        from monitoring.v_bot_performance order by day
    $$,
    $$
        values
        ('2026-01-14'::date, null, 0::bigint, null::double precision, 1::bigint, 1::bigint),
        ('2026-01-15', 'robo', 1, 1 / 6::double precision, 3, 1)
    $$,
    'days are those of the dataset, and one with only runs is there as well'
);
select pg_temp.track_at('09:00', pg_temp.told('3', 'DONE'), 'BOT');
select results_eq(
    'select actor, changes from monitoring.v_bot_performance where changes > 0 order by actor',
    $$values ('robo', 1::bigint), (null, 1)$$,
    'a bot that is not named is one of its own'
);

select pg_temp.track_at('09:30', pg_temp.told('2', 'OPEN'), 'BOT', 'reviver');
select is(
    (select avg_wait_seconds from monitoring.v_bot_performance where actor = 'reviver'),
    null, 'a record that was gone did not wait meanwhile'
);
delete from monitoring.status_changes where actor = 'reviver';
delete from monitoring.late_status_changes where actor = 'reviver';

-- Loaded changes of one moment, whose numbers say nothing of their order

select monitoring.load_status_changes('[
    {"dataset": "jobs", "record_key": "1", "to_status": "RUNNING",
        "effective_at": "2026-01-15 07:00+00", "change_id": -1},
    {"dataset": "jobs", "record_key": "1", "to_status": "DONE",
        "effective_at": "2026-01-15 07:00+00", "change_id": -2},
    {"dataset": "jobs", "record_key": "1", "to_status": "KEPT",
        "effective_at": "2026-01-15 08:00+00", "change_id": -3}
]');
select results_eq(
    $$
        select status, records_now, ended_stays, avg_seconds from monitoring.v_time_in_status
        where dataset = 'jobs' order by ended_stays, avg_seconds
    $$,
    $$
        values
        ('KEPT', 1::bigint, 0::bigint, null::double precision), ('RUNNING', 0, 1, 0),
        ('DONE', 0, 1, 3600)
    $$,
    'a record that came and went on within one moment stayed in the first status for none'
);
select monitoring.load_status_changes('[
    {"dataset": "jobs", "record_key": "1", "to_status": "CHECKED",
        "effective_at": "2026-01-15 07:30+00", "change_id": -4}
]');
select is(
    (select from_status from monitoring.status_history where change_id = -4),
    'DONE', 'and what is loaded for later followed the second'
);
delete from monitoring.status_changes where dataset = 'jobs';
delete from monitoring.late_status_changes where dataset = 'jobs';

-- What validations decide is no status of the record

insert into monitoring.late_status_changes (
    dataset, record_key, recorded_at, effective_at, validation_type, from_status, to_status,
    change_source
)
values (
    'orders', '3', '2026-01-15 09:10+00', '2026-01-15 09:10+00', 'DUPLICATA', 'invalid', 'valid',
    'AUTO_RESOLVE'
);
select is(
    (
        select count(*) from monitoring.v_time_in_status where status in ('valid', 'invalid')
    ), 0::bigint, 'verdicts of validations are no statuses to stay in'
);
select is(
    (select sum(changes / share_of_changes) from monitoring.v_bot_performance where actor = 'robo'),
    7::double precision, 'nor changes that a bot has a share in'
);
select is(
    (select count(*) from monitoring.status_history where validation_type = 'DUPLICATA'),
    1::bigint, 'they are in the history all the same'
);

select * from finish(); -- noqa: AM04
rollback;
