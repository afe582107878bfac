-- What a daily report begins with: the verdict of all in one line, what is not known, jobs, what is
-- new, and the points of its charts. Reads verdicts, news, roll-ups and freshness.

-- What was last looked at before the end of a span, so that nothing is known of the rest of it.
create or replace function monitoring._unknown_until(p_to timestamptz) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'subject', f.subject, 'known_at', f.known_at, 'detail', f.detail
                )
                order by f.subject <> 'alerts', f.subject
            ),
            '[]'
        )
        from monitoring.v_freshness f
        where not f.is_known
            and coalesce(f.known_at < p_to, true)
            -- Alerts tell that the scheduler stands still; a source is switched off on purpose.
            and f.subject <> 'scheduler'
            and (f.state <> 'off' or f.subject = 'alerts')
    );
end
$$;

-- How many jobs there are outside of workflows and how many are in trouble, with the first ten.
create or replace function monitoring._report_jobs(
    p_from timestamptz, p_to timestamptz, p_time_zone text
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_limit constant integer := 10;
begin
    return (
        select jsonb_build_object(
            'jobs', count(*),
            'expected', count(*) filter (where j.is_expected),
            'missing', count(*) filter (where j.missing_since is not null),
            'failing', count(*) filter (where j.failed > 0),
            'well', count(*) filter (
                where j.missing_since is null and j.failed = 0 and j.missed = 0 and j.completed > 0
            ),
            'runs', coalesce(sum(j.runs), 0),
            'list', (
                select coalesce(jsonb_agg(to_jsonb(v)), '[]')
                from monitoring.get_job_verdicts(p_from, p_to, p_time_zone, v_limit) v
            )
        )
        from monitoring._jobs_of_span(p_from, p_to) j
    );
end
$$;

-- How much is new, with the first ten.
create or replace function monitoring._report_news(p_from timestamptz, p_to timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_limit constant integer := 10;
begin
    return (
        select jsonb_build_object(
            'news', count(*),
            'list', coalesce(
                jsonb_agg(to_jsonb(n) - 'place'::text order by n.place)
                filter (where n.place <= v_limit),
                '[]'
            )
        )
        from (
            select g.*, row_number() over () as place
            from monitoring.get_news(p_from, p_to) g
        ) n
    );
end
$$;

-- Attempts that ended by hour or day, a bucket without any among them.
create or replace function monitoring._report_points(
    p_resolution text, p_from timestamptz, p_to timestamptz
)
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
                    'at', b.bucket_at,
                    'completed', coalesce(p.completed, 0),
                    'failed', coalesce(p.failed, 0),
                    'ended_otherwise', coalesce(p.ended_otherwise, 0)
                )
                order by b.bucket_at
            ),
            '[]'
        )
        from generate_series(
            p_from,
            p_to - interval '1 microsecond',
            case p_resolution when 'day' then interval '24 hours' else interval '1 hour' end
        ) b (bucket_at)
        left join (
            select
                t.bucket_at,
                sum(t.value) filter (where t.series = 'completed') as completed,
                sum(t.value) filter (where t.series = 'failed') as failed,
                sum(t.value) filter (where t.series = 'ended_otherwise') as ended_otherwise
            from monitoring._points_of_tasks(p_resolution, p_from, p_to) t
            group by t.bucket_at
        ) p on p.bucket_at = b.bucket_at
    );
end
$$;

-- The points of both charts: the span by the hour, and the two weeks up to its end by the UTC day.
create or replace function monitoring._report_charts(p_from timestamptz, p_to timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_last_day timestamptz := date_trunc('day', p_to - interval '1 microsecond', 'UTC');
begin
    return jsonb_build_object(
        'hours', monitoring._report_points('hour', p_from, p_to),
        'days', monitoring._report_points(
            'day', v_last_day - interval '312 hours', v_last_day + interval '24 hours'
        )
    );
end
$$;

-- What is in trouble: workflows, then jobs, as a sentence; null for nothing.
create or replace function monitoring._headline_of_trouble(p_report jsonb) returns text
language sql
stable
return (
    select
        monitoring._shortened((array_agg(t.name || t.summary order by t.place))[1], 200)
        || case count(*)
            when 1 then ''
            else format(' (and %s more in trouble)', count(*) - 1)
        end
    from (
        select
            (v.verdict ->> 'workflow_name') || ': ' as name,
            v.verdict ->> 'summary' as summary,
            v.place
        from jsonb_array_elements(p_report -> 'verdicts') with ordinality as v (verdict, place)
        where not (v.verdict ->> 'is_good')::boolean
        union all
        select
            (j.verdict ->> 'job_name') || ' ' as name,
            j.verdict ->> 'summary' as summary,
            1000000 + j.place as place
        from jsonb_array_elements(p_report #> '{jobs,list}')
            with ordinality as j (verdict, place)
        where not (j.verdict ->> 'is_good')::boolean
    ) as t
);

-- Open alerts that are bad and that nobody has acknowledged, as a sentence; null for none.
create or replace function monitoring._headline_of_alerts(p_alerts jsonb) returns text
language sql
stable
return (
    select
        monitoring._count_of(count(*), a.alert ->> 'severity' || ' alert')
        || ' that nobody has acknowledged: '
        || (array_agg(a.alert ->> 'summary' order by a.place))[1]
    from jsonb_array_elements(p_alerts -> 'open_list') with ordinality as a (alert, place)
    where a.alert ->> 'severity' in ('critical', 'high') and a.alert ->> 'acknowledged_by' is null
    group by a.alert ->> 'severity'
    order by monitoring._severity_rank(a.alert ->> 'severity') desc
    limit 1
);

-- What went well, as a sentence; null where nothing is known to have.
create or replace function monitoring._headline_of_success(p_report jsonb) returns text
language sql
stable
return coalesce(
    (
        select
            case count(*)
                when 1
                    then
                        min((v.verdict ->> 'workflow_name') || ' ' || (v.verdict ->> 'summary'))
                else format('%s workflows done', count(*))
            end
        from jsonb_array_elements(p_report -> 'verdicts') as v (verdict)
        where v.verdict ->> 'verdict' = 'done'
        having count(*) > 0
    ),
    case
        when (p_report #>> '{jobs,well}')::bigint > 0
            then monitoring._count_of((p_report #>> '{jobs,well}')::double precision, 'job')
                || ' ran without a failure'
    end
);

-- The workflow that is not done yet or not known, as a sentence; null where there is none.
create or replace function monitoring._headline_of_running(p_report jsonb) returns text
language sql
stable
return (
    select
        (v.verdict ->> 'workflow_name')
        || case v.verdict ->> 'verdict' when 'unknown' then ' is ' else ' is not done: ' end
        || (v.verdict ->> 'summary')
    from jsonb_array_elements(p_report -> 'verdicts') as v (verdict)
    where v.verdict ->> 'is_good' is null
    order by v.verdict ->> 'verdict' = 'unknown' desc, v.verdict ->> 'workflow_name' asc
    limit 1
);

-- The verdict of all: trouble, unknown, running, well or nothing, and a line that says why.
create or replace function monitoring._report_verdict(p_report jsonb) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_trouble text := coalesce(
        monitoring._headline_of_trouble(p_report),
        monitoring._headline_of_alerts(p_report -> 'alerts')
    );
    v_unknown text := p_report #>> '{unknown,0,detail}';
    v_running text := monitoring._headline_of_running(p_report);
    v_success text := monitoring._headline_of_success(p_report);
begin
    return case
        when v_trouble is not null
            then jsonb_build_object('state', 'trouble', 'headline', v_trouble)
        when v_unknown is not null then jsonb_build_object(
            'state', 'unknown',
            'headline', concat_ws('; ', 'Not known whether all is well: ' || v_unknown, v_success)
        )
        when v_running is not null
            then jsonb_build_object('state', 'running', 'headline', v_running)
        when v_success is not null
            then jsonb_build_object('state', 'well', 'headline', 'All is well: ' || v_success)
        else jsonb_build_object(
            'state', 'nothing',
            'headline', 'Nothing is known to have run: no workflow was due, and no task ended'
        )
    end;
end
$$;
