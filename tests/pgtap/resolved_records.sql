-- When invalid records become valid their sources are asked what statuses they have now.

begin;
select plan(27);
\ir helpers/fixed_clock.psql
\ir helpers/statuses.psql
\ir helpers/record_source.psql

-- Has records checked at a time, of which those that fail stay invalid; how many were resolved.
create function pg_temp.check_at(
    p_time text, p_keys text[], p_failing jsonb default '[]', p_is_dry_run boolean default false
) returns integer
language plpgsql
as $$
begin
    perform set_config('monitoring.now', '2026-01-15 ' || p_time || '+00', true);
    return (monitoring.sync_invalid_records(
        'apr', 'SEUNO', jsonb_build_object('keys', p_keys), p_failing, 'check',
        p_is_dry_run => p_is_dry_run
    ) ->> 'resolved')::integer;
end
$$;

-- Records that sources are still to be asked for.
create function pg_temp.to_read() returns text
language sql
as $$
    select string_agg(r.source_name || ' ' || r.record_key, ', ' order by 1)
    from monitoring.records_to_read as r
$$;

select pg_temp.register('{"record_key": "number"}');
insert into scratch.proposals (number, state)
values (1, '1'), (2, '1'), (3, '1'), (4, '1'), (5, '1');
select pg_temp.sync_at('12:00');
select monitoring.log_invalid_records('apr', '[1, 2, 3, "x"]', 'SEUNO');
update scratch.proposals set state = '2';

select is(pg_temp.check_at('12:10', '{1,2}', '[2]', true), 1, 'a dry run resolves one');
select is(pg_temp.history_of('1', 'apr'), '- > OPEN 12:00 SYSTEM', 'and asks no source');
select is(pg_temp.check_at('12:10', '{1,2}', '[2]'), 1, 'a check finds one of two valid');
select is(
    pg_temp.history_of('1', 'apr'), '- > OPEN 12:00 SYSTEM, OPEN > DONE 12:10 AUTO_RESOLVE',
    'whose status now is read from the source'
);
select results_eq(
    $$
        select from_status, to_status, change_source, source_name, task_id, details ->> 'status'
        from monitoring.status_history
        where record_key = '1' and recorded_at = '2026-01-15 12:10+00'
        order by validation_type
    $$,
    $$
        values ('OPEN', 'DONE', 'AUTO_RESOLVE', 'crm', 'check', null),
        ('invalid', 'valid', 'AUTO_RESOLVE', null, 'check', 'DONE')
    $$,
    'and stands beside the change from invalid to valid'
);
select is(pg_temp.history_of('2', 'apr'), '- > OPEN 12:00 SYSTEM', 'no other record is read');
select is(pg_temp.to_read(), null, 'and none is left to be');

-- By a complete run, and of a record that is in no source

select
    monitoring.log_program_execution(
        'apr', '2026-01-15', '{}', 60, p_finished_at => '2026-01-15 12:30+00'
    )
from set_config('monitoring.now', '2026-01-15 12:30+00', true);
select is(
    monitoring.auto_resolve_invalid_records('apr', '2026-01-15') -> 'resolved', '3',
    'a complete run resolves the rest'
);
select is(
    pg_temp.history_of('3', 'apr'), '- > OPEN 12:00 SYSTEM, OPEN > DONE 12:30 AUTO_RESOLVE',
    'whose statuses are read as well'
);
select is(pg_temp.history_of('x', 'apr'), null, 'one that no source has gets none');
select is(
    pg_temp.sync_at('12:40'), 'changed 2, compared 5, unchanged 3',
    'the next reading finds the others'
);
select is(
    pg_temp.history_of('4', 'apr'), '- > OPEN 12:00 SYSTEM, OPEN > DONE 12:40 SYSTEM',
    'which nobody resolved'
);

-- A source that says who changed what

update scratch.proposals set state = '1', how = 'MANUAL', who = 'ana'
where number = 1;
select monitoring.log_invalid_records('apr', '[1]', 'SEUNO');
select pg_temp.check_at('12:50', '{1}');
select alike(pg_temp.history_of('1', 'apr'), '%DONE > OPEN 12:50 MANUAL ana', 'has its word');

-- A source that cannot be read

select monitoring.log_invalid_records('apr', '[4, 5]', 'SEUNO');
update scratch.proposals set state = '1';
alter table scratch.proposals rename column state to condition;
select is(pg_temp.check_at('13:00', '{4,5}'), 2, 'what is valid is resolved all the same');
select is(pg_temp.history_of('4', 'apr') like '%13:00%', false, 'without a status');
select is(pg_temp.to_read(), 'crm 4, crm 5', 'which is still to be read');
select is(
    (select next_sync_at from monitoring.v_sources), '2026-01-15 13:00+00'::timestamptz,
    'as soon as can be'
);
select alike(pg_temp.sync_at('13:01'), '%no column%', 'for as long as that is not so');
select is(pg_temp.to_read(), 'crm 4, crm 5', 'it waits');
alter table scratch.proposals rename column condition to state;
select pg_temp.sync_at('13:02');
select alike(
    pg_temp.history_of('4', 'apr'), '%DONE > OPEN 13:02 AUTO_RESOLVE',
    'then it counts as what came with the resolution'
);
select is(pg_temp.to_read(), null, 'once');
update scratch.proposals set state = '2', how = null;
select pg_temp.sync_at('13:05');
select alike(pg_temp.history_of('4', 'apr'), '%OPEN > DONE 13:05 SYSTEM', 'and no more later');

-- A reading of one day, and keys of other types

update scratch.proposals set state = '1', day = date '2026-01-10' + number;
insert into monitoring.records_to_read
values ('crm', '1', '2026-01-15 13:05+00'), ('crm', '2', '2026-01-15 13:05+00');
select pg_temp.set_clock('2026-01-15 13:10+00');
select monitoring.track_all_status_changes_from_source('crm', '2026-01-11', 'BOT');
select is(
    concat_ws('; ', pg_temp.status_of('1', 'apr'), pg_temp.to_read()),
    'OPEN 13:10 AUTO_RESOLVE ana; crm 2', 'a day that is read settles its own records alone'
);

select
    is(
        (
            select count(*)::integer
            from monitoring._read_record_source(
                    s, null, null, null, '2026-01-15 13:20+00', true, k.keys
                ) as r
            where r ->> 'compared' = k.compared
        ), 1, k.what
    )
from monitoring.sources as s, (
    values
    ('{1,01,x,99999999999999999999}'::text[], '1', 'integers that are none find nothing')
) as k (keys, compared, what);
alter table scratch.proposals alter column number type numeric;
select monitoring.log_invalid_records('apr', '[2]', 'SEUNO');
select pg_temp.check_at('13:30', '{2}');
select alike(
    pg_temp.history_of('2', 'apr'), '%OPEN 13:30 AUTO_RESOLVE', 'a key of any type is found'
);
select pg_temp.register();
update scratch.proposals set branch = 'N';
select pg_temp.sync_at('13:40');
update scratch.proposals set state = '2';
select monitoring.log_invalid_records('apr', '["N|2"]', 'SEUNO');
select pg_temp.check_at('13:50', '{N|2}');
select alike(
    pg_temp.history_of('N|2', 'apr'), '%OPEN > DONE 13:50 AUTO_RESOLVE', 'or of several columns'
);

-- A source of a query

select monitoring.disable_source('crm');
select
    monitoring.register_source_query(
        'crm', 'CRM_DB', 'select 1', '{id,state}', p_every => '1 hour'
    );
select monitoring.register_record_source(
    'far', 'apr', 'query:crm', '{"record_key": "id", "status": "state"}'
);
update monitoring.source_queries set next_load_at = '2026-01-15 15:00+00';
select pg_temp.set_clock('2026-01-15 13:55+00');
select monitoring.log_invalid_records('apr', '["N|2"]', 'SEUNO');
select pg_temp.check_at('14:00', '{N|2}');
select results_eq(
    $$select pg_temp.to_read(), next_load_at from monitoring.v_source_queries$$,
    $$values ('far N|2', '2026-01-15 15:00+00'::timestamptz)$$,
    'is asked for when its query is loaded, which is due as ever'
);

select * from finish(); -- noqa: AM04
rollback;
