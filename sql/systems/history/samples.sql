-- Past health checks and depths of queues. Writes health_probes and queue_samples, or their late
-- tables. One is here already when one that says the same of the same, at the same time, is.

-- An array of health checks as rows, each checked.
create or replace function monitoring._told_health_probes(p_rows jsonb)
returns table (
    component_name text,
    component_type text,
    checked_at timestamptz,
    status text,
    response_time_ms double precision,
    failure_reason text,
    details jsonb
)
language sql
volatile
begin atomic
    select distinct
        monitoring._mended_name('component_name', r.component_name) as component_name,
        monitoring._mended_name('component_type', r.component_type) as component_type,
        monitoring._checked_time(r.checked_at) as checked_at,
        monitoring._mended_health(r.status) as status,
        monitoring._mended_length('response_time_ms', r.response_time_ms) as response_time_ms,
        monitoring._capped_text(r.failure_reason, 8000) as failure_reason,
        monitoring._capped_json(r.details) as details
    from jsonb_to_recordset(p_rows) as r (
            component_name text,
            component_type text,
            checked_at timestamptz,
            status text,
            response_time_ms double precision,
            failure_reason text,
            details jsonb
        );
end;

-- Inserts an array of past health checks, and returns how many were new.
create or replace function monitoring._load_past_health_probes(p_rows jsonb) returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
    v_written bigint;
begin
    with unknown as materialized (
        select r.*, monitoring._is_late('health_probes', r.checked_at) as is_late
        from monitoring._told_health_probes(p_rows) r
        where not exists (
            select from monitoring.health_probes t
            where t.component_name = r.component_name and t.checked_at = r.checked_at
                and (t.component_type, t.status) = (r.component_type, r.status)
                and t.response_time_ms is not distinct from r.response_time_ms
                and t.failure_reason is not distinct from r.failure_reason
        )
        and not exists (
            select from monitoring.late_health_probes t
            where t.component_name = r.component_name and t.checked_at = r.checked_at
                and (t.component_type, t.status) = (r.component_type, r.status)
                and t.response_time_ms is not distinct from r.response_time_ms
                and t.failure_reason is not distinct from r.failure_reason
        )
    ),
    placed as (
        insert into monitoring.health_probes (
            component_name, component_type, checked_at, status, response_time_ms, failure_reason,
            details
        )
        select
            u.component_name, u.component_type, u.checked_at, u.status, u.response_time_ms,
            u.failure_reason, u.details
        from unknown u
        where not u.is_late
        returning 1
    ),
    late as (
        insert into monitoring.late_health_probes (
            component_name, component_type, checked_at, status, response_time_ms, failure_reason,
            details
        )
        select
            u.component_name, u.component_type, u.checked_at, u.status, u.response_time_ms,
            u.failure_reason, u.details
        from unknown u
        where u.is_late
        returning 1
    )
    select (select count(*) from placed) + (select count(*) from late) into v_written;
    return v_written;
end
$$;

-- An array of depths of queues as rows, each checked.
create or replace function monitoring._told_queue_samples(p_rows jsonb)
returns table (
    queue_name text,
    recorded_at timestamptz,
    pending bigint,
    processing bigint,
    completed bigint,
    failed bigint,
    oldest_ready_seconds double precision
)
language sql
volatile
begin atomic
    select distinct
        monitoring._mended_name('queue_name', r.queue_name) as queue_name,
        monitoring._checked_time(r.recorded_at) as recorded_at,
        coalesce(monitoring._mended_size('pending', r.pending), 0) as pending,
        coalesce(monitoring._mended_size('processing', r.processing), 0) as processing,
        coalesce(monitoring._mended_size('completed', r.completed), 0) as completed,
        coalesce(monitoring._mended_size('failed', r.failed), 0) as failed,
        monitoring._mended_length('oldest_ready_seconds', r.oldest_ready_seconds)
            as oldest_ready_seconds
    from jsonb_to_recordset(p_rows) as r (
            queue_name text,
            recorded_at timestamptz,
            pending bigint,
            processing bigint,
            completed bigint,
            failed bigint,
            oldest_ready_seconds double precision
        );
end;

-- Inserts an array of past depths of queues, and returns how many were new.
create or replace function monitoring._load_past_queue_samples(p_rows jsonb) returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
    v_written bigint;
begin
    with unknown as materialized (
        select r.*, monitoring._is_late('queue_samples', r.recorded_at) as is_late
        from monitoring._told_queue_samples(p_rows) r
        where not exists (
            select from monitoring.queue_samples t
            where t.queue_name = r.queue_name and t.recorded_at = r.recorded_at
                and (t.pending, t.processing, t.completed, t.failed)
                = (r.pending, r.processing, r.completed, r.failed)
        )
        and not exists (
            select from monitoring.late_queue_samples t
            where t.queue_name = r.queue_name and t.recorded_at = r.recorded_at
                and (t.pending, t.processing, t.completed, t.failed)
                = (r.pending, r.processing, r.completed, r.failed)
        )
    ),
    placed as (
        insert into monitoring.queue_samples (
            queue_name, recorded_at, pending, processing, completed, failed, oldest_ready_seconds
        )
        select
            u.queue_name, u.recorded_at, u.pending, u.processing, u.completed, u.failed,
            u.oldest_ready_seconds
        from unknown u
        where not u.is_late
        returning 1
    ),
    late as (
        insert into monitoring.late_queue_samples (
            queue_name, recorded_at, pending, processing, completed, failed, oldest_ready_seconds
        )
        select
            u.queue_name, u.recorded_at, u.pending, u.processing, u.completed, u.failed,
            u.oldest_ready_seconds
        from unknown u
        where u.is_late
        returning 1
    )
    select (select count(*) from placed) + (select count(*) from late) into v_written;
    return v_written;
end
$$;
