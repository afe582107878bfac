-- A query in another database is loaded into staging, a piece at a time; complete, it is read by
-- its sources, and broken off, it changes nothing.

begin;
select plan(38);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql
\ir helpers/record_source.psql

select monitoring.register_source_query(
    'crm', 'CRM_DB', 'select id, state from proposals; ', '{id,state,begun}', 'id',
    p_every => '30 minutes'
);
select monitoring.register_record_source(
    'proposals', 'apr', 'query:crm', '{"record_key": "id", "status": "state"}',
    p_is_complete => true
);
select monitoring.register_run_source(
    'jobs', 'query:crm', '{"run_id": "id", "status": "state", "started_at": "begun",
        "finished_at": "begun"}', '{"OPEN": "running", "DONE": "completed"}', 'job'
);

-- Rows as the loader copies them: ids from to, all of one state.
create function pg_temp.stage(p_from integer, p_to integer, p_state text) returns boolean
language sql
as $$
    insert into monitoring.staged_rows (load_id, row_number, cells)
    select l.load_id, n, array[n::text, p_state, '2026-01-15 11:00']
    from monitoring.source_loads as l, generate_series(p_from, p_to) as n
    where l.status = 'loading';
    select monitoring.note_source_progress(l.load_id, p_to, p_to::text)
    from monitoring.source_loads as l where l.status = 'loading'
$$;

create function pg_temp.finish() returns jsonb
language sql
as $$
    select monitoring.finish_source_load(max(l.load_id)) from monitoring.source_loads as l
$$;

select is(
    pg_temp.sync_at('12:00', 'proposals'), 'requested query crm',
    'a source of a query is read when that is loaded'
);
select results_eq(
    $$
        select r.code, r.message, r.hint
        from pg_temp.refusal_of(
            $call$monitoring.track_all_status_changes_from_source('proposals')$call$
        ) as r
    $$,
    $$
        values ('PV010', 'source "proposals" was not read: its rows come with query "crm"',
            'Have it loaded with pgvigil sync crm, or by the runner: '
            'select monitoring.sync_source(''proposals''); what it finds is in v_sources.')
    $$,
    'nobody who wants its changes now believes that they are recorded'
);
select set_config('monitoring.strict', 'off', true);
select results_eq(
    $$
        select c -> 'compared', c #>> '{sources,0,error}'
        from monitoring.track_status_changes('apr', date '2026-01-15') as c
    $$,
    $$values (null::jsonb, 'source "proposals" was not read: its rows come with query "crm"')$$,
    'nor whoever asks for those of its dataset, who gets those of the others'
);
select set_config('monitoring.strict', 'on', true);
update monitoring.source_queries set next_load_at = '2026-01-15 12:20+00';
select monitoring.sync_source('proposals');
select is(
    (select next_load_at from monitoring.v_source_queries),
    '2026-01-15 12:00+00'::timestamptz,
    'to ask for it has it loaded next'
);
select is(
    monitoring.sync_sources(), '[]', 'and not by the job'
);
select results_eq(
    $$select is_due, last_status, loaded_at from monitoring.v_source_queries$$,
    $$values (true, null, null::timestamptz)$$,
    'a query is due at once'
);
select is(
    monitoring.begin_source_load('crm', true) - 'load_id',
    '{"query": "crm", "statement": "select id, state from proposals", "connection": "CRM_DB",
        "columns": ["id", "state", "begun"], "resume_column": "id", "resume_after": null,
        "rows_read": 0, "timeout_seconds": 600}',
    'who begins is told what to do'
);
select is(
    monitoring.begin_source_load('crm', true),
    '{"query": "crm", "skipped": "not due"}',
    'it is not due while it goes on'
);
select ok(pg_temp.stage(1, 3, 'OPEN'), 'rows arrive');
select is(pg_temp.statuses(), null, 'and change nothing by themselves');
select is(
    jsonb_path_query_array(pg_temp.finish(), '$.sources[*].new'), '[3, 3]',
    'once all are there its sources are read, of records and of runs'
);
select is(pg_temp.statuses(), '1 OPEN, 2 OPEN, 3 OPEN', 'as if they were a table');
select is(
    (
        select string_agg(task_id || ' ' || status, ', ' order by task_id)
        from monitoring.processing_metrics
    ),
    'jobs:1 running, jobs:2 running, jobs:3 running',
    'their texts become what they mean'
);
select is_empty('select * from monitoring.staged_rows', 'and the rows are gone');
select results_eq(
    $$select status, rows_read, ended_at from monitoring.v_source_loads$$,
    $$values ('loaded', 3::bigint, '2026-01-15 12:00+00'::timestamptz)$$,
    'what was loaded is kept'
);
select results_eq(
    $$select is_due, next_load_at from monitoring.v_source_queries$$,
    $$values (false, '2026-01-15 12:30+00'::timestamptz)$$,
    'and it is due again after its time'
);

-- Broken off, continued, begun anew

select pg_temp.set_clock('2026-01-15 12:30+00');
select monitoring.begin_source_load('crm', true) as begun \gset
select pg_temp.stage(1, 2, 'DONE');
select is(
    monitoring.fail_source_load('crm', 'the server has gone away'), 'interrupted',
    'a load that broke off may go on'
);
select results_eq(
    $$select is_due, next_load_at, last_error from monitoring.v_source_queries$$,
    $$values (false, '2026-01-15 12:31+00'::timestamptz, 'the server has gone away')$$,
    'and soon'
);
select is(pg_temp.statuses(), '1 OPEN, 2 OPEN, 3 OPEN', 'half of the rows change nothing');
select is(
    (
        select t.message from monitoring.v_source_troubles as t
        where t.source_name = 'query:crm' and t.ended_at is null
    ),
    'cannot be read: the server has gone away',
    'it is told'
);
select pg_temp.set_clock('2026-01-15 12:31+00');
select is(
    (
        select array[l ->> 'resume_after', l ->> 'rows_read']
        from monitoring.begin_source_load('crm', true) as l
    ),
    array['2', '2'],
    'it goes on after the last row'
);
select pg_temp.stage(3, 3, 'DONE');
select is(
    (select array[f ->> 'attempts', f #>> '{sources,1,changed}'] from pg_temp.finish() as f),
    array['2', '3'],
    'and is read as a whole'
);
select is_empty(
    $$select * from monitoring.v_source_troubles where ended_at is null$$, 'nothing is amiss'
);

select pg_temp.set_clock('2026-01-15 13:05+00');
select monitoring.begin_source_load('crm');
select pg_temp.stage(1, 2, 'OPEN');
-- What a crash of the server does.
delete from monitoring.staged_rows;
select throws_ok(
    $$select pg_temp.finish()$$, 'PV007', null, 'rows that were lost are not taken for none'
);
select is(
    (monitoring.begin_source_load('crm') ->> 'rows_read')::integer, 0,
    'and a load without its rows begins anew'
);
select pg_temp.stage(1, 2, 'OPEN');
select monitoring.register_source_query(
    'crm', 'CRM_DB', 'select id, state from others', '{id,state,begun}', 'id'
);
select pg_temp.set_clock('2026-01-15 13:06+00');
update monitoring.source_queries set changed_at = '2026-01-15 13:06+00';
select is(
    (monitoring.begin_source_load('crm') ->> 'rows_read')::integer, 0,
    'as does one whose query is another by now'
);
select is(
    monitoring.fail_source_load('crm', 'no such table'), 'failed',
    'one without rows has nothing to go on from'
);
select is(
    (select string_agg(status, ', ' order by load_id) from monitoring.v_source_loads),
    'loaded, loaded, failed, failed, failed',
    'all loads are kept, as far as they came'
);

-- What happens while a complete one is read

select pg_temp.set_clock('2026-01-15 14:00+00');
select monitoring.begin_source_load('crm');
select pg_temp.stage(1, 2, 'DONE');
select pg_temp.set_clock('2026-01-15 14:05+00');
select monitoring.track_status_changes('apr', '[{"record_key": "9", "status": "OPEN"}]');
select pg_temp.set_clock('2026-01-15 14:06+00');
select pg_temp.finish();
select is(
    pg_temp.statuses(), '1 DONE, 2 DONE, 3 gone, 9 OPEN',
    'a record that came after its place had been read is not gone'
);
select monitoring.begin_source_load('crm');
select pg_temp.set_clock('2026-01-15 14:07+00');
select monitoring.track_status_changes('apr', '[{"record_key": "9", "status": "DONE"}]');
select pg_temp.finish();
select is(
    pg_temp.statuses(), '1 DONE, 2 DONE, 3 gone, 9 DONE',
    'nor does it make an empty source one that has rows'
);

select pg_temp.set_clock('2026-01-15 14:30+00');
select monitoring.begin_source_load('crm');
select pg_temp.stage(1, 2, 'OPEN');
select pg_temp.set_clock('2026-01-15 14:35+00');
select monitoring.track_status_changes('apr', '[{"record_key": "2", "status": "PAID"}]');
select pg_temp.set_clock('2026-01-15 14:40+00');
select is(
    jsonb_path_query_array(pg_temp.finish(), '$.sources[1].late'), '[1]',
    'a row without a time that was read before a program told otherwise is late'
);
select results_eq(
    $$
        select record_key, status, effective_at from monitoring.v_record_status
        where dataset = 'apr' and record_key in ('1', '2') order by record_key
    $$,
    $$
        values ('1', 'OPEN', '2026-01-15 14:30+00'::timestamptz),
            ('2', 'PAID', '2026-01-15 14:35+00')
    $$,
    'it was so when the reading began, and what was told since is what counts'
);

-- A client that asks for one source

select pg_temp.set_clock('2026-01-15 15:00+00');
select is(
    monitoring.track_status_changes(
        'apr', date '2026-01-15', p_without_queries => true
    ) -> 'sources',
    '[{"query": "crm", "source": "proposals"}]', 'is told which query to load'
);
select monitoring.begin_source_load('crm');
select pg_temp.stage(1, 4, 'SENT');
select results_eq(
    $$
        select f #> '{asked,new}', f #> '{asked,changed}', f #> '{sources,1,changed}',
            f #> '{sources,1,unchanged}'
        from monitoring.finish_source_load(
            (select max(l.load_id) from monitoring.source_loads as l),
            '{"source_name": "proposals", "change_source": "BOT", "task_id": "asking"}'
        ) as f
    $$,
    $$values ('2'::jsonb, '2'::jsonb, '0'::jsonb, '4'::jsonb)$$,
    'and told what is found as it asks, before all sources are read as ever'
);
select results_eq(
    $$
        select distinct change_source, task_id from monitoring.status_history
        where to_status = 'SENT'
    $$,
    $$values ('BOT', 'asking')$$,
    'with the change source and task that it names'
);
select pg_temp.set_clock('2026-01-15 15:10+00');
select monitoring.begin_source_load('crm');
select pg_temp.stage(1, 4, 'LOST');
select
    is(
        (pg_temp.refusal_of(format(
            'monitoring.finish_source_load(%s, %L)',
            (select max(l.load_id) from monitoring.source_loads as l), a.asked
        ))).code,
        a.code, 'what makes no sense is refused, and the load with it: ' || a.asked
    )
from (
    values
    ('{"source_name": "proposals", "target_date": "soon"}', 'PV005'),
    ('{"source_name": "jobs"}', 'PV007')
) as a (asked, code);

select monitoring.disable_source_query('crm');
select is(
    monitoring.begin_source_load('crm') ->> 'skipped', 'not enabled',
    'a query that is not enabled is not loaded'
);

select * from finish(); -- noqa: AM04
rollback;
