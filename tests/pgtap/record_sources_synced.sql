-- A source of records is compared with the statuses that are known, and what changed is recorded.

begin;
select plan(23);
\ir helpers/fixed_clock.psql
\ir helpers/record_source.psql

select pg_temp.register();
insert into scratch.proposals values
('N', 1, '1', '2026-01-15 08:00', 'ana', null, '2026-01-15', 'north'),
('N', 2, ' 2 ', '2026-01-15 08:30', null, 'BOT', '2026-01-15', null),
('S', 1, 'held', '2026-01-14 20:00', 'rui', null, '2026-01-14', null);

select is(pg_temp.sync_at('12:00'), 'compared 3, new 3', 'all records are new at first');
select is(
    pg_temp.statuses(), 'N|1 OPEN, N|2 DONE, S|1 held',
    'statuses are called what is said of their codes, others keep theirs'
);
select results_eq(
    $$
        select record_key, from_status, to_status, effective_at, change_source, actor, source_name,
            details
        from monitoring._all_status_changes where dataset = 'apr' order by record_key
    $$,
    $$
        values
        ('N|1', null, 'OPEN', '2026-01-15 11:00+00'::timestamptz, 'SYSTEM', 'ana', 'crm',
            '{"group": "north"}'::jsonb),
        ('N|2', null, 'DONE', '2026-01-15 11:30+00', 'BOT', null, 'crm', null),
        ('S|1', null, 'held', '2026-01-14 23:00+00', 'SYSTEM', 'rui', 'crm', null)
    $$,
    'with their times, who changed them and what it says besides'
);
select is(pg_temp.sync_at('12:05'), 'compared 3, unchanged 3', 'reading it again changes nothing');

update scratch.proposals set state = '2', changed = '2026-01-15 09:10', who = 'eva' where number = 1
    and branch = 'N';
delete from scratch.proposals where branch = 'S';
select is(
    pg_temp.sync_at('12:15'), 'changed 1, compared 2, unchanged 1',
    'what changed is recorded; what is missing is not gone, as the source may be a part'
);
select results_eq(
    $$
        select from_status, to_status, actor, recorded_at
        from monitoring._all_status_changes where record_key = 'N|1' and from_status is not null
    $$,
    $$values ('OPEN', 'DONE', 'eva', '2026-01-15 12:15+00'::timestamptz)$$,
    'from what to what'
);

-- One that always holds all records

select pg_temp.register(p_is_complete => true);
select monitoring.log_invalid_records('apr', '["S|1", "N|1"]', 'DUPLICATA');
select is(
    pg_temp.sync_at('12:20'), 'compared 2, gone 1, resolved 1, unchanged 2',
    'in a complete source a record that is missing is gone'
);
select results_eq(
    $$
        select record_key, resolution, resolution_reason from monitoring.invalid_record_states
        where resolved_at <> 'infinity'
    $$,
    $$values ('S|1', 'gone', 'no longer in source crm')$$,
    'and what was wrong with it is resolved'
);
select results_eq(
    $$
        select from_status, to_status, change_source, actor, effective_at
        from monitoring._all_status_changes where validation_type = 'DUPLICATA'
    $$,
    $$
        values ('invalid', 'gone', 'AUTO_RESOLVE', 'source crm',
            '2026-01-15 12:20+00'::timestamptz)
    $$,
    'without anybody''s doing'
);
select is(pg_temp.statuses(), 'N|1 DONE, N|2 DONE, S|1 gone', 'and stays known as such');
update scratch.proposals set state = null where number = 2;
select is(
    pg_temp.sync_at('12:25'), 'bad 1, compared 2, unchanged 2',
    'one whose row is bad is there all the same'
);
truncate scratch.proposals;
select is(
    pg_temp.sync_at('12:30'),
    'scratch.proposals has no rows, though it always holds all records',
    'an empty one changes nothing'
);
select is(pg_temp.statuses(), 'N|1 DONE, N|2 DONE, S|1 gone', 'so that no record is lost by it');
select is(
    pg_temp.troubles(), 'bad_row has no status, unreadable', 'and it is told'
);

-- A day of it, a dry run, and other words for who changed it

insert into scratch.proposals values
('N', 1, '2', '2026-01-15 09:10', null, null, '2026-01-15', null),
('N', 2, '1', '2026-01-15 09:20', null, null, '2026-01-15', null),
('S', 1, '1', '2026-01-15 09:30', null, null, '2026-01-14', null);
select is(
    monitoring.track_all_status_changes_from_source('crm', p_is_dry_run => true)
    #> '{sample,0}' #- '{effective_at}',
    '{"to_status": "OPEN", "change_source": "SYSTEM", "from_status": "DONE", "record_key": "N|2"}',
    'a dry run tells what would change'
);
select is(pg_temp.statuses(), 'N|1 DONE, N|2 DONE, S|1 gone', 'and changes nothing');
select is(
    (
        select (r ->> 'compared') || ' ' || (r ->> 'changed') || ' ' || (r ->> 'gone')
        from monitoring.track_all_status_changes_from_source('crm', '2026-01-15', 'MONITOR', 't7')
                as r
    ),
    '2 1 0',
    'of a day only its records are compared, and no others are gone'
);
select results_eq(
    $$
        select record_key, change_source, task_id from monitoring._all_status_changes
        where task_id is not null
    $$,
    $$values ('N|2', 'MONITOR', 't7')$$,
    'whoever asks may say what changed it, and the task'
);
select throws_ok(
    $$select monitoring.track_all_status_changes_from_source('crm', null, 'NOBODY')$$,
    'PV003',
    'change source is not known: "NOBODY"',
    'but not what nobody has heard of'
);
select is(monitoring.sync_sources(), '[]', 'the job reads no source before it is due');
update monitoring.sources set next_sync_at = monitoring.clock();
select is(jsonb_array_length(monitoring.sync_sources()), 1, 'and each that is');
select is(pg_temp.statuses(), 'N|1 DONE, N|2 OPEN, S|1 OPEN', 'a record may come back');

select is_empty(
    $$
        select record_key from monitoring._all_status_changes
        where validation_type = '' and from_status is not distinct from to_status
    $$,
    'no change is recorded that is none'
);

select * from finish(); -- noqa: AM04
rollback;
