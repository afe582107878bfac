-- Rules step_late and step_missed: steps of workflows that have not begun.

begin;
select plan(27);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/findings.psql

create function pg_temp.found(p_rule text, p_now text) returns text
language sql
as $$
    select string_agg(
        format('%s %s', f.labels ->> 'task_type', f.value), ', '
        order by f.labels ->> 'task_type'
    )
    from pg_temp.findings_of(p_rule, p_now::timestamptz) as f
$$;

create function pg_temp.severities(p_now text) returns text
language plpgsql
as $$
begin
    perform pg_temp.set_clock(p_now);
    perform monitoring.evaluate_alerts();
    return (
        select string_agg(
            format('%s %s %s', a.step_name, a.rule_name, a.severity), ', '
            order by a.step_name, a.rule_name
        )
        from monitoring.batch_monitoring_alerts as a
        where a.status = 'firing'
    );
end
$$;

select is(
    pg_temp.found('step_late', '2026-01-15 12:00+00'), null, 'without workflows nothing is late'
);
select is(
    pg_temp.found('step_missed', '2026-01-15 12:00+00'), null, 'or missed'
);

select pg_temp.set_clock('2026-01-15 08:00+00');
select monitoring.apply_workflow(
    '{"workflow": "w", "steps": [
        {"step": "early", "schedule": "07:00"},
        {"step": "first", "schedule": "10:00"},
        {"step": "quick", "after": ["first"], "late_after": "5 minutes"},
        {"step": "maybe", "schedule": "10:00", "optional": true},
        {"step": "weekly", "schedule": "0 10 * * mon"},
        {"step": "whenever"},
        {"step": "many", "schedule": "0 */2 * * *", "until_done": true}
    ]}'
);

-- Late

select is(
    pg_temp.found('step_late', '2026-01-15 09:59:59+00'), null,
    'what was due before it was told of is not late, nor what is due later'
);
select is(
    pg_temp.found('step_late', '2026-01-15 10:00+00'), 'first 0',
    'a step that is due has a value; one that is optional, or due on other days, has none'
);
select is(
    pg_temp.severities('2026-01-15 10:14:59.999+00'), null, 'a little late is no alert'
);
select is(
    pg_temp.severities('2026-01-15 10:15+00'), 'first step_late high', 'a quarter of an hour is'
);
select monitoring.set_alert_thresholds('step_late', '{"high": 900, "critical": 3600}');
select is(
    pg_temp.severities('2026-01-15 11:00+00'), 'first step_late critical',
    'thresholds are those of the rule'
);
select results_eq(
    $$
        select labels, fingerprint from pg_temp.findings_of('step_late', '2026-01-15 11:00+00')
    $$,
    $$
        values (
            '{"workflow": "w", "task_type": "first", "business_date": "2026-01-15"}'::jsonb,
            'first 2026-01-15'
        )
    $$,
    'labels say of which workflow, step and day'
);
select monitoring.start_task_tracking('1', 'first', p_started_at => '2026-01-15 11:05+00');
select is(
    pg_temp.found('step_late', '2026-01-15 11:05+00'), null, 'a step that has begun is not late'
);
select is(
    pg_temp.found('step_late', '2026-01-15 11:04:59+00'), 'first 3899',
    'looking back it is still'
);
select pg_temp.set_clock('2026-01-15 11:30+00');
select monitoring.complete_task_tracking('1');
select is(
    pg_temp.severities('2026-01-15 11:34:59+00'), null,
    'a step without a schedule is due when all before it are through'
);
select is(
    pg_temp.severities('2026-01-15 11:35+00'), 'quick step_late high', 'and late by its own limit'
);
select results_eq(
    $$
        select source, happened_at, details ->> 'step_name', details ->> 'status',
            details ->> 'task_id'
        from pg_temp.explained(
            'step_late',
            '{"workflow": "w", "task_type": "quick", "business_date": "2026-01-15"}',
            p_now => '2026-01-15 11:35+00'
        )
    $$,
    $$
        values
        ('v_batch_timeline', timestamptz '2026-01-15 11:30+00', 'quick', 'late', null),
        ('v_batch_timeline', '2026-01-15 10:00+00', 'first', 'complete', null)
    $$,
    'it is explained by the step and those that it waits for'
);
select pg_temp.roll_up_own('tasks');
select is(
    pg_temp.found('step_late', '2026-01-15 11:35+00'), 'quick 300', 'rolled up it is the same'
);
select pg_temp.forget_roll_ups();

-- Other days

select is(
    pg_temp.found('step_late', '2026-01-16 04:59+00'), 'quick 62940', 'the day ends at cut-over'
);
select is(
    pg_temp.found('step_late', '2026-01-16 05:00+00'), null, 'the next one begins anew'
);
select is(
    pg_temp.found('step_late', '2026-01-16 07:10+00'), 'early 600, many 4200',
    'every day'
);
select is(
    pg_temp.found('step_late', '2026-01-19 10:10+00'),
    'early 11400, first 600, many 15000, weekly 600',
    'one that is weekly on its day'
);

-- Missed

select is(
    pg_temp.found('step_missed', '2026-01-16 04:59:59+00'), null,
    'as long as a day is not over nothing is missed'
);
select is(
    pg_temp.found('step_missed', '2026-01-16 05:00+00'), 'quick 0',
    'then what was expected and was not run; what was told of during the day, and has no time, not'
);
select is(
    pg_temp.found('step_missed', '2026-01-17 04:59:59+00'), 'quick 86399',
    'and that until the next day is over'
);
select is(
    pg_temp.found('step_missed', '2026-01-17 05:00+00'),
    'early 0, first 0, many 0, quick 0, whenever 0',
    'a day without any run misses all steps, but optional ones and those of other days'
);
select pg_temp.set_clock('2026-01-16 08:00+00');
select monitoring.start_task_tracking('2', 'many');
select monitoring.update_task_progress('2', 5, p_counters => '{"remaining": 7}');
select monitoring.complete_task_tracking('2');
select is(
    (
        select summary from pg_temp.findings_of('step_missed', '2026-01-17 05:00+00')
        where labels ->> 'task_type' = 'many'
    ),
    'step many of workflow w: was not finished, 7 remain on business day 2026-01-16',
    'one that was run and has records left is missed as well'
);
select is(
    (
        select summary from pg_temp.findings_of('step_missed', '2026-01-17 05:00+00')
        where labels ->> 'task_type' = 'first'
    ),
    'step first of workflow w: was not run on business day 2026-01-16',
    'in words'
);
select monitoring.start_task_tracking(
    '3', 'many', p_metadata => '{"business_date": "2026-01-16"}',
    p_started_at => '2026-01-17 05:00+00'
) from pg_temp.set_clock('2026-01-17 05:00+00');
select pg_temp.set_clock('2026-01-17 05:10+00');
select monitoring.complete_task_tracking('3', p_counters => '{"remaining": 0}');
select is(
    pg_temp.found('step_missed', '2026-01-17 05:10+00'),
    'early 600, first 600, quick 600, whenever 600',
    'until a run for that day gets done'
);
select monitoring.apply_workflow(
    jsonb_set(monitoring.get_workflow('w'), '{enabled}', 'false')
);
select is(
    pg_temp.found('step_missed', '2026-01-17 05:10+00'), null,
    'of a workflow that is not enabled nothing is expected'
);
select is(
    pg_temp.found('step_late', '2026-01-19 10:10+00'), null, 'now or later'
);

select * from finish(); -- noqa: AM04
rollback;
