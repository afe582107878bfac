-- A bad row of a source of records is told, and no other suffers; a source that cannot be read is
-- noted and stops no other.

begin;
select plan(19);
\ir helpers/fixed_clock.psql
\ir helpers/judging.psql
\ir helpers/record_source.psql

create table scratch.texts (id char(6), state char(4), changed text);
grant select on scratch.texts to monitoring_reader;

select pg_temp.register();
insert into scratch.proposals values
('N', 1, '1', null, null, null, null, null),
(null, null, '1', null, null, null, null, null),
('N', 2, null, null, null, null, null, null),
('N', 3, repeat('x', 300), null, null, null, null, null),
(repeat('n', 300), 4, '1', null, null, null, null, null),
('N', 5, '1', '1901-01-01 00:00', null, null, null, null),
('N', 6, '1', '2026-01-17 00:00', null, null, null, null),
('N', 7, '1', null, null, 'GHOST', null, null),
('N', 8, '  ', null, null, null, null, null);
select is(
    pg_temp.sync_at('12:00'), 'bad 8, compared 1, new 1', 'bad rows are counted, others recorded'
);
select is(pg_temp.statuses(), 'N|1 OPEN', 'none but the good ones');
select results_eq(
    $$select subject, message from monitoring.v_source_troubles order by subject$$,
    $$
        values
        ('change_source is not known',
            'change_source is not known (rows: 1, such as N|7)'),
        ('effective_at is impossible',
            'effective_at is impossible (rows: 2, such as N|5)'),
        ('has no record_key', 'has no record_key (rows: 1)'),
        ('has no status', 'has no status (rows: 2, such as N|2)'),
        ('record_key is too long',
            'record_key is too long (rows: 1, such as ' || repeat('n', 100) || ')'),
        ('status is too long', 'status is too long (rows: 1, such as N|3)')
    $$,
    'each fault is told once, with one of its rows'
);
select is(
    (select count(*) from monitoring.error_tracking where error_type = 'SourceTrouble'),
    6::bigint,
    'as an error'
);
select results_eq(
    $$select labels, severity from pg_temp.judge('source_trouble')$$,
    $$values ('{"source": "crm", "trouble": "bad_row"}'::jsonb, 'medium')$$,
    'and by an alert'
);
delete from scratch.proposals where branch is distinct from 'N' or number <> 1;
select is(pg_temp.sync_at('12:05'), 'compared 1, unchanged 1', 'once they are right');
select is(pg_temp.troubles(), null, 'the trouble is over');

-- Texts

select monitoring.register_record_source(
    'texts', 'apr', 'scratch.texts',
    '{"record_key": "id", "status": "state", "effective_at": "changed"}', '{"": "NEW"}'
);
insert into scratch.texts values
('a', 'ok', '2026-01-15T09:00:00-03:00'), ('b', null, ''), ('c', 'ok', 'soon');
select is(pg_temp.sync_at('12:10', 'texts'), 'bad 1, compared 2, new 2', 'texts may be times');
select is(
    pg_temp.statuses(), 'N|1 OPEN, a ok, b NEW',
    'blanks around keys and codes do not count, and a missing code may have a name'
);
select is(
    (select effective_at from monitoring.record_states where record_key = 'a'),
    '2026-01-15 12:00+00'::timestamptz,
    'a time that names its zone is of that'
);
select is(pg_temp.troubles(), 'bad_row effective_at is not a time', 'a text that is none is told');

-- Unreadable

alter table scratch.proposals rename column state to status;
select pg_temp.set_clock('2026-01-15 12:15+00');
update monitoring.sources set next_sync_at = '2026-01-15 12:15+00';
select results_eq(
    $$
        select r.value ->> 'source', r.value ->> 'compared', r.value ->> 'error'
        from jsonb_array_elements(monitoring.sync_sources()) as r
    $$,
    $$
        values ('crm', null, 'scratch.proposals has no column "state"'), ('texts', '2', null)
    $$,
    'a source that cannot be read stops no other'
);
select results_eq(
    $$
        select synced_at, succeeded_at, last_error, consecutive_failures
        from monitoring.v_sources where source_name = 'crm'
    $$,
    $$
        values ('2026-01-15 12:15+00'::timestamptz, '2026-01-15 12:05+00'::timestamptz,
            'scratch.proposals has no column "state"', 1::bigint)
    $$,
    'it is noted why, and since when'
);
select results_eq(
    $$
        select severity, summary from pg_temp.judge('source_trouble', '2026-01-15 12:15+00')
        where labels ->> 'source' = 'crm'
    $$,
    $$
        values ('high', 'source crm: cannot be read: scratch.proposals has no column "state"')
    $$,
    'and told'
);
alter table scratch.proposals rename column status to state;
select is(pg_temp.sync_at('12:20'), 'compared 1, unchanged 1', 'once it can be read it goes on');
select monitoring.disable_source('crm');
select is(pg_temp.sync_at('12:25'), 'not enabled', 'one that is not enabled is not read');
select throws_ok(
    $$select monitoring.track_all_status_changes_from_source('crm', p_is_dry_run => true)$$,
    'PV010',
    'source "crm" was not read: not enabled',
    'and whoever needs it to be is told'
);
select monitoring.remove_source('crm');
select is_empty(
    $$select * from monitoring.v_sources where source_name = 'crm'$$, 'one may be removed'
);
select is(pg_temp.statuses(), 'N|1 OPEN, a ok, b NEW', 'and what it told stays');

select * from finish(); -- noqa: AM04
rollback;
