-- How the planner sees the functions: what costs nothing must not begin to cost.

begin;
select plan(26);
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
    ('clock()', array['_set_time']),
    ('_event_time(at)', array['_mended_time', '_set_time']),
    ('_has_partition(name, at)', array[]::text[]),
    ('_is_small_object(document)', array[]::text[]),
    ('_is_small_numbers(document)', array[]::text[]),
    ('_is_small_json(document)', array[]::text[]),
    ('_capped_text(name, 8000)', array[]::text[]),
    ('_capped_json(document)', array[]::text[]),
    ('_checked_object(name, document)', array['_refuse_json']),
    ('_mended_numbers(name, document)', array['_mend_numbers']),
    ('_mended_start(at, at)', array['_mend_start']),
    ('_mended_name(name, name)', array['_mend_name']),
    ('error_fingerprint(name, name)', array[]::text[])
) as checked (call, expected);

select is(
    pg_temp.calls_of(
        $$
            select monitoring._mended_name('n', name),
                monitoring._mended_optional_name('n', name),
                monitoring._mended_severity(name), monitoring._mended_end_status(name),
                monitoring._mended_health(name), monitoring._mended_level(name),
                monitoring._mended_size('s', size), monitoring._mended_length('l', value),
                monitoring._mended_value(value)
            from sample
        $$
    ),
    array['_mend_length', '_mend_name', '_mend_size', '_mend_value', '_mend_word'],
    'so are the checks of names, choices and numbers'
);

select * from finish(); -- noqa: AM04
rollback;
