-- Reading log lines.

create or replace view monitoring.v_application_logs as
select
    l.log_id,
    l.logged_at,
    l.level,
    l.component,
    l.message,
    l.details,
    l.task_id,
    l.duration_ms
from monitoring._all_log_lines as l;

comment on view monitoring.v_application_logs is
'Every structured log line.';
comment on column monitoring.v_application_logs.log_id is
'Number of the line; negative when a backfill chose it.';
comment on column monitoring.v_application_logs.logged_at is
'When it was logged.';
comment on column monitoring.v_application_logs.level is
'DEBUG, INFO, WARNING, ERROR or CRITICAL.';
comment on column monitoring.v_application_logs.component is
'Program, service or stage that spoke.';
comment on column monitoring.v_application_logs.message is
'What it said; cut after 8,000 characters, with a note of the full length.';
comment on column monitoring.v_application_logs.details is
'Whatever the caller wanted to find again, as JSON.';
comment on column monitoring.v_application_logs.task_id is
'Task that it was said in.';
comment on column monitoring.v_application_logs.duration_ms is
'Milliseconds that the logged operation took.';
