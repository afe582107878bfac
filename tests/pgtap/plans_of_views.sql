-- How the planner sees the views: they read the days and rows they are about.

begin;
select plan(11);
\ir helpers/fixed_clock.psql
\ir helpers/plans.psql

-- Views read the days they are about

select
    monitoring.record_finished_tasks(
        jsonb_agg(jsonb_build_object('task_id', day, 'task_type', 'load', 'end_time', day))
    )
from generate_series(timestamptz '2026-01-01 12:00+00', '2026-01-15 12:00+00', '1 day') as day;
create function pg_temp.record_all_at(p_at timestamptz) returns void
language sql
as $$
    select
        monitoring.record_error('t', 'E', 'critical', 'm', p_occurred_at => p_at),
        monitoring.record_performance_metric('m', 'gauge', 1, p_recorded_at => p_at),
        monitoring.record_log('c', 'INFO', 'm', p_logged_at => p_at),
        monitoring.update_system_health('s', 'api', 'healthy', p_checked_at => p_at),
        monitoring.record_queue_metrics('q', 1, p_recorded_at => p_at)
$$;

select pg_temp.record_all_at(day)
from generate_series(timestamptz '2026-01-01 12:00+00', '2026-01-15 12:00+00', '1 day') as day;

select set_config('enable_seqscan', 'off', true);

select
    set_eq(
        format(
            'select relation from pg_temp.reads_of(%L)', 'select * from monitoring.' || view_name
        ),
        array[table_name || '_20260114', table_name || '_20260115'],
        view_name || ' reads the partitions of the last 24 hours alone'
    )
from (
    values
    ('v_task_statistics', 'finished_tasks'),
    ('v_error_summary', 'errors'),
    ('v_performance_trends', 'metric_samples'),
    ('v_queue_performance', 'queue_samples')
) as of_the_last_day (view_name, table_name);

select
    is_empty(
        format(
            $$
                select r.relation, r.index_name, pg_get_indexdef(c.oid)
                from pg_temp.reads_of(%L) as r
                left join pg_class as c on c.relname = r.index_name
                where pg_get_indexdef(c.oid) ~ '%s' is not true
            $$,
            query, index_definition
        ),
        about
    )
from (
    values
    (
        'select * from monitoring.error_tracking where severity = ''critical''
        order by occurred_at desc limit 5',
        'USING btree \(occurred_at DESC\) WHERE',
        'the last critical errors by an index of their own'
    ),
    (
        'select * from monitoring.processing_metrics where task_id = ''t''',
        '_pk(ey)? ON .* USING btree \(task_id', 'a task by the primary keys'
    ),
    (
        'select * from monitoring.error_tracking where task_id = ''t''',
        'USING btree \(.*task_id', 'the errors of a task by an index'
    ),
    (
        'select * from monitoring.performance_monitoring where metric_name = ''m''
        and recorded_at > ''2026-01-10''',
        '_pkey ON .* USING btree \(metric_name', 'the values of a metric by the primary keys'
    ),
    (
        'select * from monitoring.application_logs where component = ''c''
        and logged_at > ''2026-01-10''',
        '_pkey ON .* USING btree \(component', 'the log of a component by the primary keys'
    ),
    (
        'select * from monitoring.queue_monitoring where queue_name = ''q''
        and recorded_at > ''2026-01-10''',
        '_pkey ON .* USING btree \(queue_name', 'the samples of a queue by the primary keys'
    )
) as look_up (query, index_definition, about);

-- A busy day, with as many rows as make an index worth while

select
    monitoring.record_metrics(
        jsonb_agg(
            jsonb_build_object(
                'metric_name', 'm' || n % 7, 'value', n, 'recorded_at',
                timestamptz '2025-11-01 00:00+00' + n * interval '4 seconds'
            )
            order by n
        )
    )
from generate_series(0, 19999) as n;

select brin_summarize_new_values(indexrelid)
from pg_index
where
    indrelid = 'monitoring.metric_samples_20251101'::regclass
    and pg_get_indexdef(indexrelid) ~ 'brin';

analyze monitoring.metric_samples;

select results_eq(
    $$
        select r.relation, pg_get_indexdef(c.oid) ~ 'USING brin \(recorded_at\)'
        from pg_temp.reads_of(
            'select avg(value) from monitoring.performance_monitoring
            where recorded_at between ''2025-11-01 12:00+00'' and ''2025-11-01 12:10+00'''
        ) as r
        left join pg_class as c on c.relname = r.index_name
    $$,
    $$values ('metric_samples_20251101', true)$$,
    'a span of time is found by the BRIN index'
);

select * from finish(); -- noqa: AM04
rollback;
