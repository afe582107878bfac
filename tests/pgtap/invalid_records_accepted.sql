-- What people have accepted stays so while it is found with the same value.

begin;
select plan(25);
\ir helpers/fixed_clock.psql

select set_config('timezone', 'UTC', true);

create function pg_temp.found(p_records jsonb, p_at timestamptz default null) returns text
language sql
as $$
    select concat_ws(
        ', ', nullif((f.r ->> 'opened') || ' opened', '0 opened'),
        nullif((f.r ->> 'reopened') || ' reopened', '0 reopened'),
        nullif((f.r ->> 'touched') || ' touched', '0 touched'),
        nullif((f.r ->> 'late') || ' late', '0 late'),
        nullif((f.r ->> 'accepted') || ' accepted', '0 accepted')
    )
    from monitoring.log_invalid_records('apr', p_records, 'V', p_detected_at => p_at) as f (r)
$$;

create function pg_temp.as_stored(p_key text) returns text
language sql
as $$
    select concat_ws(
        ' ', i.status, i.resolution, i.resolved_by, i.resolved_at::time(0), 'of',
        i.reported_value || ',', 'found', i.times_detected, 'times until',
        i.last_detected_at::time(0)
    )
    from monitoring.invalid_records as i
    where i.record_key = p_key
$$;

select pg_temp.set_clock('2026-01-15 10:00+00');
select pg_temp.found('[
    {"record_key": "a", "value": "1"}, {"record_key": "b", "value": "1"},
    {"record_key": "c", "value": "1"}, "d", {"record_key": "e", "value": "1"},
    {"record_key": "f", "value": "1"}
]');
select pg_temp.set_clock('2026-01-15 11:00+00');
select monitoring.resolve_invalid_records('apr', '{a,d,f}', 'manual', 'is known', p_by => 'ana');
select monitoring.resolve_invalid_records('apr', '{b}', 'superseded', p_by => 'ana');
select monitoring.resolve_invalid_records('apr', '{c}', 'gone', p_by => 'ana');

-- The same value

select pg_temp.set_clock('2026-01-15 12:00+00');
select is(
    pg_temp.found('[
        {"record_key": "a", "value": "1"}, {"record_key": "b", "value": "1"},
        {"record_key": "c", "value": "1"}
    ]'),
    '1 reopened, 2 accepted',
    'what is accepted or superseded stays so with the same value, and what was gone is back'
);
select is(
    pg_temp.as_stored('a'), 'resolved manual ana 11:00:00 of 1, found 2 times until 12:00:00',
    'though it is noted that it was found'
);
select is(pg_temp.found('["a", "d"]'), '1 late, 1 accepted', 'no value is no other value');
select is(
    (select count(*) from monitoring.invalid_record_spells where record_key in ('a', 'b', 'd')),
    3::bigint,
    'each has been invalid once'
);
select is(
    pg_temp.found('[{"record_key": "a", "value": "2"}]', '2026-01-15 11:30+00'), '1 late',
    'what had another value before it was last found tells nothing new'
);
select is(
    pg_temp.found('[{"record_key": "a", "value": "2"}]', '2026-01-15 10:30+00'), '1 late',
    'nor does what comes from before the decision'
);

-- Another value

select pg_temp.set_clock('2026-01-15 13:00+00');
select is(
    monitoring.log_invalid_records('apr', '[
        {"record_key": "a", "value": "2"}, {"record_key": "b", "value": "1"},
        {"record_key": "d", "value": "1"}
    ]', 'V', p_is_dry_run => true),
    '{"records": 3, "opened": 0, "reopened": 2, "touched": 0, "late": 0, "accepted": 1,
        "alerted": 0, "sample": [
            {"record_key": "a", "validation_type": "V", "change": "reopened"},
            {"record_key": "d", "validation_type": "V", "change": "reopened"}
        ]}'::jsonb,
    'a dry run tells what another value would open again'
);
select is(
    pg_temp.found('[{"record_key": "a", "value": "2"}, {"record_key": "d", "value": "1"}]'),
    '2 reopened', 'another value opens it again, so does one where there was none'
);
select is(
    pg_temp.as_stored('a'), 'open of 2, found 3 times until 13:00:00', 'nobody has accepted that'
);
select monitoring.resolve_invalid_records('apr', '{a}', 'manual', p_by => 'bob');
select pg_temp.set_clock('2026-01-15 14:00+00');
select is(
    pg_temp.found('[{"record_key": "a", "value": "2"}]'), '1 accepted',
    'unless people accept it as well'
);
select is(
    pg_temp.found('[{"record_key": "a", "value": "1"}]', '2026-01-15 14:01+00'), '1 reopened',
    'what they had accepted before counts no more'
);

-- Valid in between

select is(
    monitoring.sync_invalid_records(
        'apr', 'V', '{"keys": ["b", "e"]}', '[{"record_key": "b", "value": "1"}]'
    ) - 'records' - 'opened' - 'late' - 'alerted',
    '{"reopened": 0, "touched": 0, "accepted": 1, "resolved": 1}'::jsonb,
    'a check that finds it again, and others valid, counts it as accepted'
);
select is(
    monitoring.sync_invalid_records(
        'apr', 'V', '{"keys": ["b"]}', '[]', 'run', p_is_dry_run => true
    ),
    '{"records": 0, "opened": 0, "reopened": 0, "touched": 0, "late": 0, "accepted": 0,
        "alerted": 0, "resolved": 0, "sample": [
            {"record_key": "b", "validation_type": "V", "change": "valid"}
        ]}'::jsonb,
    'a dry run tells which are accepted no more because they are valid'
);
select is(
    pg_temp.as_stored('b'), 'resolved superseded ana 11:00:00 of 1, found 3 times until 14:00:00',
    'and changes nothing'
);
select pg_temp.set_clock('2026-01-15 15:00+00');
select is(
    monitoring.sync_invalid_records('apr', 'V', '{"keys": ["b"]}', '[]', 'run') ->> 'resolved', '0',
    'when a check finds it valid nothing is resolved that was not open'
);
select is(
    pg_temp.as_stored('b'), 'resolved auto run 15:00:00 of 1, found 3 times until 14:00:00',
    'but it is in order now'
);
select results_eq(
    $$
        select from_status, to_status, change_source, effective_at::time(0)
        from monitoring._all_status_changes where record_key = 'b' order by effective_at
    $$,
    $$
        values ('invalid', 'superseded', 'MANUAL', '11:00'::time),
            ('superseded', 'valid', 'AUTO_RESOLVE', '15:00')
    $$,
    'which is a change of its status'
);
select pg_temp.set_clock('2026-01-15 16:00+00');
select is(
    pg_temp.found('[{"record_key": "b", "value": "1"}, {"record_key": "f", "value": "1"}]'),
    '1 reopened, 1 accepted',
    'so it is opened again by the same value; what no check has looked at stays accepted'
);
select is(
    monitoring.auto_resolve_invalid_records('apr', '2026-01-15', '2026-01-15 16:00+00')
    ->> 'resolved',
    '3',
    'a complete check of the day resolves what it did not find'
);
select is(
    pg_temp.as_stored('f'), 'resolved manual ana 11:00:00 of 1, found 2 times until 16:00:00',
    'and what it found stays accepted'
);

-- Days and files

select is(
    (
        select
            format(
                '%s opened, %s resolved, %s open', d.r ->> 'invalid_opened',
                d.r ->> 'invalid_resolved', d.r ->> 'invalid_open'
            )
        from monitoring.update_daily_summary('apr', '2026-01-15') as d (r)
    ),
    (
        select
            format(
                '%s opened, %s resolved, %s open', 6 + 1 + 2 + 1 + 1, count(*),
                (select count(*) from monitoring.invalid_records where status = 'open')
            )
        from monitoring.invalid_record_spells
    ),
    'the day counts what was opened and resolved, and nothing twice'
);
select is(
    monitoring.load_invalid_records((
        select jsonb_agg(to_jsonb(i) || '{"dataset": "copy"}')
        from monitoring.invalid_records as i where i.record_key in ('b', 'f')
    )),
    2::bigint,
    'what was found though accepted can be loaded elsewhere'
);

select pg_temp.set_clock('2026-02-13 12:00+00');
select is(
    pg_temp.found('[{"record_key": "f", "value": "1"}]'), '1 accepted',
    'weeks later it is accepted still'
);
select pg_temp.set_clock('2026-02-16 12:00+00');
select count(*) from monitoring.cleanup_old_monitoring_data();
select results_eq(
    $$
        select record_key from monitoring.invalid_records
        where dataset = 'apr' and status = 'resolved'
    $$,
    array['f'],
    'what is found though accepted is not forgotten with what was resolved at that time'
);
select pg_temp.set_clock('2026-03-16 12:00+00');
select count(*) from monitoring.cleanup_old_monitoring_data();
select is_empty(
    $$select from monitoring.invalid_records where dataset = 'apr' and status = 'resolved'$$,
    'what is found no more is'
);

select * from finish(); -- noqa: AM04
rollback;
