-- Settling trends: what v_task_trends shows of a span is kept once the span has been over for a
-- while. What comes later is merged when it is read, until the next span of that resolution is
-- settled, and late ones with it.
-- Reads _task_trends; writes task_trends, trend_progress and unsettled_spans. Only who has the row
-- of finished_tasks in rollup_progress does so.

-- Notes that the hours given, and the days, weeks and months that they lie in, have new figures.
create or replace function monitoring._unsettle(p_hours timestamptz[]) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into monitoring.unsettled_spans (resolution, bucket_at)
    select distinct p.resolution, date_trunc(p.resolution, h.hour_at, 'UTC')
    from monitoring.trend_progress p
    inner join unnest(p_hours) h (hour_at)
        on date_trunc(p.resolution, h.hour_at, 'UTC') < p.settled_to_at
    on conflict do nothing;
end
$$;

-- The same of all hours and days from p_from until before p_to that roll-ups have something of.
create or replace function monitoring._unsettle_within(p_from timestamptz, p_to timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._unsettle(array(
        select distinct r.bucket_at from monitoring.rollups r
        where r.source = 'tasks'
            and r.resolution in ('hour', 'day')
            and r.bucket_at >= p_from
            and r.bucket_at < p_to
    ));
end
$$;

-- Keeps the figures that the given spans have now.
create or replace function monitoring._settle_spans(p_resolution text, p_spans timestamptz[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- Planned for its arguments, so that only what is stored by that resolution is looked at.
set plan_cache_mode = force_custom_plan
as $$
begin
    delete from monitoring.task_trends t
    where t.resolution = p_resolution and t.bucket_at = any (p_spans);
    insert into monitoring.task_trends
    select t.*
    from monitoring._task_trends t
    where t.resolution = p_resolution and t.bucket_at = any (p_spans);
    delete from monitoring.unsettled_spans u
    where u.resolution = p_resolution and u.bucket_at = any (p_spans);
end
$$;

-- Settles the spans of a resolution that are over and not settled: the oldest ones, as many as are
-- merged in a second or so.
create or replace function monitoring._settle_next(
    p_resolution text, p_from timestamptz, p_over_at timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_spans timestamptz [];
    v_rows bigint;
begin
    select array_agg(distinct date_trunc(p_resolution, r.stored_at, 'UTC')), count(*)
    into v_spans, v_rows
    from (
        select t.stored_at
        from monitoring._stored_trends t
        where t.source = 'tasks'
            and t.resolution = p_resolution
            and t.stored_at >= p_from
            and t.stored_at < p_over_at
        order by t.stored_at
        limit 5000
    ) r;
    perform monitoring._settle_spans(p_resolution, v_spans)
    where v_rows > 0;
    update monitoring.trend_progress p
    set
        settled_to_at = case
            when v_rows < 5000 then p_over_at
            else monitoring._span_end(p.resolution, v_spans[cardinality(v_spans)])
        end
    where p.resolution = p_resolution;
end
$$;

-- Forgets settled spans that are older than the roll-ups that they were made of are kept, once
-- these have been removed.
create or replace function monitoring._forget_settled(p_resolution text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_stored constant text := case p_resolution when 'hour' then 'hour' else 'day' end;
begin
    delete from monitoring.task_trends t
    using monitoring.retention_policies p
    where t.resolution = p_resolution
        and p.table_name = 'rollups'
        and p.category = v_stored
        and t.bucket_at < monitoring._kept_from(p.keep, monitoring.clock())
        and not exists (
            select from monitoring.rollups r
            where r.source = 'tasks'
                and r.resolution = v_stored
                and r.bucket_at >= t.bucket_at
                and r.bucket_at < monitoring._span_end(t.resolution, t.bucket_at)
        );
end
$$;

-- Settles whatever is due.
create or replace function monitoring._settle_trends() returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_due record;
begin
    for v_due in
        select p.resolution, p.settled_to_at, o.over_at, l.late_spans
        from monitoring.trend_progress p
        -- Most of what comes a little late is there by then.
        cross join lateral (
            select date_trunc(p.resolution, v_now - interval '15 minutes', 'UTC') as over_at
        ) o
        cross join lateral (
            select array(
                select u.bucket_at from monitoring.unsettled_spans u
                where u.resolution = p.resolution
                order by u.bucket_at
                limit 100
            ) as late_spans
        ) l
        where p.settled_to_at < o.over_at or cardinality(l.late_spans) = 100
    loop
        perform monitoring._settle_spans(v_due.resolution, v_due.late_spans)
        where v_due.late_spans <> '{}';
        perform monitoring._settle_next(v_due.resolution, v_due.settled_to_at, v_due.over_at)
        where v_due.settled_to_at < v_due.over_at;
        perform monitoring._forget_settled(v_due.resolution);
    end loop;
end
$$;
