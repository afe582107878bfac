-- The built-in rules status_change_unexpected and bot_without_effect.

begin;
select plan(22);
\ir helpers/fixed_clock.psql
\ir helpers/judging.psql
\ir helpers/statuses.psql
\ir helpers/findings.psql

-- Changes that are not allowed

select is_empty(
    $$select * from pg_temp.find('status_change_unexpected')$$, 'without changes none is found'
);
select pg_temp.track_at('11:30', pg_temp.told('1', 'OPEN'));
select pg_temp.track_at('11:40', pg_temp.told('1', 'DONE'));
select is_empty(
    $$select * from pg_temp.find('status_change_unexpected', '2026-01-15 12:00+00')$$,
    'a dataset that allows nothing in particular allows everything'
);
select monitoring.set_allowed_transitions('orders', '{"": ["OPEN"], "OPEN": ["DONE"]}');
select is_empty(
    $$select * from pg_temp.find('status_change_unexpected', '2026-01-15 12:00+00')$$,
    'changes that are allowed are not found'
);
select pg_temp.track_at('11:50', pg_temp.told('1', 'OPEN') || pg_temp.told('2', 'LATE'));
select pg_temp.track_at('11:55', pg_temp.told('1', null), 'SYSTEM');
select results_eq(
    $$
        select fingerprint, value, severity, labels, summary
        from pg_temp.judge('status_change_unexpected', '2026-01-15 12:00+00') order by fingerprint
    $$,
    $$
        values
        ('orders|DONE|OPEN', 1::double precision, 'medium',
            '{"dataset": "orders", "from_status": "DONE", "to_status": "OPEN"}'::jsonb,
            'orders: 1 record went from DONE to OPEN'),
        ('orders|OPEN|', 1, 'medium',
            '{"dataset": "orders", "from_status": "OPEN", "to_status": ""}',
            'orders: 1 record went from OPEN to gone'),
        ('orders||LATE', 1, 'medium',
            '{"dataset": "orders", "from_status": "", "to_status": "LATE"}',
            'orders: 1 record went from not known to LATE')
    $$,
    'others are, by where from and where to'
);
select monitoring.set_allowed_transitions(
    'orders', '{"": ["OPEN", "LATE"], "OPEN": ["DONE", ""], "DONE": ["OPEN"]}'
);
select is_empty(
    $$select * from pg_temp.find('status_change_unexpected', '2026-01-15 12:00+00')$$,
    'the empty status allows what is new and what goes'
);

-- Thresholds and times gone by

select pg_temp.track_at('13:00', (
    select jsonb_agg(jsonb_build_object('record_key', 'n' || n, 'status', 'ODD'))
    from generate_series(1, 99) as n
));
select results_eq(
    $$
        select value, severity
        from pg_temp.judge('status_change_unexpected', '2026-01-15 13:00+00')
    $$,
    $$values (99::double precision, 'medium')$$,
    'fewer than a hundred are medium'
);
select pg_temp.track_at('13:10', pg_temp.told('n100', 'ODD'));
select results_eq(
    $$
        select value, severity
        from pg_temp.judge('status_change_unexpected', '2026-01-15 13:10+00')
    $$,
    $$values (100::double precision, 'high')$$,
    'a hundred are high'
);
select results_eq(
    $$select value from pg_temp.find('status_change_unexpected', '2026-01-15 13:05+00')$$,
    $$values (99::double precision)$$,
    'what was recorded later does not count'
);
select results_eq(
    $$select value from pg_temp.find('status_change_unexpected', '2026-01-15 14:05+00')$$,
    $$values (1::double precision)$$,
    'nor what is older than an hour'
);
select is_empty(
    $$select * from pg_temp.find('status_change_unexpected', '2026-01-15 14:10+00')$$,
    'to the moment'
);

-- Bots

select monitoring.change_dataset(
    'bills', '{"pending_statuses": ["OPEN"], "bot_task_type": "robot"}'
);
select pg_temp.ended('robot', 'completed', '2026-01-15 09:00+00', 60);
select pg_temp.ended('robot', 'completed', '2026-01-15 10:00+00', 60);
select pg_temp.ended('robot', 'failed', '2026-01-15 10:30+00', 60);
select pg_temp.ended('robot', 'completed', '2026-01-15 11:00+00', 60);
select is_empty(
    $$select * from pg_temp.find('bot_without_effect', '2026-01-15 12:00+00')$$,
    'a bot for which nothing waits need not have an effect'
);
select set_config('monitoring.now', '2026-01-15 08:00+00', true);
select monitoring.track_status_changes(
    'bills', '[{"record_key": "1", "status": "OPEN"}, {"record_key": "2", "status": "DONE"}]'
);
select results_eq(
    $$
        select fingerprint, value, severity, labels, summary
        from pg_temp.judge('bot_without_effect', '2026-01-15 12:00+00')
    $$,
    $$
        values ('bills', 3::double precision, 'medium',
            '{"dataset": "bills", "task_type": "robot"}'::jsonb,
            'bills: 3 runs of robot ended without changing a record, though some wait')
    $$,
    'one for which something waits should'
);
select results_eq(
    $$
        select severity from pg_temp.judge('bot_without_effect', '2026-01-15 10:59+00')
    $$,
    $$values (null::text)$$,
    'two runs are not yet an alert'
);
select is_empty(
    $$select * from pg_temp.find('bot_without_effect', '2026-01-15 07:59+00')$$,
    'before the record was there nothing waited'
);
select is_empty(
    $$select * from pg_temp.find('bot_without_effect', '2026-01-16 11:00+00')$$,
    'runs of more than a day ago do not count'
);
select set_config('monitoring.now', '2026-01-15 09:59:30+00', true);
select monitoring.track_status_changes('bills', '[{"record_key": "2", "status": "PAID"}]', 'BOT');
select results_eq(
    $$select value from pg_temp.find('bot_without_effect', '2026-01-15 12:00+00')$$,
    $$values (1::double precision)$$,
    'a change of a bot makes good the run that it was made in, and those before'
);
select set_config('monitoring.now', '2026-01-15 12:30+00', true);
select monitoring.track_status_changes('bills', '[{"record_key": "1", "status": "PAID"}]', 'BOT');
select results_eq(
    $$select value from pg_temp.find('bot_without_effect', '2026-01-15 12:00+00')$$,
    $$values (1::double precision)$$,
    'what was found then is found when one looks back'
);
select pg_temp.ended('robot', 'completed', '2026-01-15 12:45+00', 60);
select set_config('monitoring.now', '2026-01-15 13:00+00', true);
select monitoring.track_status_changes('bills', '[{"record_key": "3", "status": "OPEN"}]');
select is_empty(
    $$select * from pg_temp.find('bot_without_effect', '2026-01-15 13:05+00')$$,
    'runs that ended before anything waited had nothing to change'
);
select pg_temp.ended('robot', 'completed', '2026-01-15 13:10+00', 60);
select results_eq(
    $$select value from pg_temp.find('bot_without_effect', '2026-01-15 13:15+00')$$,
    $$values (1::double precision)$$,
    'those after it had'
);

-- Rows behind an alert

select results_eq(
    $$
        select source, happened_at, details ->> 'task_id', details ->> 'record_key'
        from pg_temp.explained(
            'bot_without_effect', '{"dataset": "bills", "task_type": "robot"}',
            p_now => '2026-01-15 12:00+00'
        )
    $$,
    $$values ('run', '2026-01-15 11:00+00'::timestamptz, 'task 4', null)$$,
    'an alert about a bot shows its runs'
);
select results_eq(
    $$
        select source, happened_at, details ->> 'record_key'
        from pg_temp.explained(
            'status_change_unexpected',
            '{"dataset": "orders", "from_status": "", "to_status": "ODD"}', 1,
            '2026-01-15 13:20+00'
        )
    $$,
    $$values ('status change', '2026-01-15 13:10+00'::timestamptz, 'n100')$$,
    'one about changes shows them, the newest first'
);

-- The engine

select is(
    (
        select count(*) from monitoring.v_alert_rules
        where family = 'records' and rule_name in ('status_change_unexpected', 'bot_without_effect')
    ),
    2::bigint,
    'both rules belong to the records'
);

select * from finish(); -- noqa: AM04
rollback;
