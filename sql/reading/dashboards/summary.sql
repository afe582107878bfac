-- The whole state as one JSON document, for whatever shows it. Reads the views.
-- In PL/pgSQL, which keeps its plans: to plan views over a month of partitions takes several times
-- as long as to read them, and a dashboard asks again and again in one session.

create or replace function monitoring._summarize_tasks() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    return (
        select
            jsonb_build_object(
                'running', (select count(*) from monitoring.v_realtime_processing_status),
                'longest_running_ms',
                (select max(r.running_ms) from monitoring.v_realtime_processing_status as r),
                'ended', coalesce(sum(t.tasks), 0),
                'completed', coalesce(sum(t.completed), 0),
                'failed', coalesce(sum(t.failed), 0),
                'ended_otherwise', coalesce(sum(t.ended_otherwise), 0),
                'success_percent', round(100.0 * sum(t.completed) / nullif(sum(t.tasks), 0), 2),
                'types', count(*),
                'by_type', coalesce(
                    jsonb_agg(to_jsonb(t) - 'place' order by t.task_type)
                    filter (where t.place <= 200),
                    '[]'
                )
            )
        from (
            select
                s.*,
                row_number() over (order by s.failed desc, s.tasks desc, s.task_type asc) as place
            from monitoring.v_task_statistics as s
        ) as t
    );
end
$$;

comment on function monitoring._summarize_tasks() is
'Tasks running now and ended in the last 24 hours, as an object.';

create or replace function monitoring._summarize_errors() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    return (
        with kinds as materialized (
            select s.* from monitoring.v_error_summary s
        )

        select
            jsonb_build_object(
                'occurrences', coalesce(sum(e.occurrences), 0),
                'low', coalesce(sum(e.occurrences) filter (where e.severity = 'low'), 0),
                'medium', coalesce(sum(e.occurrences) filter (where e.severity = 'medium'), 0),
                'high', coalesce(sum(e.occurrences) filter (where e.severity = 'high'), 0),
                'critical', coalesce(sum(e.occurrences) filter (where e.severity = 'critical'), 0),
                'top', coalesce((
                    select jsonb_agg(to_jsonb(w))
                    from (
                        select s.*
                        from kinds s
                        order by
                            array_position(array['critical', 'high', 'medium', 'low'], s.severity),
                            s.occurrences desc,
                            s.error_type asc
                        limit 10
                    ) as w
                ), '[]')
            )
        from kinds e
    );
end
$$;

comment on function monitoring._summarize_errors() is
'Errors of the last 24 hours with the ten worst kinds, as an object.';

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

comment on function monitoring._summarize_health() is
'Components by state, as an object.';

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

comment on function monitoring._summarize_queues() is
'Queues as they are now, as an object.';

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

comment on function monitoring._summarize_alerts() is
'Open alerts by severity, as an object.';

create or replace function monitoring._summarize_freshness() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select jsonb_object_agg(f.subject, to_jsonb(f) - 'subject')
        from monitoring.v_freshness f
        where f.subject in ('alerts', 'scheduler', 'roll-ups')
    );
end
$$;

comment on function monitoring._summarize_freshness() is
'How fresh alerts, the scheduler and roll-ups are, as an object by subject.';

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
'last 24 hours, and of lists the 200 worst. Where freshness says that alerts are not known, that '
'there is none means nothing.';
