-- The whole state as one JSON document, for whatever shows it. Reads the views.
-- In PL/pgSQL, which keeps its plans: to plan views over a month of partitions takes several times
-- as long as to read them, and a dashboard asks again and again in one session.

-- Components by state, as an object.
create or replace function monitoring._summarize_health() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    return (
        select
            jsonb_build_object(
                'components', count(*),
                'healthy', count(*) filter (where h.status = 'healthy'),
                'degraded', count(*) filter (where h.status = 'degraded'),
                'unhealthy', count(*) filter (where h.status = 'unhealthy'),
                'unknown', count(*) filter (where h.status = 'unknown'),
                'by_component', coalesce(
                    jsonb_agg(to_jsonb(h) - 'place' order by h.component_type, h.component_name)
                    filter (where h.place <= 200),
                    '[]'
                )
            )
        from (
            select
                s.*,
                row_number() over (
                    order by
                        array_position(array['unhealthy', 'degraded', 'unknown'], s.status),
                        s.component_type asc,
                        s.component_name asc
                ) as place
            from monitoring.v_system_health_summary as s
        ) as h
    );
end
$$;

-- Queues as they are now, as an object.
create or replace function monitoring._summarize_queues() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    return (
        select
            jsonb_build_object(
                'queues', count(*),
                'pending', coalesce(sum(q.pending), 0),
                'oldest_ready_seconds', max(q.oldest_ready_seconds),
                'by_queue', coalesce(
                    jsonb_agg(to_jsonb(q) - 'place' order by q.queue_name)
                    filter (where q.place <= 200),
                    '[]'
                )
            )
        from (
            select
                s.*,
                row_number() over (order by s.pending desc, s.queue_name asc) as place
            from monitoring.v_queue_performance as s
        ) as q
    );
end
$$;

-- Open alerts by severity, as an object.
create or replace function monitoring._summarize_alerts() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    return (
        select
            jsonb_build_object(
                'active', count(*),
                'low', count(*) filter (where a.severity = 'low'),
                'medium', count(*) filter (where a.severity = 'medium'),
                'high', count(*) filter (where a.severity = 'high'),
                'critical', count(*) filter (where a.severity = 'critical')
            )
        from monitoring.v_active_alerts as a
    );
end
$$;

-- How fresh alerts, the scheduler, roll-ups and a standby are, as an object by subject.
create or replace function monitoring._summarize_freshness() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select jsonb_object_agg(f.subject, to_jsonb(f) - 'subject')
        from monitoring.v_freshness f
        where f.subject in ('alerts', 'scheduler', 'roll-ups', 'standby')
    );
end
$$;

create or replace function monitoring.get_dashboard_summary() returns jsonb
language sql
stable
return jsonb_build_object(
    'generated_at', (select monitoring.clock()),
    'tasks', monitoring._summarize_tasks(),
    'errors', monitoring._summarize_errors(),
    'health', monitoring._summarize_health(),
    'queues', monitoring._summarize_queues(),
    'alerts', monitoring._summarize_alerts(),
    'freshness', monitoring._summarize_freshness()
);

comment on function monitoring.get_dashboard_summary() is
'The state as one object: generated_at, tasks, errors, health, queues, alerts, freshness; of the '
'last 24 hours, and of lists the 200 worst. Where freshness says that alerts are not known, an '
'empty list of alerts means nothing.';
