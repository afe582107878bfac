-- How long steps usually take. Reads roll-ups of finished_tasks, and no row of a task.

-- Seconds of completed runs of each step before a business day, as the first tenth, the median
-- and the last tenth: of the same weekday of 8 weeks, or where those are less than 3 of the last
-- two weeks as well.
create or replace function monitoring._usual_seconds(
    p_workflow monitoring.workflows, p_business_date date
)
returns table (step_name text, runs bigint, seconds double precision[])
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_steps text [] := monitoring._step_names(p_workflow.workflow_name);
begin
    return query
    with buckets as (
        select r.name, d.is_same_weekday, r.value_count, r.value_min, r.value_max, r.histogram
        from (
            select n.days, n.days % 7 = 0 as is_same_weekday
            from generate_series(1, 56) n (days)
            where n.days <= 14 or n.days % 7 = 0
        ) d
        inner join monitoring.rollups r
            on r.source = 'tasks'
            and r.resolution = 'hour'
            and r.label = 'completed'
            and r.bucket_at >= monitoring._day_start(p_workflow, p_business_date - d.days)
            and r.bucket_at < monitoring._day_start(p_workflow, p_business_date - d.days + 1)
        where r.name = any(v_steps) and r.value_count > 0
    ),

    chosen as (
        select b.*
        from buckets b
        where b.is_same_weekday
            or (
                select coalesce(sum(o.value_count), 0) from buckets o
                where o.name = b.name and o.is_same_weekday
            ) < 3
    )

    select
        c.name,
        sum(c.value_count)::bigint,
        array[
            least(monitoring._clamped_percentile(
                monitoring.merge_histograms(c.histogram), 0.1, min(c.value_min), max(c.value_max)
            ) / 1000, 31622400),
            least(monitoring._clamped_percentile(
                monitoring.merge_histograms(c.histogram), 0.5, min(c.value_min), max(c.value_max)
            ) / 1000, 31622400),
            least(monitoring._clamped_percentile(
                monitoring.merge_histograms(c.histogram), 0.9, min(c.value_min), max(c.value_max)
            ) / 1000, 31622400)
        ]
    from chosen c
    group by c.name;
end
$$;
