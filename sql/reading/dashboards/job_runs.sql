-- The runs of one job, page by page. Reads roll-ups by day and hour, and rows only of hours in
-- which some of its runs ended.

-- Hours from one time and before another in which attempts of a type ended, with a status or any,
-- newest first.
create or replace function monitoring._hours_with_runs(
    p_task_type text, p_status text, p_from timestamptz, p_until timestamptz
)
returns setof timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    with days as materialized (
        select distinct d.day_at
        from generate_series(
            date_trunc('day', p_from, 'UTC'), p_until, interval '24 hours'
        ) d (day_at)
        inner join monitoring.rollups r
            on r.source = 'tasks'
            and r.resolution = 'day'
            and r.bucket_at = d.day_at
            and r.name = p_task_type
            and (p_status is null or r.label = p_status)
        where r.bucket_at >= date_trunc('day', p_from, 'UTC')
    )

    select r.bucket_at
    from days d
    cross join generate_series(0, 23) h (hour)
    inner join monitoring.rollups r
        on r.source = 'tasks'
        and r.resolution = 'hour'
        and r.bucket_at = d.day_at + make_interval(hours => h.hour)
        and r.name = p_task_type
        and (p_status is null or r.label = p_status)
    where r.bucket_at > p_from - interval '1 hour' and r.bucket_at < p_until
    union
    select date_trunc('hour', t.finished_at, 'UTC')
    from monitoring._new_tasks(p_from, p_until) t
    where t.task_type = p_task_type and (p_status is null or t.status = p_status)
    order by 1 desc;
end
$$;

create or replace function monitoring.get_job_runs(
    p_job_name text,
    p_from timestamptz default null,
    p_to timestamptz default null,
    p_status text default null,
    p_limit integer default 100,
    p_before_time timestamptz default null,
    p_before_task_id text default null,
    p_before_attempt integer default null
)
returns table (
    task_id text,
    task_type text,
    status text,
    attempt integer,
    worker_id text,
    parent_task_id text,
    start_time timestamptz,
    end_time timestamptz,
    duration_ms double precision,
    items_done bigint,
    items_total bigint,
    error_message text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
-- Planned for the times: only the partitions of an hour are looked at.
set plan_cache_mode = force_custom_plan
as $$
declare
    -- What runs ended ahead of our clock is seen as well.
    v_end timestamptz := monitoring.clock() + interval '24 hours';
    v_from timestamptz := greatest(
        coalesce(monitoring._checked_moment('from', p_from), v_end - interval '744 hours'),
        v_end - interval '87840 hours'
    );
    v_until timestamptz := least(
        monitoring._checked_moment('to', p_to),
        monitoring._checked_moment('before_time', p_before_time) + interval '1 microsecond',
        v_end
    );
    v_hour timestamptz;
    v_left integer := p_limit;
    v_found integer;
begin
    if p_limit is null or p_limit not between 0 and 10000 then
        perform monitoring._refuse_number('limit', p_limit::text, 'a number from 0 to 10000');
    end if;
    for v_hour in
        select h.* from monitoring._hours_with_runs(p_job_name, p_status, v_from, v_until) h
    loop
        exit when v_left <= 0;
        return query
        select
            t.task_id, t.task_type, t.status, t.attempt, t.worker_id, t.parent_task_id,
            t.started_at, t.finished_at, t.duration_ms, t.items_done, t.items_total,
            case when t.status <> 'completed' then monitoring._reason_of_end(
                t.task_id, t.metadata, t.started_at, t.finished_at
            ) end
        from monitoring._all_finished_tasks t
        where t.finished_at >= greatest(v_hour, v_from)
            and t.finished_at < least(v_hour + interval '1 hour', v_until)
            and t.task_type = p_job_name
            and (p_status is null or t.status = p_status)
            and (p_before_time is null or (t.finished_at, t.task_id, t.attempt) < (
                p_before_time, coalesce(p_before_task_id, ''), coalesce(p_before_attempt, 0)
            ))
        order by t.finished_at desc, t.task_id desc, t.attempt desc
        limit v_left;
        get diagnostics v_found = row_count;
        v_left := v_left - v_found;
    end loop;
end
$$;

comment on function monitoring.get_job_runs(
    text, timestamptz, timestamptz, text, integer, timestamptz, text, integer
) is
'The newest attempts of a task type that ended in a span (30 days when left out), of one status if '
'given, and why those ended that did not complete. p_before_... say where the page before ended: '
'its last end_time, task_id and attempt.';
