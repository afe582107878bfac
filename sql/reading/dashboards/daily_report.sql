-- A business day told for people: its verdicts, workflows, alerts, tasks, errors and records. Reads
-- verdicts, the timelines of workflows, alerts, roll-ups and the daily summaries of records.

do $$
begin
    perform monitoring._drop_former('get_daily_report(date)');
end
$$;

-- The time that a daily report is about: the business day of all enabled workflows, the UTC day
-- without any, or this hour and the 23 before it.
create or replace function monitoring._report_span(
    p_business_date date, p_now timestamptz, out from_at timestamptz, out to_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_business_date is null then
        from_at := monitoring._last_day_since();
        to_at := p_now;
        return;
    end if;
    select
        min(monitoring._day_start(w, p_business_date)),
        max(monitoring._day_start(w, p_business_date + 1))
    into from_at, to_at
    from monitoring.workflows w
    where w.is_enabled;
    from_at := date_trunc(
        'hour', coalesce(from_at, p_business_date::timestamp at time zone 'UTC'), 'UTC'
    );
    to_at := coalesce(to_at, (p_business_date + 1)::timestamp at time zone 'UTC');
    -- A day to come has had no time yet.
    from_at := least(from_at, p_now);
    to_at := greatest(from_at, least(p_now, to_at));
end
$$;

-- Each enabled workflow with the steps of a business day, or of the one of 12 hours ago.
create or replace function monitoring._report_workflows(
    p_business_date date, p_now timestamptz
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_workflow monitoring.workflows;
    v_business_date date;
    v_steps jsonb;
    v_found jsonb := '[]'::jsonb;
begin
    for v_workflow in
        select w.* from monitoring.workflows w where w.is_enabled order by w.workflow_name
    loop
        -- Of a morning it is the day before that people ask about.
        v_business_date := coalesce(
            p_business_date, monitoring._business_date(v_workflow, p_now - interval '12 hours')
        );
        select jsonb_agg(to_jsonb(t)) into v_steps
        from monitoring.get_batch_timeline(v_business_date, v_workflow.workflow_name) t;
        v_found := v_found || jsonb_build_object(
            'workflow_name', v_workflow.workflow_name,
            'description', v_workflow.description,
            'time_zone', v_workflow.time_zone,
            'business_date', v_business_date,
            'by_status', (
                select jsonb_object_agg(c.status, c.steps)
                from (
                    select e.step ->> 'status' as status, count(*) as steps
                    from jsonb_array_elements(v_steps) e (step)
                    group by 1
                ) c
            ),
            'steps', v_steps
        );
    end loop;
    return v_found;
end
$$;

-- How many alerts opened and resolved in a span and were open at its end, with the worst 50 of
-- each.
create or replace function monitoring._report_alerts(p_from timestamptz, p_to timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_limit constant integer := 50;
begin
    return (
        with told as (
            select
                a.*,
                a.resolved_at > p_to as is_open,
                row_number() over (
                    partition by a.resolved_at > p_to
                    order by
                        a.acknowledged_at is not null and a.resolved_at > p_to,
                        monitoring._severity_rank(a.severity) desc, a.fired_at, a.alert_id
                ) as place
            from monitoring.raised_alerts a
            where a.fired_at <= p_to and a.resolved_at > p_from
        ),

        listed as (
            select
                t.is_open,
                t.place,
                jsonb_build_object(
                    'alert_id', t.alert_id,
                    'severity', t.severity,
                    'rule_name', t.rule_name,
                    'summary', t.summary,
                    'fired_at', t.fired_at,
                    'reason', t.reason,
                    'owner', t.owner,
                    'acknowledged_by', t.acknowledged_by,
                    'resolved_at', nullif(t.resolved_at, 'infinity'),
                    'resolution', t.resolution
                ) as entry
            from told t
            where t.place <= v_limit
        )

        select jsonb_build_object(
            'opened', count(*) filter (where t.fired_at > p_from),
            'resolved', count(*) filter (where not t.is_open),
            'open', count(*) filter (where t.is_open),
            'open_list', (
                select coalesce(jsonb_agg(l.entry order by l.place), '[]')
                from listed l
                where l.is_open
            ),
            'resolved_list', (
                select coalesce(jsonb_agg(l.entry order by l.place), '[]')
                from listed l
                where not l.is_open
            )
        )
        from told t
    );
end
$$;

-- Attempts that ended in a span, with the 50 types that failed most.
create or replace function monitoring._report_tasks(p_from timestamptz, p_to timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_limit constant integer := 50;
begin
    return (
        with kinds as (
            select
                r.name as task_type,
                sum(r.row_count) as tasks,
                coalesce(sum(r.row_count) filter (where r.label = 'completed'), 0) as completed,
                coalesce(sum(r.row_count) filter (where monitoring._is_failure(r.label)), 0)
                    as failed,
                monitoring._clamped_percentile(
                    monitoring.merge_histograms(r.histogram), 0.95, min(r.value_min),
                    max(r.value_max)
                ) as p95_duration_ms,
                max(r.value_max) as max_duration_ms
            from monitoring._rollups_between('tasks', p_from, p_to) r
            group by r.name
        )

        select jsonb_build_object(
            'ended', coalesce(sum(k.tasks), 0),
            'completed', coalesce(sum(k.completed), 0),
            'failed', coalesce(sum(k.failed), 0),
            'success_percent', round(100.0 * sum(k.completed) / nullif(sum(k.tasks), 0), 2),
            'task_types', count(*),
            'by_type', (
                select coalesce(jsonb_agg(to_jsonb(w) order by w.failed desc, w.task_type), '[]')
                from (
                    select b.* from kinds b order by b.failed desc, b.tasks desc limit v_limit
                ) w
            )
        )
        from kinds k
    );
end
$$;

-- Errors of a span, with the 20 worst kinds.
create or replace function monitoring._report_errors(p_from timestamptz, p_to timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_limit constant integer := 20;
begin
    return (
        with kinds as (
            select r.name as error_type, r.label as severity, sum(r.row_count) as occurrences
            from monitoring._rollups_between('errors', p_from, p_to) r
            group by r.name, r.label
        )

        select jsonb_build_object(
            'occurrences', coalesce(sum(k.occurrences), 0),
            'kinds', count(*),
            'by_kind', (
                select coalesce(jsonb_agg(to_jsonb(w) order by w.place), '[]')
                from (
                    select
                        b.*,
                        row_number() over (
                            order by
                                monitoring._severity_rank(b.severity) desc, b.occurrences desc,
                                b.error_type
                        ) as place
                    from kinds b
                ) w
                where w.place <= v_limit
            )
        )
        from kinds k
    );
end
$$;

-- What a day of each dataset came to, or that of 12 hours ago, as far as it was summarised.
create or replace function monitoring._report_records(p_business_date date, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'dataset', d.dataset,
                    'target_date', d.target_date,
                    'runs', d.runs,
                    'records_queried', d.records_queried,
                    'valid_records', d.valid_records,
                    'invalid_records', d.invalid_records,
                    'invalid_opened', d.invalid_opened,
                    'invalid_resolved', d.invalid_resolved,
                    'invalid_open', d.invalid_open,
                    'status_changes', d.status_changes
                )
                order by d.dataset
            ),
            '[]'
        )
        from monitoring.daily_summaries d
        left join monitoring.datasets s on s.dataset = d.dataset
        where d.target_date = coalesce(
            p_business_date,
            (
                (p_now - interval '12 hours') at time zone coalesce(s.time_zone, 'UTC')
            )::date
        )
    );
end
$$;

-- Verdicts about workflows, those in trouble first, then those of which it is not known.
create or replace function monitoring._report_verdicts(p_business_date date, p_time_zone text)
returns jsonb
language sql
stable
return (
    select
        coalesce(
            jsonb_agg(to_jsonb(v) order by coalesce(2 * v.is_good::integer, 1), v.workflow_name),
            '[]'
        )
    from monitoring.get_workflow_verdicts(p_business_date, p_time_zone) as v
);

-- The time zone of a report: the one that is asked for, else that of the first workflow, else UTC.
create or replace function monitoring._report_time_zone(p_time_zone text) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_time_zone is not null then
        perform monitoring._check_time_zone(p_time_zone);
        return p_time_zone;
    end if;
    return coalesce(
        (
            select w.time_zone from monitoring.workflows w
            where w.is_enabled
            order by w.workflow_name
            limit 1
        ),
        'UTC'
    );
end
$$;

create or replace function monitoring.get_daily_report(
    p_business_date date default null, p_time_zone text default null
)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_time_zone text := monitoring._report_time_zone(p_time_zone);
    v_span record;
    v_report jsonb;
begin
    perform monitoring._checked_business_date('business_date', p_business_date);
    select s.* into v_span from monitoring._report_span(p_business_date, v_now) s;
    v_report := jsonb_build_object(
        'generated_at', v_now,
        'database', current_database(),
        'time_zone', v_time_zone,
        'page_url', (select a.url from monitoring.page_addresses a where a.page_name = 'page'),
        'business_date', p_business_date,
        'from_at', v_span.from_at,
        'to_at', v_span.to_at,
        'freshness', monitoring._summarize_freshness(),
        'unknown', monitoring._unknown_until(v_span.to_at),
        'verdicts', monitoring._report_verdicts(p_business_date, v_time_zone),
        'jobs', monitoring._report_jobs(v_span.from_at, v_span.to_at, v_time_zone),
        'news', monitoring._report_news(v_span.from_at, v_span.to_at),
        'charts', monitoring._report_charts(v_span.from_at, v_span.to_at),
        'workflows', monitoring._report_workflows(p_business_date, v_now),
        'alerts', monitoring._report_alerts(v_span.from_at, v_span.to_at),
        'tasks', monitoring._report_tasks(v_span.from_at, v_span.to_at),
        'errors', monitoring._report_errors(v_span.from_at, v_span.to_at),
        'records', monitoring._report_records(p_business_date, v_now)
    );
    return v_report || monitoring._report_verdict(v_report);
end
$$;

comment on function monitoring.get_daily_report(date, text) is
'A business day for people, or the last 24 hours with the business days of 12 hours ago: a verdict '
'in one line (state and headline), those of workflows and jobs, what is not known and what is new, '
'points of charts, steps, alerts, tasks, errors and records. Tasks and errors are of whole hours.';
