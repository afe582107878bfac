-- JSON of the wrong shape: PV005.

begin;
select plan(29);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

select monitoring.start_task_tracking('t', 'load');

select pg_temp.remember_state();

-- Refusals: objects

select
    results_eq(
        format('select * from pg_temp.refusal_of(%L)', format(call, quote_literal(document))),
        format(
            'values (''PV005'', %L, ''Give %s as a JSON object such as {"key": "value"}.'')',
            format('%s has the wrong shape: %s', argument, document),
            argument
        ),
        format('%s %s is refused', argument, document)
    )
from
    (
        values
        ('metadata', 'start_task_tracking(''u'', ''load'', p_metadata => %s)'),
        ('metadata', 'complete_task_tracking(''t'', p_metadata => %s)'),
        ('tags', 'record_performance_metric(''m'', ''gauge'', 1, p_tags => %s)')
    ) as bad (argument, call)
cross join unnest(array['["a"]', '"a"', '12', 'true', '[{}]']) as document;

-- Refusals: objects of numbers

select
    results_eq(
        format('select * from pg_temp.refusal_of(%L)', format(call, quote_literal(document))),
        format(
            'values (''PV005'', %L, %L)',
            format('%s has the wrong shape: %s', argument, document),
            format(
                'Give %s as a JSON object of numbers that are not negative, such as {"done": 12}.',
                argument
            )
        ),
        format('%s %s is refused', argument, document)
    )
from (
    values
    ('step_durations', 'complete_task_tracking(''t'', p_step_durations => %s)', '{"load": "12"}'),
    ('step_durations', 'complete_task_tracking(''t'', p_step_durations => %s)', '{"load": [1, 2]}'),
    ('step_durations', 'complete_task_tracking(''t'', p_step_durations => %s)', '{"load": -1}'),
    ('counters', 'complete_task_tracking(''t'', p_counters => %s)', '{"done": null}'),
    ('counters', 'update_task_progress(''t'', p_counters => %s)', '{"done": {"a": 1}}'),
    ('counters', 'update_task_progress(''t'', p_counters => %s)', '{"done": []}'),
    ('counters', 'update_task_progress(''t'', p_counters => %s)', '{"ok": 1, "done": true}'),
    ('counters', 'update_task_progress(''t'', p_counters => %s)', '[1, 2]')
) as bad (argument, call, document);

select
    results_eq(
        format(
            $$
                select refusal.code, refusal.message ~ '^%1$s has the wrong shape: \d+ bytes$',
                    refusal.hint
                from (
                    select jsonb_object_agg('number ' || n, n) as document
                    from generate_series(1, 9999) as n
                ) as many,
                    pg_temp.refusal_of(format(%2$L, quote_literal(many.document))) as refusal
            $$,
            argument, call
        ),
        format(
            'values (''PV005'', true, ''Give %s as a JSON object of at most 64 KiB.'')', argument
        ),
        format('%s of more than 64 KiB are refused, for cut numbers would be wrong', argument)
    )
from (
    values
    ('step_durations', 'complete_task_tracking(''t'', p_step_durations => %s)'),
    ('counters', 'update_task_progress(''t'', p_counters => %s)')
) as bad (argument, call);

-- Afterwards

select is(
    pg_temp.state(),
    pg_temp.remembered_state(),
    'none of the refused calls wrote anything or made a partition'
);

-- Boundaries

select is(
    (
        pg_temp.refusal_of(
            format('update_task_progress(''t'', p_counters => %L)', to_jsonb(repeat('x', 999)))
        )
    ).message,
    'counters has the wrong shape: "' || repeat('x', 199),
    'of a large document the message shows the beginning'
);

select lives_ok(
    $$select monitoring.complete_task_tracking('t', 'failed', 0, 'null', 'null', 'null')$$,
    'a JSON null is as good as nothing'
);

select results_eq(
    $$
        select step_durations, counters, metadata from monitoring.processing_metrics
        where task_id = 't'
    $$,
    'values (null::jsonb, null::jsonb, null::jsonb)',
    'and is kept as nothing'
);

select * from finish(); -- noqa: AM04
rollback;
