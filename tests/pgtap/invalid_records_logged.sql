-- Records that fail a validation are opened, touched and opened again, each at its own time.

begin;
select plan(24);
\ir helpers/fixed_clock.psql

select set_config('timezone', 'UTC', true);

create function pg_temp.as_stored(p_key text) returns text
language sql
as $$
    select format(
        '%s since %s, found %s-%s, %s times, reopened %s', i.status, i.opened_at::time(0),
        i.first_detected_at::time(0), i.last_detected_at::time(0), i.times_detected,
        i.times_reopened
    )
    from monitoring.invalid_records as i
    where i.record_key = p_key
$$;

-- Interface

select is(
    monitoring.log_invalid_records('apr', '["a", "b", "c"]', 'DUPLICATA', 2),
    '{"records": 3, "opened": 3, "reopened": 0, "touched": 0, "late": 0,
        "accepted": 0, "alerted": 2}'::jsonb,
    'keys of a dataset, a type of validation and how many people were told of are enough'
);
select results_eq(
    $$select record_key, is_alerted, alerted_at from monitoring.invalid_records order by 1$$,
    $$
        values ('a', true, '2026-01-15 12:00+00'::timestamptz), ('b', true, '2026-01-15 12:00+00'),
            ('c', false, null)
    $$,
    'the first so many of the array count as told'
);
select is(
    monitoring.log_invalid_records('apr', '[{
        "record_key": "d", "value": "12-3", "group": "north", "message": "digit is wrong",
        "details": {"digit": 4}, "target_date": "2026-01-14",
        "detected_at": "2026-01-15 11:00+00", "alerted": true
    }]', 'NFECHAVE', p_task_id => 'run 1') ->> 'alerted',
    '1',
    'objects say more'
);
select is(
    (select i::text from monitoring.invalid_records as i where i.record_key = 'd'),
    '(apr,d,NFECHAVE,open,north,12-3,"digit is wrong","{""digit"": 4}",2026-01-14,'
    '"2026-01-15 11:00:00+00","2026-01-15 11:00:00+00","2026-01-15 11:00:00+00",1,0,t,'
    '"2026-01-15 11:00:00+00","run 1",,,,,3600)',
    'and all of it is kept'
);

-- Behaviour

select pg_temp.set_clock('2026-01-15 13:00+00');
select is(
    monitoring.log_invalid_records('apr', '["a", "e"]', 'DUPLICATA'),
    '{"records": 2, "opened": 1, "reopened": 0, "touched": 1, "late": 0,
        "accepted": 0, "alerted": 0}'::jsonb,
    'one that is open is touched'
);
select is(
    pg_temp.as_stored('a'), 'open since 12:00:00, found 12:00:00-13:00:00, 2 times, reopened 0',
    'and counts once more'
);
select is(
    (select is_alerted from monitoring.invalid_records where record_key = 'a'), true,
    'people who were told of it stay told'
);
select monitoring.log_invalid_records(
    'apr', '[{"record_key": "d", "message": "still wrong"}]', 'NFECHAVE'
);
select is(
    (
        select format('%s %s %s', group_name, reported_value, message)
        from monitoring.invalid_records where record_key = 'd'
    ),
    'north 12-3 still wrong',
    'what is said again replaces what was said, and what is not said stays'
);
select is(
    monitoring.log_invalid_records('apr', '["a"]', 'SEUNO') ->> 'opened', '1',
    'the same record may fail another validation'
);
select monitoring.resolve_invalid_records('apr', '{b}', 'gone');
select pg_temp.set_clock('2026-01-15 14:00+00');
select is(
    monitoring.log_invalid_records('apr', '["b"]', 'DUPLICATA'),
    '{"records": 1, "opened": 0, "reopened": 1, "touched": 0, "late": 0,
        "accepted": 0, "alerted": 0}'::jsonb,
    'one that was resolved is opened again'
);
select is(
    pg_temp.as_stored('b'), 'open since 14:00:00, found 12:00:00-14:00:00, 2 times, reopened 1',
    'as a new spell'
);
select is(
    (select is_alerted from monitoring.invalid_records where record_key = 'b'), false,
    'of which nobody has been told yet'
);
select pg_temp.set_clock('2026-01-15 15:00+00');
select monitoring.resolve_invalid_records('apr', '{b}', 'gone');
select results_eq(
    $$
        select opened_at, resolved_at, times_detected, is_alerted
        from monitoring.invalid_record_spells where record_key = 'b' order by spell_id
    $$,
    $$
        values ('2026-01-15 12:00+00'::timestamptz, '2026-01-15 13:00+00'::timestamptz, 1::bigint,
                true),
            ('2026-01-15 14:00+00', '2026-01-15 15:00+00', 1, false)
    $$,
    'each spell has its own times, its own count and whether people were told'
);

-- Late and repeated detections

select is(
    monitoring.log_invalid_records(
        'apr', '["b"]', 'DUPLICATA', p_detected_at => '2026-01-15 14:30+00'
    ),
    '{"records": 1, "opened": 0, "reopened": 0, "touched": 0, "late": 1,
        "accepted": 0, "alerted": 0}'::jsonb,
    'a detection from before the resolution opens nothing again'
);
select is(
    pg_temp.as_stored('b'), 'resolved since 14:00:00, found 12:00:00-14:30:00, 3 times, reopened 1',
    'though it is noted'
);
select monitoring.log_invalid_records(
    'apr', '[{"record_key": "a", "message": "old"}]', 'DUPLICATA',
    p_detected_at => '2026-01-15 10:00+00'
);
select is(
    (
        select
            format(
                'found %s-%s, open since %s, %s', i.first_detected_at::time(0),
                i.last_detected_at::time(0), i.opened_at::time(0), i.message
            )
        from monitoring.invalid_records as i
        where i.record_key = 'a' and i.validation_type = 'DUPLICATA'
    ),
    'found 10:00:00-13:00:00, open since 10:00:00, ',
    'one that comes late makes a record older, and has no word in what it is now'
);
select
    monitoring.log_invalid_records(
        'apr', '["a"]', 'DUPLICATA', p_detected_at => d.detected_at::timestamptz
    )
from (
    values ('2026-01-15 10:00+00'), ('2026-01-15 12:00+00'), ('2026-01-15 13:00+00')
) as d (detected_at);
select is(
    (
        select times_detected from monitoring.invalid_records
        where record_key = 'a' and validation_type = 'DUPLICATA'
    ),
    3::bigint,
    'told again it is no new detection'
);

-- Boundaries

select is(
    monitoring.log_invalid_records(
        'twice', '["x", {"record_key": "x", "value": "second"}, "y", "x"]', 'V', 4
    ),
    '{"records": 2, "opened": 2, "reopened": 0, "touched": 0, "late": 0,
        "accepted": 0, "alerted": 2}'::jsonb,
    'the same key twice in an array counts once'
);
select is(
    monitoring.log_invalid_records('apr', '[]', 'V') ->> 'records', '0', 'no records are none'
);
insert into monitoring.datasets (dataset, time_zone, changed_by, changed_at)
values ('south', 'America/Sao_Paulo', 'test', monitoring.clock());
select monitoring.log_invalid_records(
    'south', '[7]', 'V', p_detected_at => '2026-01-15 02:00+00'
);
select results_eq(
    $$select record_key, target_date from monitoring.invalid_records where dataset = 'south'$$,
    $$values ('7', '2026-01-14'::date)$$,
    'a number is a key as well, and its day is that of the dataset'
);
select is(
    (
        select
            monitoring.log_invalid_records('many', jsonb_agg('k' || n), 'V', 10) - 'late'
            - 'accepted' - 'reopened' - 'touched'
        from generate_series(1, 10000) as n
    ),
    '{"records": 10000, "opened": 10000, "alerted": 10}'::jsonb,
    'ten thousand records are one call'
);
select pg_temp.set_clock('2026-01-15 16:00+00');
select is(
    monitoring.log_invalid_records('apr', '["a", "b", "f"]', 'DUPLICATA', p_is_dry_run => true),
    '{"records": 3, "opened": 1, "reopened": 1, "touched": 1, "late": 0,
        "accepted": 0, "alerted": 0, "sample": [
        {"record_key": "f", "validation_type": "DUPLICATA", "change": "opened"},
        {"record_key": "b", "validation_type": "DUPLICATA", "change": "reopened"}
    ]}'::jsonb,
    'a dry run tells what would change'
);
select is(
    (
        select string_agg(record_key || ' ' || status, ', ' order by record_key)
        from monitoring.invalid_records where dataset = 'apr' and validation_type = 'DUPLICATA'
    ),
    'a open, b resolved, c open, e open',
    'and changes nothing'
);
-- A session that has called often while there was nothing must not go on by a plan for that.
truncate monitoring.invalid_record_states;
analyze monitoring.invalid_record_states;
select monitoring.log_invalid_records('apr', '[]', 'V') from generate_series(1, 10);
select monitoring.log_invalid_records('apr', jsonb_agg('k' || n), 'V')
from generate_series(1, 1000) as n;
select cmp_ok(
    pg_stat_get_xact_numscans('monitoring.invalid_record_states'::regclass), '<', 100::bigint,
    'what is known is not read again for each record'
);

select * from finish(); -- noqa: AM04
rollback;
