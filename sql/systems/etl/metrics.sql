-- What was measured in ETL: mean, extremes and number of samples. Reads metric_samples and their
-- roll-ups.

-- Metrics of ETL in this hour and the 23 before it, from roll-ups and what is not in them yet.
-- These know metrics by name, unit and component; one is of ETL where its newest sample is.
create or replace function monitoring._etl_metrics_of_last_day()
returns table (
    metric_name text,
    metric_unit text,
    samples bigint,
    avg_value double precision,
    min_value double precision,
    max_value double precision,
    last_value double precision,
    last_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
-- Planned for the time, so that only the partitions of two days are looked at.
set plan_cache_mode = force_custom_plan
as $$
declare
    v_since constant timestamptz := monitoring._last_day_since();
begin
    return query
    select
        s.name,
        n.unit,
        sum(s.row_count)::bigint,
        sum(s.value_sum) / nullif(sum(s.value_count), 0)::double precision,
        min(s.value_min),
        max(s.value_max),
        (array_agg(n.value order by n.recorded_at desc, n.sample_id desc))[1],
        max(n.recorded_at)
    from (
        select
            d.name, d.label, d.component,
            sum(d.row_count) as row_count, sum(d.value_count) as value_count,
            sum(d.value_sum) as value_sum, min(d.value_min) as value_min,
            max(d.value_max) as value_max
        from monitoring._last_day('metrics') d
        group by d.name, d.label, d.component
    ) s
    cross join lateral (
        select m.unit, m.value, m.recorded_at, m.sample_id, m.tags
        from monitoring._all_metric_samples m
        where m.metric_name = s.name
            and m.recorded_at >= v_since
            and coalesce(monitoring._short_name(m.unit), '') = s.label
            and coalesce(monitoring._short_name(m.component), '') = s.component
        order by m.recorded_at desc, m.sample_id desc
        limit 1
    ) n
    where n.tags ? 'execution_id'
    group by s.name, n.unit;
end
$$;

create or replace function monitoring.get_etl_metric_statistics(
    p_execution_id text default null
)
returns table (
    metric_name text,
    metric_unit text,
    samples bigint,
    avg_value double precision,
    min_value double precision,
    max_value double precision,
    last_value double precision,
    last_at timestamptz
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    v_since timestamptz;
begin
    if p_execution_id is null then
        return query
        select d.* from monitoring._etl_metrics_of_last_day() d
        order by d.metric_name, d.metric_unit;
        return;
    end if;
    v_since := coalesce(
        (
            select coalesce(t.start_time, t.end_time)
            from monitoring.processing_metrics t
            where t.task_id = p_execution_id and t.task_type = 'etl'
            order by t.end_time is null desc, t.end_time desc
            limit 1
        ),
        monitoring._last_day_since()
    );
    return query
    select
        m.metric_name,
        m.metric_unit,
        count(*),
        avg(m.metric_value),
        min(m.metric_value),
        max(m.metric_value),
        (array_agg(m.metric_value order by m.timestamp desc, m.metric_id desc))[1],
        max(m.timestamp)
    from monitoring.etl_metrics m
    where m.execution_id = p_execution_id and m.timestamp >= v_since
    group by m.metric_name, m.metric_unit
    order by m.metric_name, m.metric_unit;
end
$$;

comment on function monitoring.get_etl_metric_statistics(text) is
'Mean, extremes, last value and number of samples of each metric of ETL in this hour and the 23 '
'before it, or of one execution since the newest attempt of it began.';
