-- All that happened to one record. Every part finds its rows by an index that leads with the
-- record's key or the names of its tasks: an index on what metadata and details say would cost
-- every recording program a tenth of its time (bench/README.md).

-- Whether a task is a record's own: it is named "dataset/record", or its metadata name the dataset
-- and the record; where they name the dataset alone, the task's name is that of the record. A bare
-- name is nobody's: many things are called 2.
create or replace function monitoring._is_task_of_record(
    p_task_id text, p_metadata jsonb, p_dataset text, p_record_key text
)
returns boolean
language sql
immutable
return p_task_id = p_dataset || '/' || p_record_key
or coalesce(
    p_metadata ->> 'dataset' = p_dataset
    and coalesce(p_metadata ->> 'record_key', p_task_id) = p_record_key,
    false
);

-- A record's own tasks, of those that have ended the ones that are named like it, and tasks that
-- told of it.
create or replace function monitoring._tasks_of_record(p_dataset text, p_record_key text)
returns table (
    task_id text, attempt integer, task_type text, status text, happened_at timestamptz,
    duration_ms double precision, worker_id text, is_own boolean
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_names constant text [] := array[p_record_key, p_dataset || '/' || p_record_key];
    v_told text [];
begin
    v_told := array(
        select c.task_id from monitoring._all_status_changes c
        where c.record_key = p_record_key and c.dataset = p_dataset and c.task_id is not null
        union
        select i.task_id from monitoring.invalid_record_states i
        where i.dataset = p_dataset and i.record_key = p_record_key and i.task_id is not null
        union
        select r.task_id from monitoring.products_of_records r
        where r.dataset = p_dataset and r.record_key = p_record_key and r.task_id is not null
    );
    return query
    select k.*
    from (
        select t.task_id, t.attempt, t.task_type, 'running'::text, t.started_at,
            null::double precision, t.worker_id, monitoring._is_task_of_record(
                t.task_id, t.metadata, p_dataset, p_record_key
            ) as is_own
        from monitoring.active_tasks t
        union all
        select f.task_id, f.attempt, f.task_type, f.status, f.finished_at, f.duration_ms,
            f.worker_id, monitoring._is_task_of_record(
                f.task_id, f.metadata, p_dataset, p_record_key
            )
        from monitoring._all_finished_tasks f
        where f.task_id = any(v_names || v_told)
    ) k
    where k.is_own or k.task_id = any(v_told);
end
$$;

-- Errors of a record's own tasks, and those of other tasks, or of one that is named like it, whose
-- details name it.
create or replace function monitoring._errors_of_record(
    p_dataset text, p_record_key text, p_own_tasks text[], p_other_tasks text[]
)
returns setof monitoring._all_errors
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select e.* from monitoring._all_errors e
    where e.task_id = any(
        p_own_tasks || p_other_tasks || array[p_record_key, p_dataset || '/' || p_record_key]
    )
    and (
        e.task_id = any(p_own_tasks || (p_dataset || '/' || p_record_key))
        or e.details @> jsonb_build_object('dataset', p_dataset, 'record_key', p_record_key)
    );
end
$$;

-- When a record was found invalid, and when that was resolved.
create or replace function monitoring._validations_of_record(p_dataset text, p_record_key text)
returns table (happened_at timestamptz, kind text, summary text, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with spells as (
        select s.validation_type, s.opened_at, s.resolved_at, s.reported_value, s.resolution,
            s.resolved_by, s.resolution_reason
        from monitoring.invalid_record_spells s
        where s.dataset = p_dataset and s.record_key = p_record_key
        union all
        select i.validation_type, i.opened_at, i.resolved_at, i.reported_value, null, null, null
        from monitoring.invalid_record_states i
        where i.dataset = p_dataset and i.record_key = p_record_key and i.resolved_at = 'infinity'
    )
    select s.opened_at, 'invalid'::text,
        s.validation_type || coalesce(': ' || s.reported_value, ''),
        jsonb_strip_nulls(jsonb_build_object(
            'validation_type', s.validation_type, 'reported_value', s.reported_value,
            'resolved_at', nullif(s.resolved_at, 'infinity')
        ))
    from spells s
    union all
    select s.resolved_at, 'resolved',
        format('%s: %s', s.validation_type, s.resolution),
        jsonb_strip_nulls(jsonb_build_object(
            'validation_type', s.validation_type, 'resolution', s.resolution,
            'resolved_by', s.resolved_by, 'reason', s.resolution_reason, 'opened_at', s.opened_at
        ))
    from spells s
    where s.resolved_at < 'infinity';
end
$$;

-- Alerts whose labels name a record.
create or replace function monitoring._alerts_of_record(p_dataset text, p_record_key text)
returns table (happened_at timestamptz, kind text, summary text, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select coalesce(a.fired_at, a.started_at), 'alert'::text, a.summary,
        jsonb_strip_nulls(jsonb_build_object(
            'alert_id', a.alert_id, 'rule_name', a.rule_name, 'severity', a.severity,
            'status', a.status, 'resolved_at', nullif(a.resolved_at, 'infinity')
        ))
    from monitoring.raised_alerts a
    where a.labels @> jsonb_build_object('dataset', p_dataset, 'record_key', p_record_key);
end
$$;

create or replace function monitoring.get_record_timeline(
    p_dataset text, p_record_key text, p_limit integer default 100
)
returns table (happened_at timestamptz, kind text, summary text, details jsonb)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- To compile what reads many partitions takes far longer than to read the few rows in them.
set jit = off
as $$
begin
    perform monitoring._checked_name('dataset', p_dataset);
    perform monitoring._checked_name('record_key', p_record_key);
    if (p_limit between 1 and 10000) is not true then
        perform monitoring._refuse_number('limit', p_limit::text, 'a number from 1 to 10000');
    end if;
    return query
    with tasks as materialized (
        select t.* from monitoring._tasks_of_record(p_dataset, p_record_key) t
    ),

    events as (
        select c.effective_at as happened_at, 'status' as kind,
            format('%s to %s by %s', coalesce(c.from_status, 'not known'),
                coalesce(c.to_status, 'gone'), concat_ws(' ', c.change_source, c.actor)) as summary,
            jsonb_strip_nulls(jsonb_build_object(
                'from_status', c.from_status, 'to_status', c.to_status,
                'change_source', c.change_source, 'actor', c.actor,
                'recorded_at', c.recorded_at, 'source_name', c.source_name,
                'task_id', c.task_id, 'details', c.details
            )) as details
        from monitoring._all_status_changes c
        where c.record_key = p_record_key and c.dataset = p_dataset and c.validation_type = ''
        union all
        select v.* from monitoring._validations_of_record(p_dataset, p_record_key) v
        union all
        select t.happened_at, 'task', format('%s %s', t.task_type, t.status),
            jsonb_strip_nulls(jsonb_build_object(
                'task_id', t.task_id, 'attempt', t.attempt, 'task_type', t.task_type,
                'status', t.status, 'duration_ms', t.duration_ms, 'worker_id', t.worker_id
            ))
        from tasks t
        union all
        select e.occurred_at, 'error', left(format('%s: %s', e.error_type, e.message), 500),
            jsonb_strip_nulls(jsonb_build_object(
                'error_id', e.error_id, 'error_type', e.error_type, 'severity', e.severity,
                'component', e.component, 'task_id', nullif(e.task_id, ''), 'details', e.details
            ))
        from monitoring._errors_of_record(
            p_dataset, p_record_key,
            array(select t.task_id from tasks t where t.is_own),
            array(select t.task_id from tasks t where not t.is_own)
        ) e
        union all
        select a.* from monitoring._alerts_of_record(p_dataset, p_record_key) a
    )
    select e.happened_at, e.kind, e.summary, e.details
    from events e
    order by e.happened_at desc nulls last, e.kind, e.summary
    limit p_limit;
end
$$;

comment on function monitoring.get_record_timeline(text, text, integer) is
'All that happened to a record, the newest first: changes of status, when it was invalid and '
'resolved, alerts, tasks named "dataset/record" or like it with the dataset in their metadata, '
'those that reported it, and errors of the former, or of others whose details name it.';
