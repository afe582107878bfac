-- Recording errors, singly and by the thousand. Writes errors, and nothing that callers share.

call monitoring._ship_partitioned_table('errors', 'task_id', 'occurred_at');
call monitoring._ship_retention('errors', '30 days', 'low');
call monitoring._ship_retention('errors', '45 days', 'medium');
call monitoring._ship_retention('errors', '60 days', 'high');
call monitoring._ship_retention('errors', '90 days', 'critical');

-- Does the work of record_error.
create or replace function monitoring._record_error(
    p_task_id text,
    p_error_type text,
    p_severity text,
    p_message text,
    p_component text,
    p_details jsonb,
    p_stack text,
    p_fingerprint text,
    p_occurred_at timestamptz
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_occurred_at timestamptz := coalesce(p_occurred_at, monitoring.clock());
    v_given text[];
    v_error_id bigint;
begin
    if (
        least(
            coalesce(p_error_type, '') collate "C", p_component, p_fingerprint
        ) >= '!'
        and p_severity in ('low', 'medium', 'high', 'critical')
        and octet_length(concat(p_task_id, p_error_type, p_component, p_fingerprint)) <= 255
        and monitoring._is_printable(concat(p_task_id, p_error_type, p_component, p_fingerprint))
        and length(p_message) <= 8000
        and monitoring._has_partition('errors', v_occurred_at)
        and monitoring._is_small_json(p_details)
        and (p_stack is null or length(p_stack) <= 65536)
        and (p_occurred_at is null or monitoring._is_recent(p_occurred_at))
    ) is not true then
        v_given := monitoring._error_in_order(p_error_type, p_severity, p_message);
        p_error_type := v_given[1];
        p_severity := v_given[2];
        p_message := v_given[3];
        p_task_id := coalesce(monitoring._mended_optional_name('task_id', p_task_id), '');
        p_error_type := monitoring._mended_name('error_type', p_error_type);
        p_severity := monitoring._mended_severity(p_severity);
        p_message := coalesce(monitoring._capped_text(p_message, 8000), '');
        p_component := monitoring._mended_optional_name('component', p_component);
        p_details := monitoring._capped_json(p_details);
        p_stack := monitoring._capped_text(p_stack, 65536);
        p_fingerprint := monitoring._mended_optional_name('fingerprint', p_fingerprint);
        v_occurred_at := monitoring._event_time(p_occurred_at);
        if monitoring._is_late('errors', v_occurred_at) then
            insert into monitoring.late_errors (
                task_id, occurred_at, error_type, severity, message, component, fingerprint,
                details, stack
            )
            values (
                p_task_id, v_occurred_at, p_error_type, p_severity, p_message, p_component,
                coalesce(p_fingerprint, monitoring.error_fingerprint(p_error_type, p_message)),
                p_details, p_stack
            )
            returning error_id into v_error_id;
            return v_error_id;
        end if;
    end if;
    insert into monitoring.errors (
        task_id, occurred_at, error_type, severity, message, component, fingerprint, details, stack
    )
    values (
        p_task_id, v_occurred_at, p_error_type, p_severity, p_message, p_component,
        coalesce(p_fingerprint, monitoring.error_fingerprint(p_error_type, p_message)),
        p_details, p_stack
    )
    returning error_id into v_error_id;
    return v_error_id;
end
$$;

create or replace function monitoring.record_error(
    p_task_id text,
    p_error_type text,
    p_severity text,
    p_message text,
    p_component text default null,
    p_details jsonb default null,
    p_stack text default null,
    p_fingerprint text default null,
    p_occurred_at timestamptz default null
)
returns bigint
language sql
volatile
return monitoring._record_error(
    coalesce(p_task_id, ''), p_error_type, p_severity, p_message, p_component, p_details, p_stack,
    p_fingerprint, p_occurred_at
);

comment on function monitoring.record_error(
    text, text, text, text, text, jsonb, text, text, timestamptz
) is
'Records one error of severity low, medium, high or critical (task_id null outside any task) and '
'returns its error_id. Errors that differ only in the variable parts of their message share a '
'fingerprint, unless the caller gives one.';

-- An array of errors as rows, each repaired; one that is older than p_since is refused as a
-- missing partition is.
create or replace function monitoring._told_errors(p_rows jsonb, p_since timestamptz)
returns table (
    error_id bigint,
    task_id text,
    occurred_at timestamptz,
    error_type text,
    severity text,
    message text,
    component text,
    fingerprint text,
    details jsonb,
    stack text
)
language sql
stable -- a stricter mark than its body's keeps a function from being inlined
begin atomic
    select
        coalesce(
            monitoring._mended_own_id('error_id', r.error_id),
            nextval('monitoring.errors_error_id_seq')
        ) as error_id,
        coalesce(monitoring._mended_optional_name('task_id', r.task_id), '') as task_id,
        monitoring._recent_time(r.occurred_at, p_since) as occurred_at,
        monitoring._mended_name('error_type', coalesce(o.given[1], r.error_type)) as error_type,
        monitoring._mended_severity(coalesce(o.given[2], r.severity)) as severity,
        coalesce(
            monitoring._capped_text(coalesce(o.given[3], r.message), 8000), ''
        ) as message,
        monitoring._mended_optional_name('component', r.component) as component,
        coalesce(
            monitoring._mended_optional_name('fingerprint', r.fingerprint),
            monitoring.error_fingerprint(
                coalesce(o.given[1], r.error_type), coalesce(o.given[3], r.message)
            )
        ) as fingerprint,
        monitoring._capped_json(r.details) as details,
        monitoring._capped_text(r.stack, 65536) as stack
    from jsonb_to_recordset(p_rows) as r (
            error_id bigint,
            task_id text,
            occurred_at timestamptz,
            error_type text,
            severity text,
            message text,
            component text,
            fingerprint text,
            details jsonb,
            stack text
        )
    left join
        lateral (
            select monitoring._error_in_order(r.error_type, r.severity, r.message) as given
            where r.severity not in ('low', 'medium', 'high', 'critical')
        ) as o
        on true;
end;

-- Inserts an array of errors; those already there are passed over, and a late one is refused as
-- a missing partition is.
create or replace function monitoring._insert_errors(p_rows jsonb) returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_since timestamptz := monitoring._yesterday();
    v_written bigint;
begin
    if p_rows @? '$[*].error_id' then
        insert into monitoring.errors (
            error_id, task_id, occurred_at, error_type, severity, message, component,
            fingerprint, details, stack
        )
        select r.* from monitoring._told_errors(p_rows, v_since) r
        on conflict do nothing;
    else
        -- No row can be there already; not looking takes a third off the insert.
        insert into monitoring.errors (
            error_id, task_id, occurred_at, error_type, severity, message, component,
            fingerprint, details, stack
        )
        select r.* from monitoring._told_errors(p_rows, v_since) r;
    end if;
    get diagnostics v_written = row_count;
    return v_written;
end
$$;

-- Inserts an array of errors into the late table; those already there are passed over.
create or replace function monitoring._insert_late_errors(p_rows jsonb) returns bigint
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
    insert into monitoring.late_errors (
        error_id, task_id, occurred_at, error_type, severity, message, component,
        fingerprint, details, stack
    )
    select r.*
    from (
        -- Each row is made up once, before it is looked for.
        select x.* from monitoring._told_errors(p_rows, '1970-01-01 00:00+00') x offset 0
    ) r
    -- Apart: of a view of both, all days would be asked.
    where not exists (
        select from monitoring.errors t
        where t.task_id = r.task_id
            and t.occurred_at = r.occurred_at
            and t.error_id = r.error_id
    )
    and not exists (
        select from monitoring.late_errors t
        where t.task_id = r.task_id
            and t.occurred_at = r.occurred_at
            and t.error_id = r.error_id
    )
    on conflict do nothing;
    get diagnostics v_written = row_count;
    return v_written;
end
$$;

create or replace function monitoring.record_errors(p_errors jsonb) returns bigint
language sql
volatile
return monitoring._record_rows('errors', 'error_tracking', 'occurred_at', p_errors);

comment on function monitoring.record_errors(jsonb) is
'Records an array of errors, keys as the columns of error_tracking (error_type and severity '
'needed), bad rows left out. Returns how many were new: a row that carries its '
'own, negative error_id is written once.';

create or replace function monitoring.record_errors(p_errors text) returns bigint
language sql
volatile
return monitoring._record_rows('errors', 'error_tracking', 'occurred_at', p_errors);

comment on function monitoring.record_errors(text) is
'The same for JSON that is a plain text, as drivers send it; what JSON cannot hold is left out.';
