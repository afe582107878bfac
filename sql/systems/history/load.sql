-- Loading what happened before, of any kind and age. Writes what the kinds' own files write.

-- The view whose columns rows of a kind have, or PV003 when it is none.
create or replace function monitoring._view_of_history(p_kind text) returns text
language sql
stable
return case p_kind
    when 'tasks' then 'processing_metrics'
    when 'errors' then 'error_tracking'
    when 'metrics' then 'performance_monitoring'
    when 'logs' then 'v_application_logs'
    when 'health' then 'v_health_history'
    when 'queues' then 'queue_monitoring'
    when 'records' then 'invalid_records'
    when 'statuses' then 'status_history'
    when 'products' then 'record_products'
    when 'runs' then 'processing_log'
    when 'summaries' then 'daily_summary'
    else monitoring._refuse_choice(
            'kind of history', p_kind, array[
                'tasks', 'errors', 'metrics', 'logs', 'health', 'queues', 'records', 'statuses',
                'products', 'runs', 'summaries'
            ]
        )
end;

-- Does the work of load_history, row by row alike.
create or replace function monitoring._load_history(p_kind text, p_rows jsonb) returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return case p_kind
        when 'tasks' then monitoring._insert_rows(
            'finished_tasks', 'end_time', monitoring._unknown_tasks(p_rows)
        )
        when 'errors' then monitoring._insert_rows(
            'errors', 'occurred_at', monitoring._unknown_numbered_rows(
                'errors', 'error_id', '{error_type,message}', p_rows
            )
        )
        when 'metrics' then monitoring._insert_rows(
            'metric_samples', 'recorded_at', monitoring._unknown_numbered_rows(
                'metric_samples', 'sample_id', '{value}', p_rows
            )
        )
        when 'logs' then monitoring._insert_rows(
            'log_lines', 'logged_at', monitoring._unknown_numbered_rows(
                'log_lines', 'log_id', '{message}', p_rows
            )
        )
        when 'statuses' then monitoring._insert_status_changes(
            monitoring._unknown_numbered_rows(
                'status_changes', 'change_id', '{record_key,validation_type,to_status}',
                monitoring._with_recorded_at(p_rows)
            )
        )
        when 'health' then monitoring._load_past_health_probes(p_rows)
        when 'queues' then monitoring._load_past_queue_samples(p_rows)
        when 'records' then monitoring._insert_invalid_record_states(p_rows)
        when 'products' then monitoring._load_past_products(p_rows)
        when 'runs' then monitoring._load_past_program_runs(p_rows)
        when 'summaries' then monitoring._load_past_summaries(p_rows)
    end;
end
$$;

create or replace function monitoring.load_history(p_kind text, p_rows jsonb) returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_view text;
    v_rows jsonb;
    v_written bigint;
begin
    v_view := monitoring._view_of_history(p_kind);
    perform monitoring._begin_repairs();
    v_rows := monitoring._given_rows(v_view, p_rows);
    begin
        v_written := monitoring._load_history(p_kind, v_rows);
    exception
        when others then
            perform monitoring._name_bad_row(
                format(
                    $statement$
                        select case jsonb_typeof($1 -> 0)
                            when 'object' then monitoring._load_history(%L, $1)
                            else length(
                                monitoring._refuse_json('row', ($1 -> 0)::text, 'a JSON object')::text
                            )::bigint
                        end
                    $statement$,
                    p_kind
                ),
                v_rows,
                'Give every field the type of the column of that name.'
            );
            raise;
    end;
    perform monitoring._end_repairs();
    return v_written;
end
$$;

comment on function monitoring.load_history(text, jsonb) is
'Loads an array of past tasks, errors, metrics, logs, health, queues, records, statuses, products, '
'runs or summaries, keys as the columns of their view, all or nothing, and returns how many were '
'new. What is here already is passed over: what was exported from here, or loaded before.';
