-- The rule about sources and queries that are not read. Of a source only its last success is known:
-- what was so at a time before that, this rule cannot tell.

-- When sources and queries were last read, as of a time, and since when that is missed.
create or replace function monitoring._last_successes(p_now timestamptz)
returns table (kind text, source_name text, succeeded_at timestamptz, wanted_at timestamptz)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- What is read every hour or more often is wanted at once, the rest once it was due again.
    return query
    with queries as (
        select q.query_name, q.is_enabled, q.enabled_at, q.every_seconds, q.changed_at,
            (
                select max(l.ended_at) from monitoring.source_loads l
                where l.query_name = q.query_name and l.status = 'loaded' and l.ended_at <= p_now
            ) as loaded_at
        from monitoring.source_queries q
    )
    select 'query', q.query_name, q.loaded_at,
        -- While it was disabled nobody missed it.
        greatest(
            coalesce(q.loaded_at, q.changed_at)
            + make_interval(secs => greatest(q.every_seconds - 3600, 0)),
            q.enabled_at
        )
    from queries q
    where q.is_enabled and q.changed_at <= p_now
    union all
    select 'source', s.source_name, s.succeeded_at,
        greatest(
            coalesce(s.succeeded_at, s.changed_at)
            + case
                when q.query_name is null
                    then make_interval(secs => greatest(s.every_seconds - 3600, 0))
                else interval '0'
            end,
            s.enabled_at
        )
    from monitoring.sources s
    left join queries q on s.relation_name = 'query:' || q.query_name
    where s.is_enabled and s.changed_at <= p_now and coalesce(s.succeeded_at <= p_now, true)
        -- Of a query that is not loaded that alone is told.
        and (
            q.query_name is null
            or q.loaded_at
            > greatest(coalesce(s.succeeded_at, s.changed_at), s.enabled_at) + interval '1 minute'
        );
end
$$;

-- Minutes since each source and each query was last read, registered or enabled; what
-- is read less than hourly counts from an hour before it was due.
create or replace function monitoring._find_sources_not_synchronised(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        left(s.kind || ' ' || s.source_name, 255),
        date_part('epoch', p_now - s.wanted_at) / 60,
        jsonb_build_object(s.kind, s.source_name),
        left(format(
            '%s %s %s%s',
            s.kind,
            s.source_name,
            case
                when s.succeeded_at is null then 'has never been read'
                else 'was last read at '
                    || to_char(s.succeeded_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC'
            end,
            coalesce(
                (
                    select ': ' || t.message from monitoring.source_troubles t
                    where t.source_name = case s.kind when 'query' then 'query:' else '' end
                        || s.source_name
                        and t.trouble = 'unreadable' and t.begun_at <= p_now
                        and t.ended_at > p_now
                    limit 1
                ),
                ''
            )
        ), 500),
        null::text,
        null::double precision
    from monitoring._last_successes(p_now) s
    where s.wanted_at <= p_now;
end
$$;

call monitoring._ship_rule(
    'source_not_synchronised', 'records',
    'A source, or a query in another database, has not been read for long.',
    p_finder => '_find_sources_not_synchronised',
    p_explainer => '_explain_source_not_synchronised',
    p_alert_for_each => 'source or query',
    p_comparison => '>=',
    p_unit => 'minutes',
    p_thresholds => '{"medium": 120, "high": 360}'
);

-- The newest loads of the query, and the troubles, that an alert is about.
create or replace function monitoring._explain_source_not_synchronised(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select e.source, e.happened_at, e.details
    from (
        select 'source_loads' as source, l.started_at as happened_at,
            jsonb_strip_nulls(jsonb_build_object(
                'status', l.status, 'rows_read', l.rows_read, 'attempts', l.attempts,
                'error', l.last_error, 'ended_at', nullif(l.ended_at, 'infinity')
            )) as details
        from monitoring.source_loads l
        where l.query_name = p_alert.labels ->> 'query' and l.started_at <= p_now
        union all
        select 'source_troubles', t.begun_at,
            jsonb_strip_nulls(jsonb_build_object(
                'trouble', t.trouble, 'message', t.message,
                'ended_at', nullif(t.ended_at, 'infinity')
            ))
        from monitoring.source_troubles t
        where t.source_name = coalesce(
                p_alert.labels ->> 'source', 'query:' || (p_alert.labels ->> 'query')
            )
            and t.begun_at <= p_now
    ) e
    order by e.happened_at desc, e.source
    limit p_limit;
end
$$;
