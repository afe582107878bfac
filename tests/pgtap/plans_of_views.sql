-- How the planner sees the views: they read the days and rows they are about.

begin;
select plan(11);
\ir helpers/fixed_clock.psql
\ir helpers/plans.psql
\ir helpers/placed.psql

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
select pg_temp.place_all();

select set_config('enable_seqscan', 'off', true);

select set_eq(
    $$select relation from pg_temp.reads_of('select * from monitoring.v_queue_performance')$$,
    array[
        'queue_samples_20260114', 'queue_samples_20260115', 'late_queue_samples', 'known_names',
        'name_limits'
    ],
    'v_queue_performance reads the partitions of the last 24 hours, and late rows, alone'
);

select
    is_empty(
        format(
            $$
                select r.relation, r.index_name, pg_get_indexdef(c.oid)
                from pg_temp.reads_of(%L) as r
                left join pg_class as c on c.relname = r.index_name
                where pg_get_indexdef(c.oid) ~ '%s' is not true
                    -- Late rows and groups that were merged are few, and any index will do.
                    and r.relation !~ '^late_|^error_group_merges$'
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
        'select * from monitoring.v_application_logs where component = ''c''
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
select pg_temp.place_all();

select brin_summarize_new_values(indexrelid)
from pg_index
where
    indrelid = 'monitoring.metric_samples_20251101'::regclass
    and pg_get_indexdef(indexrelid) ~ 'brin';

analyze monitoring.metric_samples;

select results_eq(
    $$
        select r.relation, pg_get_indexdef(c.oid) ~ 'USING brin \(recorded_at, recorded_xid\)'
        from pg_temp.reads_of(
            'select avg(value) from monitoring.performance_monitoring
            where recorded_at between ''2025-11-01 12:00+00'' and ''2025-11-01 12:10+00'''
        ) as r
        left join pg_class as c on c.relname = r.index_name
        where r.relation !~ '^late_'
    $$,
    $$values ('metric_samples_20251101', true)$$,
    'a span of time is found by the BRIN index'
);

insert into monitoring.metric_samples (metric_name, metric_type, value, recorded_at)
select
    'm' as metric_name,
    'gauge' as metric_type,
    n as value, -- noqa: RF04
    timestamptz '2025-11-01 00:00+00' + n * interval '0.5 seconds' as recorded_at
from generate_series(0, 149999) as n;

select brin_summarize_new_values('monitoring.metric_samples_20251101_recorded_at_recorded_xid_idx');

analyze monitoring.metric_samples;

select set_config('enable_seqscan', 'on', true);

select matches(
    pg_temp.plan_of('select * from monitoring._samples_of_metrics where is_new'),
    'Bitmap Index Scan on [a-z.]*metric_samples_20251101_recorded_at_recorded_xid_idx',
    'and so are the rows not rolled up yet, though one transaction recorded all of the day'
);

-- Statuses: what takes long is putting each record's changes in order

select matches(
    pg_temp.plan_of('select * from monitoring.v_time_in_status'),
    'Sort Key: \(+hashtextextended\(', 'changes are put in order by numbers, not by long keys'
);
select unalike(
    pg_temp.plan_of('select * from monitoring.v_bot_performance where dataset = ''orders'''),
    '%CTE%', 'what bots do in one dataset is asked of its changes alone'
);

select * from finish(); -- noqa: AM04
rollback;
