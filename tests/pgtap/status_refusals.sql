-- What cannot be right about statuses, datasets and triggers is refused, and says what would be.

begin;
select plan(25);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

set local timezone = 'UTC';

create schema scratch;
create table scratch.orders (id integer, state text);
create view scratch.open_orders as select
    id,
    state
from scratch.orders;

select
    results_eq(
        format('select code, message from pg_temp.refusal_of(%L)', 'monitoring.' || call),
        format('values (%L, %L)', code, message),
        call
    )
from (
    values
    (
        $$track_status_changes('', '[]'::jsonb)$$, 'PV001', 'dataset is empty: ""'
    ),
    (
        $$track_status_changes('d', '{}'::jsonb)$$, 'PV005', 'records has the wrong shape: {}'
    ),
    (
        $$track_status_changes('d', '["a"]'::jsonb)$$, 'PV001', 'row 1: status is missing: null'
    ),
    (
        $$track_status_changes('d', '[{"record_key": "1", "state": "A"}]')$$,
        'PV005', 'row 1: there is no field "state"'
    ),
    (
        $$track_status_changes('d', '[{"record_key": "1", "status": null}, {"record_key": "1"}]')$$,
        'PV001', 'row 2: status is missing: null'
    ),
    (
        $$track_status_changes('d', '[{"record_key": "1", "status": " "}]')$$,
        'PV001', 'row 1: status is empty: " "'
    ),
    (
        $$track_status_changes('d', '[{"record_key": "", "status": "A"}]')$$,
        'PV001', 'row 1: record_key is empty: ""'
    ),
    (
        $$track_status_changes(
            'd', '[{"record_key": "1", "status": "A", "effective_at": "soon"}]')$$,
        'PV005', 'row 1: invalid input syntax for type timestamp with time zone: "soon"'
    ),
    (
        $$track_status_changes(
            'd', '[{"record_key": "1", "status": "A", "effective_at": "1969-01-01"}]')$$,
        'PV006', 'row 1: time is impossible: 1969-01-01 00:00:00+00'
    ),
    (
        $$track_status_changes('d', '[{"record_key": "1", "status": "A", "details": [1]}]')$$,
        'PV005', 'row 1: details has the wrong shape: [1]'
    ),
    (
        $$track_status_changes('d', '[{"record_key": "1", "status": "A"}]'::jsonb, 'ELF')$$,
        'PV003', 'change source is not known: "ELF"'
    ),
    (
        $$track_status_changes(
            'd', '[{"record_key": "1", "status": "A", "change_source": "ELF"}]')$$,
        'PV003', 'row 1: change source is not known: "ELF"'
    ),
    (
        $$track_status_changes('d', 'yesteryear')$$,
        'PV005', 'records has the wrong shape: yesteryear'
    ),
    (
        $$track_status_changes('d', '[{"record_key"')$$,
        'PV005', 'records has the wrong shape: [{"record_key"'
    ),
    (
        $$change_dataset('d', '{"colour": "red"}')$$,
        'PV003', 'setting of a dataset is not known: "colour"'
    ),
    (
        $$change_dataset('d', '{"pending_statuses": "OPEN"}')$$,
        'PV005', 'pending_statuses has the wrong shape: "OPEN"'
    ),
    (
        $$change_dataset('d', '{"pending_statuses": [["OPEN"]]}')$$,
        'PV005', 'pending_statuses has the wrong shape: [["OPEN"]]'
    ),
    (
        $$set_allowed_transitions('d', '{"OPEN": "DONE"}')$$,
        'PV005', 'transitions has the wrong shape: "DONE"'
    ),
    (
        $$define_change_source('', 'nobody')$$, 'PV001', 'change_source is empty: ""'
    ),
    (
        $$attach_status_trigger('scratch.gone', '{id}', 'state')$$,
        'PV007', 'there is no relation "scratch.gone"'
    ),
    (
        $$attach_status_trigger('scratch.open_orders', '{id}', 'state')$$,
        'PV007', 'scratch.open_orders can have no status trigger'
    ),
    (
        $$attach_status_trigger('scratch.orders', '{number}', 'state')$$,
        'PV007', 'scratch.orders has no column number'
    ),
    (
        $$attach_status_trigger('scratch.orders', '{}', 'state')$$,
        'PV005', 'key_columns has the wrong shape: {}'
    ),
    (
        $$attach_status_trigger('scratch.orders', '{{a,b},{c,d}}', 'state')$$,
        'PV005', 'key_columns has the wrong shape: {{a,b},{c,d}}'
    ),
    (
        $$get_record_timeline('d', '1', 0)$$, 'PV004', 'limit is out of range: 0'
    )
) as refused (call, code, message);

select * from finish(); -- noqa: AM04
rollback;
