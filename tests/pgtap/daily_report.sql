-- get_daily_report: a business day told for people.

begin;
select plan(28);
\ir helpers/fixed_clock.psql
\ir helpers/batch.psql
\ir helpers/alert_engine.psql

create function pg_temp.report(p_path text, p_date date default null) returns jsonb
language sql
as $$
    select monitoring.get_daily_report(p_date) #> p_path::text []
$$;

-- Nothing recorded

select is(
    monitoring.get_daily_report() - array[
        'generated_at', 'from_at', 'to_at', 'freshness', 'unknown', 'charts', 'database'
    ],
    '{
        "business_date": null,
        "time_zone": "UTC",
        "page_url": null,
        "state": "unknown",
        "headline": "Not known whether all is well: no alert rule has ever run",
        "verdicts": [],
        "jobs": {
            "jobs": 0, "expected": 0, "missing": 0, "failing": 0, "well": 0, "runs": 0, "list": []
        },
        "news": {"news": 0, "list": []},
        "workflows": [],
        "alerts": {"opened": 0, "resolved": 0, "open": 0, "open_list": [], "resolved_list": []},
        "tasks": {
            "ended": 0, "completed": 0, "failed": 0, "success_percent": null, "task_types": 0,
            "by_type": []
        },
        "errors": {"occurrences": 0, "kinds": 0, "by_kind": []},
        "records": []
    }'::jsonb,
    'without anything recorded it is empty'
);
select is(
    monitoring.get_daily_report() #>> '{freshness,alerts,is_known}', 'false',
    'and says that alerts are not known where no rule has run'
);
select is(
    pg_temp.report('{from_at}') #>> '{}', '2026-01-14T13:00:00+00:00',
    'it is about this hour and the 23 before it, as the summary is'
) from set_config('timezone', 'UTC', true);
select is(
    (pg_temp.report('{from_at}', '2026-01-10') #>> '{}') || ' '
    || (pg_temp.report('{to_at}', '2026-01-10') #>> '{}'),
    '2026-01-10T00:00:00+00:00 2026-01-11T00:00:00+00:00',
    'or about a day, by UTC without any workflow'
);

-- Workflows

select pg_temp.set_clock('2026-01-12 05:00+01');
select pg_temp.apply_billing();
select pg_temp.begin_step('CM-DMRU', '2026-01-13 18:00+01', 100);
select pg_temp.progress_step('CM-DMRU', '2026-01-13 18:10+01', 100);
select pg_temp.end_step('CM-DMRU', '2026-01-13 18:20+01');
select pg_temp.begin_step('D1-IMD', '2026-01-13 18:30+01', 100);
select pg_temp.end_step('D1-IMD', '2026-01-13 19:00+01', 'failed');

select pg_temp.set_clock('2026-01-14 07:00+01');
select is(
    pg_temp.report('{workflows,0,business_date}'), '"2026-01-13"',
    'of a morning it is about the business day before'
);
select pg_temp.set_clock('2026-01-14 23:00+01');
select is(
    pg_temp.report('{workflows,0,business_date}'), '"2026-01-14"', 'of an evening about today''s'
);
select is(
    pg_temp.report('{workflows,0,by_status}', '2026-01-13'),
    '{"complete": 1, "failed": 1, "late": 3, "skipped": 1}',
    'steps are counted by their status'
);
select is(
    pg_temp.report('{workflows,0,steps,0}', '2026-01-13')
    - array['due_at', 'started_at', 'finished_at', 'eta_at', 'eta_from_at', 'eta_to_at'],
    (
        select
            to_jsonb(t)
            - array['due_at', 'started_at', 'finished_at', 'eta_at', 'eta_from_at', 'eta_to_at']
        from monitoring.get_batch_timeline('2026-01-13') as t
        where t.step_name = 'CM-DMRU'
    ),
    'and told as the timeline tells them'
);
select is(
    jsonb_array_length(pg_temp.report('{workflows,0,steps}', '2026-01-13')), 6, 'all of them'
);
select is(
    (pg_temp.report('{from_at}', '2026-01-13') #>> '{}') || ' '
    || (pg_temp.report('{to_at}', '2026-01-13') #>> '{}'),
    '2026-01-13T04:00:00+00:00 2026-01-14T04:00:00+00:00',
    'the rest is about the same time, from cut-over to cut-over'
);
select is(
    pg_temp.report('{to_at}', '2026-01-14') #>> '{}', '2026-01-14T22:00:00+00:00',
    'of a day that is not over, up to now'
);

-- Tasks and errors

select is(
    pg_temp.report('{tasks}', '2026-01-13') - 'by_type'::text,
    '{"ended": 2, "completed": 1, "failed": 1, "success_percent": 50.00, "task_types": 2}',
    'tasks of the day are counted'
);
select is(
    pg_temp.report('{tasks,by_type,0}', '2026-01-13'),
    '{
        "task_type": "D1-IMD", "tasks": 1, "completed": 0, "failed": 1, "p95_duration_ms": 1800000,
        "max_duration_ms": 1800000
    }',
    'by type, those that failed most first'
);
select is(
    pg_temp.report('{tasks,ended}', '2026-01-12'), '0', 'and those of other days are not'
);
select monitoring.record_error('t', kind, severity, 'm', p_occurred_at => '2026-01-13 20:00+01')
from (
    values ('E-1', 'low'), ('E-1', 'low'), ('E-2', 'critical'), ('E-3', 'low')
) as told (kind, severity);
select is(
    (
        select
            string_agg(
                concat_ws(
                    ' ', e.kind ->> 'severity', e.kind ->> 'error_type', e.kind ->> 'occurrences'
                ),
                ', ' order by e.place
            )
        from jsonb_array_elements(pg_temp.report('{errors,by_kind}', '2026-01-13'))
            with ordinality as e (kind, place)
    ),
    'critical E-2 1, low E-1 2, low E-3 1',
    'errors are told by kind, the worst first'
);
select is(
    pg_temp.report('{errors,occurrences}', '2026-01-13'), '4', 'and counted'
);

-- Alerts

select pg_temp.see('{"a": 60, "b": 120, "c": 20}');
select pg_temp.evaluate_at('06:00');
select pg_temp.see('{"b": 120, "c": 20}');
select pg_temp.evaluate_at('08:00');
select is(
    pg_temp.report('{alerts}', '2026-01-15') - array['open_list', 'resolved_list'],
    '{"opened": 3, "resolved": 1, "open": 2}',
    'alerts are counted'
);
select is(
    (
        select array_agg(a.alert ->> 'severity' order by a.place)
        from jsonb_array_elements(pg_temp.report('{alerts,open_list}', '2026-01-15'))
            with ordinality as a (alert, place)
    ),
    array['critical', 'medium'],
    'those that are open are listed, the worst first'
);
select is(
    pg_temp.report('{alerts,resolved_list,0,summary}', '2026-01-15'), '"load of a is 60"',
    'and those that were resolved'
);
select is(
    pg_temp.report('{alerts}', '2026-01-14') - array['open_list', 'resolved_list'],
    '{"opened": 0, "resolved": 0, "open": 0}',
    'what began later is not in it'
);

-- The verdict of all

select is(
    pg_temp.report('{headline}', '2026-01-13') #>> '{}',
    'billing: D1-IMD failed at 19:00; 3 steps after it did not run: '
    'C1-PPBTR, CM_BSGGN, BILLRESTSMS',
    'what is in trouble is the headline'
);
select is(
    (
        select sum((h.hour ->> 'failed')::integer)
        from jsonb_array_elements(pg_temp.report('{charts,hours}', '2026-01-13')) as h (hour)
    )::text || ' '
    || jsonb_array_length(pg_temp.report('{charts,hours}', '2026-01-13'))::text || ' '
    || jsonb_array_length(pg_temp.report('{charts,days}', '2026-01-13'))::text,
    '1 24 14',
    'charts have a point for each hour and each of fourteen days, and count what is counted'
);
select is(
    jsonb_array_length(pg_temp.report('{unknown}', '2026-01-13')), 1,
    'what was looked at since the end of a day is known of it; roll-ups never were'
);
select set_eq(
    $$
        select jsonb_array_elements(pg_temp.report('{unknown}')) ->> 'subject'
        from set_config('monitoring.now', '2026-01-16 08:00+00', true)
    $$,
    array['alerts', 'roll-ups'],
    'what has not been looked at since is not known'
);

-- Records

insert into monitoring.daily_summaries (
    dataset, target_date, runs, records_queried, valid_records, invalid_records, records_stored,
    alerts_sent, invalid_opened, invalid_resolved, invalid_open, invalid_by_type, status_changes,
    status_changes_by_source, products, updated_at
)
values
('b', '2026-01-13', 1, 1000, 990, 10, 10, 1, 7, 3, 4, '{}', 50, '{}', 0, '2026-01-15 08:00+00'),
('a', '2026-01-13', 2, 1000, 990, 10, 10, 1, 7, 3, 4, '{}', 50, '{}', 0, '2026-01-15 08:00+00'),
('a', '2026-01-14', 3, 1000, 990, 10, 10, 1, 7, 3, 4, '{}', 50, '{}', 0, '2026-01-15 08:00+00');

select is(
    pg_temp.report('{records}', '2026-01-13'),
    '[
        {
            "dataset": "a", "target_date": "2026-01-13", "runs": 2, "records_queried": 1000,
            "valid_records": 990, "invalid_records": 10, "invalid_opened": 7,
            "invalid_resolved": 3, "invalid_open": 4, "status_changes": 50
        },
        {
            "dataset": "b", "target_date": "2026-01-13", "runs": 1, "records_queried": 1000,
            "valid_records": 990, "invalid_records": 10, "invalid_opened": 7,
            "invalid_resolved": 3, "invalid_open": 4, "status_changes": 50
        }
    ]',
    'what a day of each dataset came to is told'
);
select is(
    pg_temp.report('{records,0,runs}'), '3', 'of a morning that of the day before'
) from set_config('monitoring.now', '2026-01-15 08:00+00', true);

-- A day to come

select is(
    pg_temp.report('{tasks,ended}', '2999-12-31'), '0', 'of a day to come nothing has ended'
);

-- Refusals

select throws_ok(
    $$select monitoring.get_daily_report('infinity')$$, 'PV004', null, 'a date has to be one'
);

select * from finish(); -- noqa: AM04
rollback;
