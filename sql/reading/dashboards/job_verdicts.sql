-- Verdicts about jobs outside of workflows: runs expected by the clock, and task types that ran.
-- Counts come from roll-ups; only of the jobs that are listed the newest run is looked up.

-- What is known of every job of a span: whether it is missing at its end, how many runs ended and
-- how, and how often rules found that one had not come.
create or replace function monitoring._jobs_of_span(p_from timestamptz, p_to timestamptz)
returns table (
    job_name text,
    is_expected boolean,
    missing_since timestamptz,
    running_since timestamptz,
    runs bigint,
    completed bigint,
    failed bigint,
    missed bigint
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
begin
    return query
    with ended as materialized (
        select
            c.name,
            sum(c.row_count)::bigint as runs,
            coalesce(sum(c.row_count) filter (where c.label = 'completed'), 0)::bigint
                as completed,
            coalesce(
                sum(c.row_count) filter (where monitoring._is_failure(c.label)), 0
            )::bigint as failed
        from monitoring._counts_between('tasks', p_from, p_to) c
        group by c.name
    ),

    running as materialized (
        select a.task_type, min(a.started_at) as since_at
        from monitoring.active_tasks a
        where a.started_at < p_to
        group by a.task_type
    ),

    missed as materialized (
        select t.labels ->> 'task_type' as task_type, count(*) as times
        from monitoring.alert_transitions t
        where t.changed_at >= p_from
            and t.changed_at < p_to
            and t.transition = 'firing'
            and t.rule_name = 'missed_run'
        group by 1
    ),

    names as (
        select e.task_type as name from monitoring.expected_runs e where e.is_enabled
        union
        select e.name from ended e
        union
        select r.task_type from running r
    )

    select
        n.name, x.task_type is not null, g.due_at, r.since_at, coalesce(e.runs, 0),
        coalesce(e.completed, 0), coalesce(e.failed, 0), coalesce(m.times, 0)
    from names n
    left join monitoring.expected_runs x on x.task_type = n.name and x.is_enabled
    left join (
        select s.task_type, s.due_at from monitoring._missed_runs(v_now) s where p_to >= v_now
    ) g on g.task_type = n.name
    left join running r on r.task_type = n.name
    left join ended e on e.name = n.name
    left join missed m on m.task_type = n.name
    where not starts_with(n.name, 'pgvigil.')
        and not exists (select from monitoring.workflow_steps s where s.step_name = n.name);
end
$$;

-- The verdict about a job, by its newest run and by what is known of it.
create or replace function monitoring._judged_job(
    p_missing_since timestamptz,
    p_running_since timestamptz,
    p_runs bigint,
    p_failed bigint,
    p_missed bigint,
    p_last_status text
)
returns text
language sql
immutable
return case
    when p_missing_since is not null then 'missed'
    when monitoring._is_failure(p_last_status) then 'failed'
    when p_failed > 0 then 'recovered'
    when p_missed > 0 then case when p_runs > 0 then 'recovered' else 'missed' end
    when p_last_status = 'completed' then 'done'
    when p_running_since is not null then 'running'
    when p_runs > 0 then 'done'
    else 'unknown'
end;

-- The sentence about a job, from what is known of it and of its newest run.
create or replace function monitoring._spell_job(
    p_verdict text, p_facts jsonb, p_time_zone text, p_from timestamptz
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_job record;
    v_ended text;
    v_some text;
begin
    select f.* into v_job
    from jsonb_to_record(p_facts) f (
        missing_since timestamptz, running_since timestamptz, runs bigint, failed bigint,
        missed bigint, last_start_at timestamptz, status text, end_time timestamptz,
        duration_ms double precision, error_message text, usual_ms double precision
    );
    v_ended := monitoring._spell_moment(v_job.end_time, p_time_zone, p_from);
    v_some := case when v_job.runs > 1 and v_job.failed > 0
        then format('%s of %s runs failed', v_job.failed, v_job.runs) end;
    return case p_verdict
        when 'missed' then concat_ws(
            ', ',
            case
                when v_job.missing_since is null
                    then 'did not run when it was due'
                else 'missing since '
                    || monitoring._spell_moment(v_job.missing_since, p_time_zone, p_from)
            end,
            'last began ' || monitoring._spell_moment(v_job.last_start_at, p_time_zone, p_from)
        )
        when 'failed' then concat_ws(
            '; ',
            concat_ws(
                ': ',
                case v_job.status when 'failed' then 'failed at ' else v_job.status || ' at ' end
                || v_ended,
                monitoring._shortened(monitoring._one_line(v_job.error_message), 200)
            ),
            v_some
        )
        when 'recovered' then concat_ws(
            ', ',
            coalesce(
                v_some,
                'was missing ' || monitoring._count_of(nullif(v_job.missed, 0), 'time')
            ),
            v_job.status || ' at ' || v_ended
        )
        when 'running' then 'running since '
            || monitoring._spell_moment(v_job.running_since, p_time_zone, p_from)
        when 'done' then concat(
            case v_job.runs when 1 then 'done at ' || v_ended
                else format('%s runs, the last %s at %s', v_job.runs, v_job.status, v_ended) end,
            ', took ' || monitoring._spell_seconds(v_job.duration_ms / 1000),
            ', usually ' || monitoring._spell_seconds(v_job.usual_ms / 1000)
        )
        else coalesce(
            'last began ' || monitoring._spell_moment(v_job.last_start_at, p_time_zone, p_from),
            'no run is known'
        )
    end;
end
$$;

-- The last seven UTC days of a job up to a time, each with its verdict, from its sums by day.
create or replace function monitoring._week_of_job(p_days jsonb, p_to timestamptz) returns jsonb
language sql
stable
return (
    select
        jsonb_agg(
            jsonb_build_object(
                'day', d.day,
                'verdict', d.verdict,
                'is_good', monitoring._is_good_verdict(d.verdict)
            )
            order by d.day
        )
    from (
        select
            w.day,
            case
                when s.missed > 0 and coalesce(s.completed, 0) = 0 then 'missed'
                when s.failed > 0 and s.completed = 0 then 'failed'
                when s.failed > 0 or s.missed > 0 then 'recovered'
                when s.completed > 0 then 'done'
                else 'unknown'
            end as verdict
        from (
            select (p_to at time zone 'UTC')::date - n.days as day
            from generate_series(0, 6) as n (days)
        ) as w
        left join
            jsonb_to_recordset(p_days)
                as s (day date, completed bigint, failed bigint, missed bigint)
            on w.day = s.day
    ) as d
);

create or replace function monitoring.get_job_verdicts(
    p_from timestamptz default null,
    p_to timestamptz default null,
    p_time_zone text default 'UTC',
    p_limit integer default 10
)
returns table (
    job_name text,
    is_expected boolean,
    verdict text,
    is_good boolean,
    summary text,
    missing_since timestamptz,
    runs bigint,
    completed bigint,
    failed bigint,
    missed bigint,
    last_status text,
    last_end_at timestamptz,
    last_duration_ms double precision,
    p50_duration_ms double precision,
    days jsonb
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_to timestamptz := coalesce(
        monitoring._checked_moment('to', p_to), monitoring.clock()
    );
    v_from timestamptz := coalesce(
        monitoring._checked_moment('from', p_from), v_to - interval '24 hours'
    );
    v_job record;
    v_last record;
    v_sums record;
begin
    perform monitoring._check_time_zone(p_time_zone);
    if p_limit is null or p_limit not between 0 and 1000 then
        perform monitoring._refuse_number('limit', p_limit::text, 'a number from 0 to 1000');
    end if;
    for v_job in
        select j.*
        from monitoring._jobs_of_span(v_from, v_to) j
        order by
            j.missing_since is null,
            j.failed = 0 and j.missed = 0,
            j.completed > 0,
            j.failed desc,
            not j.is_expected,
            j.runs desc,
            j.job_name
        limit p_limit
    loop
        select l.* into v_last
        from monitoring.get_job_runs(v_job.job_name, v_from, v_to, null, 1) l;
        select s.* into v_sums
        from monitoring._sums_of_jobs(
            array[v_job.job_name], date_trunc('day', v_to, 'UTC') - interval '720 hours'
        ) s;
        job_name := v_job.job_name;
        is_expected := v_job.is_expected;
        verdict := monitoring._judged_job(
            v_job.missing_since, v_job.running_since, v_job.runs, v_job.failed, v_job.missed,
            v_last.status
        );
        is_good := monitoring._is_good_verdict(verdict);
        summary := monitoring._spell_job(
            verdict,
            to_jsonb(v_job) || to_jsonb(v_last) || jsonb_build_object(
                'usual_ms', v_sums.p50_duration_ms,
                'last_start_at', case when v_job.is_expected
                    then monitoring._last_start_at(v_job.job_name, v_to) end
            ),
            p_time_zone,
            v_from
        );
        missing_since := v_job.missing_since;
        runs := v_job.runs;
        completed := v_job.completed;
        failed := v_job.failed;
        missed := v_job.missed;
        last_status := v_last.status;
        last_end_at := v_last.end_time;
        last_duration_ms := v_last.duration_ms;
        p50_duration_ms := v_sums.p50_duration_ms;
        days := monitoring._week_of_job(v_sums.days, v_to);
        return next;
    end loop;
end
$$;

comment on function monitoring.get_job_verdicts(
    timestamptz, timestamptz, text, integer
) is
'How jobs outside of workflows went in a span (the last 24 hours when left out), those in trouble '
'first: missed, failed, recovered, running, done or unknown, in a sentence, with the last seven '
'UTC days. A job is an expected run or a task type that ran.';
