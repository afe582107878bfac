-- How jobs went on the last days: counts, durations, the newest run of each, and runs that did not
-- come. Reads roll-ups by the day, and rows only of the minutes or hours in which the newest run of
-- a job ended: the cost goes by jobs and days, not by how many ran.

-- Attempts of jobs that ended, by UTC day and status, from a day on.
create or replace function monitoring._days_of_jobs(p_names text[], p_from timestamptz)
returns table (
    job_name text,
    day_at timestamptz,
    status text,
    ended bigint,
    value_count bigint,
    value_sum double precision,
    value_min double precision,
    value_max double precision,
    histogram monitoring.histogram
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select r.name, r.bucket_at, r.label, r.row_count, r.value_count, r.value_sum, r.value_min,
        r.value_max, r.histogram
    from generate_series(
        p_from, monitoring.clock() + interval '24 hours', interval '24 hours'
    ) d (day_at)
    cross join unnest(p_names) n (name)
    inner join monitoring.rollups r
        on r.source = 'tasks'
        and r.resolution = 'day'
        and r.bucket_at = d.day_at
        and r.name = n.name
    where r.bucket_at >= p_from
    union all
    select a.name, a.bucket_at, a.label, a.row_count, a.value_count, a.value_sum, a.value_min,
        a.value_max, a.histogram
    from monitoring._add_up(
        'tasks', true, p_from => p_from, p_to => monitoring.clock() + interval '24 hours'
    ) a
    where a.resolution = 'day' and a.name = any(p_names);
end
$$;

-- Hours in which attempts of jobs ended, of days on which some did; new ones may be in any.
create or replace function monitoring._hours_of_jobs(p_names text[], p_days timestamptz[])
returns table (job_name text, hour_at timestamptz)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select r.name, r.bucket_at
    from unnest(p_names, p_days) d (name, day_at)
    cross join generate_series(0, 23) h (hour)
    inner join monitoring.rollups r
        on r.source = 'tasks'
        and r.resolution = 'hour'
        and r.bucket_at = d.day_at + make_interval(hours => h.hour)
        and r.name = d.name
    where r.bucket_at >= (select min(m.day_at) from unnest(p_days) m (day_at))
    union
    select t.task_type, date_trunc('hour', t.finished_at, 'UTC')
    from monitoring._new_tasks(
        (select min(m.day_at) from unnest(p_days) m (day_at)),
        monitoring.clock() + interval '24 hours'
    ) t
    where t.task_type = any(p_names);
end
$$;

-- The newest minute of an hour in which attempts of a job ended; where minutes are not kept, or not
-- rolled up yet, the beginning of the hour.
create or replace function monitoring._last_minute(p_job_name text, p_hour_at timestamptz)
returns timestamptz
language sql
stable
return coalesce(
    (
        select max(r.bucket_at)
        from monitoring.rollups as r
        where
            r.source = 'tasks'
            and r.resolution = 'minute'
            and r.bucket_at >= p_hour_at
            and r.bucket_at < p_hour_at + '1 hour'::interval
            and r.name = p_job_name
    ),
    p_hour_at
);

-- The attempt of each job that ended last, of those that ended on the last day of each.
create or replace function monitoring._last_runs(p_names text[], p_days timestamptz[])
returns setof monitoring._all_finished_tasks
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_hour record;
begin
    -- Job by job, so that each query is planned for one time and looks at one day.
    for v_hour in
        select
            h.job_name,
            max(h.hour_at) + interval '1 hour' as until_at,
            monitoring._last_minute(h.job_name, max(h.hour_at)) as from_at
        from monitoring._hours_of_jobs(p_names, p_days) h
        group by h.job_name
    loop
        return query
        select t.*
        from monitoring._all_finished_tasks t
        where t.finished_at >= v_hour.from_at
            and t.finished_at < v_hour.until_at
            and t.task_type = v_hour.job_name
        order by t.finished_at desc, t.attempt desc, t.task_id
        limit 1;
    end loop;
end
$$;

-- How often runs of jobs did not come, by UTC day, as rules found: a run that was expected, or a
-- step that was not run on its business day.
create or replace function monitoring._missed_of_jobs(p_names text[], p_from timestamptz)
returns table (job_name text, day_at timestamptz, missed bigint)
language sql
stable
begin atomic
    select
        t.labels ->> 'task_type' as job_name,
        coalesce(
            (t.labels ->> 'business_date')::timestamp at time zone 'UTC',
            date_trunc('day', t.changed_at, 'UTC')
        ) as day_at,
        count(*) as missed
    from monitoring.alert_transitions as t
    where
        t.changed_at >= p_from
        and t.transition = 'firing'
        and t.rule_name in ('missed_run', 'step_missed')
        and t.labels ->> 'task_type' = any(p_names)
    group by job_name, day_at;
end;

-- Counts and durations of jobs since a day, and the days one by one.
create or replace function monitoring._sums_of_jobs(p_names text[], p_from timestamptz)
returns table (
    job_name text,
    last_day_at timestamptz,
    ended bigint,
    completed bigint,
    failed bigint,
    p50_duration_ms double precision,
    p95_duration_ms double precision,
    recent_p50_duration_ms double precision,
    days jsonb
)
language sql
stable
begin atomic
    with day_rows as materialized (
        select * from monitoring._days_of_jobs(p_names, p_from)
    ),

    sums as (
        select
            d.job_name,
            max(d.day_at) as last_day_at,
            sum(d.ended)::bigint as ended,
            coalesce(sum(d.ended) filter (where d.status = 'completed'), 0)::bigint as completed,
            coalesce(
                sum(d.ended) filter (where monitoring._is_failure(d.status)), 0
            )::bigint as failed,
            monitoring.merge_histograms(d.histogram) filter (where d.status = 'completed')
                as histogram,
            min(d.value_min) filter (where d.status = 'completed') as value_min,
            max(d.value_max) filter (where d.status = 'completed') as value_max,
            monitoring.merge_histograms(d.histogram) filter (
                where d.status = 'completed' and d.day_at > monitoring.clock() - '7 days'::interval
            ) as recent
        from day_rows as d
        group by d.job_name
    ),

    day_sums as (
        select
            p.job_name,
            p.day_at,
            sum(p.completed) as completed,
            sum(p.failed) as failed,
            sum(p.ended) - sum(p.completed) - sum(p.failed) as ended_otherwise,
            sum(p.missed) as missed,
            sum(p.value_sum) / nullif(sum(p.value_count), 0)::double precision as avg_ms
        from (
            select
                d.job_name,
                d.day_at,
                d.ended,
                case when d.status = 'completed' then d.ended else 0 end as completed,
                case when monitoring._is_failure(d.status) then d.ended else 0 end as failed,
                0::bigint as missed,
                d.value_sum,
                d.value_count
            from day_rows as d
            union all
            select
                m.job_name,
                m.day_at,
                0::bigint,
                0::bigint,
                0::bigint,
                m.missed,
                0::double precision,
                0::bigint
            from monitoring._missed_of_jobs(p_names, p_from) as m
        ) as p
        group by p.job_name, p.day_at
    )

    select
        n.job_name,
        s.last_day_at,
        coalesce(s.ended, 0) as ended,
        coalesce(s.completed, 0) as completed,
        coalesce(s.failed, 0) as failed,
        monitoring._clamped_percentile(s.histogram, 0.5, s.value_min, s.value_max)
            as p50_duration_ms,
        monitoring._clamped_percentile(s.histogram, 0.95, s.value_min, s.value_max)
            as p95_duration_ms,
        monitoring._clamped_percentile(s.recent, 0.5, s.value_min, s.value_max)
            as recent_p50_duration_ms,
        coalesce(
            (
                select
                    jsonb_agg(
                        jsonb_build_object(
                            'day', to_char(d.day_at at time zone 'UTC', 'YYYY-MM-DD'),
                            'completed', d.completed,
                            'failed', d.failed,
                            'ended_otherwise', d.ended_otherwise,
                            'missed', d.missed,
                            'avg_ms', round(d.avg_ms::numeric, 1)
                        )
                        order by d.day_at
                    )
                from day_sums as d
                where d.job_name = n.job_name
            ),
            '[]'
        ) as days
    from unnest(p_names) as n (job_name)
    left join sums as s on n.job_name = s.job_name;
end;
