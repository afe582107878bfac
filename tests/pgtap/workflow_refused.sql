-- What no workflow can say: refused by its full path, with nothing of it applied.

begin;
select plan(28);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

select monitoring.apply_workflow(
    '{"workflow": "other", "steps": [{"step": "taken"}]}'
);

-- Refusals

select
    results_eq(
        format(
            'select code, message from pg_temp.refusal_of(%L)',
            format('monitoring.apply_workflow(%L)', document)
        ),
        format('select ''PV009'', %L', message),
        'refused: ' || message
    )
from (
    values
    (null, 'workflow is not right: null'),
    ('[]', 'workflow is not right: []'),
    ('{"workflow": "w"}', 'workflow is not right: {"workflow": "w"}'),
    (
        '{"workflow": "w", "steps": []}',
        'workflow.steps is not right: []'
    ),
    (
        '{"workflow": " ", "steps": [{"step": "a"}]}',
        'workflow.workflow is not right: " "'
    ),
    (
        '{"workflow": "w", "cut_over": "05:00", "steps": [{"step": "a"}]}',
        'workflow.cut_over is not known'
    ),
    (
        '{"workflow": "w", "cutover": "5:00", "steps": [{"step": "a"}]}',
        'workflow.cutover is not right: "5:00"'
    ),
    (
        '{"workflow": "w", "time_zone": "Mars/Base", "steps": [{"step": "a"}]}',
        'workflow.time_zone: there is no time zone "Mars/Base"'
    ),
    (
        '{"workflow": "w", "steps": [{"step": "a"}, {"step": "b", "expectd": "1 hour"}]}',
        'workflow.steps[1].expectd is not known'
    ),
    (
        '{"workflow": "w", "steps": [{"name": "a"}]}',
        'workflow.steps[0] is not right: {"name": "a"}'
    ),
    (
        '{"workflow": "w", "steps": [{"step": "a", "after": "b"}]}',
        'workflow.steps[0].after is not right: "b"'
    ),
    (
        '{"workflow": "w", "steps": [{"step": "a", "after": [1]}]}',
        'workflow.steps[0].after[0] is not right: 1'
    ),
    (
        '{"workflow": "w", "steps": [{"step": "a", "minimum_rate": 0}]}',
        'workflow.steps[0].minimum_rate is not right: 0'
    ),
    (
        '{"workflow": "w", "steps": [{"step": "a", "optional": "yes"}]}',
        'workflow.steps[0].optional is not right: "yes"'
    ),
    (
        '{"workflow": "w", "steps": [{"step": "a", "expected": 60}]}',
        'workflow.steps[0].expected is not right: 60'
    ),
    (
        '{"workflow": "w", "steps": [{"step": "a", "expected": "a while"}]}',
        'workflow.steps[0].expected is not a length of time: "a while"'
    ),
    (
        '{"workflow": "w", "steps": [{"step": "a", "stuck_after": "0 minutes"}]}',
        'workflow.steps[0].stuck_after is not a length of time: "0 minutes"'
    ),
    (
        '{"workflow": "w", "steps": [{"step": "a", "long_after": "367 days"}]}',
        'workflow.steps[0].long_after is not a length of time: "367 days"'
    ),
    (
        '{"workflow": "w", "steps": [{"step": "a", "schedule": "25:00"}]}',
        'workflow.steps[0].schedule: hour is out of range: 25'
    ),
    (
        '{"workflow": "w", "steps": [{"step": "a", "schedule": "soon"}]}',
        'workflow.steps[0].schedule: schedule is not known: "soon"'
    ),
    (
        '{"workflow": "w", "steps": [{"step": "a", "schedule": "0 0 30 2 *"}]}',
        'workflow.steps[0].schedule: schedule is out of range: 0 0 30 2 *'
    ),
    (
        '{"workflow": "w", "steps": [{"step": "a"}, {"step": "a"}]}',
        'workflow.steps[1].step appears twice: "a"'
    ),
    (
        '{"workflow": "w", "steps": [{"step": "taken"}]}',
        'workflow.steps[0].step belongs to workflow "other": "taken"'
    ),
    (
        '{"workflow": "w", "steps": [{"step": "a", "after": ["b"]}]}',
        'workflow.steps[0].after names no step of the workflow: "b"'
    ),
    (
        '{"workflow": "w", "steps": [{"step": "a", "after": ["a"]}]}',
        'workflow.steps wait for each other: a -> a'
    ),
    (
        '{"workflow": "w", "steps": [{"step": "z", "after": ["c"]}, {"step": "a", "after": ["c"]},
            {"step": "b", "after": ["a"]}, {"step": "c", "after": ["b"]}, {"step": "d"}]}',
        'workflow.steps wait for each other: c -> a -> b -> c'
    )
) as refused (document, message);

select is(
    (
        pg_temp.refusal_of(
            $$
                monitoring.apply_workflow('{"workflow": "w", "time_zone": "Mars", "steps": [
                    {"step": "a", "after": ["b"]}, {"step": "a", "expected": "soon"}]}')
            $$
        )
    ).message,
    E'workflow.steps[1].step appears twice: "a"\n'
    'workflow.steps[0].after names no step of the workflow: "b"\n'
    'workflow.steps[1].expected is not a length of time: "soon"\n'
    'workflow.time_zone: there is no time zone "Mars"',
    'all that is wrong is told at once'
);
select is(
    (select array_agg(workflow_name) from monitoring.workflows), array['other'],
    'nothing of what was refused was applied'
);

select * from finish(); -- noqa: AM04
rollback;
