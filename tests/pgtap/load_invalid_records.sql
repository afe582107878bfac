-- load_invalid_records: records that were invalid before, each spell once.

begin;
select plan(17);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

-- One record, SEUNO of number 1: found on a day, resolved on another.
create function pg_temp.load(p_found text, p_resolved text default null) returns bigint
language sql
as $$
    select monitoring.load_invalid_records(jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
        'dataset', 'apr', 'record_key', '1', 'validation_type', 'SEUNO',
        'first_detected_at', p_found, 'resolved_at', p_resolved
    ))))
$$;

create temporary view known as
select
    to_char(i.first_detected_at, 'MM-DD') as first,
    to_char(i.opened_at, 'MM-DD') as opened,
    to_char(i.resolved_at, 'MM-DD') as resolved,
    i.times_detected,
    i.times_reopened
from monitoring.invalid_records as i
where i.dataset = 'apr' and i.record_key = '1';

create temporary view spells as
select
    to_char(s.opened_at, 'MM-DD') as opened,
    to_char(s.resolved_at, 'MM-DD') as resolved
from monitoring.invalid_record_spells as s
where s.dataset = 'apr';

-- Interface

select is(
    monitoring.load_invalid_records(
        '[{"dataset": "whole", "record_key": "1", "validation_type": "SEUNO",
            "group_name": "Rio", "reported_value": "x", "message": "m", "details": {"d": 1},
            "target_date": "2026-01-02", "first_detected_at": "2026-01-02T08:00Z",
            "opened_at": "2026-01-03T08:00Z", "last_detected_at": "2026-01-04T08:00Z",
            "times_detected": 4, "times_reopened": 1, "alerted_at": "2026-01-03T09:00Z",
            "task_id": "t", "resolved_at": "2026-01-05T08:00Z", "resolution": "manual",
            "resolved_by": "ann", "resolution_reason": "r"}]'
    ),
    1::bigint,
    'an array of records is loaded'
);

select results_eq(
    $$
        select status, group_name, reported_value, message, details, target_date,
            first_detected_at, opened_at, last_detected_at, times_detected, times_reopened,
            alerted_at, task_id, resolved_at, resolution, resolved_by, resolution_reason
        from monitoring.invalid_records where dataset = 'whole'
    $$,
    $$
        values
        (
            'resolved', 'Rio', 'x', 'm', '{"d": 1}'::jsonb, '2026-01-02'::date,
            '2026-01-02 08:00+00'::timestamptz, '2026-01-03 08:00+00'::timestamptz,
            '2026-01-04 08:00+00'::timestamptz, 4::bigint, 1,
            '2026-01-03 09:00+00'::timestamptz, 't', '2026-01-05 08:00+00'::timestamptz,
            'manual', 'ann', 'r'
        )
    $$,
    'every field arrives'
);

-- Behaviour

select is(
    monitoring.load_invalid_records(
        '[
            {"dataset": "apr", "record_key": "1", "validation_type": "SEUNO",
                "first_detected_at": "2026-01-03", "resolved_at": "2026-01-04"},
            {"dataset": "apr", "record_key": "1", "validation_type": "SEUNO",
                "first_detected_at": "2026-01-05"},
            {"dataset": "apr", "record_key": "1", "validation_type": "SEUNO",
                "first_detected_at": "2026-01-03", "resolved_at": "2026-01-04"}
        ]'
    ),
    2::bigint,
    'a record may be there with several spells, and the same one is one'
);

select results_eq(
    'select * from known',
    $$values ('01-03', '01-05', null, 2::bigint, 1)$$,
    'the newest spell is what the record is now, and the earlier ones are counted'
);

select results_eq(
    'select * from spells', $$values ('01-03', '01-04')$$, 'those that have ended are its history'
);

select is(
    pg_temp.load('2026-01-03', '2026-01-04') + pg_temp.load('2026-01-05'),
    0::bigint,
    'loading them again adds nothing'
);

select is(pg_temp.load('2026-01-01', '2026-01-02'), 1::bigint, 'an earlier spell is added');

select results_eq(
    'select * from known',
    $$values ('01-01', '01-05', null, 2::bigint, 1)$$,
    'and tells when the record was found first'
);

select is(pg_temp.load('2026-01-05', '2026-01-08'), 1::bigint, 'what was open may have ended');

select results_eq(
    'select * from known',
    $$values ('01-01', '01-05', '01-08', 2::bigint, 1)$$,
    'and is resolved then'
);

select is(
    pg_temp.load('2026-01-05') + pg_temp.load('2026-01-07'),
    0::bigint,
    'nothing that lies before its resolution opens it again'
);

select is(pg_temp.load('2026-01-09'), 1::bigint, 'what was found after it does');

select results_eq(
    'select * from known',
    $$values ('01-01', '01-09', null, 3::bigint, 2)$$,
    'and counts as found again'
);

-- A program has found it already when history is loaded.
select monitoring.log_invalid_records('apr', '["2"]', 'SEUNO');
select monitoring.load_invalid_records(
    '[{"dataset": "apr", "record_key": "2", "validation_type": "SEUNO",
        "first_detected_at": "2026-01-10"}]'
);
select is(
    (
        select (first_detected_at, opened_at, last_detected_at)::text
        from monitoring.invalid_records where record_key = '2'
    ),
    (
        select ('2026-01-10'::timestamptz, '2026-01-10'::timestamptz, monitoring.clock())::text
    ),
    'what is open now and was open then has been open since then'
);

-- Refusals

select
    is(
        (r.refusal).code || ': ' || (r.refusal).message,
        'PV003: row 2: resolution is not known: "lost"',
        'an unknown resolution is refused with the number of its row'
    )
from (
    select pg_temp.refusal_of(
        $$monitoring.load_invalid_records(
            '[{"dataset": "no", "record_key": "1", "validation_type": "V"},
                {"dataset": "no", "record_key": "2", "validation_type": "V", "resolution": "lost",
                "first_detected_at": "2026-01-01", "resolved_at": "2026-01-02"}]'
        )$$
    ) as refusal
) as r;

select set_eq(
    $$
        select g.given, (pg_temp.refusal_of(format(
            'monitoring.load_invalid_records(%L)',
            '[{"dataset": "no", "record_key": "1", "validation_type": "V", ' || g.given || '}]'
        ))).code
        from (
            values
            ('"dataset": ""'), ('"validation_type": null'), ('"colour": 1'),
            ('"times_detected": -1'), ('"first_detected_at": "1955-11-05"'),
            ('"first_detected_at": "2026-01-05", "resolved_at": "2026-01-04"'),
            (
                '"first_detected_at": "2026-01-01", "last_detected_at": "2026-01-05", '
                || '"resolved_at": "2026-01-04"'
            )
        ) as g (given)
    $$,
    $$
        values
        ('"dataset": ""', 'PV001'), ('"validation_type": null', 'PV001'), ('"colour": 1', 'PV005'),
        ('"times_detected": -1', 'PV004'), ('"first_detected_at": "1955-11-05"', 'PV006'),
        ('"first_detected_at": "2026-01-05", "resolved_at": "2026-01-04"', 'PV006'),
        (
            '"first_detected_at": "2026-01-01", "last_detected_at": "2026-01-05", '
            || '"resolved_at": "2026-01-04"', 'PV006'
        )
    $$,
    'what cannot be right is refused'
);

select is_empty(
    $$select * from monitoring.invalid_records where dataset = 'no'$$,
    'of an array with a row that is refused nothing is loaded'
);

select * from finish(); -- noqa: AM04
rollback;
