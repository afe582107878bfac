-- Beginning and end of ETL executions, which are tasks of type etl. Writes active_tasks,
-- finished_tasks and errors.

-- The status of a task as that of an ETL execution; what timed out or got lost has failed.
create or replace function monitoring._etl_status(p_status text) returns text
language sql
immutable
return case p_status
    when 'running' then 'RUNNING'
    when 'completed' then 'COMPLETED'
    when 'cancelled' then 'CANCELLED'
    when 'failed' then 'FAILED'
    when 'timeout' then 'FAILED'
    when 'lost' then 'FAILED'
end;

-- The status with which an execution ended as that of a task; failed when it is not clear.
create or replace function monitoring._mended_etl_end(p_status text) returns text
language sql
volatile
return case
    when lower(p_status collate "C") in ('completed', 'failed', 'cancelled', 'timeout')
        then lower(p_status collate "C")
    else monitoring._mend_word(
            'status', 'status', p_status, array['COMPLETED', 'FAILED', 'CANCELLED', 'TIMEOUT'],
            'failed'
        )
end;

-- The figures of an execution as the counters of a task, those that are known.
create or replace function monitoring._etl_counters(
    p_total_fixtures bigint,
    p_processed_fixtures bigint,
    p_successful_fixtures bigint,
    p_failed_fixtures bigint,
    p_total_chunks bigint,
    p_processed_chunks bigint
)
returns jsonb
language sql
volatile
return nullif(jsonb_strip_nulls(jsonb_build_object(
    'total_fixtures', monitoring._mended_size('total_fixtures', p_total_fixtures),
    'processed_fixtures', monitoring._mended_size('processed_fixtures', p_processed_fixtures),
    'successful_fixtures', monitoring._mended_size('successful_fixtures', p_successful_fixtures),
    'failed_fixtures', monitoring._mended_size('failed_fixtures', p_failed_fixtures),
    'total_chunks', monitoring._mended_size('total_chunks', p_total_chunks),
    'processed_chunks', monitoring._mended_size('processed_chunks', p_processed_chunks)
)), '{}');

-- Does the work of start_etl_execution.
create or replace function monitoring._start_etl_execution(
    p_execution_id text,
    p_config jsonb,
    p_total_fixtures bigint,
    p_total_chunks bigint,
    p_worker_id text,
    p_started_at timestamptz
)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_counters jsonb;
    v_config jsonb;
    v_attempt integer;
begin
    p_execution_id := monitoring._mended_name('execution_id', p_execution_id);
    v_counters := monitoring._etl_counters(p_total_fixtures, null, null, null, p_total_chunks, null);
    -- Room stays for the error message that may join it at the end.
    v_config := monitoring._fitted_json(monitoring._mended_object('config', p_config), 48000);
    v_attempt := monitoring._start_task(
        p_execution_id, 'etl', null, p_worker_id, null,
        case when v_config is not null then jsonb_build_object('config', v_config) end,
        p_total_fixtures, p_started_at
    );
    if v_counters is not null then
        perform monitoring._update_task(p_execution_id, null, null, v_counters, p_started_at);
    end if;
    return v_attempt;
end
$$;

create or replace function monitoring.start_etl_execution(
    p_execution_id text,
    p_config jsonb default null,
    p_total_fixtures double precision default null,
    p_total_chunks double precision default null,
    p_worker_id text default null,
    p_started_at timestamptz default null
)
returns integer
language sql
volatile
return monitoring._start_etl_execution(
    coalesce(p_execution_id, ''), p_config, monitoring._whole(p_total_fixtures),
    monitoring._whole(p_total_chunks), p_worker_id, p_started_at
);

comment on function monitoring.start_etl_execution(
    text, jsonb, double precision, double precision, text, timestamptz
) is
'Begins an ETL execution, a task of type etl, and returns the number of the attempt. '
'update_task_progress() says how far it is; chunks are tasks of type etl.chunk with it as parent.';

-- Does the work of finish_etl_execution.
create or replace function monitoring._finish_etl_execution(
    p_execution_id text,
    p_status text,
    p_total_fixtures bigint,
    p_processed_fixtures bigint,
    p_successful_fixtures bigint,
    p_failed_fixtures bigint,
    p_total_chunks bigint,
    p_processed_chunks bigint,
    p_error_message text,
    p_finished_at timestamptz,
    p_attempt bigint
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_given constant text[] := monitoring._end_in_order(p_execution_id, p_status);
    v_status text := monitoring._mended_etl_end(v_given[2]);
    v_finished_at timestamptz := monitoring._event_time(p_finished_at);
    v_message text := monitoring._capped_text(p_error_message, 4000);
    v_counters jsonb := monitoring._etl_counters(
        p_total_fixtures, p_processed_fixtures, p_successful_fixtures, p_failed_fixtures,
        p_total_chunks, p_processed_chunks
    );
    v_metadata jsonb;
    v_is_running boolean;
    v_is_news boolean;
begin
    p_execution_id := monitoring._mended_name('execution_id', v_given[1]);
    if v_message is not null then
        v_metadata := jsonb_build_object('error_message', v_message);
    end if;
    v_is_running := monitoring._update_task(
        p_execution_id, p_processed_fixtures, p_total_fixtures, v_counters, v_finished_at, p_attempt
    );
    if v_is_running then
        v_is_news := monitoring._complete_task(
            p_execution_id, v_status, null, null, null, v_metadata, p_finished_at, p_attempt
        );
    else
        v_is_news := monitoring._note_end(
            p_execution_id, 'etl', v_status, v_finished_at, p_finished_at is not null, p_attempt,
            null, null, v_counters, v_metadata, (v_counters ->> 'processed_fixtures')::bigint,
            (v_counters ->> 'total_fixtures')::bigint
        );
    end if;
    if v_is_news and v_message is not null and v_status in ('failed', 'timeout') then
        -- By the time that was read first: the error is not to come after the end.
        perform monitoring._record_error(
            p_execution_id, 'etl.execution_' || v_status, 'high', p_error_message, 'etl',
            jsonb_build_object('execution_id', p_execution_id), null, null, v_finished_at
        );
    end if;
    return v_is_running;
end
$$;

create or replace function monitoring.finish_etl_execution(
    p_execution_id text,
    p_status text default 'COMPLETED',
    p_total_fixtures double precision default null,
    p_processed_fixtures double precision default null,
    p_successful_fixtures double precision default null,
    p_failed_fixtures double precision default null,
    p_total_chunks double precision default null,
    p_processed_chunks double precision default null,
    p_error_message text default null,
    p_finished_at timestamptz default null,
    p_attempt bigint default null
)
returns boolean
language sql
volatile
return monitoring._finish_etl_execution(
    coalesce(p_execution_id, ''),
    p_status,
    monitoring._whole(p_total_fixtures),
    monitoring._whole(p_processed_fixtures),
    monitoring._whole(p_successful_fixtures),
    monitoring._whole(p_failed_fixtures),
    monitoring._whole(p_total_chunks),
    monitoring._whole(p_processed_chunks),
    p_error_message,
    p_finished_at,
    p_attempt
);

comment on function monitoring.finish_etl_execution(
    text, text, double precision, double precision, double precision, double precision,
    double precision, double precision, text, timestamptz, bigint
) is
'Ends an ETL execution as COMPLETED, FAILED, CANCELLED or TIMEOUT, with figures '
'where known; the message of a failed one is recorded as an error too. Returns false when it, or '
'that attempt of it, was not running.';

-- An execution takes as long as a batch, not as long as a document.
call monitoring._ship_thresholds(
    'slow_processing', '{"medium": 3600, "high": 7200, "critical": 14400}', '{"task_type": "etl"}'
);
