-- How the planner sees the roll-up: what is new is found by the BRIN indexes, however much is old.

begin;
select plan(10);
\ir helpers/fixed_clock.psql
\ir helpers/plans.psql

-- A day of each table with as many rows as make an index worth while, all of one transaction.

select monitoring._make_partition(table_name, '2025-11-01') from monitoring.partitioned_tables;

create temporary view moments as
select
    n,
    timestamptz '2025-11-01 00:00+00' + n * interval '1 second' as at
from generate_series(0, 59999) as n;

insert into monitoring.finished_tasks (
    task_id, attempt, task_type, status, finished_at, duration_ms
)
select
    't' || n as task_id,
    1 as attempt,
    'load' as task_type,
    'completed' as status,
    at as finished_at,
    n as duration_ms
from moments;

insert into monitoring.errors (error_type, severity, message, fingerprint, task_id, occurred_at)
select
    'E' as error_type,
    'low' as severity,
    'message' as message,
    'f' as fingerprint,
    't' || n as task_id,
    at as occurred_at
from moments;

insert into monitoring.metric_samples (metric_name, metric_type, value, recorded_at)
select
    'm' as metric_name,
    'gauge' as metric_type,
    n as value, -- noqa: RF04
    at as recorded_at
from moments;

insert into monitoring.queue_samples (
    queue_name, pending, processing, completed, failed, recorded_at
)
select
    'q' as queue_name,
    n as pending,
    1 as processing,
    n as completed,
    0 as failed,
    at as recorded_at
from moments;

insert into monitoring.health_probes (component_name, component_type, status, checked_at)
select
    'api' as component_name,
    'service' as component_type,
    'healthy' as status,
    at as checked_at
from moments;

select brin_summarize_new_values(i.indexrelid)
from pg_index as i
where i.indrelid::regclass::text ~ '_20251101$' and pg_get_indexdef(i.indexrelid) ~ 'USING brin';

analyze monitoring.finished_tasks, monitoring.errors, monitoring.metric_samples,
monitoring.queue_samples, monitoring.health_probes;

-- As if others had recorded all of that, and it had been rolled up.
update monitoring.rollup_progress set claimed_below = txid_current() + 1;

create function pg_temp.finds_by_brin(p_query text, p_table text) returns text
language sql
as $$
    select matches(
        pg_temp.plan_of(p_query),
        format('Bitmap Index Scan on [a-z.]*%s_20251101_[a-z_]*_recorded_xid_idx', p_table),
        format('new rows of %s are found by BRIN: %s', p_table, p_query)
    )
$$;

select
    pg_temp.finds_by_brin(
        format('select * from monitoring.%I where is_new', '_samples_of_' || source),
        table_name
    )
from monitoring.rollup_progress
order by source;

select pg_temp.finds_by_brin('select * from monitoring.' || reader, table_name)
from (
    values
    ('_marked_errors where is_new', 'errors'),
    ('_marked_probes where is_new', 'health_probes'),
    ('_uptime_checks(100, ''{}'') as u where u.is_new', 'health_probes')
) as readers (reader, table_name);

-- Uptime looks at the checks beside the new ones, not at all there are.

update monitoring.rollup_progress set claimed_below = txid_current();
update monitoring.health_probes set recorded_xid = 1 where checked_at <> '2025-11-01 10:00:00+00';

-- Rows that were looked at beside the new ones, which the BRIN index finds by two conditions.
create function pg_temp.neighbours_read(p_query text) returns numeric
language sql
as $$
    select sum(
        (node ->> 'Actual Rows')::numeric * (node ->> 'Actual Loops')::numeric
        + coalesce((node ->> 'Rows Removed by Filter')::numeric, 0)
    )
    from jsonb_path_query(
        pg_temp.plan_of(p_query, 'analyze, costs off, timing off, summary off, format json')::jsonb,
        'strict $.** ? (@."Relation Name" starts with "health_probes"
            && !(@.Plans[*]."Node Type" == "BitmapOr"))'
    ) as node
$$;

select is(
    (
        select count(*) from monitoring._checks_around(
                '{api}', '{service}', '{2025-11-01 10:00+00}', '{2025-11-01 10:00+00}',
                9223372036854775807, '{}'
            )
    ),
    3::bigint,
    'a late check takes no more than its neighbours to change the uptime'
);

insert into monitoring.component_states (
    component_name, component_type, checked_at, probe_id, status
)
values ('api', 'service', '2025-11-01 12:00+00', 1, 'healthy');

select cmp_ok(
    pg_temp.neighbours_read(
        'select * from monitoring._count_uptime(''2025-11-02 00:00+00'', ''2025-11-03 00:00+00'')'
    ),
    '<', 30::numeric,
    'a rebuild reads the checks of its days, and those before and after'
);

select * from finish(); -- noqa: AM04
rollback;
