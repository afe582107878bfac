-- Which hours of the roll-ups have changed, for a hub that reads them from elsewhere and asks for
-- no others. Whoever writes roll-ups notes their hours in the same transaction; the day of such an
-- hour has changed as well. Writes rollup_changes.

-- Notes that rows of hours were added to or changed.
create or replace function monitoring._note_changed_hours(p_source text, p_hours timestamptz[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into monitoring.rollup_changes as c (source, hour_at, changed_at)
    select p_source, h.hour_at, monitoring.clock()
    from unnest(p_hours) h (hour_at)
    on conflict (source, hour_at) do update
        set changed_xid = excluded.changed_xid, changed_at = excluded.changed_at;
end
$$;

-- Notes that the hours of a span were made anew: rows of them may be gone.
create or replace function monitoring._note_rewritten_hours(
    p_source text, p_from timestamptz, p_to timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into monitoring.rollup_changes as c (source, hour_at, rewritten_xid, changed_at)
    select p_source, r.bucket_at, pg_current_xact_id(), monitoring.clock()
    from monitoring.rollups r
    where r.source = p_source
        and r.resolution in ('hour', 'day')
        and r.bucket_at >= p_from
        and r.bucket_at < p_to
    group by r.bucket_at
    on conflict (source, hour_at) do update
        set
            changed_xid = excluded.changed_xid,
            rewritten_xid = excluded.rewritten_xid,
            changed_at = excluded.changed_at;
end
$$;

-- Whether a transaction's number, of which rows know the lower half, is not below another.
create or replace function monitoring._is_xid_since(p_xid xid, p_since xid8) returns boolean
language sql
stable
return (
    select
        -- The newest with this half that has begun.
        (n.top - n.top % 4294967296 + x.low - case
            when x.low > n.top % 4294967296 then 4294967296
            else 0
        end) >= p_since::text::bigint
    from (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as top) as n
    cross join (select p_xid::text::bigint as low) as x
);

call monitoring._ship_retention('rollup_changes', '8 days');
