-- Business days and due times where clocks jump, in all time zones.

begin;
select plan(16);
-- Days and times are written here as they are in UTC.
set local timezone = 'UTC';
\ir helpers/fixed_clock.psql

-- One zone for each way in which clocks are changed from 2024 to 2028: when by the clocks before
-- and after. Zones that are named twice, or change in the same way in other years, are one.
create temporary table days as
select
    z.name,
    d.at,
    d.at at time zone z.name - d.at at time zone 'UTC' as utc_offset
from pg_timezone_names as z
cross join
    generate_series(timestamptz '2024-01-01 00:00+00', '2028-12-31 00:00+00', '1 day') as d (at)
where z.name !~ '^(posix|right)/' and z.name not in ('Factory', 'localtime')
    -- Zones that are never changed have nothing to show.
    and (
        timestamptz '2025-01-01 00:00+00' at time zone z.name
        <> timestamptz '2025-07-01 00:00+00' at time zone z.name - interval '181 days'
        or z.name ~ 'Asia|Africa|America/(Scoresbysund|Godthab|Nuuk)'
    );
create temporary table changes as
with found as (
    select
        n.name,
        n.was as offset_before,
        n.utc_offset as offset_after,
        (
            -- The second at which it happens, between two midnights of UTC.
            select min(m.at)
            from generate_series(n.at - interval '1 day', n.at, '15 minutes') as m (at)
            where m.at at time zone n.name - m.at at time zone 'UTC' = n.utc_offset
        ) as changed_at
    from (
        select
            d.*,
            lag(d.utc_offset) over (partition by d.name order by d.at) as was
        from days as d
    ) as n
    where n.utc_offset <> n.was
)

select distinct on (f.offset_after - f.offset_before, (f.changed_at + f.offset_before)::time) f.*
from found as f
order by
    f.offset_after - f.offset_before, (f.changed_at + f.offset_before)::time, f.name, f.changed_at;

select
    cmp_ok(
        (select count(*) from changes), '>=', 10::bigint, 'clocks are changed in ten ways at least'
    );

-- Cut-overs and days around each change.
create temporary table starts as
select
    c.name,
    c.changed_at,
    w,
    o.local_at,
    monitoring._day_start(w, o.local_at::date) as starts_at
from changes as c
cross join
    lateral (
        select (c.changed_at at time zone 'UTC' + c.offset_before)::date + n as day
        from generate_series(-1, 1) as n
    ) as d
cross join
    lateral (
        select d.day + m * interval '15 minutes' as local_at from generate_series(0, 95) as m
    ) as o
cross join
    lateral (
        select
            'w' as workflow_name,
            null as description,
            c.name as time_zone,
            to_char(o.local_at, 'HH24:MI') as cutover_time,
            true as is_enabled,
            'a' as changed_by,
            c.changed_at
    ) as v
cross join lateral (select row(v.*)::monitoring.workflows as w) as r;

select is(
    (select count(*) from starts where starts_at - interval '1 microsecond' < '-infinity'),
    0::bigint,
    'each of them begins some time'
);
select is_empty(
    $$select * from starts where starts_at at time zone name < local_at$$,
    'when it begins the clocks show no less'
);
select is_empty(
    $$
        select * from starts
        where (starts_at - interval '1 microsecond') at time zone name >= local_at
            and starts_at <> changed_at
    $$,
    'and just before they do, unless they are put back just then'
);
select is_empty(
    $$
        select s.name, s.local_at, n from starts as s
        cross join generate_series(1, 16) as n
        where (s.starts_at + n * interval '15 minutes') at time zone s.name < s.local_at
    $$,
    'after it they never do again'
);
select is_empty(
    $$
        select * from (
            select s.*, lag(s.starts_at) over (partition by s.name, s.changed_at order by s.local_at)
                as before
            from starts as s
        ) as t
        where t.starts_at < t.before
    $$,
    'what is later by the clocks begins no earlier'
);
select is_empty(
    $$
        select s.name, s.local_at
        from starts as s
        inner join changes as c on c.name = s.name and c.changed_at = s.changed_at
        where s.local_at >= c.changed_at at time zone 'UTC' + c.offset_before
            and s.local_at < c.changed_at at time zone 'UTC' + c.offset_after
            and s.starts_at <> c.changed_at
    $$,
    'one that is left out begins at the change'
);
select is_empty(
    $$
        select s.name, s.local_at
        from starts as s
        inner join changes as c on c.name = s.name and c.changed_at = s.changed_at
        where s.local_at >= c.changed_at at time zone 'UTC' + c.offset_after
            and s.local_at < c.changed_at at time zone 'UTC' + c.offset_before
            and s.starts_at <> (s.local_at - c.offset_after) at time zone 'UTC'
    $$,
    'one that comes twice at its second time'
);
select is_empty(
    $$
        select s.name, s.local_at, p.at
        from starts as s
        cross join lateral (
            values (s.starts_at), (s.starts_at - interval '1 microsecond'),
                (s.changed_at), (s.changed_at - interval '1 microsecond'),
                (s.changed_at + interval '40 minutes'), (s.changed_at - interval '40 minutes')
        ) as p (at)
        cross join lateral (select monitoring._business_date(s.w, p.at) as day) as d
        where (
            p.at >= monitoring._day_start(s.w, d.day) and p.at < monitoring._day_start(s.w, d.day + 1)
        ) is not true
    $$,
    'every time lies in exactly one business day'
);
select is_empty(
    $$
        select s.name, s.local_at from starts as s
        where monitoring._business_date(s.w, s.starts_at) <> s.local_at::date
            or monitoring._business_date(s.w, s.starts_at - interval '1 microsecond')
            <> s.local_at::date - 1
    $$,
    'which ends when the next begins'
);

-- Due times: a schedule of each quarter of an hour around the change, for cut-overs around it.

create temporary table dues as
select
    c.name,
    c.changed_at,
    c.offset_after > c.offset_before as is_forward,
    to_char(t.cutover, 'HH24:MI') as cutover,
    to_char(t.due, 'HH24:MI') as schedule,
    d.day,
    w,
    monitoring._first_due_at(w, to_char(t.due, 'HH24:MI'), d.day) as due_at
from (
    select * from changes
    where name in (
            select min(m.name) from changes as m group by m.offset_after - m.offset_before
        )
) as c
cross join
    lateral (
        select
            (c.changed_at at time zone 'UTC' + c.offset_before)
            + u * interval '30 minutes' as cutover,
            (c.changed_at at time zone 'UTC' + c.offset_before) + n * interval '30 minutes' as due
        from generate_series(-3, 3) as u, generate_series(-3, 3) as n
    ) as t
cross join
    lateral (
        select (c.changed_at at time zone 'UTC' + c.offset_before)::date + k as day
        from generate_series(-2, 1) as k
    ) as d
cross join lateral (
    select row(
        'w', null, c.name, to_char(t.cutover, 'HH24:MI'), true, 'a', c.changed_at
    )::monitoring.workflows as w
) as r;

select is_empty(
    $$
        select * from dues
        where due_at < monitoring._day_start(w, day) or due_at >= monitoring._day_start(w, day + 1)
    $$,
    'what is due is due on its business day'
);
select is_empty(
    $$
        select * from (
            select d.*, lag(d.due_at) over (
                partition by d.name, d.changed_at, d.cutover, d.schedule order by d.day
            ) as before
            from dues as d
        ) as t
        where t.due_at <= t.before
    $$,
    'the later the day the later it is due'
);
select is_empty(
    $$select * from dues where due_at is null and not is_forward$$,
    'an hour that comes twice takes no day its due time'
);
select is_empty(
    $$
        select d.name, d.cutover, d.schedule from dues as d
        where d.is_forward
        group by d.name, d.changed_at, d.cutover, d.schedule
        having count(*) filter (where d.due_at is null) > 1
    $$,
    'one that is left out takes it from the day that ends at the change at most'
);
select is_empty(
    $$
        select * from dues
        where due_at <> monitoring._instant_of(due_at at time zone name, name)
    $$,
    'a due time that comes twice is the second'
);

-- A day that a zone left out altogether

select results_eq(
    $$
        select monitoring._instant_of(at::timestamp, 'Pacific/Apia')
        from unnest(array['2011-12-29 23:00', '2011-12-30 05:00', '2011-12-31 05:00']) as at
    $$,
    $$
        values (timestamptz '2011-12-30 09:00+00'), ('2011-12-30 10:00+00'),
            ('2011-12-30 15:00+00')
    $$,
    'a day that is left out begins, and ends, at the change'
);

select * from finish(); -- noqa: AM04
rollback;
