-- What a run does, whatever it is called: a failure is over when that work has been done since, by
-- this run or by another. All rules that say "has not completed since" go by this.
-- Reads unsuccessful_attempts, finished_tasks and their roll-ups, workflows and expected runs.

-- What a run does, to be compared among runs of its type: the work that its metadata state, a
-- step on a business day, or its type where a source or an expectation says that each run is a
-- new one; else the task of its name.
create or replace function monitoring._work_of(
    p_task_id text, p_task_type text, p_metadata jsonb, p_begun_at timestamptz
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_stated text := nullif(btrim(coalesce(
        p_metadata ->> 'work', p_metadata #>> '{config,work}'
    )), '');
    v_workflow monitoring.workflows;
begin
    if v_stated is not null then
        return 'work ' || v_stated;
    end if;
    select w.* into v_workflow
    from monitoring.workflow_steps s
    inner join monitoring.workflows w on w.workflow_name = s.workflow_name
    where s.step_name = p_task_type;
    if found then
        return 'step ' || monitoring._date_of_run(v_workflow, p_metadata, p_begun_at);
    elsif exists (
            select from monitoring.expected_runs e where e.task_type = p_task_type
        ) or exists (
            select from monitoring.sources s
            where s.source_name = p_metadata ->> 'source'
                and s.settings ->> 'work' = 'type'
                and starts_with(p_task_id, s.source_name || ':')
        )
    then
        return concat_ws(' ', 'type', monitoring._stated_date(p_metadata));
    end if;
    return 'task ' || p_task_id;
end
$$;

-- When runs of a type last completed some work after one time and until another; null when none
-- did.
create or replace function monitoring._work_done_at(
    p_task_type text, p_work text, p_after timestamptz, p_until timestamptz
)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select max(t.finished_at)
        from monitoring._newest_attempts(
            p_task_type, array['completed'], p_after, p_until,
            -- The newest of a type is what it is; of steps and stated work there are few a day.
            case p_work when 'type' then 1 else 1000 end
        ) t
        where p_work = 'type'
            or monitoring._work_of(
                t.task_id, t.task_type, t.metadata, coalesce(t.started_at, t.finished_at)
            ) = p_work
    );
end
$$;

-- Work that failed after one time and until another (of one type, or all) and has not been done
-- since: of each its newest run. Work that a task of the same name is to do counts as done once
-- that has completed, to this day.
create or replace function monitoring._undone_work(
    p_after timestamptz, p_now timestamptz, p_task_type text default null
)
returns table (
    task_id text, task_type text, attempt integer, status text, started_at timestamptz,
    finished_at timestamptz, metadata jsonb, work text
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Planned for the times, so that only their days are looked at.
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    with ended as materialized (
        select
            u.task_id, u.task_type, u.attempt, u.status, t.started_at, u.finished_at, t.metadata,
            case
                when k.is_known or t.metadata ?| array['work', 'config', 'source']
                    then monitoring._work_of(
                        u.task_id, u.task_type, t.metadata, coalesce(t.started_at, u.finished_at)
                    )
                else 'task ' || u.task_id
            end as work
        from monitoring.unsuccessful_attempts u
        left join lateral (
            select true as is_known from monitoring.workflow_steps s
            where s.step_name = u.task_type
            union all
            select true from monitoring.expected_runs e where e.task_type = u.task_type
            limit 1
        ) k on true
        left join lateral (
            select f.started_at, f.metadata
            from monitoring._all_finished_tasks f
            where f.task_id = u.task_id
                and f.finished_at = u.finished_at
                and f.attempt = u.attempt
                and f.finished_at > p_after
                and f.finished_at <= p_now
            limit 1
        ) t on true
        where u.finished_at > p_after
            and u.finished_at <= p_now
            and u.task_type = coalesce(p_task_type, u.task_type)
    ),
    done as materialized (
        select
            e.task_type, e.work,
            monitoring._work_done_at(e.task_type, e.work, min(e.finished_at), p_now) as done_at
        from ended e
        where not starts_with(e.work, 'task ')
        group by e.task_type, e.work
    )
    select l.*
    from (
        -- Of several runs of some work the newest says how it is.
        select distinct on (e.task_type, e.work) e.*
        from ended e
        order by e.task_type, e.work, e.finished_at desc, e.task_id
    ) l
    left join done d on d.task_type = l.task_type and d.work = l.work
    where monitoring._is_failure(l.status) and (d.done_at > l.finished_at) is not true;
end
$$;
