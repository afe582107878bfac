-- What a member tells a hub of itself, for whoever may read. It knows nothing of hubs: each brings
-- back what it was given, so any number may read, through a standby as well. A hub of another
-- release passes over fields that it does not know, and does without those that are missing.
-- Reads views, rollups and rollup_changes; writes nothing.

-- Which server and database this is: where it is another one, numbers of transactions mean nothing.
create or replace function monitoring._server_of_cursors() returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_timeline integer;
begin
    -- After a failover numbers may have been given twice.
    if has_function_privilege('pg_control_checkpoint()', 'execute') then
        select c.timeline_id into v_timeline from pg_control_checkpoint() c;
    end if;
    return format(
        '%s/%s/%s', monitoring._system_identifier(), v_timeline,
        (select d.oid from pg_database d where d.datname = current_database())
    );
end
$$;

-- The snapshot that a cursor stands for; null where all is to be told anew.
create or replace function monitoring._snapshot_of_cursor(p_cursor jsonb, p_now timestamptz)
returns pg_snapshot
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_cursor ->> 'server' = monitoring._server_of_cursors()
        and (p_cursor ->> 'at')::timestamptz <= p_now + interval '1 minute'
        and (p_cursor ->> 'at')::timestamptz > (
            -- What changed since is still noted, with a day to spare for long transactions.
            select coalesce(monitoring._kept_from(p.keep, p_now) + interval '1 day', '-infinity')
            from monitoring.retention_policies p
            where p.table_name = 'rollup_changes'
        )
    then
        return (p_cursor ->> 'snapshot')::pg_snapshot;
    end if;
    return null;
end
$$;

-- Hours and days whose roll-ups have changed since a snapshot, or all there are. Of rewritten ones
-- rows may be gone.
create or replace function monitoring._changed_buckets(
    p_since pg_snapshot, p_hours_from timestamptz, p_days_from timestamptz
)
returns table (source text, resolution text, bucket_at timestamptz, is_whole boolean)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    if p_since is null then
        return query
        select distinct r.source, r.resolution, r.bucket_at, true
        from monitoring.rollups r
        where r.resolution = 'hour' and r.bucket_at >= p_hours_from
            or r.resolution = 'day' and r.bucket_at >= p_days_from;
        return;
    end if;
    return query
    select c.source, b.resolution, b.bucket_at,
        bool_or(coalesce(not pg_visible_in_snapshot(c.rewritten_xid, p_since), false))
    from monitoring.rollup_changes c
    cross join lateral (
        values
        ('hour', c.hour_at, p_hours_from),
        ('day', date_trunc('day', c.hour_at, 'UTC'), p_days_from)
    ) b (resolution, bucket_at, from_at)
    where not pg_visible_in_snapshot(c.changed_xid, p_since) and b.bucket_at >= b.from_at
    group by c.source, b.resolution, b.bucket_at;
end
$$;

-- Which roll-ups have changed since a cursor, and the cursor to come back with.
create or replace function monitoring._told_rollups(p_asked jsonb, p_now timestamptz)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_since pg_snapshot := monitoring._snapshot_of_cursor(p_asked -> 'cursor', p_now);
    v_snapshot pg_snapshot := pg_current_snapshot();
    v_buckets jsonb;
begin
    select jsonb_agg(jsonb_build_object(
        'source', b.source, 'resolution', b.resolution, 'bucket_at', b.bucket_at,
        'after', case when not b.is_whole then v_since::text end
    ))
    into v_buckets
    from monitoring._changed_buckets(
        v_since,
        coalesce((p_asked ->> 'hours_from')::timestamptz, '-infinity'),
        coalesce((p_asked ->> 'days_from')::timestamptz, '-infinity')
    ) b;
    return jsonb_build_object(
        'is_full', v_since is null,
        'buckets', coalesce(v_buckets, '[]'),
        'cursor', jsonb_build_object(
            'server', monitoring._server_of_cursors(),
            'at', p_now,
            'snapshot', case
                -- A standby does not say which transactions are open.
                when pg_is_in_recovery() then format(
                    '%s:%1$s:', pg_snapshot_xmin(v_snapshot)
                )
                else v_snapshot::text
            end
        )
    );
end
$$;

-- The figures by which a member is judged at a glance.
create or replace function monitoring._told_figures() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now constant timestamptz := monitoring.clock();
begin
    return jsonb_build_object(
        'version', monitoring.version(),
        'server', monitoring._server_of_cursors(),
        'told_at', v_now
    )
    || (
        select jsonb_build_object(
            'evaluated_at', max(f.known_at) filter (where f.subject = 'alerts'),
            'rolled_up_at', max(f.known_at) filter (where f.subject = 'roll-ups'),
            'is_current', bool_and(f.is_known),
            'not_current', string_agg(f.detail, '; ' order by f.subject) filter (
                where not f.is_known
            )
        )
        from monitoring.v_freshness f
        where f.subject in ('alerts', 'scheduler', 'roll-ups')
    )
    || (
        select jsonb_build_object(
            'open_alerts', count(*),
            'high_alerts', count(*) filter (where a.severity = 'high'),
            'critical_alerts', count(*) filter (where a.severity = 'critical')
        )
        from monitoring.alerts a
        where a.status in ('firing', 'acknowledged')
    )
    || (select jsonb_build_object('running_tasks', count(*)) from monitoring.active_tasks t)
    || (
        select jsonb_build_object(
            'ended_tasks', coalesce(sum(t.row_count), 0),
            'failed_tasks', coalesce(
                sum(t.row_count) filter (where monitoring._is_failure(t.label)), 0
            )
        )
        from monitoring._counts_between('tasks', monitoring._last_day_since(), 'infinity') t
    );
end
$$;

-- Health of components, the worst first, with how many there are.
create or replace function monitoring._told_components(p_at_most integer) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    return (
        select jsonb_build_object(
            'components', count(*),
            'unhealthy_components', count(*) filter (where c.status = 'unhealthy'),
            'rows', coalesce(
                jsonb_agg(to_jsonb(c) - 'place') filter (where c.place <= p_at_most), '[]'
            )
        )
        from (
            select
                s.component_type, s.component_name, s.status, s.last_check_at as checked_at,
                s.response_time_ms, s.failure_reason,
                row_number() over (
                    order by
                        array_position(array['unhealthy', 'degraded', 'unknown'], s.status),
                        s.component_type, s.component_name
                ) as place
            from monitoring.v_system_health_summary s
        ) c
    );
end
$$;

create or replace function monitoring.get_fleet_changes(p_asked jsonb default '{}')
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_at_most constant integer := 1000;
    v_components jsonb := monitoring._told_components(v_at_most);
begin
    return jsonb_build_object(
        'format', 1,
        'figures', monitoring._told_figures() || (v_components - 'rows'),
        'alerts', (
            select coalesce(jsonb_agg(to_jsonb(a)), '[]')
            from (select v.* from monitoring.v_active_alerts v limit v_at_most) a
        ),
        'tasks', (
            select coalesce(jsonb_agg(to_jsonb(t)), '[]')
            from (
                select
                    r.task_id, r.task_type, r.attempt, r.worker_id, r.started_at as start_time,
                    r.items_done, r.items_total, r.heartbeat_at, r.progress_at
                from monitoring.active_tasks r
                order by r.started_at, r.task_id
                limit v_at_most
            ) t
        ),
        'components', v_components -> 'rows',
        'workflow_days', (
            select coalesce(jsonb_agg(to_jsonb(w)), '[]')
            from (select h.* from monitoring.v_batch_health h limit v_at_most) w
        )
    )
    || case
        when p_asked ? 'rollups' then jsonb_build_object(
            'rollups', monitoring._told_rollups(p_asked -> 'rollups', monitoring.clock())
        )
        else '{}'
    end;
end
$$;

comment on function monitoring.get_fleet_changes(jsonb) is
'For hubs: the state of this database and, where p_asked has rollups, which hours and days of its '
'roll-ups have changed since the cursor that was told before.';

create or replace function monitoring.get_fleet_rollups(
    p_buckets jsonb, p_at_most integer default 20000
)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    if p_buckets is null or not jsonb_path_exists(
        p_buckets, 'strict $ ? (@.type() == "array" && !exists(@[*] ? (@.type() != "object")))'
    ) then
        perform monitoring._refuse_json(
            'buckets', p_buckets::text, 'the buckets that get_fleet_changes() told'
        );
    end if;
    return (
        with asked as (
            select b.*
            from rows from (
                jsonb_to_recordset(p_buckets) as (
                    source text, resolution text, bucket_at timestamptz, after text
                )
            ) with ordinality b (source, resolution, bucket_at, after, place)
        ),

        sized as (
            select
                a.*,
                sum(n.rows) over (order by a.place rows unbounded preceding) - n.rows as before
            from asked a
            cross join lateral (
                select count(*) as rows from monitoring.rollups r
                where r.source = a.source and r.resolution = a.resolution
                    and r.bucket_at = a.bucket_at
            ) n
        )

        select coalesce(
            jsonb_agg(jsonb_build_object(
                'source', s.source, 'resolution', s.resolution, 'bucket_at', s.bucket_at,
                'is_whole', s.after is null,
                'rows', coalesce(t.rows, '[]')
            )),
            '[]'
        )
        from sized s
        cross join lateral (
            select jsonb_agg(to_jsonb(r) - array['source', 'resolution', 'bucket_at']) as rows
            from monitoring.rollups r
            where r.source = s.source and r.resolution = s.resolution
                and r.bucket_at = s.bucket_at
                -- Rows of open transactions, and of parts of them, are numbered from there on.
                and (
                    s.after is null
                    or monitoring._is_xid_since(
                        r.xmin, pg_snapshot_xmin(s.after::pg_snapshot)
                    )
                )
        ) t
        where s.before < p_at_most
    );
end
$$;

comment on function monitoring.get_fleet_rollups(jsonb, integer) is
'For hubs: the roll-ups of hours and days that get_fleet_changes() has named, as many of them from '
'the first on as have about p_at_most rows in all.';
