-- The outcome of a check resolves exactly what was examined and no longer fails.

begin;
select plan(22);
\ir helpers/fixed_clock.psql

select set_config('timezone', 'UTC', true);

create function pg_temp.open_ones(p_dataset text default 'apr') returns text
language sql
as $$
    select coalesce(string_agg(record_key, ' ' order by record_key), 'none')
    from monitoring.invalid_records
    where dataset = p_dataset and validation_type = 'V' and status = 'open'
$$;

-- What was said of a sync: how many were opened, touched and resolved.
create function pg_temp.synced(
    p_scope jsonb,
    p_failing jsonb,
    p_at timestamptz default null,
    p_is_dry_run boolean default false
) returns text
language sql
as $$
    select format(
        '%s opened, %s reopened, %s touched, %s resolved', s.result ->> 'opened',
        s.result ->> 'reopened', s.result ->> 'touched', s.result ->> 'resolved'
    )
    from monitoring.sync_invalid_records(
        'apr', 'V', p_scope, p_failing, 'run', p_at, p_is_dry_run
    ) as s (result)
$$;

select monitoring.log_invalid_records('apr', '[
    {"record_key": "a1", "group": "north", "target_date": "2026-01-10"},
    {"record_key": "a2", "group": "south", "target_date": "2026-01-10"},
    {"record_key": "b1", "group": "north", "target_date": "2026-01-11"},
    {"record_key": "b2", "group": "south", "target_date": "2026-01-11"},
    {"record_key": "c1", "group": "north", "target_date": "2026-01-12"},
    {"record_key": "c2", "target_date": "2026-01-12"}
]', 'V');
select monitoring.log_invalid_records('apr', '["a1"]', 'OTHER', p_target_date => '2026-01-10');
select monitoring.log_invalid_records('else', '["a1"]', 'V', p_target_date => '2026-01-10');
select pg_temp.set_clock('2026-01-15 13:00+00');

-- Dry run

select is(
    monitoring.sync_invalid_records(
        'apr', 'V', '{"target_date": "2026-01-10"}', '["a2", "a3"]', p_is_dry_run => true
    ),
    '{"records": 2, "opened": 1, "reopened": 0, "touched": 1, "late": 0,
        "accepted": 0, "alerted": 0,
        "resolved": 1, "sample": [
            {"record_key": "a3", "validation_type": "V", "change": "opened"},
            {"record_key": "a1", "validation_type": "V", "change": "resolved"}
        ]}'::jsonb,
    'a dry run tells what would be opened and resolved'
);
select is(pg_temp.open_ones(), 'a1 a2 b1 b2 c1 c2', 'and changes nothing');

-- Scopes

select is(
    pg_temp.synced('{"keys": ["a1", "a2"]}', '["a2"]'),
    '0 opened, 0 reopened, 1 touched, 1 resolved',
    'of the keys that were examined those that do not fail are resolved'
);
select is(pg_temp.open_ones(), 'a2 b1 b2 c1 c2', 'and no other');
select results_eq(
    $$
        select dataset, validation_type from monitoring.invalid_records
        where record_key = 'a1' and status = 'open' order by 1
    $$,
    $$values ('apr', 'OTHER'), ('else', 'V')$$,
    'other validations and other datasets know nothing of it'
);
select is(
    pg_temp.synced('{"keys": []}', '[]'), '0 opened, 0 reopened, 0 touched, 0 resolved',
    'who examined nothing resolves nothing'
);
select is(
    pg_temp.synced('{"target_date": "2026-01-11", "group": "north"}', '[]'),
    '0 opened, 0 reopened, 0 touched, 1 resolved',
    'a day and a group narrow each other'
);
select is(pg_temp.open_ones(), 'a2 b2 c1 c2', 'so that the rest of the day stays');
select is(
    pg_temp.synced('{"from": "2026-01-10", "to": "2026-01-11", "keys": ["b2", "c1"]}', '[]'),
    '0 opened, 0 reopened, 0 touched, 1 resolved',
    'so do days and keys'
);
select is(pg_temp.open_ones(), 'a2 c1 c2', 'only what fits all is resolved');
select pg_temp.synced('{"group": "north"}', '["c1", "n1"]');
select results_eq(
    $$
        select record_key from monitoring.invalid_records
        where dataset = 'apr' and validation_type = 'V' and group_name = 'north' and status = 'open'
        order by 1
    $$,
    array['c1', 'n1'],
    'who is found in a group belongs to it'
);
select pg_temp.synced('{"target_date": "2026-01-12"}', '["c1", "c3"]');
select results_eq(
    $$
        select record_key from monitoring.invalid_records
        where dataset = 'apr' and validation_type = 'V' and target_date = '2026-01-12'
            and status = 'open'
        order by 1
    $$,
    array['c1', 'c3'],
    'and who is found on a day to that day'
);
select pg_temp.set_clock('2026-01-15 13:10+00');
select is(
    pg_temp.synced('{"all": true}', '["a2", "a1"]'),
    '0 opened, 1 reopened, 1 touched, 3 resolved',
    'a complete check may resolve all, and one that was resolved may fail again'
);
select is(pg_temp.open_ones(), 'a1 a2', 'what fails is open, and nothing else');

-- What a resolution writes

select results_eq(
    $$
        select record_key, from_status, to_status, change_source, task_id, effective_at
        from monitoring._all_status_changes
        where dataset = 'apr' and validation_type = 'V'
        order by change_id limit 2
    $$,
    $$
        values
        ('a1', 'invalid', 'valid', 'AUTO_RESOLVE', 'run', '2026-01-15 13:00+00'::timestamptz),
        ('b1', 'invalid', 'valid', 'AUTO_RESOLVE', 'run', '2026-01-15 13:00+00')
    $$,
    'each resolution is a change of status by AUTO_RESOLVE'
);
select is(
    (select count(*) from monitoring._all_status_changes),
    (select count(*) from monitoring.invalid_record_spells),
    'and a spell that has ended'
);
select is(
    (
        select format('%s %s %s', resolution, resolved_by, resolved_at::time(0))
        from monitoring.invalid_records where record_key = 'b1'
    ),
    'auto run 13:00:00',
    'the record says by which run, and when'
);

-- Late outcomes

select pg_temp.set_clock('2026-01-15 15:00+00');
select
    monitoring.log_invalid_records(
        'late', '["p", "q"]', 'V', p_detected_at => '2026-01-15 13:30+00'
    );
select monitoring.log_invalid_records('late', '["p"]', 'V', p_detected_at => '2026-01-15 14:30+00');
select is(
    monitoring.sync_invalid_records(
        'late', 'V', '{"all": true}', '[]', p_at => '2026-01-15 14:00+00'
    ) ->> 'resolved',
    '1',
    'a check that is told late resolves nothing that was found after it'
);
select is(pg_temp.open_ones('late'), 'p', 'that stays open');
select is(
    (
        select resolved_at
        from monitoring.invalid_records
        where dataset = 'late' and record_key = 'q'
    ),
    '2026-01-15 14:00+00'::timestamptz,
    'the rest is resolved as of the check'
);
select is(
    monitoring.sync_invalid_records(
        'late', 'V', '{"all": true}', '["q"]', p_at => '2026-01-15 13:45+00'
    ) ->> 'late',
    '1',
    'a failure from before that opens nothing again'
);
select is(
    monitoring.sync_invalid_records('late', 'V', '{"all": true}', '[]') ->> 'resolved', '1',
    'the next check resolves what is left'
);

select * from finish(); -- noqa: AM04
rollback;
