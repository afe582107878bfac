-- What a workflow is told when it is applied, days before it was, all runs of a step, and alerts of
-- a business day.

begin;
select plan(20);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/batch.psql

create function pg_temp.warned(p_steps jsonb, p_cutover text default '05:00') returns text[]
language sql
as $$
    select coalesce(array_agg(w.warning), '{}')
    from jsonb_array_elements_text(monitoring.apply_workflow(jsonb_build_object(
        'workflow', 'w', 'time_zone', 'Europe/Berlin', 'cutover', p_cutover, 'steps', p_steps
    )) -> 'warnings') as w (warning)
$$;

-- Warnings

select pg_temp.apply_billing();
select is(
    monitoring.apply_workflow(monitoring.get_workflow('billing')), '{}',
    'of a workflow that can be in time nothing is said'
);
select is(
    pg_temp.warned('[{"step": "a", "schedule": "01:00"},
        {"step": "b", "schedule": "06:00", "after": ["a"]}]'),
    array[
        'step "b" is due at 06:00, before step "a", which it waits for, begins at 01:00 of the day '
        'after: it will be late each time. Its business day begins at 05:00 (Europe/Berlin)'
    ],
    'a step due before its predecessor is told, with the cut-over that makes it so'
);
select is(
    pg_temp.warned('[{"step": "a", "schedule": "01:00"},
        {"step": "b", "schedule": "06:00", "after": ["a"]}]', '00:00'),
    '{}', 'with a cut-over at midnight they are in order'
);
select matches(
    (pg_temp.warned('[{"step": "a", "schedule": "10:00", "expected": "2 hours"},
        {"step": "b", "after": ["a"], "expected": "30 minutes"},
        {"step": "c", "schedule": "12:00", "after": ["b"]}]'))[1],
    '^step "c" is due at 12:00, before step "b", which it waits for, is expected to be '
    'through at 12:30',
    'as is one due before those before it are expected to be through, by way of others'
);
select is(
    pg_temp.warned('[{"step": "a", "schedule": "10:00", "expected": "2 hours", "optional": true},
        {"step": "c", "schedule": "11:00", "after": ["a"]}]'),
    '{}', 'nothing waits for an optional step'
);
select matches(
    (pg_temp.warned('[{"step": "a", "schedule": "04:30", "expected": "1 hour"}]'))[1],
    '^step "a" begins at 04:30 of the day after .* after the cut-over at 05:00',
    'a step that is not through before the cut-over is told'
);
select matches(
    (pg_temp.warned('[{"step": "a", "schedule": "0 12 * * mon"},
        {"step": "b", "schedule": "0 11 * * *", "after": ["a"]}]'))[1],
    '^step "b" is due at 11:00, before step "a"', 'if it is so on any weekday'
);
select is(
    pg_temp.warned('[{"step": "a", "schedule": "0 12 29 2 *"}]'), '{}',
    'a step that is not due on these days has no such trouble'
);

-- Days before the workflow was applied

select pg_temp.set_clock('2026-01-15 12:00+01');
select monitoring.remove_workflow('w');
select pg_temp.warned('[{"step": "a", "schedule": "10:00"}, {"step": "b", "schedule": "14:00"},
    {"step": "c", "after": ["a"]}, {"step": "hourly", "schedule": "0 * * * *"}]');
select is(
    pg_temp.statuses('2026-01-15 15:00+01', '2026-01-14', 'w'),
    'a unknown, b unknown, c unknown, hourly unknown', 'of a day before it nobody can say anything'
);
select is(
    pg_temp.statuses('2026-01-15 15:00+01', null, 'w'),
    'a pending, b late, c pending, hourly pending',
    'on the day itself late is what was due since'
);
select is(
    pg_temp.statuses('2026-01-16 15:00+01', '2026-01-15', 'w'),
    'a unknown, b late, c late, hourly unknown', 'as when it is over'
);
select is(
    pg_temp.statuses('2026-01-16 15:00+01', null, 'w'), 'a late, b late, c pending, hourly late',
    'from then on all that was due'
);
select monitoring.apply_workflow(monitoring.get_workflow('w') || '{"description": "again"}');
select is(
    pg_temp.statuses('2026-01-16 15:00+01', null, 'w'), 'a late, b late, c pending, hourly late',
    'applied again it is no newer'
);

-- All runs of a step

select
    pg_temp.begin_step('hourly', format('2026-01-16 %s:00+01', h), null, null, 'h' || h) as begun,
    pg_temp.end_step(
        'h' || h, format('2026-01-16 %s:05+01', h),
        case h when 11 then 'failed' else 'completed' end
    ) as ended
from generate_series(10, 13) as h;
select results_eq(
    $$
        select step_name, task_id, status, pg_temp.local(started_at), duration_seconds
        from monitoring.get_step_runs('2026-01-16', 'w')
    $$,
    $$
        values ('hourly', 'h10', 'completed', '16 10:00', 300::float8),
            ('hourly', 'h11', 'failed', '16 11:00', 300),
            ('hourly', 'h12', 'completed', '16 12:00', 300),
            ('hourly', 'h13', 'completed', '16 13:00', 300)
    $$,
    'an hourly step has all its runs'
);
select is_empty(
    $$select * from monitoring.get_step_runs('2026-01-15', 'w')$$, 'each on its business day'
);
select throws_ok($$select monitoring.get_step_runs('2026-01-15', 'x')$$, 'PV007');
select throws_ok($$select monitoring.get_step_runs('3000-01-01')$$, 'PV004');

-- Alerts of a business day

select pg_temp.begin_step('b', '2026-01-17 04:00+01', null, null, 'b1');
select pg_temp.end_step('b1', '2026-01-17 04:10+01', 'failed');
select pg_temp.begin_step('c', '2026-01-17 04:20+01', null, null, 'c1');
select set_config('monitoring.now', '2026-01-17 05:45+01', true);
select monitoring.evaluate_alerts();
select results_eq(
    $$
        select rule_name, labels ->> 'task_type', business_date
        from monitoring.v_active_alerts
        where rule_name in ('task_failed', 'task_stuck') order by 1, 2
    $$,
    $$
        values ('task_failed', 'b', date '2026-01-16'), ('task_stuck', 'c', '2026-01-16')
    $$,
    'after the cut-over the alerts of last night''s runs are still about that day'
);
select is(
    (
        select count(*)
        from monitoring.v_active_alerts where business_date is null
            and labels ? 'workflow'
    ), 0::bigint, 'every alert about a step has its day'
);
select set_config('monitoring.now', '2026-01-17 06:00+01', true);
select monitoring.update_system_health('service', 'x', 'unhealthy', p_failure_reason => 'down');
select monitoring.evaluate_alerts();
select is(
    (select business_date from monitoring.v_active_alerts where rule_name = 'component_unhealthy'),
    null, 'what is no step has none'
);

select * from finish(); -- noqa: AM04
rollback;
