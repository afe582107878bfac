-- Reading about queries in other databases, and their loads.

create or replace view monitoring.v_source_queries as
select
    q.query_name,
    q.connection_name,
    q.query,
    q.columns,
    q.resume_column,
    q.every_seconds,
    q.timeout_seconds,
    q.is_enabled,
    q.next_load_at,
    q.is_enabled and q.next_load_at <= monitoring.clock() as is_due,
    l.status as last_status,
    l.rows_read as last_rows_read,
    l.last_error,
    (
        select max(d.ended_at) from monitoring.source_loads as d
        where d.query_name = q.query_name and d.status = 'loaded'
    ) as loaded_at,
    q.changed_by,
    q.changed_at
from monitoring.source_queries as q
left join lateral (
    select
        n.status,
        n.rows_read,
        n.last_error
    from monitoring.source_loads as n
    where n.query_name = q.query_name
    order by n.load_id desc
    limit 1
) as l on true;

comment on view monitoring.v_source_queries is
'Queries that pgvigil sync or the runner executes in other databases, and how the last load went.';
comment on column monitoring.v_source_queries.query_name is
'Name of the query; sources read it as query:NAME.';
comment on column monitoring.v_source_queries.connection_name is
'Name by which the runner finds the address of the database.';
comment on column monitoring.v_source_queries.query is
'The query, in the other database''s words.';
comment on column monitoring.v_source_queries.columns is
'Names of its columns, in order.';
comment on column monitoring.v_source_queries.resume_column is
'Column that a load that broke off is continued after; null when it begins anew.';
comment on column monitoring.v_source_queries.every_seconds is
'Seconds from one load to the next.';
comment on column monitoring.v_source_queries.timeout_seconds is
'Seconds that a load may take.';
comment on column monitoring.v_source_queries.is_enabled is
'Whether it is executed.';
comment on column monitoring.v_source_queries.next_load_at is
'When it is to be executed next.';
comment on column monitoring.v_source_queries.is_due is
'Whether that is now.';
comment on column monitoring.v_source_queries.last_status is
'loading, interrupted (may be continued), loaded or failed; null before the first load.';
comment on column monitoring.v_source_queries.last_rows_read is
'Number of rows that the last load has read.';
comment on column monitoring.v_source_queries.last_error is
'What went wrong with the last load; null when nothing did.';
comment on column monitoring.v_source_queries.loaded_at is
'When a load was last complete.';
comment on column monitoring.v_source_queries.changed_by is
'Who registered or changed it last.';
comment on column monitoring.v_source_queries.changed_at is
'When that was.';

create or replace view monitoring.v_source_loads as
select
    l.load_id,
    l.query_name,
    l.status,
    l.started_at,
    l.heartbeat_at,
    nullif(l.ended_at, 'infinity') as ended_at,
    l.rows_read,
    l.attempts,
    l.last_error
from monitoring.source_loads as l;

comment on view monitoring.v_source_loads is
'Executions of queries in other databases, and how far each came.';
comment on column monitoring.v_source_loads.load_id is
'Number of the load.';
comment on column monitoring.v_source_loads.query_name is
'Query that was executed.';
comment on column monitoring.v_source_loads.status is
'loading, interrupted (may be continued), loaded or failed.';
comment on column monitoring.v_source_loads.started_at is
'When it began.';
comment on column monitoring.v_source_loads.heartbeat_at is
'When rows last arrived.';
comment on column monitoring.v_source_loads.ended_at is
'When it ended; null before.';
comment on column monitoring.v_source_loads.rows_read is
'Number of rows read so far.';
comment on column monitoring.v_source_loads.attempts is
'How often it was begun or continued.';
comment on column monitoring.v_source_loads.last_error is
'What went wrong last; null when nothing did.';
