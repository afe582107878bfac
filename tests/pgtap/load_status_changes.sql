-- load_status_changes: changes of status that happened before, each once.

begin;
select plan(20);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

create temporary view history as
select
    h.record_key,
    to_char(h.effective_at at time zone 'UTC', 'MM-DD HH24:MI') as at,
    h.from_status,
    h.to_status
from monitoring.status_history as h
where h.dataset = 'apr' and h.validation_type = '';

create function pg_temp.load(p_key text, p_at text, p_to text, p_id bigint) returns bigint
language sql
as $$
    select monitoring.load_status_changes(jsonb_build_array(jsonb_build_object(
        'dataset', 'apr', 'record_key', p_key, 'to_status', p_to, 'effective_at', p_at,
        'change_id', p_id
    )))
$$;

-- Interface

select is(
    monitoring.load_status_changes(
        '[{"dataset": "whole", "record_key": "1", "from_status": "OPEN", "to_status": "DONE",
            "validation_type": "SEUNO", "change_source": "BOT", "actor": "robot",
            "source_name": "s", "task_id": "t", "details": {"a": 1}, "change_id": -7,
            "effective_at": "2026-01-02T03:04:05Z"}]'
    ),
    1::bigint,
    'an array of changes is loaded'
);

select results_eq(
    $$
        select record_key, from_status, to_status, validation_type, change_source, actor,
            source_name, task_id, details, change_id, effective_at, recorded_at
        from monitoring.status_history where dataset = 'whole'
    $$,
    $$
        values
        (
            '1', 'OPEN', 'DONE', 'SEUNO', 'BOT', 'robot', 's', 't', '{"a": 1}'::jsonb, -7::bigint,
            '2026-01-02 03:04:05+00'::timestamptz, '2026-01-02 03:04:05+00'::timestamptz
        )
    $$,
    'every field arrives, and a change counts as recorded when it took effect'
);

select is_empty(
    $$select * from monitoring.v_record_status where dataset = 'whole'$$,
    'the verdict of a validation is not the status of the record'
);

-- Behaviour

select is(
    monitoring.load_status_changes(
        '[
            {"dataset": "apr", "record_key": "1", "to_status": "OPEN",
                "effective_at": "2026-01-01T08:00Z", "change_id": -11},
            {"dataset": "apr", "record_key": "1", "to_status": "OPEN",
                "effective_at": "2026-01-01T09:00Z", "change_id": -12},
            {"dataset": "apr", "record_key": "2", "to_status": "OPEN",
                "effective_at": "2026-01-01T08:00Z", "change_id": -13},
            {"dataset": "apr", "record_key": "1", "to_status": "BUSY",
                "effective_at": "2026-01-01T10:00Z", "change_id": -14},
            {"dataset": "apr", "record_key": "1", "to_status": "DONE",
                "effective_at": "2026-01-01T10:00Z", "change_id": -15}
        ]'
    ),
    4::bigint,
    'a row that changes nothing is passed over'
);

select set_eq(
    'select record_key, at, from_status, to_status from history',
    $$
        values
        ('1', '01-01 08:00', null, 'OPEN'),
        ('2', '01-01 08:00', null, 'OPEN'),
        ('1', '01-01 10:00', 'OPEN', 'BUSY'),
        ('1', '01-01 10:00', 'BUSY', 'DONE')
    $$,
    'each change has the status before it, in the order of the rows where times are equal'
);

select set_eq(
    $$
        select record_key, status, effective_at, change_source
        from monitoring.v_record_status where dataset = 'apr'
    $$,
    $$
        values
        ('1', 'DONE', '2026-01-01 10:00+00'::timestamptz, 'SYSTEM'),
        ('2', 'OPEN', '2026-01-01 08:00+00', 'SYSTEM')
    $$,
    'the newest change of each record is its status'
);

select is(
    array[
        pg_temp.load('1', '2026-01-01T08:00Z', 'OPEN', -11),
        pg_temp.load('1', '2026-01-01T10:00Z', 'BUSY', -14),
        pg_temp.load('1', '2026-01-01T10:00Z', 'DONE', -15)
    ],
    array[0, 0, 0]::bigint[],
    'loading them again adds nothing'
);

select is(
    pg_temp.load('2', '2026-01-02T08:00Z', 'BUSY', -16), 1::bigint, 'a later array carries on'
);

select is(pg_temp.load('1', '2026-01-01T09:30Z', 'HELD', -17), 1::bigint, 'a late one is loaded');

select set_has(
    'select record_key, at, from_status, to_status from history',
    $$
        values
        ('2', '01-02 08:00', 'OPEN', 'BUSY'),
        ('1', '01-01 09:30', 'OPEN', 'HELD')
    $$,
    'the status before is what it was at that time, whatever is known of later'
);

select is(
    (select status from monitoring.v_record_status where dataset = 'apr' and record_key = '1'),
    'DONE',
    'a late change leaves the status of the record alone'
);

select is(pg_temp.load('1', '2026-01-03T08:00Z', null, -18), 1::bigint, 'a record may be gone');

-- Three at once, the last of which is the first again.
create function pg_temp.load_three() returns bigint
language sql
as $$
    select monitoring.load_status_changes((
        select jsonb_agg(jsonb_build_object(
            'dataset', 'apr', 'record_key', '4', 'to_status', t.status, 'change_id', -30 - t.number,
            'effective_at', '2026-01-04'
        ) order by t.number)
        from (values (1, 'OPEN'), (2, 'BUSY'), (3, 'OPEN')) as t (number, status)
    ))
$$;
select is(pg_temp.load_three(), 3::bigint, 'a record may change and change back at one time');
select is(
    (select status from monitoring.v_record_status where dataset = 'apr' and record_key = '4'),
    'OPEN',
    'the last row is its status'
);
select is(pg_temp.load_three(), 0::bigint, 'and that is loaded once, too');

-- The present status that a program told is newer than all of this.
select monitoring.track_status_changes('apr', '[{"record_key": "3", "status": "DONE"}]'::jsonb);
select pg_temp.load('3', '2026-01-01T08:00Z', 'OPEN', -19);
select is(
    (select status from monitoring.v_record_status where dataset = 'apr' and record_key = '3'),
    'DONE',
    'what is known to be later stays'
);

-- Boundaries

select is(
    monitoring.load_status_changes((
        select
            jsonb_agg(jsonb_build_object(
                'dataset', 'days', 'record_key', 'r', 'to_status', d.day::text,
                'effective_at', '2025-06-01T00:00Z'::timestamptz + d.day * interval '1 day'
            ))
        from generate_series(0, 39) as d (day)
    )),
    40::bigint,
    'days long past get their partitions'
);

select is(monitoring.load_status_changes('[]'), 0::bigint, 'an array of nothing is nothing');

-- Refusals

select
    is(
        (r.refusal).code || ': ' || (r.refusal).message,
        'PV003: row 2: change source is not known: "ME"',
        'an unknown change source is refused with the number of its row'
    )
from (
    select pg_temp.refusal_of(
        $$monitoring.load_status_changes(
            '[{"dataset": "no", "record_key": "1", "to_status": "A"},
                {"dataset": "no", "record_key": "2", "to_status": "A", "change_source": "ME"}]'
        )$$
    ) as refusal
) as r;

select set_eq(
    $$
        select g.given, (pg_temp.refusal_of(
            format('monitoring.load_status_changes(%L)', g.given)
        )).code
        from (
            values
            ('[{"dataset": "", "record_key": "1", "to_status": "A"}]'),
            ('[{"dataset": "no", "to_status": "A"}]'),
            ('[{"dataset": "no", "record_key": "1", "colour": "A"}]'),
            ('[{"dataset": "no", "record_key": "1", "to_status": "A", "change_id": 7}]'),
            ('[{"dataset": "no", "record_key": "1", "effective_at": "1955-11-05"}]'),
            ('{}')
        ) as g (given)
    $$,
    $$
        values
        ('[{"dataset": "", "record_key": "1", "to_status": "A"}]', 'PV001'),
        ('[{"dataset": "no", "to_status": "A"}]', 'PV001'),
        ('[{"dataset": "no", "record_key": "1", "colour": "A"}]', 'PV005'),
        ('[{"dataset": "no", "record_key": "1", "to_status": "A", "change_id": 7}]', 'PV004'),
        ('[{"dataset": "no", "record_key": "1", "effective_at": "1955-11-05"}]', 'PV006'),
        ('{}', 'PV005')
    $$,
    'what cannot be right is refused'
);

select * from finish(); -- noqa: AM04
rollback;
