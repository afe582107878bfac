-- What happened lately, as JSON, for the dashboard and the daily summary. Reads the views of tasks
-- and errors. In PL/pgSQL, which keeps its plans: to plan views over a month of partitions takes
-- several times as long as to read them.

-- Tasks running now and ended in the last 24 hours, as an object.
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
                'ended', coalesce(sum(t.row_count), 0),
                'completed', coalesce(sum(t.row_count) filter (where t.label = 'completed'), 0),
                'failed',
                coalesce(sum(t.row_count) filter (where monitoring._is_failure(t.label)), 0),
                'ended_otherwise',
                coalesce(sum(t.row_count) filter (
                    where t.label <> 'completed' and not monitoring._is_failure(t.label)
                ), 0),
                'success_percent',
                round(
                    100.0 * coalesce(sum(t.row_count) filter (where t.label = 'completed'), 0)
                    / nullif(sum(t.row_count), 0),
                    2
                ),
                'types', count(distinct t.name),
                -- Apart from the sums: percentiles are worked out of those that are shown alone.
                'by_type',
                (
                    select coalesce(jsonb_agg(to_jsonb(w) order by w.task_type), '[]')
                    from (
                        select s.*
                        from monitoring.v_task_statistics as s
                        order by s.failed desc, s.tasks desc, s.task_type asc
                        limit 200
                    ) as w
                )
            )
        from monitoring._last_day('tasks') as t
    );
end
$$;

-- Errors of the last 24 hours with the ten worst kinds, as an object.
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
                            array_position(monitoring.severities(), s.severity) desc,
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
