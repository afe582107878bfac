-- Recording structured log lines, singly and by the thousand. Writes log_lines.

call monitoring._ship_partitioned_table('log_lines', 'component', 'logged_at');
call monitoring._ship_retention('log_lines', '30 days');

-- Does the work of record_log.
create or replace function monitoring._record_log(
    p_component text,
    p_level text,
    p_message text,
    p_details jsonb,
    p_task_id text,
    p_duration_ms double precision,
    p_logged_at timestamptz
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_logged_at timestamptz := coalesce(p_logged_at, monitoring.clock());
    v_given text[];
    v_log_id bigint;
begin
    if (
        least(p_component collate "C", p_task_id) >= '!'
        and p_level in ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL')
        and octet_length(concat(p_component, p_task_id)) <= 255
        and monitoring._is_printable(concat(p_component, p_task_id))
        and length(p_message) <= 8000
        and (p_duration_ms is null or p_duration_ms between 0 and '1e100')
        and monitoring._has_partition('log_lines', v_logged_at)
        and monitoring._is_small_json(p_details)
        and (p_logged_at is null or monitoring._is_recent(p_logged_at))
    ) is not true then
        v_given := monitoring._log_in_order(p_component, p_level, p_message);
        p_component := v_given[1];
        p_level := v_given[2];
        p_message := v_given[3];
        p_component := monitoring._mended_name('component', p_component);
        p_level := monitoring._mended_level(p_level);
        p_message := coalesce(monitoring._capped_text(p_message, 8000), '');
        p_details := monitoring._capped_json(p_details);
        p_task_id := monitoring._mended_optional_name('task_id', p_task_id);
        p_duration_ms := monitoring._mended_length('duration_ms', p_duration_ms);
        v_logged_at := monitoring._event_time(p_logged_at);
        if monitoring._is_late('log_lines', v_logged_at) then
            insert into monitoring.late_log_lines (
                component, logged_at, level, message, task_id, duration_ms, details
            )
            values (p_component, v_logged_at, p_level, p_message, p_task_id, p_duration_ms, p_details)
            returning log_id into v_log_id;
            return v_log_id;
        end if;
    end if;
    insert into monitoring.log_lines (
        component, logged_at, level, message, task_id, duration_ms, details
    )
    values (p_component, v_logged_at, p_level, p_message, p_task_id, p_duration_ms, p_details)
    returning log_id into v_log_id;
    return v_log_id;
end
$$;

create or replace function monitoring.record_log(
    p_component text,
    p_level text,
    p_message text,
    p_details jsonb default null,
    p_task_id text default null,
    p_duration_ms double precision default null,
    p_logged_at timestamptz default null
)
returns bigint
language sql
volatile
return monitoring._record_log(
    coalesce(p_component, ''), p_level, p_message, p_details, p_task_id, p_duration_ms, p_logged_at
);

comment on function monitoring.record_log(
    text, text, text, jsonb, text, double precision, timestamptz
) is
'Records one log line of level DEBUG, INFO, WARNING, ERROR or CRITICAL (any case; WARN and FATAL '
'too) and returns its log_id.';

-- An array of log lines as rows, each repaired; one that is older than p_since is refused as a
-- missing partition is.
create or replace function monitoring._told_log_lines(p_rows jsonb, p_since timestamptz)
returns table (
    log_id bigint,
    component text,
    logged_at timestamptz,
    level text,
    message text,
    task_id text,
    duration_ms double precision,
    details jsonb
)
language sql
stable -- a stricter mark than its body's keeps a function from being inlined
begin atomic
    select
        coalesce(
            monitoring._mended_own_id('log_id', r.log_id),
            nextval('monitoring.log_lines_log_id_seq')
        ) as log_id,
        monitoring._mended_name('component', coalesce(o.given[1], r.component)) as component,
        monitoring._recent_time(r.logged_at, p_since) as logged_at,
        monitoring._mended_level(coalesce(o.given[2], r.level)) as level,
        coalesce(
            monitoring._capped_text(coalesce(o.given[3], r.message), 8000), ''
        ) as message,
        monitoring._mended_optional_name('task_id', r.task_id) as task_id,
        monitoring._mended_length('duration_ms', r.duration_ms) as duration_ms,
        monitoring._capped_json(r.details) as details
    from jsonb_to_recordset(p_rows) as r (
            log_id bigint,
            component text,
            logged_at timestamptz,
            level text,
            message text,
            task_id text,
            duration_ms double precision,
            details jsonb
        )
    left join
        lateral (
            select monitoring._log_in_order(r.component, r.level, r.message) as given
            where upper(r.level collate "C") not in (
                    'DEBUG', 'INFO', 'WARNING', 'WARN', 'ERROR', 'CRITICAL'
                )
        ) as o
        on true;
end;

-- Inserts an array of log lines; those already there are passed over, and a late one is refused
-- as a missing partition is.
create or replace function monitoring._insert_log_lines(p_rows jsonb) returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_since timestamptz := monitoring._yesterday();
    v_written bigint;
begin
    if p_rows @? '$[*].log_id' then
        insert into monitoring.log_lines (
            log_id, component, logged_at, level, message, task_id, duration_ms, details
        )
        select r.* from monitoring._told_log_lines(p_rows, v_since) r
        on conflict do nothing;
    else
        -- No row can be there already; not looking takes a third off the insert.
        insert into monitoring.log_lines (
            log_id, component, logged_at, level, message, task_id, duration_ms, details
        )
        select r.* from monitoring._told_log_lines(p_rows, v_since) r;
    end if;
    get diagnostics v_written = row_count;
    return v_written;
end
$$;

-- Inserts an array of log lines into the late table; those already there are passed over.
create or replace function monitoring._insert_late_log_lines(p_rows jsonb) returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- Each row is looked up by its key, whatever the planner thinks.
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
    v_written bigint;
begin
    insert into monitoring.late_log_lines (
        log_id, component, logged_at, level, message, task_id, duration_ms, details
    )
    select r.*
    from (
        -- Each row is made up once, before it is looked for.
        select x.* from monitoring._told_log_lines(p_rows, '1970-01-01 00:00+00') x offset 0
    ) r
    -- Apart: of a view of both, all days would be asked.
    where not exists (
        select from monitoring.log_lines t
        where t.component = r.component
            and t.logged_at = r.logged_at
            and t.log_id = r.log_id
    )
    and not exists (
        select from monitoring.late_log_lines t
        where t.component = r.component
            and t.logged_at = r.logged_at
            and t.log_id = r.log_id
    )
    on conflict do nothing;
    get diagnostics v_written = row_count;
    return v_written;
end
$$;

create or replace function monitoring.record_logs(p_logs jsonb) returns bigint
language sql
volatile
return monitoring._record_rows('log_lines', 'v_application_logs', 'logged_at', p_logs);

comment on function monitoring.record_logs(jsonb) is
'Records an array of log lines, keys as the columns of v_application_logs (component and level '
'needed), bad rows left out. Returns how many were new: a row that carries its own, '
'negative log_id is written once.';

create or replace function monitoring.record_logs(p_logs text) returns bigint
language sql
volatile
return monitoring._record_rows('log_lines', 'v_application_logs', 'logged_at', p_logs);

comment on function monitoring.record_logs(text) is
'The same for JSON that is a plain text, as drivers send it; what JSON cannot hold is left out.';
