-- track_status_changes: what programs tell of the statuses of records.

begin;
select plan(30);
\ir helpers/fixed_clock.psql
\ir helpers/statuses.psql

set local timezone = 'UTC';

-- What differs

select is(pg_temp.track_at('08:00', '[]'), 'nothing', 'no records are no change');

select is(
    pg_temp.track_at(
        '08:00', '[{"record_key": "1", "status": "OPEN"}, {"record_key": "2", "status": "OPEN"}]'
    ),
    'compared 2, new 2',
    'records that nobody knew are new'
);
select is(
    pg_temp.history_of('1'), '- > OPEN 08:00 MONITOR', 'which is a change from nothing, as of now'
);
select is(
    pg_temp.track_at(
        '09:00', '[{"record_key": "1", "status": "OPEN"}, {"record_key": "2", "status": "DONE"}]',
        'BOT', 'robo'
    ),
    'changed 1, compared 2, unchanged 1',
    'only what differs is a change'
);
select is(pg_temp.history_of('1'), '- > OPEN 08:00 MONITOR', 'what does not leaves no trace');
select is(
    pg_temp.history_of('2'), '- > OPEN 08:00 MONITOR, OPEN > DONE 09:00 BOT robo',
    'the change says from what to what, when, and by whom'
);
select results_eq(
    $$
        select status, previous_status, effective_at, recorded_at, change_source, actor
        from monitoring.v_record_status where record_key = '2'
    $$,
    $$
        values ('DONE', 'OPEN', '2026-01-15 09:00+00'::timestamptz,
            '2026-01-15 09:00+00'::timestamptz, 'BOT', 'robo')
    $$,
    'the record has its new status, and knows the one before'
);
select is(
    pg_temp.track_at('09:10', pg_temp.told('2', null)), 'compared 1, gone 1',
    'a status of null means gone'
);
select is(
    pg_temp.track_at('09:15', pg_temp.told('2', null)), 'compared 1, unchanged 1',
    'and what is gone cannot go'
);
select is(
    pg_temp.track_at('09:20', pg_temp.told('2', 'OPEN')), 'compared 1, new 1',
    'what comes back is new'
);
select is(
    pg_temp.track_at('09:20', pg_temp.told('unheard of', null)), 'compared 1, unchanged 1',
    'what nobody knew cannot go'
);
select is(
    pg_temp.status_of('unheard of'), null, 'and is not known afterwards'
);

-- Times

select pg_temp.track_at('10:00', pg_temp.told('3', 'OPEN', '09:30'));
select is(pg_temp.status_of('3'), 'OPEN 09:30 MONITOR', 'a change took effect when it is told to');
select is(
    pg_temp.track_at('10:10', pg_temp.told('3', 'DRAFT', '09:00')), 'compared 1, late 1',
    'what took effect before the present status is late'
);
select is(pg_temp.status_of('3'), 'OPEN 09:30 MONITOR', 'it changes nothing about the present');
select is(
    pg_temp.history_of('3'), '- > DRAFT 09:00 MONITOR, - > OPEN 09:30 MONITOR',
    'and takes its place in history'
);
select is(
    pg_temp.track_at('10:20', pg_temp.told('3', 'DRAFT', '09:00')), 'compared 1, unchanged 1',
    'once, however often it is told'
);
select is(
    pg_temp.track_at('10:20', pg_temp.told('3', 'CHECK', '09:10')), 'compared 1, late 1',
    'another late one follows it'
);
select is(
    pg_temp.history_of('3'),
    '- > DRAFT 09:00 MONITOR, DRAFT > CHECK 09:10 MONITOR, - > OPEN 09:30 MONITOR',
    'from what history knows for then'
);
select is(
    pg_temp.track_at('10:30', pg_temp.told('3', 'DONE', '09:30')), 'changed 1, compared 1',
    'of two statuses of one moment the one told later is the present one'
);

-- Twice in one call

select is(
    pg_temp.track_at(
        '11:00',
        pg_temp.told('4', 'DONE', '10:50') || pg_temp.told('4', 'OPEN', '10:40')
        || pg_temp.told('1', 'OPEN')
    ),
    'compared 3, new 1, repeated 1, unchanged 1',
    'of a record that is named twice the newest counts'
);
select is(pg_temp.history_of('4'), '- > DONE 10:50 MONITOR', 'and that alone');
select pg_temp.track_at('11:00', pg_temp.told('5', 'OPEN') || pg_temp.told('5', 'DONE'));
select is(pg_temp.status_of('5'), 'DONE 11:00 MONITOR', 'of one moment it is the last');
select is(
    pg_temp.track_at('11:10', pg_temp.told('5', 'OPEN') || pg_temp.told('5', 'DONE')),
    'compared 2, repeated 1, unchanged 1',
    'which may be what is known'
);

-- What else may be told

select pg_temp.track_at(
    '11:20',
    '[{"record_key": "6", "status": "OPEN", "actor": "ann", "change_source": "MANUAL",
        "details": {"ticket": 7}}]',
    'BOT', 'robo'
);
select results_eq(
    $$
        select change_source, actor, details, source_name, task_id
        from monitoring.status_history where record_key = '6'
    $$,
    $$values ('MANUAL', 'ann', '{"ticket": 7}'::jsonb, null, null)$$,
    'a record may have a source, an actor and details of its own'
);
select lives_ok(
    $$
        select monitoring.track_status_changes(
            'orders', '[{"record_key": "7", "status": "OPEN"}]', p_task_id => 'run 1'
        )
    $$,
    'records may be a plain literal'
);
select is(
    (select task_id from monitoring.status_history where record_key = '7'), 'run 1',
    'and have been seen by a task'
);

-- Dry runs

select is(
    monitoring.track_status_changes(
        'orders', '[{"record_key": "1", "status": "DONE"}, {"record_key": "2", "status": "OPEN"}]',
        'BOT', p_is_dry_run => true
    ),
    '{"dataset": "orders", "compared": 2, "unchanged": 1, "new": 0, "changed": 1, "gone": 0,
        "late": 0, "repeated": 0, "is_dry_run": true, "sample": [{"record_key": "1",
        "from_status": "OPEN", "to_status": "DONE", "change_source": "BOT",
        "effective_at": "2026-01-15T11:20:00+00:00"}]}'::jsonb,
    'a dry run shows what would change'
);
select is(pg_temp.status_of('1'), 'OPEN 08:00 MONITOR', 'and changes nothing');
select set_config('monitoring.now', '2026-02-20 12:00+00', true);
set transaction_read_only = on;
select lives_ok(
    $$
        select monitoring.track_status_changes(
            'orders', '[{"record_key": "1", "status": "DONE"}]', p_is_dry_run => true
        )
    $$,
    'not even to make room for what is not written'
);

select * from finish(); -- noqa: AM04
rollback;
