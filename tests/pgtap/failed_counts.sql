-- "Failed" is one word with one meaning: whatever shows how many tasks failed counts the same.

begin;
select plan(22);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/findings.psql

select monitoring.apply_workflow(
    '{"workflow": "w", "cutover": "00:00", "steps": [{"step": "etl"}]}'
);

-- Of type etl: 5 completed, 4 failed, 3 timed out, 2 got lost, 1 was cancelled; on one day,
-- each a task of its own.
select
    monitoring.start_task_tracking(
        's' || s.place || '-' || n, 'etl', p_started_at => monitoring.clock() - interval '2 hours',
        p_metadata => jsonb_build_object('work', 's' || s.place || '-' || n)
    )
from (values (5, 'completed'), (4, 'failed'), (3, 'timeout'), (2, 'lost'), (1, 'cancelled'))
        as s (place, status), generate_series(1, s.place) as n;
select
    monitoring.complete_task_tracking(
        's' || s.place || '-' || n,
        s.status,
        p_finished_at => monitoring.clock() - interval '1 hour'
    )
from (values (5, 'completed'), (4, 'failed'), (3, 'timeout'), (2, 'lost'), (1, 'cancelled'))
        as s (place, status), generate_series(1, s.place) as n;

create function pg_temp.counted() returns table (face text, failed bigint)
language sql
as $$
    select 'card', (monitoring.get_dashboard_cards() ->> 'failed_24_hours')::bigint
    union all
    select 'summary', (monitoring.get_dashboard_summary() -> 'tasks' ->> 'failed')::bigint
    union all
    select 'summary by type', sum((t ->> 'failed')::bigint)
    from jsonb_array_elements(monitoring.get_dashboard_summary() -> 'tasks' -> 'by_type') as t
    union all
    select 'statistics', sum(s.failed) from monitoring.v_task_statistics as s
    union all
    select 'statistics by status', sum(s.tasks)
    from monitoring.get_task_statistics(
        monitoring.clock() - interval '1 day', monitoring.clock()
    ) as s
    where monitoring._is_failure(s.status)
    union all
    select 'trend of hours', sum(t.failed) from monitoring.v_task_trends as t
    where t.resolution = 'hour'
    union all
    select 'trend of the page', sum(p.value)::bigint
    from monitoring.get_trend_points(
        'tasks', monitoring.clock() - interval '1 day', monitoring.clock()
    ) as p
    where p.series = 'failed'
    union all
    select 'list', count(*) from monitoring.v_unsuccessful_tasks as u where u.is_failure
    union all
    select 'steps', sum(p.failed) from monitoring.batch_performance_summary as p
    union all
    select 'workflows', sum(h.failed_runs) from monitoring.v_batch_health as h
    union all
    select 'daily summary', (monitoring._summary_figures() ->> 'tasks_failed')::bigint
    union all
    select 'alert', f.value::bigint from pg_temp.findings_of('task_failed') as f
    union all
    select 'report', (monitoring._report_tasks(
        date_trunc('day', monitoring.clock(), 'UTC'),
        date_trunc('day', monitoring.clock(), 'UTC') + interval '1 day'
    ) ->> 'failed')::bigint
$$;

select is(c.failed, 9::bigint, 'failed, timed out and got lost: ' || c.face)
from pg_temp.counted() as c;
select is(
    (select sum(s.ended_otherwise) from monitoring.v_task_statistics as s), 1::numeric,
    'what was cancelled is neither a success nor a failure'
);
select is(
    (select count(*) from monitoring.v_unsuccessful_tasks where not is_failure), 1::bigint,
    'in the list as well'
);
select pg_temp.roll_up_own('tasks');
select is(
    (select count(*) from pg_temp.counted() as c where c.failed is distinct from 9), 0::bigint,
    'and so it is from roll-ups'
);

-- Rates

select is(
    (
        select round(f.value) from monitoring.alert_rules as r,
            lateral monitoring._find_high_error_rates(
                r, monitoring.clock() - interval '30 minutes'
            ) as f
        where r.rule_name = 'error_rate_high'
    ),
    60::double precision, 'the error rate is that of failed ones among all that ended'
);
select is(
    array(
        select s
        from unnest(array['completed', 'cancelled', 'failed', 'timeout', 'lost', 'x', null])
                as s
        where monitoring._is_failure(s)
    ),
    monitoring._failures(), 'the two ways of asking agree'
);
set local role monitoring_reader;
select lives_ok(
    $$select sum(failed) from monitoring.v_task_statistics$$, 'readers may count them'
);
select lives_ok(
    $$select count(*) from monitoring.v_unsuccessful_tasks where is_failure$$, 'and list them'
);
select lives_ok($$select * from monitoring.v_active_alerts$$, 'and see what alerts are about');
select lives_ok($$select * from monitoring.get_step_runs()$$, 'and all runs of a day');
reset role;

select * from finish(); -- noqa: AM04
rollback;
