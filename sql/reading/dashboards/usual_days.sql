-- What is usual of a workflow: when its days end, and how many records its steps process. Reads the
-- runs of its steps of four weeks; estimates.sql says how long a step usually takes.

-- Steps that a day of a workflow is not complete without, and the days on which each is due.
create or replace function monitoring._steps_due(
    p_workflow monitoring.workflows, p_from date, p_to date
)
returns table (business_date date, step_name text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select d.business_date, s.step_name
    from (
        select p_from + n.days as business_date
        from generate_series(0, p_to - p_from) n (days)
    ) d
    cross join monitoring.workflow_steps s
    where s.workflow_name = p_workflow.workflow_name
        and not s.is_optional
        and (
            s.schedule is null
            or monitoring._first_due_at(p_workflow, s.schedule, d.business_date) is not null
        );
end
$$;

-- The newest run of each step on business days on which all that was due was done; of a repeated
-- step the records are those of all its runs.
create or replace function monitoring._done_days(
    p_workflow monitoring.workflows, p_from date, p_to date
)
returns table (
    business_date date, step_name text, finished_at timestamptz, records bigint, is_due boolean
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with runs as materialized (
        select distinct on (d.business_date, d.step_name)
            d.business_date, d.step_name, d.status, d.finished_at,
            case
                when s.is_repeated
                    then least(sum(d.items_done) over (
                            partition by d.business_date, d.step_name
                        ), 1e18)::bigint
                else d.items_done
            end as records
        from monitoring._days_of_runs(p_workflow, p_from, p_to) d
        inner join monitoring.workflow_steps s on s.step_name = d.step_name
        order by d.business_date, d.step_name, d.finished_at desc
    ),

    due as materialized (
        select s.* from monitoring._steps_due(p_workflow, p_from, p_to) s
    ),

    done as (
        select u.business_date
        from due u
        left join runs r on r.business_date = u.business_date and r.step_name = u.step_name
        group by u.business_date
        having bool_and(coalesce(r.status = 'completed', false))
    )

    select r.business_date, r.step_name, r.finished_at, r.records, u.step_name is not null
    from done n
    inner join runs r on r.business_date = n.business_date
    left join due u on u.business_date = r.business_date and u.step_name = r.step_name
    where r.status = 'completed';
end
$$;

-- Of the days before one those that it may be compared with: the same weekdays of four weeks, or
-- where those are less than three the last two weeks; none where these are less than three as well.
create or replace function monitoring._usual_days(
    p_workflow monitoring.workflows, p_business_date date
)
returns table (
    business_date date, step_name text, finished_at timestamptz, records bigint, is_due boolean
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with days as materialized (
        select d.*, (p_business_date - d.business_date) % 7 = 0 as is_same_weekday
        from monitoring._done_days(p_workflow, p_business_date - 28, p_business_date - 1) d
    ),

    chosen as (
        select d.*
        from days d
        where case
            when (
                select count(distinct o.business_date) from days o where o.is_same_weekday
            ) >= 3
                then d.is_same_weekday
            else d.business_date >= p_business_date - 14
        end
    )

    select c.business_date, c.step_name, c.finished_at, c.records, c.is_due
    from chosen c
    where (select count(distinct o.business_date) from chosen o) >= 3;
end
$$;

-- Whether a value lies well outside of what is usual: by more than the width of that, and by more
-- than a share of it or a least amount.
create or replace function monitoring._is_unusual(
    p_value double precision,
    p_from double precision,
    p_to double precision,
    p_least double precision
)
returns boolean
language sql
immutable
return p_value > p_to + greatest(p_to - p_from, p_least)
or p_value < p_from - greatest(p_to - p_from, p_least);

-- When a day of a workflow is usually done: from and until when it was on eight days of ten; null
-- where too few days are known.
create or replace function monitoring._usual_finish(
    p_workflow monitoring.workflows, p_business_date date
)
returns table (from_at timestamptz, to_at timestamptz)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    -- By its clocks, so that a change of these does not move it.
    select
        (p_business_date + percentile_cont(0.1) within group (order by f.after))
        at time zone p_workflow.time_zone,
        (p_business_date + percentile_cont(0.9) within group (order by f.after))
        at time zone p_workflow.time_zone
    from (
        select
            max(d.finished_at) at time zone p_workflow.time_zone - d.business_date::timestamp
                as after
        from monitoring._usual_days(p_workflow, p_business_date) d
        where d.is_due
        group by d.business_date
    ) f;
end
$$;

-- How many records the steps of a workflow that are complete processed on a day, an object each,
-- against what is usual: those of eight days of ten.
create or replace function monitoring._records_against_usual(
    p_workflow monitoring.workflows, p_steps monitoring.batch_step[]
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        with usual as (
            select
                d.step_name,
                round(percentile_cont(0.1) within group (order by d.records)) as from_records,
                round(percentile_cont(0.9) within group (order by d.records)) as to_records
            from monitoring._usual_days(p_workflow, p_steps[1].business_date) d
            where d.records is not null
            group by d.step_name
            having count(*) >= 3
        )

        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'step_name', s.step_name,
                    'records', s.records_processed,
                    'usual_from', u.from_records,
                    'usual_to', u.to_records,
                    'is_unusual', coalesce(
                        monitoring._is_unusual(
                            coalesce(s.records_processed, 0), u.from_records, u.to_records,
                            0.1 * u.to_records
                        ),
                        false
                    )
                )
                order by s.position
            ),
            '[]'
        )
        from unnest(p_steps) s
        left join usual u on u.step_name = s.step_name
        where s.status = 'complete' and (s.records_processed is not null or u.to_records > 0)
    );
end
$$;
