-- The one statement that compares statuses with those that are known and records what differs,
-- whoever tells them. Writes record_states, then status_changes.
-- Sessions that tell of the same records wait for each other at the row of record_states, which
-- they take in the order of the keys; whoever comes second compares with what the first left.

-- The part of the statement that finds which of the rows of a query differ from what is known.
create or replace function monitoring._statuses_told(p_rows_query text) returns text
language sql
stable
return format(
    $query$
told as materialized (
    select
        r.record_key, r.status, coalesce(r.effective_at, $3) as effective_at, r.actor,
        coalesce(r.change_source, $2) as change_source, r.details,
        row_number() over () as row_number
    from (%s) r
),
differing as materialized (
    select distinct
        coalesce(t.record_key, s.record_key) as record_key, t.record_key is null as is_missing,
        s.status as known_status, s.effective_at as known_at
    from told t
    full join (
        select k.record_key, k.status, k.effective_at
        from monitoring.record_states k
        where k.dataset = $1
    ) s on s.record_key = t.record_key
    -- Written so that the planner expects it to hold for few.
    where case when t.status is distinct from s.status then 1 end = 1
        and (t.record_key is not null or $6)
),
-- A record may be named twice, once as it is known: only for those that differ are all rows looked
-- at again.
retold as materialized (
    select
        t.*,
        row_number() over (
            partition by t.record_key order by t.effective_at desc, t.row_number desc
        ) as age
    from told t
    where t.record_key in (select d.record_key from differing d)
),
newest as materialized (
    select
        n.record_key, n.status, n.effective_at, n.actor, n.change_source, n.details,
        d.known_status, coalesce(d.known_at > n.effective_at, false) as is_late,
        false as is_missing
    from retold n
    -- Full joins are never made by comparing each row with each, were there many after all.
    full join differing d on d.record_key = n.record_key
    where num_nulls(n.record_key, d.record_key) = 0
        and n.age = 1
        and n.status is distinct from d.known_status
    union all
    select d.record_key, null, $3, null, $2, null, d.known_status, false, true
    from differing d
    where d.is_missing and d.known_at <= $3
)$query$,
    p_rows_query
);

-- The part of the statement that makes what differs the current statuses, or would.
create or replace function monitoring._statuses_applied(p_is_dry_run boolean) returns text
language sql
stable
return case
    when p_is_dry_run
        then $query$
applied as (
    select n.record_key, n.known_status as previous_status, n.effective_at
    from newest n
    where not n.is_late
)$query$
    -- Looks at each row as it is when the lock on it is had. One that has a newer status by then
    -- stays as it is, and is returned so that what is told goes into history.
    else $query$
applied as (
    insert into monitoring.record_states as r (
        dataset, record_key, status, effective_at, recorded_at, change_source, actor
    )
    select $1, n.record_key, n.status, n.effective_at, $3, n.change_source, n.actor
    from newest n
    where not n.is_late
    order by n.record_key
    on conflict (dataset, record_key) do update
        set (previous_status, status, effective_at, recorded_at, change_source, actor) = (
            select
                r.status, excluded.status, excluded.effective_at, excluded.recorded_at,
                excluded.change_source, excluded.actor
            where r.effective_at <= excluded.effective_at
            union all
            select
                r.previous_status, r.status, r.effective_at, r.recorded_at, r.change_source, r.actor
            where r.effective_at > excluded.effective_at
        )
        where r.status is distinct from excluded.status
            or r.effective_at > excluded.effective_at
    returning r.record_key, r.previous_status, r.effective_at
)$query$
end;

-- The part of the statement that says which changes there are, late ones included.
create or replace function monitoring._statuses_found() returns text
language sql
stable
return $query$
settled as materialized (
    select
        n.record_key, a.previous_status, n.status, n.effective_at, n.change_source, n.actor,
        n.details, n.is_missing, a.effective_at = n.effective_at as is_applied
    from newest n
    full join applied a on a.record_key = n.record_key
    where n.is_late or a.record_key is not null
),
found as materialized (
    select
        s.record_key, s.previous_status as from_status, s.status as to_status, s.effective_at,
        s.change_source, s.actor, s.details, s.is_missing, false as is_late
    from settled s
    where s.is_applied
    union all
    -- A status of the past: what it was before is what history says.
    select
        s.record_key, h.to_status, s.status, s.effective_at, s.change_source, s.actor, s.details,
        false, true
    from settled s
    left join lateral (
        select c.to_status
        from monitoring._all_status_changes c
        where c.dataset = $1 and c.record_key = s.record_key and c.validation_type = ''
            and c.effective_at <= s.effective_at
        -- Of several loaded at once, the first came from nothing.
        order by c.effective_at desc, c.recorded_at desc, c.from_status is null, c.change_id desc
        limit 1
    ) h on true
    where s.is_applied is not true
        and not s.is_missing
        and h.to_status is distinct from s.status
)$query$;

-- The part of the statement that counts, and shows the first twenty changes; with one more
-- expression to return.
create or replace function monitoring._statuses_counted(p_more text) returns text
language sql
stable
return concat($query$
select
    t.compared, t.compared - o.repeated - c.told as unchanged, c.new, c.changed, c.gone, c.late,
    o.repeated, c.sample$query$, ', ' || p_more, $query$
from (select count(*) as compared from told) t,
    (select count(*) as repeated from retold r where r.age > 1) o,
    (
        select
            count(*) filter (where not f.is_late and f.from_status is null) as new,
            count(*) filter (
                where not f.is_late and f.from_status is not null and f.to_status is not null
            ) as changed,
            count(*) filter (where not f.is_late and f.to_status is null) as gone,
            count(*) filter (where f.is_late) as late,
            count(*) filter (where not f.is_missing) as told,
            jsonb_agg(
                jsonb_strip_nulls(jsonb_build_object(
                    'record_key', f.record_key, 'from_status', f.from_status,
                    'to_status', f.to_status, 'effective_at', f.effective_at,
                    'change_source', f.change_source, 'actor', f.actor
                )) order by f.record_key
            ) filter (where f.number <= 20) as sample
        from (
            select d.*, row_number() over (order by d.record_key) as number from found d
        ) f
    ) c$query$);

-- The statement that compares the rows of a query (record_key, status, effective_at, actor,
-- change_source, details) with the current statuses and records what differs. Parameters:
-- dataset, change source, now, source, task, whether records not among the rows are gone; then
-- the query's. What the query reads may come before, and more may be returned.
create or replace function monitoring._status_change_statement(
    p_rows_query text, p_is_dry_run boolean, p_now timestamptz, p_before text default null,
    p_more text default null
)
returns text
language sql
stable
return concat(
    'with ', p_before || ', ', monitoring._statuses_told(p_rows_query), ',',
    monitoring._statuses_applied(p_is_dry_run), ',', monitoring._statuses_found(),
    case
        when not p_is_dry_run
            then format($query$,
written as (
    insert into monitoring.%I (
        dataset, record_key, recorded_at, effective_at, from_status, to_status, change_source,
        actor, source_name, task_id, details
    )
    select
        $1, f.record_key, $3, f.effective_at, f.from_status, f.to_status, f.change_source,
        f.actor, $4, $5, f.details
    from found f
    order by f.effective_at, f.record_key
)$query$, monitoring._table_for('status_changes', p_now))
    end,
    monitoring._statuses_counted(p_more)
);
