-- What roll-ups keep of error groups and components, so that neither needs the whole history.

-- What new errors add to their groups; those beyond the limit are one for each severity.
create or replace function monitoring._add_up_error_groups(
    p_below bigint default 9223372036854775807, p_still_open bigint[] default '{}'
)
returns table (
    fingerprint text,
    error_type text,
    severity text,
    component text,
    example text,
    occurrences bigint,
    first_seen_at timestamptz,
    last_seen_at timestamptz,
    last_error_id bigint
)
language sql
stable
begin atomic
    select
        case when f.is_known then e.fingerprint else '(other)' end as fingerprint,
        case when f.is_known then e.error_type else '(other)' end as error_type,
        e.severity,
        case
            when f.is_known then coalesce(monitoring._short_name(e.component), '')
            else '(other)'
        end as component,
        -- The newest occurrence speaks for the group.
        (array_agg(e.message order by e.occurred_at desc, e.error_id desc))[1] as example,
        count(*) as occurrences,
        min(e.occurred_at) as first_seen_at,
        max(e.occurred_at) as last_seen_at,
        (array_agg(e.error_id order by e.occurred_at desc, e.error_id desc))[1] as last_error_id
    from monitoring._new_errors() as e
    left join monitoring._known_names as k on k.kind = 'error_groups' and e.fingerprint = k.name
    cross join
        lateral (
            select
                k.name is not null
                or not exists (
                    select from monitoring._reached_limits as r where r.kind = 'error_groups'
                ) as is_known
        ) as f
    where
        e.recorded_xid < p_below
        and e.recorded_xid <> all(p_still_open)
    group by
        case when f.is_known then e.fingerprint else '(other)' end,
        case when f.is_known then e.error_type else '(other)' end,
        e.severity,
        case
            when f.is_known then coalesce(monitoring._short_name(e.component), '')
            else '(other)'
        end;
end;

-- The newest of the new checks of each component; one that is dated ahead counts as of its
-- arrival.
create or replace function monitoring._newest_probes(
    p_below bigint default 9223372036854775807, p_still_open bigint[] default '{}'
)
returns table (
    component_name text,
    component_type text,
    checked_at timestamptz,
    probe_id bigint,
    status text,
    response_time_ms double precision,
    failure_reason text,
    details jsonb,
    last_unhealthy_at timestamptz
)
language sql
stable
begin atomic
    select distinct on (p.component_name, p.component_type)
        p.component_name,
        p.component_type,
        case when p.checked_at > n.soon then n.now else p.checked_at end as checked_at,
        p.probe_id,
        p.status,
        p.response_time_ms,
        p.failure_reason,
        p.details,
        max(p.checked_at) filter (where p.status = 'unhealthy') over (
            partition by p.component_name, p.component_type
        ) as last_unhealthy_at
    from monitoring._new_probes() as p
    cross join (
        select
            monitoring.clock() as now,
            monitoring.clock() + interval '1 minute' as soon
    ) as n
    where
        p.recorded_xid < p_below
        and p.recorded_xid <> all(p_still_open)
    order by
        p.component_name asc,
        p.component_type asc,
        -- Recorded by a clock that was ahead, and before another that is in time.
        p.checked_at > n.soon and p.probe_id < coalesce(
            max(p.probe_id) filter (where p.checked_at <= n.soon) over (
                partition by p.component_name, p.component_type
            ),
            p.probe_id
        ) asc,
        case when p.checked_at > n.soon then n.now else p.checked_at end desc,
        p.probe_id desc;
end;

-- Adds new errors to the totals of their groups.
create or replace function monitoring._merge_error_groups(p_below bigint, p_still_open bigint[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into monitoring.error_group_totals as t (
        fingerprint, error_type, severity, component, example, occurrences, first_seen_at,
        last_seen_at, last_error_id
    )
    select g.*
    from monitoring._add_up_error_groups(p_below, p_still_open) g
    on conflict (fingerprint, error_type, severity, component) do update
        set
            example = case
                when (excluded.last_seen_at, excluded.last_error_id)
                    > (t.last_seen_at, t.last_error_id) then excluded.example
                else t.example
            end,
            last_error_id = case
                when (excluded.last_seen_at, excluded.last_error_id)
                    > (t.last_seen_at, t.last_error_id) then excluded.last_error_id
                else t.last_error_id
            end,
            occurrences = t.occurrences + excluded.occurrences,
            first_seen_at = least(t.first_seen_at, excluded.first_seen_at),
            last_seen_at = greatest(t.last_seen_at, excluded.last_seen_at);
end
$$;

-- Notes the newest of the new checks of each component by its time, which uptime goes on from.
create or replace function monitoring._merge_latest_checks(p_below bigint, p_still_open bigint[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.component_states s
    set (latest_checked_at, latest_probe_id, latest_status) = (
        select c.checked_at, c.probe_id, c.status
        from (
            values
            (s.latest_checked_at, s.latest_probe_id, s.latest_status),
            -- Moved on by code that did not know of this.
            (s.checked_at, s.probe_id, s.status),
            (n.checked_at, n.probe_id, n.status)
        ) c (checked_at, probe_id, status)
        order by c.checked_at desc nulls last, c.probe_id desc
        limit 1
    )
    from (
        select distinct on (p.component_name, p.component_type)
            p.component_name, p.component_type, p.checked_at, p.probe_id, p.status
        from monitoring._new_probes() p
        where p.recorded_xid < p_below and p.recorded_xid <> all(p_still_open)
        order by p.component_name, p.component_type, p.checked_at desc, p.probe_id desc
    ) n
    where n.component_name = s.component_name and n.component_type = s.component_type;
end
$$;

-- Moves components on to the newest of their new checks; a late one changes no newer state.
create or replace function monitoring._merge_component_states(
    p_below bigint, p_still_open bigint[]
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into monitoring.component_states as s (
        component_name, component_type, checked_at, probe_id, status, response_time_ms,
        failure_reason, details, last_unhealthy_at
    )
    select n.*
    from monitoring._newest_probes(p_below, p_still_open) n
    on conflict (component_name, component_type) do update
        set last_unhealthy_at = greatest(s.last_unhealthy_at, excluded.last_unhealthy_at);

    perform monitoring._merge_latest_checks(p_below, p_still_open);
    update monitoring.component_states s
    set
        checked_at = n.checked_at,
        probe_id = n.probe_id,
        status = n.status,
        response_time_ms = n.response_time_ms,
        failure_reason = n.failure_reason,
        details = n.details
    from monitoring._newest_probes(p_below, p_still_open) n
    where s.component_name = n.component_name
        and s.component_type = n.component_type
        and (
            (n.checked_at, n.probe_id) > (s.checked_at, s.probe_id)
            -- A state that a clock which was ahead has left gives way to whatever comes after it.
            or (
                n.probe_id > s.probe_id
                and s.checked_at > monitoring.clock() + interval '1 minute'
            )
        );
end
$$;

call monitoring._ship_retention('error_group_totals', '1 year');
call monitoring._ship_retention('component_states', '1 year');
