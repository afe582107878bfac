-- Calls about records never cost a program its transaction: what can be recorded is, the rest told.

begin;
select plan(19);
\ir helpers/fixed_clock.psql
set local client_min_messages = error;
select set_config('timezone', 'UTC', true);
select monitoring.ensure_partitions();

-- Told as what was told: "{kind}: {message}"
create function pg_temp.told() returns setof text
language sql
as $$
    select e.details ->> 'what' || ': ' || e.message
    from monitoring.errors as e
    where e.component = 'pgvigil'
    order by e.error_id
$$;

-- Invalid records

select is(
    monitoring.log_invalid_records(
        'apr',
        '[
            "a", null, {"value": 1}, {"record_key": "b", "target_date": "2026-02-30", "colour": 1},
            {"record_key": ["c"]}, {"record_key": "d", "value": "x", "detected_at": "soon"}, 7
        ]',
        'V', -1
    ) -> 'opened',
    '4', 'of seven records four can be known'
);
select results_eq(
    $$select record_key, reported_value from monitoring.invalid_records order by record_key$$,
    $$values ('7', null), ('a', null), ('b', null), ('d', 'x')$$,
    'with the fields that can be read'
);
select results_eq(
    'select told from pg_temp.told() as t (told)',
    array[
        'field of a record: row 4: there is no field "colour"; left out',
        'alerted_count: alerted_count is out of range: -1; left out',
        'record: row 2: record has the wrong shape: null; the record is left out'
    ],
    'and what could not is told'
);
select is(
    monitoring.log_invalid_records(null, '"[\"a\"]"', null, p_detected_at => 'infinity')
    -> 'opened',
    '1', 'of a dataset without a name, by a validation without one, encoded twice'
);
select is(monitoring.log_invalid_records('d', null, 'V') -> 'records', '0', 'no records are none');

-- A check whose scope, or some of whose records, nobody knows, resolves nothing

select is(
    monitoring.sync_invalid_records('apr', 'V', '{"from": "x"}', '["e"]') - 'records',
    '{"opened": 1, "reopened": 0, "touched": 0, "late": 0, "accepted": 0, "alerted": 0}',
    'with a scope that cannot be known only what fails is recorded'
);
select is(
    monitoring.sync_invalid_records('apr', 'V', '{"all": true}', '["a", null]') -> 'resolved', null,
    'nor is anything resolved when a record that fails is not known'
);
select is(
    monitoring.sync_invalid_records('apr', 'V', '{"all": true}', null) -> 'resolved', null,
    'or when nobody says which do'
);
select is(
    monitoring.sync_invalid_records('apr', 'V', '{"all": true}', '["a"]') -> 'resolved', '4',
    'otherwise what was examined and does not fail is'
);
select is(
    monitoring.auto_resolve_invalid_records('apr', null), null, 'a check of no day resolves nothing'
);

-- Statuses

select is(
    monitoring.track_status_changes(
        'apr',
        '[
            {"record_key": "1", "status": "A"}, {"record_key": "2"}, {"record_key": "3", "status": " "},
            {"record_key": "4", "status": "B", "effective_at": "soon", "change_source": "bot"}
        ]'::jsonb,
        'elf'
    ) -> 'new',
    '2', 'statuses that can be known are tracked'
);
select results_eq(
    $$
        select record_key, to_status, change_source
        from monitoring.status_changes where validation_type = '' order by 1
    $$,
    $$values ('1', 'A', 'SYSTEM'), ('4', 'B', 'SYSTEM')$$,
    'a source of changes that nobody added is SYSTEM'
);
select is(
    monitoring.track_status_changes(
        'apr', array['{"record_key": "5", "status": "C"}']::text, p_is_dry_run => true
    ) -> 'new',
    '1', 'records that a driver sent as an array of PostgreSQL are records'
);
select is(
    (
        monitoring.track_status_changes('apr', '{no json'),
        monitoring.track_status_changes('no', 'x')
    ),
    (null::jsonb, null::jsonb), 'what is neither records nor a day does nothing'
);

-- Products

select is(
    monitoring.track_record_products(
        'apr',
        '[{"record_key": "1", "products": ["x"]}, {"record_key": "2", "products": "y"}, {}]'
    ) -> 'added',
    '1', 'products of records that can be read are tracked'
);

-- Runs

select is(
    monitoring.log_program_execution(
        'apr', null, '{"good": 1, "bad": "x"}', -5.0, p_status => 'ERROR',
        p_finished_at => '1969-01-01'
    ),
    'apr/2026-01-15/full/20260115T120000000000', 'a run of no day is one of today'
);
select results_eq(
    $$
        select target_date, status, counters, duration_ms
        from monitoring.program_runs inner join monitoring.finished_tasks using (task_id, status)
    $$,
    $$values (date '2026-01-15', 'failed', '{"good": 1}'::jsonb, null::double precision)$$,
    'with what can be known of it'
);
select is(
    monitoring.log_program_execution(E'a\nb', '2026-01-14', '{}', 1, p_task_id => E'\u200b'),
    'a b/2026-01-14/full/20260115T120000000000', 'nor does its name cost anything'
);
select is(
    monitoring.log_program_execution('apr', '2026-01-14', '[]', 'a while', 'full', 'r'), 'r',
    'a length of time that nobody can read is not known'
);

select * from finish(); -- noqa: AM04
rollback;
