-- Invalid records are resolved by a complete check of their day, or by people.

begin;
select plan(22);
\ir helpers/fixed_clock.psql

select set_config('timezone', 'UTC', true);

create function pg_temp.open_ones() returns text
language sql
as $$
    select coalesce(string_agg(record_key, ' ' order by record_key), 'none')
    from monitoring.invalid_records where dataset = 'apr' and status = 'open'
$$;

select pg_temp.set_clock('2026-01-15 10:00+00');
select monitoring.log_invalid_records('apr', '["a", "b", "c", "d"]', 'V');
select monitoring.log_invalid_records('apr', '["a"]', 'OTHER');
select monitoring.log_invalid_records('apr', '["e"]', 'V', p_target_date => '2026-01-14');

-- By a complete check

select is(
    monitoring.auto_resolve_invalid_records('apr', '2026-01-15'),
    '{"resolved": 0, "checked_since": null,
        "note": "no completed run of run_mode full is known for that day"}'::jsonb,
    'where no complete check is known nothing is resolved, and the answer says so'
);
select pg_temp.set_clock('2026-01-15 11:00+00');
select monitoring.log_program_execution('apr', '2026-01-15', '{}', 600, 'partial');
select monitoring.log_program_execution(
    'apr', '2026-01-15', '{}', 600, 'full', p_status => 'failed'
);
select monitoring.log_program_execution('apr', '2026-01-14', '{}', 600, 'full');
select is(
    monitoring.auto_resolve_invalid_records('apr', '2026-01-15') ->> 'checked_since', null,
    'a partial run, a failed one and one for another day are no complete check of this day'
);
select monitoring.log_program_execution(
    'apr', '2026-01-15', '{}', 600, 'full', p_finished_at => '2026-01-15 10:05+00'
);
select is(
    monitoring.auto_resolve_invalid_records('apr', '2026-01-15'),
    '{"resolved": 0, "checked_since": "2026-01-15T09:55:00+00:00"}'::jsonb,
    'a run that began before a record was opened resolves nothing of it'
);
select monitoring.log_invalid_records('apr', '["b"]', 'V');
select pg_temp.set_clock('2026-01-15 11:05+00');
select monitoring.log_program_execution('apr', '2026-01-15', '{}', 600, 'full');
select is(
    monitoring.auto_resolve_invalid_records(
        'apr', '2026-01-15', p_validation_type => 'OTHER',
        p_is_dry_run => true
    ),
    '{"resolved": 1, "checked_since": "2026-01-15T10:55:00+00:00",
        "sample": [{"record_key": "a", "validation_type": "OTHER", "change": "resolved"}]}'::jsonb,
    'a dry run tells what would be resolved, of one type alone where that is said'
);
select is(pg_temp.open_ones(), 'a a b c d e', 'and changes nothing');
select is(
    monitoring.auto_resolve_invalid_records('apr', '2026-01-15') ->> 'resolved', '4',
    'what the newest complete check did not find again is resolved'
);
select is(pg_temp.open_ones(), 'b e', 'what it found again, and what is of another day, stays');
select results_eq(
    $$
        select record_key, validation_type, from_status, to_status, change_source
        from monitoring._all_status_changes order by record_key, validation_type limit 2
    $$,
    $$
        values ('a', 'OTHER', 'invalid', 'valid', 'AUTO_RESOLVE'),
            ('a', 'V', 'invalid', 'valid', 'AUTO_RESOLVE')
    $$,
    'each is a change of status by AUTO_RESOLVE'
);
select is(
    monitoring.auto_resolve_invalid_records('apr', '2026-01-15') ->> 'resolved', '0',
    'resolved once is enough'
);
select is(
    monitoring.auto_resolve_invalid_records('apr', '2026-01-15', '2026-01-15 11:00+00')
    ->> 'resolved',
    '0',
    'what was found at the moment from which on it was checked was found by the check'
);
select is(
    monitoring.auto_resolve_invalid_records('apr', '2026-01-15', '2026-01-15 11:00:00.000001+00')
    ->> 'resolved',
    '1',
    'what was found before it was not'
);

-- By hand

select monitoring.log_invalid_records('apr', '["f", "g", "h"]', 'V');
select monitoring.log_invalid_records('apr', '["f", "g"]', 'OTHER');
select pg_temp.set_clock('2026-01-15 12:00+00');
select is(
    monitoring.resolve_invalid_records(
        'apr', '{f,unknown}', 'manual', 'is known', p_is_dry_run => true
    ),
    '{"resolved": 2, "sample": [
        {"record_key": "f", "validation_type": "OTHER", "change": "resolved"},
        {"record_key": "f", "validation_type": "V", "change": "resolved"}
    ]}'::jsonb,
    'a dry run tells what would be resolved by hand'
);
select is(pg_temp.open_ones(), 'e f f g g h', 'and changes nothing');
select is(
    monitoring.resolve_invalid_records('apr', '{f,unknown}', 'manual', 'is known', null, 'ana'),
    '{"resolved": 2}'::jsonb,
    'people resolve a record for all validations that it fails'
);
select monitoring.resolve_invalid_records('apr', '{g}', 'superseded', 'see g2', 'V', 'ana');
select monitoring.resolve_invalid_records('apr', '{h}', 'gone', p_by => 'ana');
select results_eq(
    $$
        select record_key, validation_type, resolution, resolved_by, resolution_reason
        from monitoring.invalid_records where resolved_by = 'ana' order by 1, 2
    $$,
    $$
        values ('f', 'OTHER', 'manual', 'ana', 'is known'), ('f', 'V', 'manual', 'ana', 'is known'),
            ('g', 'V', 'superseded', 'ana', 'see g2'), ('h', 'V', 'gone', 'ana', null)
    $$,
    'or for one, and the records say who did, how and why'
);
select results_eq(
    $$
        select record_key, to_status, change_source, actor, details
        from monitoring._all_status_changes
        where change_source = 'MANUAL' and validation_type = 'V' order by 1
    $$,
    $$
        values ('f', 'accepted', 'MANUAL', 'ana', '{"reason": "is known"}'::jsonb),
            ('g', 'superseded', 'MANUAL', 'ana', '{"reason": "see g2"}'),
            ('h', 'gone', 'MANUAL', 'ana', null)
    $$,
    'so does the history, in which they are changes by MANUAL'
);
select is(pg_temp.open_ones(), 'e g', 'the rest stays open');
select pg_temp.set_clock('2026-01-15 12:30+00');
select is(
    monitoring.log_invalid_records('apr', '[{"record_key": "f", "value": "new"}]', 'V')
    ->> 'reopened',
    '1',
    'what is found with another value after that is opened again'
);
select is(
    (select resolved_by from monitoring.invalid_records where record_key = 'f' and status = 'open'),
    null,
    'and what was said of its resolution is history'
);

-- Views

select results_eq(
    $$
        select dataset, validation_type, resolution, resolved_records, avg_seconds, p50_seconds,
            p95_seconds, open_records, oldest_opened_at
        from monitoring.v_resolution_times where validation_type = 'V' order by resolution
    $$,
    $$
        values
        ('apr', 'V', 'auto', 4::bigint, 3900::float8, 3900::float8, 3900::float8, 2::bigint,
            '2026-01-15 10:00+00'::timestamptz),
        ('apr', 'V', 'gone', 1, 3300, 3300, 3300, 2, '2026-01-15 10:00+00'),
        ('apr', 'V', 'manual', 1, 3300, 3300, 3300, 2, '2026-01-15 10:00+00'),
        ('apr', 'V', 'superseded', 1, 3300, 3300, 3300, 2, '2026-01-15 10:00+00')
    $$,
    'how long resolving took is known by resolution, beside what is still open'
);
select monitoring.log_invalid_records('new', '[
    {"record_key": "1", "group": "north", "alerted": true}, {"record_key": "2", "group": "north"},
    "3"
]', 'V');
select results_eq(
    $$select * from monitoring.v_top_issues where dataset = 'new' order by open_records desc$$,
    $$
        values
        ('new', 'V', 'north', 2::bigint, 1::bigint, '2026-01-15 12:30+00'::timestamptz,
            '2026-01-15 12:30+00'::timestamptz),
        ('new', 'V', null, 1, 0, '2026-01-15 12:30+00', '2026-01-15 12:30+00')
    $$,
    'what is open is counted by group'
);
select results_eq(
    $$
        select resolution, resolved_records, avg_seconds, open_records
        from monitoring.v_resolution_times where dataset = 'new'
    $$,
    $$values (null::text, 0::bigint, null::float8, 3::bigint)$$,
    'a type of which nothing has been resolved is there as well'
);

select * from finish(); -- noqa: AM04
rollback;
