-- Reading about sources.

create or replace view monitoring.v_run_sources as
select
    s.source_name,
    s.relation_name,
    s.columns,
    s.statuses,
    s.task_type,
    s.time_zone,
    s.look_back_days,
    s.is_enabled,
    s.synced_at,
    s.succeeded_at,
    s.last_error,
    s.consecutive_failures,
    s.last_result,
    s.changed_by,
    s.changed_at,
    s.work,
    s.failed_severity
from monitoring.run_sources as s;

comment on view monitoring.v_run_sources is
'Relations in which other systems keep their runs, and how the last reading of each went.';
comment on column monitoring.v_run_sources.source_name is
'Name of the source; its runs are tasks named after it.';
comment on column monitoring.v_run_sources.relation_name is
'Table, view or foreign table that is read.';
comment on column monitoring.v_run_sources.columns is
'Object of its columns, such as {"run_id": "id"}.';
comment on column monitoring.v_run_sources.statuses is
'Object of what its status codes mean.';
comment on column monitoring.v_run_sources.task_type is
'Task type of runs for which no column says one.';
comment on column monitoring.v_run_sources.time_zone is
'Time zone of its times that name none.';
comment on column monitoring.v_run_sources.look_back_days is
'Runs never seen before that are older than this are passed over.';
comment on column monitoring.v_run_sources.is_enabled is
'Whether it is read.';
comment on column monitoring.v_run_sources.synced_at is
'When it was last read or could not be.';
comment on column monitoring.v_run_sources.succeeded_at is
'When it was last read.';
comment on column monitoring.v_run_sources.last_error is
'Why it could not be read the last time; null when it could.';
comment on column monitoring.v_run_sources.consecutive_failures is
'How often it could not be read since it last could.';
comment on column monitoring.v_run_sources.last_result is
'What the last reading found, in numbers of runs.';
comment on column monitoring.v_run_sources.changed_by is
'Who registered or changed it last.';
comment on column monitoring.v_run_sources.changed_at is
'When that was.';
comment on column monitoring.v_run_sources.work is
'What makes up for a failed run: the next of its type that completes (type), or the run itself.';
comment on column monitoring.v_run_sources.failed_severity is
'Severity of its failed runs; null for that of rule task_failed.';

create or replace view monitoring.v_run_source_troubles as
select
    t.source_name,
    t.trouble,
    t.subject,
    t.message,
    t.begun_at,
    nullif(t.ended_at, 'infinity') as ended_at
from monitoring.run_source_troubles as t;

comment on view monitoring.v_run_source_troubles is
'What is or was wrong with sources and their runs.';
comment on column monitoring.v_run_source_troubles.source_name is
'Source that has it.';
comment on column monitoring.v_run_source_troubles.trouble is
'unreadable, bad_row, unknown_status, vanished or went_backwards.';
comment on column monitoring.v_run_source_troubles.subject is
'Run or status code that it is about; empty for the source itself.';
comment on column monitoring.v_run_source_troubles.message is
'What is the matter, in a sentence.';
comment on column monitoring.v_run_source_troubles.begun_at is
'When it was first seen.';
comment on column monitoring.v_run_source_troubles.ended_at is
'When it was gone, or happened; null while it lasts.';
