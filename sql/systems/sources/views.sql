-- Reading about sources.

create or replace view monitoring.v_sources as
select
    s.source_name,
    s.kind,
    s.relation_name,
    s.columns,
    s.statuses,
    s.time_zone,
    s.settings,
    s.every_seconds,
    s.timeout_seconds,
    s.is_enabled,
    s.next_sync_at,
    s.synced_at,
    s.succeeded_at,
    s.last_error,
    s.consecutive_failures,
    s.last_result,
    s.changed_by,
    s.changed_at
from monitoring.sources as s;

comment on view monitoring.v_sources is
'Relations and queries of other systems that hold runs, records or queues, and how the last '
'reading of each went.';
comment on column monitoring.v_sources.source_name is
'Name of the source; runs are tasks named after it.';
comment on column monitoring.v_sources.kind is
'What its rows are: run, record or queue.';
comment on column monitoring.v_sources.relation_name is
'Table, view or foreign table that is read, or query:NAME.';
comment on column monitoring.v_sources.columns is
'Object of its columns, such as {"run_id": "id", "status": "state"}.';
comment on column monitoring.v_sources.statuses is
'Object of what its status codes mean or are called.';
comment on column monitoring.v_sources.time_zone is
'Time zone of its times that name none.';
comment on column monitoring.v_sources.settings is
'What only sources of its kind have: task_type, look_back_days, work and failed_severity of runs; '
'dataset, change_source and is_complete of records; queue_name of queues.';
comment on column monitoring.v_sources.every_seconds is
'Seconds from one reading to the next; a query has its own.';
comment on column monitoring.v_sources.timeout_seconds is
'Seconds that a reading may take.';
comment on column monitoring.v_sources.is_enabled is
'Whether it is read.';
comment on column monitoring.v_sources.next_sync_at is
'When it is to be read next, unless it is read with its query.';
comment on column monitoring.v_sources.synced_at is
'When it was last read or could not be.';
comment on column monitoring.v_sources.succeeded_at is
'When it was last read.';
comment on column monitoring.v_sources.last_error is
'Why it could not be read the last time; null when it could.';
comment on column monitoring.v_sources.consecutive_failures is
'How often it could not be read since it last could.';
comment on column monitoring.v_sources.last_result is
'What the last reading found, in numbers.';
comment on column monitoring.v_sources.changed_by is
'Who registered or changed it last.';
comment on column monitoring.v_sources.changed_at is
'When that was.';

create or replace view monitoring.v_source_troubles as
select
    t.source_name,
    t.trouble,
    t.subject,
    t.message,
    t.begun_at,
    nullif(t.ended_at, 'infinity') as ended_at
from monitoring.source_troubles as t;

comment on view monitoring.v_source_troubles is
'What is or was wrong with sources and their rows.';
comment on column monitoring.v_source_troubles.source_name is
'Source that has it; query:NAME for a query.';
comment on column monitoring.v_source_troubles.trouble is
'unreadable, bad_row, unknown_status, vanished or went_backwards.';
comment on column monitoring.v_source_troubles.subject is
'Run, status code or fault that it is about; empty for the source itself.';
comment on column monitoring.v_source_troubles.message is
'What is the matter, in a sentence.';
comment on column monitoring.v_source_troubles.begun_at is
'When it was first seen.';
comment on column monitoring.v_source_troubles.ended_at is
'When it was gone, or happened; null while it lasts.';
