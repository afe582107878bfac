-- What the functions about invalid records refuse, and that a refused call writes nothing.

begin;
select plan(38);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

-- Messages tell times as the session has them.
set local timezone = 'UTC';

create function pg_temp.all_records() returns text
language sql
as $$
    select md5(string_agg(s::text, ' ' order by s.record_key, s.validation_type))
        || (select count(*) from monitoring._all_status_changes)
        || (select count(*) from monitoring.products_of_records)
    from monitoring.invalid_record_states as s
$$;

select monitoring.log_invalid_records('d', '["a", "b"]', 'V');
select set_config('tests.records', pg_temp.all_records(), true);

select
    is(
        (r.refusal).code || ' ' || (r.refusal).message,
        refused.expected,
        refused.call
    )
from (
    values
    ($$monitoring.log_invalid_records(null, '[]', 'V')$$, 'PV001 dataset is missing: null'),
    ($$monitoring.log_invalid_records('d', '[]', ' ')$$, 'PV001 validation_type is empty: " "'),
    ($$monitoring.log_invalid_records('d', null, 'V')$$, 'PV005 records has the wrong shape: null'),
    ($$monitoring.log_invalid_records('d', '{}', 'V')$$, 'PV005 records has the wrong shape: {}'),
    (
        $$monitoring.log_invalid_records('d', '["a"]', 'V', -1)$$,
        'PV004 alerted_count is out of range: -1'
    ),
    (
        $$monitoring.log_invalid_records('d', '["a", null]', 'V')$$,
        'PV005 row 2: record has the wrong shape: null'
    ),
    (
        $$monitoring.log_invalid_records('d', '["a", ["b"]]', 'V')$$,
        'PV005 row 2: record has the wrong shape: ["b"]'
    ),
    (
        $$monitoring.log_invalid_records('d', '["a", ""]', 'V')$$,
        'PV001 row 2: record_key is empty: ""'
    ),
    (
        $$monitoring.log_invalid_records('d', '["a", {"record_key": ["b"]}]', 'V')$$,
        'PV005 row 2: record_key has the wrong shape: ["b"]'
    ),
    (
        $$monitoring.log_invalid_records('d', '[{"record_key": true}]', 'V')$$,
        'PV005 row 1: record_key has the wrong shape: true'
    ),
    (
        $$monitoring.log_invalid_records('d', '[{"value": "x"}]', 'V')$$,
        'PV001 row 1: record_key is missing: null'
    ),
    (
        $$monitoring.log_invalid_records('d', jsonb_build_array('a', repeat('k', 256)), 'V')$$,
        'PV002 row 2: record_key is too long: 256 characters, beginning with "'
        || repeat('k', 40) || '"'
    ),
    (
        $$monitoring.log_invalid_records('d', '["a", {"record_key": "b", "vallue": 1}]', 'V')$$,
        'PV005 row 2: there is no field "vallue"'
    ),
    (
        $$monitoring.log_invalid_records(
            'd', '["a", "b", {"record_key": "c", "target_date": "2026-02-30"}]', 'V'
        )$$,
        'PV006 row 3: date/time field value out of range: "2026-02-30"'
    ),
    (
        $$monitoring.log_invalid_records(
            'd', '[{"record_key": "c", "detected_at": "2036-01-01"}]', 'V'
        )$$,
        'PV006 row 1: time is impossible: 2036-01-01 00:00:00+00'
    ),
    (
        $$monitoring.log_invalid_records('d', '[{"record_key": "c", "alerted": "who"}]', 'V')$$,
        'PV005 row 1: invalid input syntax for type boolean: "who"'
    ),
    (
        $$monitoring.log_invalid_records('d', '["a"]', 'V', p_detected_at => '1960-01-01')$$,
        'PV006 time is impossible: 1960-01-01 00:00:00+00'
    ),
    (
        $$monitoring.sync_invalid_records('d', 'V', null, '[]')$$,
        'PV005 scope has the wrong shape: null'
    ),
    (
        $$monitoring.sync_invalid_records('d', 'V', '{}', '[]')$$,
        'PV005 scope has the wrong shape: {}'
    ),
    (
        $$monitoring.sync_invalid_records('d', 'V', '[]', '[]')$$,
        'PV005 scope has the wrong shape: []'
    ),
    (
        $$monitoring.sync_invalid_records('d', 'V', '{"day": "2026-01-15"}', '[]')$$,
        'PV003 key of the scope is not known: "day"'
    ),
    (
        $$monitoring.sync_invalid_records('d', 'V', '{"all": false}', '[]')$$,
        'PV005 scope has the wrong shape: {"all": false}'
    ),
    (
        $$monitoring.sync_invalid_records('d', 'V', '{"target_date": null}', '[]')$$,
        'PV005 scope has the wrong shape: {"target_date": null}'
    ),
    (
        $$monitoring.sync_invalid_records('d', 'V', '{"all": true, "group": null}', '[]')$$,
        'PV005 scope has the wrong shape: {"all": true, "group": null}'
    ),
    (
        $$monitoring.sync_invalid_records('d', 'V', '{"keys": null}', '[]')$$,
        'PV005 scope has the wrong shape: {"keys": null}'
    ),
    (
        $$monitoring.sync_invalid_records('d', 'V', '{"keys": ["a", null]}', '["a"]')$$,
        'PV005 scope has the wrong shape: {"keys": ["a", null]}'
    ),
    (
        $$monitoring.sync_invalid_records('d', 'V', '{"from": "yesterdays"}', '[]')$$,
        'PV005 scope has the wrong shape: {"from": "yesterdays"}'
    ),
    (
        $$monitoring.sync_invalid_records(
            'd', 'V', '{"from": "2026-02-01", "to": "2026-01-31"}', '[]'
        )$$,
        'PV005 scope has the wrong shape: {"to": "2026-01-31", "from": "2026-02-01"}'
    ),
    (
        $$monitoring.sync_invalid_records('d', 'V', '{"all": true}', null)$$,
        'PV005 records has the wrong shape: null'
    ),
    (
        $$monitoring.sync_invalid_records('d', 'V', '{"keys": ["a"]}', '["a", "b"]')$$,
        'PV005 a record fails that is not in the scope: "b"'
    ),
    (
        $$monitoring.auto_resolve_invalid_records('d', null)$$,
        'PV005 target_date has the wrong shape: null'
    ),
    (
        $$monitoring.auto_resolve_invalid_records('d', '2026-01-15', 'infinity')$$,
        'PV006 time is impossible: infinity'
    ),
    (
        $$monitoring.resolve_invalid_records('d', '{a}', 'auto')$$,
        'PV003 resolution is not known: "auto"'
    ),
    (
        $$monitoring.resolve_invalid_records('d', null)$$,
        'PV005 record_keys has the wrong shape: null'
    ),
    (
        $$monitoring.track_record_products('d', '[{"record_key": "a"}]')$$,
        'PV005 row 1: products has the wrong shape: missing'
    ),
    (
        $$monitoring.track_record_products(
            'd', '[{"record_key": "a", "products": ["x", {"product": "y", "quantity": "few"}]}]'
        )$$,
        'PV005 row 1: invalid input syntax for type double precision: "few"'
    )
) as refused (call, expected)
cross join lateral (select pg_temp.refusal_of(refused.call) as refusal) as r;

select is(
    (pg_temp.refusal_of($$monitoring.sync_invalid_records('d', 'V', '{"day": "x"}', '[]')$$)).hint,
    'Use one of: keys, target_date, from, to, group, all.',
    'a hint says what would be right'
);
select is(
    pg_temp.all_records(), current_setting('tests.records'), 'what is refused leaves nothing behind'
);

select * from finish(); -- noqa: AM04
rollback;
