-- Business days: from cut-over to cut-over, by the clocks of the workflow.

begin;
select plan(20);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

select monitoring.apply_workflow(
    '{"workflow": "utc", "steps": [{"step": "a"}]}'
);
select monitoring.apply_workflow(
    '{"workflow": "berlin", "time_zone": "Europe/Berlin", "steps": [{"step": "b"}]}'
);
select monitoring.apply_workflow(
    '{"workflow": "half", "time_zone": "Europe/Berlin", "cutover": "02:30",
        "steps": [{"step": "c"}]}'
);
select monitoring.apply_workflow(
    '{"workflow": "midnight", "cutover": "00:00", "steps": [{"step": "d"}]}'
);

-- Behaviour

select
    is(
        monitoring.business_date_of(at::timestamptz, workflow),
        day::date,
        format('%s belongs to %s (%s)', at, day, workflow)
    )
from (
    values
    ('2026-01-15 04:59:59.999999+00', 'utc', '2026-01-14'),
    ('2026-01-15 05:00+00', 'utc', '2026-01-15'),
    ('2026-01-16 00:00+00', 'utc', '2026-01-15'),
    ('2026-01-15 23:59:59+00', 'midnight', '2026-01-15'),
    ('2026-01-16 00:00+00', 'midnight', '2026-01-16'),
    ('2026-01-15 03:59+00', 'berlin', '2026-01-14'),
    ('2026-01-15 04:00+00', 'berlin', '2026-01-15'),
    -- Summer begins and ends.
    ('2026-03-29 02:59:59+00', 'berlin', '2026-03-28'),
    ('2026-03-29 03:00+00', 'berlin', '2026-03-29'),
    ('2026-10-25 03:59:59+00', 'berlin', '2026-10-24'),
    ('2026-10-25 04:00+00', 'berlin', '2026-10-25'),
    -- Half past two does not come, or comes twice.
    ('2026-03-29 00:59:59+00', 'half', '2026-03-28'),
    ('2026-03-29 01:00+00', 'half', '2026-03-29'),
    ('2026-10-25 00:45+00', 'half', '2026-10-24'),
    ('2026-10-25 01:29+00', 'half', '2026-10-24'),
    ('2026-10-25 01:30+00', 'half', '2026-10-25')
) as times (at, workflow, day);

select is_empty(
    $$
        select w.workflow_name, n
        from monitoring.workflows as w
        cross join unnest(array[timestamptz '2026-03-27', '2026-10-23']) as f (begins_at)
        cross join generate_series(0, 400) as n
        cross join lateral (
            select
                monitoring.business_date_of(
                    f.begins_at + n * interval '11 minutes', w.workflow_name
                ) as day,
                f.begins_at + n * interval '11 minutes' as at
        ) as d
        where (
            d.at >= monitoring._day_start(w, d.day) and d.at < monitoring._day_start(w, d.day + 1)
        ) is not true
    $$,
    'every time lies in exactly one day, while clocks are changed as well'
);

-- What a run states

select
    is(
        monitoring._date_of_run(
            w, '{"business_date": "2026-01-10"}', '2026-01-15 12:00+00'
        ),
        '2026-01-10',
        'a run may state the day that it is for'
    )
from monitoring.workflows as w
where w.workflow_name = 'utc';
select is(
    (
        select array_agg(monitoring._date_of_run(w, m.metadata, '2026-01-15 12:00+00'))
        from monitoring.workflows as w,
            unnest(array[
                null, '{}', '{"business_date": null}', '{"business_date": "2026-02-30"}',
                '{"business_date": "today"}', '{"business_date": 20260110}'
            ]::jsonb[]) as m (metadata)
        where w.workflow_name = 'utc'
    ),
    array_fill('2026-01-15'::date, array[6]),
    'what is no date states nothing'
);

-- Refusals

select results_eq(
    $$
        select code, message from pg_temp.refusal_of(
            'monitoring.business_date_of(''2026-01-15'', null)'
        )
    $$,
    $$values ('PV007', 'there is no workflow null')$$,
    'a day is one of a workflow'
);

select * from finish(); -- noqa: AM04
rollback;
