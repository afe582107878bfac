-- Reading ETL: the columns that its users know, over tasks, log lines and metrics.

-- A counter of a task as a whole number; null when it was never told.
create or replace function monitoring._counter(p_counters jsonb, p_name text) returns bigint
language sql
immutable
return case
    when (p_counters ->> p_name)::numeric > 9223372036854775807 then 9223372036854775807
    else (p_counters ->> p_name)::numeric::bigint
end;

-- Execution that a log line, metric or error belongs to: the one it names, else its task.
create or replace function monitoring._etl_execution_of(p_names jsonb, p_task_id text)
returns text
language sql
immutable
return coalesce(nullif(p_names ->> 'execution_id', ''), nullif(p_task_id, ''));

-- Whether a log line, metric or error belongs to an execution or one of its chunks.
create or replace function monitoring._is_of_etl_execution(
    p_execution_id text, p_names jsonb, p_task_id text
)
returns boolean
language sql
immutable
return (
    p_task_id = p_execution_id
    or starts_with(p_task_id, p_execution_id || '/')
    or p_names ->> 'execution_id' = p_execution_id
) is true;

create or replace view monitoring.etl_executions as
select
    t.task_id as execution_id,
    t.start_time as started_at,
    t.end_time as finished_at,
    monitoring._etl_status(t.status) as status,
    coalesce(monitoring._counter(t.counters, 'total_fixtures'), t.items_total) as total_fixtures,
    coalesce(
        monitoring._counter(t.counters, 'processed_fixtures'), t.items_done
    ) as processed_fixtures,
    monitoring._counter(t.counters, 'successful_fixtures') as successful_fixtures,
    monitoring._counter(t.counters, 'failed_fixtures') as failed_fixtures,
    monitoring._counter(t.counters, 'total_chunks') as total_chunks,
    monitoring._counter(t.counters, 'processed_chunks') as processed_chunks,
    t.duration_ms / 1000 as duration_seconds,
    case
        when t.status <> 'completed'
            then monitoring._reason_of_end(t.task_id, t.metadata, t.start_time, t.end_time)
    end as error_message,
    t.metadata -> 'config' as config
from monitoring.processing_metrics as t
where t.task_type = 'etl';

-- Details may be anything, names only objects have.
create or replace view monitoring.etl_logs as
select
    l.log_id,
    l.logged_at as timestamp,
    l.level,
    l.component,
    l.message,
    nullif(l.details - array['execution_id', 'chunk_id', 'fixture_id'], '{}') as details,
    monitoring._etl_execution_of(l.details, l.task_id) as execution_id,
    l.details ->> 'chunk_id' as chunk_id,
    l.details ->> 'fixture_id' as fixture_id,
    l.duration_ms
from monitoring._all_log_lines as l
where l.details @> '{}' and l.details ? 'execution_id';

create or replace view monitoring.etl_metrics as
select
    m.sample_id as metric_id,
    m.recorded_at as timestamp,
    monitoring._etl_execution_of(m.tags, m.task_id) as execution_id,
    m.metric_name,
    m.value as metric_value,
    m.unit as metric_unit,
    nullif(m.tags - 'execution_id', '{}') as tags
from monitoring._all_metric_samples as m
where m.tags ? 'execution_id';

comment on view monitoring.etl_executions is
'Every attempt of every ETL execution, running and ended: the tasks of type etl.';
comment on column monitoring.etl_executions.execution_id is
'The caller''s name for the execution, its task_id.';
comment on column monitoring.etl_executions.started_at is
'When it began; null when only its end was reported.';
comment on column monitoring.etl_executions.finished_at is
'When it ended; null while it runs.';
comment on column monitoring.etl_executions.status is
'RUNNING, COMPLETED, FAILED (also what timed out or got lost) or CANCELLED.';
comment on column monitoring.etl_executions.total_fixtures is
'Items expected altogether.';
comment on column monitoring.etl_executions.processed_fixtures is
'Items done so far, well or not.';
comment on column monitoring.etl_executions.successful_fixtures is
'Items done well.';
comment on column monitoring.etl_executions.failed_fixtures is
'Items that failed.';
comment on column monitoring.etl_executions.total_chunks is
'Chunks expected altogether.';
comment on column monitoring.etl_executions.processed_chunks is
'Chunks done so far.';
comment on column monitoring.etl_executions.duration_seconds is
'Seconds from start to end; null while it runs.';
comment on column monitoring.etl_executions.error_message is
'Why it failed; cut after 4,000 characters, with a note of the full length.';
comment on column monitoring.etl_executions.config is
'What it was started with.';

comment on view monitoring.etl_logs is
'Every log line of ETL: those of log_etl_event(), and whatever has the key execution_id in its '
'details.';
comment on column monitoring.etl_logs.log_id is
'Number of the line.';
comment on column monitoring.etl_logs.timestamp is
'When it was logged.';
comment on column monitoring.etl_logs.level is
'DEBUG, INFO, WARNING, ERROR or CRITICAL.';
comment on column monitoring.etl_logs.component is
'Program, service or stage that spoke.';
comment on column monitoring.etl_logs.message is
'What it said; cut after 8,000 characters, with a note of the full length.';
comment on column monitoring.etl_logs.details is
'Whatever the caller wanted to find again, as a JSON object.';
comment on column monitoring.etl_logs.execution_id is
'Execution that it was said in: the one that it names, else its task; null outside any.';
comment on column monitoring.etl_logs.chunk_id is
'Chunk of the execution that it was said in.';
comment on column monitoring.etl_logs.fixture_id is
'Item that it was said of.';
comment on column monitoring.etl_logs.duration_ms is
'Milliseconds that the logged operation took.';

comment on view monitoring.etl_metrics is
'Every measured value of ETL: those of record_etl_metric(), and whatever has the tag execution_id.';
comment on column monitoring.etl_metrics.metric_id is
'Number of the sample.';
comment on column monitoring.etl_metrics.timestamp is
'When it was measured.';
comment on column monitoring.etl_metrics.execution_id is
'Execution that it was measured in: the one that it names, else its task; null outside any.';
comment on column monitoring.etl_metrics.metric_name is
'What was measured.';
comment on column monitoring.etl_metrics.metric_value is
'The measured value.';
comment on column monitoring.etl_metrics.metric_unit is
'Unit of the value.';
comment on column monitoring.etl_metrics.tags is
'Object of further labels.';
