-- Names that are empty, blank, missing or too long: PV001 and PV002.

begin;
select plan(27);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

select pg_temp.remember_state();

-- Names that are needed

select
    results_eq(
        format(
            $$
                select refusal.* from unnest(array['', '   ', repeat('x', 256)]) as name,
                    pg_temp.refusal_of(format(%L, quote_literal(name))) as refusal
            $$,
            call
        ),
        format(
            $$
                values
                ('PV001', '%1$s is empty: ""',
                    'Give %1$s a name of 1 to 255 characters that are not all blank.'),
                ('PV001', '%1$s is empty: "   "',
                    'Give %1$s a name of 1 to 255 characters that are not all blank.'),
                ('PV002', '%1$s is too long: 256 characters, beginning with "%2$s"',
                    'A name has at most 255 characters; put longer texts into details or metadata.')
            $$,
            argument,
            repeat('x', 40)
        ),
        format('a %s that is empty, blank or too long is refused by %s', argument, call)
    )
from (
    values
    ('task_id', 'start_task_tracking(%s, ''load'')'),
    ('task_type', 'start_task_tracking(''t'', %s)'),
    ('task_id', 'update_task_progress(%s)'),
    ('task_id', 'complete_task_tracking(%s)'),
    ('error_type', 'record_error(''t'', %s, ''low'', ''m'')'),
    ('metric_name', 'record_performance_metric(%s, ''gauge'', 1)'),
    ('metric_type', 'record_performance_metric(''m'', %s, 1)'),
    ('component', 'record_log(%s, ''INFO'', ''m'')'),
    ('component_type', 'update_system_health(%s, ''api'', ''healthy'')'),
    ('component_name', 'update_system_health(''service'', %s, ''healthy'')'),
    ('queue_name', 'record_queue_metrics(%s, 1)')
) as needed (argument, call);

select
    is(
        (pg_temp.refusal_of(call)).code,
        'PV001',
        format('a missing name is refused: %s', call)
    )
from unnest(array[
        'start_task_tracking(null, ''load'')',
        'start_task_tracking(''t'', null)',
        'complete_task_tracking(null)',
        'record_error(''t'', null, ''low'', ''m'')',
        'record_performance_metric(null, ''gauge'', 1)',
        'update_system_health(null, ''api'', ''healthy'')',
        'record_queue_metrics(null, 1)'
    ]) as call;

-- Names that may be missing

select
    is(
        (pg_temp.refusal_of(format(call, quote_literal(repeat('x', 256))))).code,
        'PV002',
        format('a name that may be missing may still not be too long: %s', call)
    )
from unnest(array[
        'start_task_tracking(''t'', ''load'', p_worker_id => %s)',
        'start_task_tracking(''t'', ''load'', p_parent_task_id => %s)',
        'record_error(%s, ''E'', ''low'', ''m'')',
        'record_error(''t'', ''E'', ''low'', ''m'', p_fingerprint => %s)',
        'record_performance_metric(''m'', ''gauge'', 1, p_unit => %s)',
        'record_performance_metric(''m'', ''gauge'', 1, p_task_id => %s)',
        'record_log(''c'', ''INFO'', ''m'', p_task_id => %s)'
    ]) as call;

-- Boundaries

select is(
    (pg_temp.refusal_of(format('record_queue_metrics(%L, 1)', E'\t\n'))).code,
    'PV001',
    'a name of tabs and line ends is blank'
);

-- Afterwards

select is(
    pg_temp.state(),
    pg_temp.remembered_state(),
    'none of the refused calls wrote anything or made a partition'
);

select * from finish(); -- noqa: AM04
rollback;
