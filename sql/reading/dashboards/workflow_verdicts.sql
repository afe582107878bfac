-- Verdicts: how a business day of a workflow went, in a word and in a sentence. Reads the timelines
-- of the day and of the six before it, and what is usual (usual_days.sql).

-- How a day of a workflow is, by its steps: done, failed, late, running, pending, off (nothing was
-- due) or unknown (nobody watched it).
create or replace function monitoring._judged_day(p_steps monitoring.batch_step[]) returns text
language sql
immutable
begin atomic
    select
        case
            when bool_or(s.status = 'failed' and not s.is_optional) then 'failed'
            when bool_or(s.status = 'late') then 'late'
            when bool_or(s.status = 'unknown') then 'unknown'
            when bool_and(s.status = 'skipped') then 'off'
            when bool_and(s.is_optional or s.status in ('complete', 'skipped')) then 'done'
            when bool_or(s.status = 'running' and not s.is_optional) then 'running'
            else 'pending'
        end
    from unnest(p_steps) as s;
end;

-- Whether a verdict is a good one; null where that is not known, or not yet.
create or replace function monitoring._is_good_verdict(p_verdict text) returns boolean
language sql
immutable
return case
    when p_verdict in ('done', 'recovered', 'off') then true
    when p_verdict in ('failed', 'late', 'missed') then false
end;

-- Steps of a day that keep it from being done, and those that come after them and have not begun.
create or replace function monitoring._troubled_steps(
    p_steps monitoring.batch_step[], out troubled monitoring.batch_step[], out waiting text[]
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- What others hold up is late because of these: a failure, what has not begun, what runs on.
    select coalesce(array_agg(r.step order by (r.step).position), '{}') into troubled
    from (
        select f.*, min(f.place) over () as first_place
        from (
            select
                s as step,
                case
                    when s.status = 'failed' and not s.is_optional then 1
                    when s.status = 'late' and s.waits_for = '{}' then 2
                    when s.status = 'running' and not s.is_optional
                        and exists (select from unnest(p_steps) l where l.status = 'late') then 3
                    when s.status = 'late' then 4
                end as place
            from unnest(p_steps) s
        ) f
        where f.place is not null
    ) r
    where r.place = r.first_place;
    waiting := array(
        with recursive behind (step_name) as (
            select t.step_name from unnest(troubled) t
            union
            select s.step_name
            from monitoring.workflow_steps s
            inner join behind b on b.step_name = any(s.after_steps)
        )
        select s.step_name
        from unnest(p_steps) s
        inner join behind b on b.step_name = s.step_name
        where s.status in ('pending', 'late')
            and not s.is_optional
            and not exists (select from unnest(troubled) t where t.step_name = s.step_name)
        order by s.position
    );
end
$$;

-- The last seven days of a workflow up to one, each with its verdict.
create or replace function monitoring._week_of_workflow(
    p_workflow monitoring.workflows, p_business_date date, p_now timestamptz
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select jsonb_agg(
            jsonb_build_object(
                'day', d.business_date,
                'verdict', d.verdict,
                'is_good', monitoring._is_good_verdict(d.verdict),
                'finished_at', d.finished_at
            )
            order by d.business_date
        )
        from (
            select
                p_business_date - n.days as business_date,
                monitoring._judged_day(array_agg(s)) as verdict,
                max(s.finished_at) filter (where s.status = 'complete' and not s.is_optional)
                    as finished_at
            from generate_series(0, 6) n (days)
            cross join lateral monitoring._steps_of_day(
                p_workflow, p_business_date - n.days, p_now
            ) s
            group by n.days
        ) d
    );
end
$$;

-- The verdict about a day of a workflow, as get_workflow_verdicts() returns it.
create or replace function monitoring._verdict_of_workflow(
    p_workflow monitoring.workflows,
    p_business_date date,
    p_time_zone text,
    p_now timestamptz,
    out verdict text,
    out summary text,
    out troubled_steps text[],
    out waiting_steps text[],
    out steps integer,
    out steps_complete integer,
    out failed_runs bigint,
    out finished_at timestamptz,
    out usual_from_at timestamptz,
    out usual_to_at timestamptz,
    out is_later_than_usual boolean,
    out records jsonb
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_day_start timestamptz := monitoring._day_start(p_workflow, p_business_date);
    v_steps monitoring.batch_step [];
    v_troubled monitoring.batch_step [];
begin
    v_steps := array(
        select s from monitoring._steps_of_day(p_workflow, p_business_date, p_now, true) s
    );
    verdict := monitoring._judged_day(v_steps);
    select t.troubled, t.waiting into v_troubled, waiting_steps
    from monitoring._troubled_steps(v_steps) t;
    troubled_steps := array(select t.step_name from unnest(v_troubled) t);
    select
        count(*)::integer, (count(*) filter (where s.status = 'complete'))::integer,
        case when verdict = 'done' then
            max(s.finished_at) filter (where s.status = 'complete' and not s.is_optional)
        end
    into steps, steps_complete, finished_at
    from unnest(v_steps) s;
    select count(*) filter (where monitoring._is_failure(r.status)) into failed_runs
    from monitoring._runs_of_day(p_workflow, p_business_date, p_now) r;
    select u.from_at, u.to_at into usual_from_at, usual_to_at
    from monitoring._usual_finish(p_workflow, p_business_date) u;
    is_later_than_usual := finished_at > usual_to_at + greatest(
        usual_to_at - usual_from_at, interval '5 minutes'
    );
    records := monitoring._records_against_usual(p_workflow, v_steps);
    summary := concat_ws(
        '; ',
        case
            when verdict in ('failed', 'late') then monitoring._spell_trouble(
                v_troubled, waiting_steps, p_time_zone, v_day_start,
                p_now >= monitoring._day_start(p_workflow, p_business_date + 1)
            )
            else monitoring._spell_progress(
                verdict, v_steps,
                monitoring._spell_moment(finished_at, p_time_zone, v_day_start),
                monitoring._spell_span(usual_from_at, usual_to_at, p_time_zone, v_day_start),
                is_later_than_usual, p_time_zone, v_day_start
            )
        end,
        case when verdict = 'done' and failed_runs > 0
            then monitoring._count_of(failed_runs, 'run') || ' had failed before' end,
        monitoring._spell_unusual_records(records)
    );
end
$$;

create or replace function monitoring.get_workflow_verdicts(
    p_business_date date default null, p_time_zone text default null
)
returns table (
    workflow_name text,
    business_date date,
    time_zone text,
    verdict text,
    is_good boolean,
    summary text,
    troubled_steps text[],
    waiting_steps text[],
    steps integer,
    steps_complete integer,
    failed_runs bigint,
    finished_at timestamptz,
    usual_from_at timestamptz,
    usual_to_at timestamptz,
    is_later_than_usual boolean,
    records jsonb,
    days jsonb
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_workflow monitoring.workflows;
begin
    perform monitoring._checked_business_date('business_date', p_business_date);
    if p_time_zone is not null then
        perform monitoring._check_time_zone(p_time_zone);
    end if;
    for v_workflow in
        select w.* from monitoring.workflows w where w.is_enabled order by w.workflow_name
    loop
        -- Of a morning it is the day before that people ask about.
        business_date := coalesce(
            p_business_date, monitoring._business_date(v_workflow, v_now - interval '12 hours')
        );
        time_zone := coalesce(p_time_zone, v_workflow.time_zone);
        return query
        select
            v_workflow.workflow_name, business_date, time_zone, v.verdict,
            monitoring._is_good_verdict(v.verdict), v.summary, v.troubled_steps, v.waiting_steps,
            v.steps, v.steps_complete, v.failed_runs, v.finished_at, v.usual_from_at,
            v.usual_to_at, v.is_later_than_usual, v.records,
            monitoring._week_of_workflow(v_workflow, business_date, v_now)
        from monitoring._verdict_of_workflow(v_workflow, business_date, time_zone, v_now) v;
    end loop;
end
$$;

comment on function monitoring.get_workflow_verdicts(date, text) is
'How a business day, or that of 12 hours ago, went in each enabled workflow: done, failed, late, '
'running, pending, off or unknown, in a sentence, against when it is usually done and what its '
'steps usually process, with the six days before. Times in sentences are those of p_time_zone.';
