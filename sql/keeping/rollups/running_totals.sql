-- Running totals: what Prometheus and its kin look at the growth of. They are added to in the
-- transaction of a roll-up, which counts each row once, and by whoever notes what became of a
-- notification; nothing ever takes away from them, so they stay when rows and roll-ups go.
-- Reads new rows; writes running_totals. Lock order: the row of rollup_progress, or the
-- notification, then running totals.

-- How many names of each kind are counted by themselves; further ones are "(other)".
create or replace function monitoring._most_counted_names() returns integer
language sql
immutable
return 200;

-- Bounds of the buckets of durations, in seconds. A total holds a count for each: they are the
-- same for ever.
create or replace function monitoring._duration_bounds() returns double precision[]
language sql
immutable
return cast(
    '{0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21600, 86400}'
    as double precision[]
);

-- The sums of two arrays of counts, place by place; of one when the other is null.
create or replace function monitoring._add_counts(p_counts bigint[], p_more bigint[])
returns bigint[]
language sql
immutable
return case
    when p_counts is null or p_more is null then coalesce(p_counts, p_more)
    else (
        select array_agg(u.n + u.more order by u.place)
        from unnest(p_counts, p_more) with ordinality as u (n, more, place)
    )
end;

-- Which of some new names are counted by themselves: those that are already, and while there is
-- room the most frequent of the others, if they are not too long for a label. Once counted so a
-- name stays, and no other takes its place, so no figure ever moves from one series to another.
create or replace function monitoring._counted_names(
    p_subject text, p_names text[], p_components text[], p_rows bigint[]
)
returns table (name text, component text)
language sql
stable
begin atomic
    with known as (
        select distinct
            t.name,
            t.component
        from monitoring.running_totals as t
        where t.subject = p_subject and t.name <> '(other)'
    ),

    newcomers as (
        select
            u.name,
            u.component,
            row_number() over (
                order by u.n desc, u.name collate "C" asc, u.component collate "C" asc
            ) as place
        from unnest(p_names, p_components, p_rows) as u (name, component, n)
        where
            u.name <> '(other)'
            and octet_length(u.name) + octet_length(u.component) <= 128
            and not exists (
                select from known as k where k.name = u.name and k.component = u.component
            )
    )

    select
        k.name,
        k.component
    from known as k
    union all
    select
        n.name,
        n.component
    from newcomers as n
    where n.place <= monitoring._most_counted_names() - (select count(*) from known);
end;

-- Adds new ends of tasks to their totals.
create or replace function monitoring._count_ended_tasks(p_below bigint, p_still_open bigint[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_bounds constant double precision [] := monitoring._duration_bounds();
    -- Of a negative length these tell how many of the bounds it stays within.
    v_mirrored double precision [] := array(
        select -b.seconds from unnest(v_bounds) b (seconds) order by b.seconds desc
    );
begin
    with new_ends as materialized (
        select
            e.task_type,
            e.status,
            greatest(e.items_done, 0) as items,
            case
                when e.duration_ms is not null
                    then greatest(monitoring._summable(e.duration_ms), 0) / 1000
            end as seconds
        from monitoring._new_tasks() e
        where e.recorded_xid < p_below and e.recorded_xid <> all (p_still_open)
    ),

    frequent as (
        select e.task_type, count(*) as n from new_ends e group by e.task_type
    ),

    own as materialized (
        select c.name
        from (
            select
                array_agg(f.task_type) as names,
                array_agg(''::text) as components,
                array_agg(f.n) as numbers
            from frequent f
        ) a
        cross join
            lateral monitoring._counted_names('tasks', a.names, a.components, a.numbers) c
    ),

    cells as materialized (
        select
            coalesce(o.name, '(other)') as name,
            e.status as label,
            width_bucket(-e.seconds, v_mirrored) as within,
            count(*) as n,
            sum(e.items) as items,
            sum(e.seconds) as seconds
        from new_ends e
        left join own o on o.name = e.task_type
        group by 1, 2, 3
    ),

    buckets as (
        select p.name, p.label, array_agg(p.n order by p.place) as counts
        from (
            select
                c.name, c.label, g.place,
                coalesce(
                    sum(c.n) filter (where c.within > cardinality(v_bounds) - g.place), 0
                )::bigint as n
            from cells c
            cross join generate_series(1, cardinality(v_bounds)) g (place)
            group by c.name, c.label, g.place
            having count(c.within) > 0
        ) p
        group by p.name, p.label
    ),

    added as (
        select
            c.name, c.label, sum(c.n) as total, coalesce(sum(c.items), 0) as items,
            coalesce(sum(c.n) filter (where c.within is not null), 0) as durations,
            coalesce(sum(c.seconds), 0) as seconds
        from cells c
        group by c.name, c.label
    ),

    -- A figure that begins at nothing, so that its first growth is seen; and one that is still
    -- spoken of, though it does not grow.
    standing as (
        select distinct c.name, l.label
        from cells c
        cross join
            lateral (
                values ('completed'), ('failed')
                union
                select t.label from monitoring.running_totals t
                where t.subject = 'tasks' and t.name = c.name
            ) l (label)
        where not exists (select from added a where a.name = c.name and a.label = l.label)
    )

    insert into monitoring.running_totals as t (
        subject, name, label, component, total, items, durations, duration_seconds, bucket_counts,
        since_at, counted_at
    )
    select
        'tasks', a.name, a.label, '', a.total, a.items, a.durations, a.seconds, b.counts, v_now,
        v_now
    from added a
    left join buckets b on b.name = a.name and b.label = a.label
    union all
    select 'tasks', s.name, s.label, '', 0, 0, 0, 0, null, v_now, v_now from standing s
    on conflict (subject, name, label, component) do update
        set
            total = t.total + excluded.total,
            items = t.items + excluded.items,
            durations = t.durations + excluded.durations,
            duration_seconds = t.duration_seconds + excluded.duration_seconds,
            bucket_counts = monitoring._add_counts(t.bucket_counts, excluded.bucket_counts),
            counted_at = excluded.counted_at;
end
$$;

-- Adds new errors to their totals.
create or replace function monitoring._count_errors(p_below bigint, p_still_open bigint[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
begin
    with new_errors as materialized (
        select
            e.error_type,
            e.severity,
            coalesce(monitoring._short_name(e.component), '') as component,
            count(*) as n
        from monitoring._new_errors() e
        where e.recorded_xid < p_below and e.recorded_xid <> all (p_still_open)
        group by 1, 2, 3
    ),

    frequent as (
        select e.error_type, e.component, sum(e.n)::bigint as n
        from new_errors e
        group by e.error_type, e.component
    ),

    own as materialized (
        select c.name, c.component
        from (
            select
                array_agg(f.error_type) as names,
                array_agg(f.component) as components,
                array_agg(f.n) as numbers
            from frequent f
        ) a
        cross join
            lateral monitoring._counted_names('errors', a.names, a.components, a.numbers) c
    ),

    added as materialized (
        select
            coalesce(o.name, '(other)') as name,
            e.severity as label,
            coalesce(o.component, '(other)') as component,
            sum(e.n) as total
        from new_errors e
        left join own o on o.name = e.error_type and o.component = e.component
        group by 1, 2, 3
    ),

    standing as (
        select t.name, t.label, t.component
        from monitoring.running_totals t
        where t.subject = 'errors'
            and (t.name, t.component) in (select a.name, a.component from added a)
            and (t.name, t.label, t.component) not in (
                select a.name, a.label, a.component from added a
            )
    )

    insert into monitoring.running_totals as t (
        subject, name, label, component, total, since_at, counted_at
    )
    select 'errors', a.name, a.label, a.component, a.total, v_now, v_now from added a
    union all
    select 'errors', s.name, s.label, s.component, 0, v_now, v_now from standing s
    on conflict (subject, name, label, component) do update
        set total = t.total + excluded.total, counted_at = excluded.counted_at;
end
$$;

-- Notes that so many notifications to a channel were sent, failed or were given up ("dead").
create or replace function monitoring._count_notifications(
    p_channel_name text, p_result text, p_number bigint default 1
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
begin
    insert into monitoring.running_totals as t (
        subject, name, label, component, total, since_at, counted_at
    )
    select
        'notifications', p_channel_name, r.result, '',
        case when r.result = p_result then p_number else 0 end, v_now, v_now
    from unnest(array['dead', 'failed', 'sent']) r (result)
    on conflict (subject, name, label, component) do update
        set total = t.total + excluded.total, counted_at = excluded.counted_at;
end
$$;

create or replace view monitoring.v_task_totals as
select
    t.name as task_type,
    t.label as status,
    t.total as tasks,
    t.items,
    t.durations,
    t.duration_seconds,
    monitoring._duration_bounds() as bucket_seconds,
    t.bucket_counts,
    t.since_at,
    t.counted_at
from monitoring.running_totals as t
where t.subject = 'tasks';

comment on view monitoring.v_task_totals is
'Tasks that have ended since they are counted, by type and status: figures that only grow, as '
'counters and histograms of Prometheus do. They lack what no roll-up has taken yet.';
comment on column monitoring.v_task_totals.task_type is
'What kind of work; (other) for those beyond the first 200 types, or with more than 128 bytes.';
comment on column monitoring.v_task_totals.status is
'How they ended.';
comment on column monitoring.v_task_totals.tasks is
'How many attempts were counted; one that was taken for lost and ended after all counts as both.';
comment on column monitoring.v_task_totals.items is
'Items that they had done when they ended.';
comment on column monitoring.v_task_totals.durations is
'How many of them have a known duration.';
comment on column monitoring.v_task_totals.duration_seconds is
'Sum of their durations, in seconds.';
comment on column monitoring.v_task_totals.bucket_seconds is
'Bounds of the buckets, in seconds.';
comment on column monitoring.v_task_totals.bucket_counts is
'How many of them took no longer than each bound; null where none has a duration.';
comment on column monitoring.v_task_totals.since_at is
'When the type was first counted with that status.';
comment on column monitoring.v_task_totals.counted_at is
'When an end of that type was last counted.';

create or replace view monitoring.v_error_totals as
select
    t.name as error_type,
    t.label as severity,
    t.component,
    t.total as errors,
    t.since_at,
    t.counted_at
from monitoring.running_totals as t
where t.subject = 'errors';

comment on view monitoring.v_error_totals is
'Errors since they are counted, by type, severity and component: figures that only grow. They lack '
'what no roll-up has taken yet.';
comment on column monitoring.v_error_totals.error_type is
'Kind of error; (other) for those beyond the first 200 types by component, or with more than 128 '
'bytes.';
comment on column monitoring.v_error_totals.severity is
'low, medium, high or critical.';
comment on column monitoring.v_error_totals.component is
'Program, service or stage that spoke; empty when unknown.';
comment on column monitoring.v_error_totals.errors is
'How many were counted.';
comment on column monitoring.v_error_totals.since_at is
'When the first was counted.';
comment on column monitoring.v_error_totals.counted_at is
'When one of that type and component was last counted.';

create or replace view monitoring.v_notification_totals as
select
    t.name as channel_name,
    t.label as result,
    t.total as notifications,
    t.since_at,
    t.counted_at
from monitoring.running_totals as t
where t.subject = 'notifications';

comment on view monitoring.v_notification_totals is
'What became of notifications since they are counted, by channel: figures that only grow.';
comment on column monitoring.v_notification_totals.channel_name is
'Where they were sent.';
comment on column monitoring.v_notification_totals.result is
'sent, failed (an attempt that is made again) or dead (given up).';
comment on column monitoring.v_notification_totals.notifications is
'How many were counted.';
comment on column monitoring.v_notification_totals.since_at is
'When the first of the channel was counted.';
comment on column monitoring.v_notification_totals.counted_at is
'When one of the channel was last counted.';

call monitoring._ship_retention('running_totals', '1 year');
