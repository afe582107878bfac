-- How long each component was in which state. A status holds until the next check, so a check
-- changes the time that the one before it accounts for, be it late or not: what new checks change
-- is the time told with them less the time told without them, from the check before the first of
-- them to the one after the last. The status of the newest check is added where it is read.

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

comment on function monitoring._uptime_checks(bigint, bigint[]) is
'Checks that uptime goes by: those in the roll-ups, and new ones of transactions below p_below '
'that p_still_open does not name.';

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
    from
        -- 24 hours, for '1 day' may be 23 or 25 of them in the session's time zone.
        (values ('hour', '1 hour'::interval), ('day', '24 hours'::interval))
            as r (resolution, width)
    cross join
        lateral generate_series(
            date_bin(r.width, p_from, '1970-01-01 00:00:00+00'), p_to, r.width
        ) as b (bucket_at)
    where b.bucket_at < p_to;
end;

comment on function monitoring._spell_buckets(timestamptz, timestamptz) is
'Seconds of a spell by hour and day; nothing for one without an end.';

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
    with touched as materialized (
        select
            p.component_name,
            p.component_type,
            min(p.checked_at) as first_at,
            max(p.checked_at) as last_at
        from monitoring._uptime_checks(p_below, p_still_open) as p
        where p.is_new
        group by p.component_name, p.component_type
    ),

    windows as materialized (
        select
            t.component_name,
            t.component_type,
            coalesce((
                select max(b.checked_at)
                from monitoring._uptime_checks(p_below, p_still_open) as b
                where
                    b.component_name = t.component_name
                    and b.component_type = t.component_type
                    and b.checked_at < t.first_at
            ), t.first_at) as from_at,
            coalesce((
                select min(a.checked_at)
                from monitoring._uptime_checks(p_below, p_still_open) as a
                where
                    a.component_name = t.component_name
                    and a.component_type = t.component_type
                    and a.checked_at > t.last_at
            ), t.last_at) as to_at
        from touched as t
    ),

    checks as (
        select
            p.component_name,
            p.component_type,
            p.status,
            p.checked_at,
            p.probe_id,
            p.is_new
        from windows as w
        cross join
            lateral (
                select u.*
                from monitoring._uptime_checks(p_below, p_still_open) as u
                where
                    u.component_name = w.component_name
                    and u.component_type = w.component_type
                    and u.checked_at between w.from_at and w.to_at
                order by u.checked_at asc, u.probe_id asc
                -- Looked up component by component, never joined with all checks there are.
                offset 0
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

comment on function monitoring._uptime_of_new_checks(bigint, bigint[]) is
'Seconds in each state of health that new checks add to, or take from, the hours and days.';

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

comment on function monitoring._add_up_uptime(bigint, bigint[]) is
'_uptime_of_new_checks() with a plan and an estimate of its own, for views.';
