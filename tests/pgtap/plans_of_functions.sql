-- How the planner sees the functions: what costs nothing must not begin to cost.

begin;
select plan(25);
\ir helpers/plans.psql

-- Public functions are their inner functions

select
    is(
        pg_temp.calls_of('select monitoring.' || call),
        array[inner_function],
        split_part(call, '(', 1) || ' is nothing but its inner function'
    )
from (
    values
    ('start_task_tracking(''t'', ''load'')', '_start_task'),
    ('update_task_progress(''t'', 1)', '_update_task'),
    ('complete_task_tracking(''t'', ''failed'')', '_complete_task'),
    ('record_finished_tasks(''[]'')', '_record_rows'),
    ('record_error(''t'', ''E'', ''low'', ''m'')', '_record_error'),
    ('record_errors(''[]'')', '_record_rows'),
    ('record_performance_metric(''m'', ''gauge'', 1)', '_record_metric'),
    ('record_metrics(''[]'')', '_record_rows'),
    ('record_log(''c'', ''INFO'', ''m'')', '_record_log'),
    ('record_logs(''[]'')', '_record_rows'),
    ('update_system_health(''s'', ''api'', ''healthy'')', '_record_probe'),
    ('record_queue_metrics(''q'', 1)', '_record_queue')
) as wrapper (call, inner_function);

-- Checks are expressions

create temporary table sample (
    name text, size bigint, value float8, document jsonb, at timestamptz
);

select
    is(
        pg_temp.calls_of(format('select monitoring.%s from sample', call)),
        expected,
        split_part(call, '(', 1) || ' is an expression of its caller''s'
    )
from (
    values
    ('clock()', array[]::text[]),
    ('_event_time(at)', array['_refuse_time']),
    ('_has_partition(name, at)', array[]::text[]),
    ('_is_small_object(document)', array[]::text[]),
    ('_is_small_numbers(document)', array[]::text[]),
    ('_is_small_json(document)', array[]::text[]),
    ('_capped_text(name, 8000)', array[]::text[]),
    ('_capped_json(document)', array[]::text[]),
    ('_checked_object(name, document)', array['_refuse_json']),
    ('_checked_numbers(name, document)', array['_refuse_json']),
    ('_checked_start(at, at)', array['_refuse_span', '_refuse_time']),
    ('error_fingerprint(name, name)', array[]::text[])
) as checked (call, expected);

select is(
    pg_temp.calls_of(
        $$
            select monitoring._checked_name('n', name),
                monitoring._checked_optional_name('n', name),
                monitoring._checked_severity(name), monitoring._checked_end_status(name),
                monitoring._checked_health(name), monitoring._checked_level(name),
                monitoring._checked_size('s', size), monitoring._checked_length('l', value),
                monitoring._checked_value(value)
            from sample
        $$
    ),
    array['_refuse_choice', '_refuse_name', '_refuse_number'],
    'so are the checks of names, choices and numbers'
);

select * from finish(); -- noqa: AM04
rollback;
