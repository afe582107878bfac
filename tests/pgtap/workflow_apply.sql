-- Workflows as documents: applied, read, changed and removed.

begin;
select plan(24);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

create temporary table given as
select $json$
{
    "workflow": "night",
    "description": "What has to be done at night",
    "time_zone": "Europe/Berlin",
    "cutover": "06:00",
    "enabled": true,
    "steps": [
        {"step": "report", "after": ["load", "clean"], "optional": true},
        {
            "step": "load", "description": "Loads", "schedule": "22:30",
            "expected": "1 hour 30 minutes", "late_after": "10 minutes",
            "stuck_after": "20 minutes", "long_after": "2 hours", "minimum_rate": 12.5
        },
        {"step": "clean", "after": ["load"], "until_done": true}
    ]
}
$json$::jsonb as document;
grant select on given to monitoring_operator;

create function pg_temp.overrides() returns table (
    step text, rule text, medium float8, high float8, critical float8
)
language sql
as $$
    select t.labels ->> 'task_type', t.rule_name, t.medium, t.high, t.critical
    from monitoring.alert_thresholds as t
    where t.labels <> '{}' and t.labels ->> 'task_type' not like 'etl%'
    order by 1, 2
$$;

-- Interface

select is(
    (select count(*) from monitoring.workflows), 0::bigint, 'there are no workflows as installed'
);
select results_eq(
    $$
        select r.rule_name, r.family, r.comparison, t.high, r.is_enabled
        from monitoring.alert_rules as r
        inner join monitoring.alert_thresholds as t on r.rule_name = t.rule_name
        where r.rule_name like 'step_%' order by 1
    $$,
    $$
        values
        ('step_late', 'processing', '>=', 900::float8, true),
        ('step_missed', 'processing', '>=', 0::float8, true)
    $$,
    'a step that is a quarter of an hour late is high, and so is one that was missed'
);

-- Behaviour

set local role monitoring_operator;
select is(
    (
        select array_agg(k order by k)
        from given, jsonb_object_keys(monitoring.apply_workflow(document)) as k
    ),
    array[
        'cutover', 'description', 'enabled', 'steps.clean', 'steps.load', 'steps.report',
        'time_zone', 'workflow'
    ],
    'applying a workflow tells what is new'
);
select is(
    monitoring.get_workflow('night'), (select document from given),
    'what was applied is read as it was given'
);
select is(
    (select monitoring.apply_workflow(document) from given),
    '{}',
    'applying it again changes nothing'
);
reset role;
select results_eq(
    $$
        select step_name, position, run_order, after_steps, is_optional, is_repeated
        from monitoring.workflow_steps order by run_order
    $$,
    $$
        values
        ('load', 2, 1, '{}'::text[], false, false),
        ('clean', 3, 2, '{load}'::text[], false, true),
        ('report', 1, 3, '{load,clean}'::text[], true, false)
    $$,
    'steps keep the place that they were given, and follow those that they wait for'
);
select is(
    monitoring.apply_workflow(
        '{"workflow": "small", "steps": [{"step": "one"}]}'
    ) -> 'cutover' ->> 'to',
    '05:00',
    'a business day begins at five unless it is said otherwise'
);
select is(
    monitoring.get_workflow('small') ->> 'time_zone', 'UTC',
    'in UTC'
);

-- Limits

select results_eq(
    'select * from pg_temp.overrides()',
    $$
        values
        ('clean', 'slow_processing', 3600::float8, null::float8, null::float8),
        ('load', 'long_running_task', 7200, null, null),
        ('load', 'low_throughput', 12.5, null, null),
        ('load', 'slow_processing', 7200, null, null),
        ('load', 'step_late', null, 600, null),
        ('load', 'task_stuck', null, null, 1200),
        ('one', 'slow_processing', 3600, null, null),
        ('report', 'slow_processing', 3600, null, null)
    $$,
    'limits of steps are thresholds of the rules for their task type'
);
select monitoring.apply_workflow(
    '{"workflow": "small", "steps": [{"step": "one", "expected": "10 minutes"}]}'
);
select results_eq(
    $$select rule, medium from pg_temp.overrides() where step = 'one'$$,
    $$values ('long_running_task', 1200::float8), ('slow_processing', 1200)$$,
    'without another limit twice what is expected is long'
);
select is(
    (
        select array_agg(category || ' ' || keep order by category)
        from monitoring.retention_policies where table_name = 'finished_tasks' and category <> ''
    ),
    array['clean 60 days', 'load 60 days', 'one 60 days', 'report 60 days'],
    'runs of steps are kept for 60 days'
);
select monitoring.set_retention('finished_tasks', interval '1 year', 'load');
select monitoring.apply_workflow(document) from given;
select is(
    (
        select keep from monitoring.retention_policies
        where table_name = 'finished_tasks' and category = 'load'
    ),
    '1 year',
    'unless somebody has said otherwise'
);

-- Changes

select is(
    monitoring.apply_workflow(
        (select jsonb_set(document #- '{steps,2}', '{steps,0,after}', '["load"]') from given)
    ),
    '{
        "steps.clean": {
            "from": {"step": "clean", "after": ["load"], "until_done": true}, "to": null
        },
        "steps.report": {
            "from": {"step": "report", "after": ["load", "clean"], "optional": true},
            "to": {"step": "report", "after": ["load"], "optional": true}
        }
    }',
    'a step that is left out is removed, and what changed is told'
);
select is_empty(
    $$select * from pg_temp.overrides() where step = 'clean'$$,
    'its limits go with it'
);
select is(
    (select count(*) from monitoring.retention_policies where category = 'clean'), 1::bigint,
    'how long its runs are kept stays'
);
select pg_temp.set_clock('2026-01-15 13:00+00');
select monitoring.apply_workflow(
    (select jsonb_set(document, '{steps,1,schedule}', '"23:00"') from given)
);
select results_eq(
    $$
        select step_name, expected_since_at from monitoring.workflow_steps
        where workflow_name = 'night' order by 1
    $$,
    $$
        values
        ('clean', timestamptz '2026-01-15 13:00+00'),
        ('load', '2026-01-15 13:00+00'),
        ('report', '2026-01-15 12:00+00')
    $$,
    'a step is expected from when it was first, or at another time, told of'
);
select pg_temp.set_clock('2026-01-15 14:00+00');
select monitoring.apply_workflow(jsonb_set(document, '{enabled}', 'false')) from given;
select pg_temp.set_clock('2026-01-15 15:00+00');
select is(
    (select monitoring.apply_workflow(document) from given),
    '{"enabled": {"from": false, "to": true}}', 'a workflow is enabled again'
);
select is(
    (
        select array_agg(distinct expected_since_at) from monitoring.workflow_steps
        where workflow_name = 'night'
    ),
    array[timestamptz '2026-01-15 15:00+00'],
    'and then expected from now on'
);

-- Removal

select monitoring.set_alert_thresholds('task_stuck', '{"critical": 5}', '{"task_type": "other"}');
select is(monitoring.remove_workflow('night'), true, 'a workflow is removed');
select is(monitoring.remove_workflow('small'), true, 'another as well');
select results_eq(
    'select step, rule from pg_temp.overrides()',
    $$values ('other', 'task_stuck')$$,
    'limits of its steps go, others stay'
);
select is(
    (select count(*) from monitoring.workflow_steps), 0::bigint, 'and so do its steps'
);
select is(monitoring.remove_workflow('night'), false, 'one that is not there cannot be removed');
select is(
    (pg_temp.refusal_of($$monitoring.get_workflow('night')$$)).message,
    'there is no workflow "night"',
    'nor read'
);

select * from finish(); -- noqa: AM04
rollback;
