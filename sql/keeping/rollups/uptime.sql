-- How long each component was in which state. A status holds until the next check, so a check
-- changes the time that the one before it accounts for, be it late or not: what new checks change
-- is the time told with them less the time told without them, from the check before the first of
-- them to the one after the last. The status of the newest check is added where it is read.

-- Checks that uptime goes by: those in the roll-ups, and new ones of transactions below p_below
-- that p_still_open does not name.
create or replace function monitoring._uptime_checks(p_below bigint, p_still_open bigint[])
returns table (
    component_name text,
    component_type text,
    checked_at timestamptz,
    probe_id bigint,
    status text,
    is_new boolean
)
language sql
stable
begin atomic
    select
        p.component_name,
        p.component_type,
        p.checked_at,
        p.probe_id,
        p.status,
        p.is_new
    from monitoring._marked_probes as p
    where
        (not p.is_new or (p.recorded_xid < p_below and p.recorded_xid <> all(p_still_open)))
        -- Where rows have been removed, a late check has nothing left that it could be held
        -- against, and would count time a second time.
        and p.checked_at >= (
            select c.complete_since from monitoring._claims as c
            where c.table_name = 'health_probes'
        );
end;

create or replace view monitoring._uptime_kept as
select
    r.resolution,
    r.hours,
    -- Kept for ever, the time between two checks may be as long as somebody says.
    greatest(k.since_at, c.now - make_interval(hours => r.most_hours)) as since_at
from (
    values
    ('hour', 1, 9000),
    ('day', 24, 87600)
) as r (resolution, hours, most_hours)
cross join (select monitoring.clock() as now) as c
cross join
    lateral (
        select max(monitoring._kept_from(p.keep, c.now)) as since_at
        from monitoring.retention_policies as p
        where p.table_name = 'rollups' and p.category = r.resolution
    ) as k;

comment on view monitoring._uptime_kept is
'How far back uptime is known by hour and by day: as these are kept, but a year and ten at most.';

-- Seconds of a spell by hour and day, as far back as these are kept; nothing for one without an
-- end.
create or replace function monitoring._spell_buckets(p_from timestamptz, p_to timestamptz)
returns table (
    resolution text,
    bucket_at timestamptz,
    seconds double precision
)
language sql
stable
begin atomic
    select
        r.resolution,
        b.bucket_at,
        extract(
            epoch from least(p_to, b.bucket_at + r.width) - greatest(p_from, b.bucket_at)
        )::double precision as seconds
    from monitoring._uptime_kept as k
    cross join
        lateral (
            -- 24 hours, for '1 day' may be 23 or 25 of them in the session's time zone.
            select
                k.resolution,
                k.since_at,
                make_interval(hours => k.hours) as width
        ) as r
    cross join
        lateral generate_series(
            date_bin(r.width, greatest(p_from, r.since_at), '1970-01-01 00:00:00+00'),
            p_to,
            r.width
        ) as b (bucket_at)
    where b.bucket_at < p_to;
end;

create or replace view monitoring._rolled_up_states as
select
    s.component_name,
    s.component_type,
    s.latest_checked_at as checked_at,
    s.latest_probe_id as probe_id,
    s.latest_status as status
from monitoring.component_states as s
where s.latest_checked_at >= s.checked_at;

comment on view monitoring._rolled_up_states is
'The newest check of each component that is in the roll-ups, where it is known. A view, so that '
'readers may ask.';

-- Checks of components from the last before a time of each to the first after another.
create or replace function monitoring._checks_around(
    p_names text[],
    p_types text[],
    p_first_at timestamptz[],
    p_last_at timestamptz[],
    p_below bigint,
    p_still_open bigint[]
)
returns table (
    component_name text,
    component_type text,
    status text,
    checked_at timestamptz,
    probe_id bigint,
    is_new boolean
)
language plpgsql
stable
rows 100
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set max_parallel_workers_per_gather = 0
set jit = off
as $$
begin
    if p_names is null then
        return;
    end if;
    return query
    select p.component_name, p.component_type, p.status, p.checked_at, p.probe_id, p.is_new
    from unnest(p_names, p_types, p_first_at, p_last_at)
        t (component_name, component_type, first_at, last_at)
    cross join lateral (
        select
            coalesce((
                select max(b.checked_at) from monitoring._uptime_checks(p_below, p_still_open) b
                where b.component_name = t.component_name
                    and b.component_type = t.component_type
                    and b.checked_at < t.first_at
            ), t.first_at) as from_at,
            coalesce((
                select min(a.checked_at) from monitoring._uptime_checks(p_below, p_still_open) a
                where a.component_name = t.component_name
                    and a.component_type = t.component_type
                    and a.checked_at > t.last_at
            ), t.last_at) as to_at
    ) w
    cross join lateral (
        select u.*
        from monitoring._uptime_checks(p_below, p_still_open) u
        where u.component_name = t.component_name
            and u.component_type = t.component_type
            and u.checked_at between w.from_at and w.to_at
        -- Looked up component by component, never joined with all checks there are.
        offset 0
    ) p;
end
$$;

-- Seconds in each state of health that new checks add to, or take from, the hours and days.
create or replace function monitoring._uptime_of_new_checks(p_below bigint, p_still_open bigint[])
returns table (
    source text,
    name text,
    label text,
    component text,
    resolution text,
    bucket_at timestamptz,
    seconds double precision
)
language sql
stable
begin atomic
    with new_checks as materialized (
        select
            p.component_name,
            p.component_type,
            p.status,
            p.checked_at,
            p.probe_id
        from monitoring._new_probes((
                select c.complete_since from monitoring._claims as c
                where c.table_name = 'health_probes'
            )) as p
        where p.recorded_xid < p_below and p.recorded_xid <> all(p_still_open)
    ),

    touched as materialized (
        select
            p.component_name,
            p.component_type,
            min(p.checked_at) as first_at,
            max(p.checked_at) as last_at
        from new_checks as p
        group by p.component_name, p.component_type
    ),

    -- Those whose new checks are all later than what is known of them, which is the rule.
    ordinary as materialized (
        select
            t.component_name,
            t.component_type,
            s.status,
            s.checked_at,
            s.probe_id
        from touched as t
        inner join
            monitoring._rolled_up_states as s
            on t.component_name = s.component_name and t.component_type = s.component_type
        where s.checked_at < t.first_at
    ),

    others as (
        select t.*
        from touched as t
        where not exists (
                select from ordinary as o
                where o.component_name = t.component_name and o.component_type = t.component_type
            )
    ),

    checks as materialized (
        select
            o.component_name,
            o.component_type,
            o.status,
            o.checked_at,
            o.probe_id,
            false as is_new
        from ordinary as o
        where o.checked_at >= (
                select c.complete_since from monitoring._claims as c
                where c.table_name = 'health_probes'
            )
        union all
        select
            n.component_name,
            n.component_type,
            n.status,
            n.checked_at,
            n.probe_id,
            true as is_new
        from new_checks as n
        where exists (
                select from ordinary as o
                where o.component_name = n.component_name and o.component_type = n.component_type
            )
        union all
        select
            p.component_name,
            p.component_type,
            p.status,
            p.checked_at,
            p.probe_id,
            p.is_new
        from (
            select
                array_agg(o.component_name) as names,
                array_agg(o.component_type) as types,
                array_agg(o.first_at) as first_at,
                array_agg(o.last_at) as last_at
            from others as o
        ) as a
        cross join
            lateral monitoring._checks_around(
                a.names, a.types, a.first_at, a.last_at, p_below, p_still_open
            ) as p
    ),

    spells as (
        select
            c.component_name,
            c.component_type,
            c.status,
            c.checked_at as from_at,
            lead(c.checked_at) over (
                partition by c.component_name, c.component_type order by c.checked_at, c.probe_id
            ) as to_at,
            1 as sign
        from checks as c
        union all
        select
            c.component_name,
            c.component_type,
            c.status,
            c.checked_at as from_at,
            lead(c.checked_at) over (
                partition by c.component_name, c.component_type order by c.checked_at, c.probe_id
            ) as to_at,
            -1 as sign
        from checks as c
        where not c.is_new
    )

    select
        'uptime' as source,
        s.component_name as name,
        s.status as label,
        s.component_type as component,
        b.resolution,
        b.bucket_at,
        sum(s.sign * b.seconds) as seconds
    from spells as s
    cross join lateral monitoring._spell_buckets(s.from_at, s.to_at) as b
    group by s.component_name, s.status, s.component_type, b.resolution, b.bucket_at
    having sum(s.sign * b.seconds) <> 0;
end;

-- _uptime_of_new_checks() with a plan and an estimate of its own, for views.
create or replace function monitoring._add_up_uptime(
    p_below bigint default 9223372036854775807, p_still_open bigint[] default '{}'
)
returns table (
    source text,
    name text,
    label text,
    component text,
    resolution text,
    bucket_at timestamptz,
    seconds double precision
)
language plpgsql
stable
-- Within a view it would look a thousand times as dear as it is: new checks are few, but the
-- planner counts on some in each day, and looks beside each of them in all days.
cost 10000
rows 100
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    return query select u.* from monitoring._uptime_of_new_checks(p_below, p_still_open) u;
end
$$;
