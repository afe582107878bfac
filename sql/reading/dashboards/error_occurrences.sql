-- The occurrences of one group of errors, page by page. Reads errors.

-- When a group was first and last seen, or nothing when no error has that fingerprint.
create or replace function monitoring._seen_of_group(
    p_fingerprint text, out first_seen_at timestamptz, out last_seen_at timestamptz
)
language sql
stable
begin atomic
    select
        min(p.first_seen_at) as first_seen_at,
        max(p.last_seen_at) as last_seen_at
    from monitoring._error_group_parts as p
    where p.fingerprint = p_fingerprint;
end;

-- Type of the task of that name that ran at a time, or ended within a day of it; null where none
-- did.
create or replace function monitoring._type_of_task(p_task_id text, p_at timestamptz) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Planned for the time: only a few days are looked at.
set plan_cache_mode = force_custom_plan
as $$
begin
    if p_task_id is null then
        return null;
    end if;
    return coalesce(
        (select a.task_type from monitoring.active_tasks a where a.task_id = p_task_id),
        (
            select t.task_type
            from monitoring._all_finished_tasks t
            where t.task_id = p_task_id
                and t.finished_at >= p_at - interval '1 day'
                and t.finished_at < p_at + interval '1 day'
            order by t.finished_at desc
            limit 1
        )
    );
end
$$;

-- Goes back from when the group was last seen, in spans that grow.
create or replace function monitoring.get_error_occurrences(
    p_fingerprint text,
    p_from timestamptz default null,
    p_to timestamptz default null,
    p_limit integer default 20,
    p_before_time timestamptz default null,
    p_before_error_id bigint default null
)
returns table (
    error_id bigint,
    occurred_at timestamptz,
    task_id text,
    task_type text,
    severity text,
    component text,
    message text,
    details jsonb,
    stack text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
-- Planned for the times: only the partitions of a span are looked at.
set plan_cache_mode = force_custom_plan
as $$
declare
    v_seen record;
    v_group text := monitoring._error_group_of(p_fingerprint);
    v_fingerprints text[] := monitoring._fingerprints_of_group(v_group);
    v_from timestamptz;
    v_until timestamptz;
    v_begin timestamptz;
    v_span interval := interval '1 hour';
    v_left integer := p_limit;
    v_found integer;
begin
    if p_limit is null or p_limit not between 0 and 1000 then
        perform monitoring._refuse_number('limit', p_limit::text, 'a number from 0 to 1000');
    end if;
    select s.* into v_seen from monitoring._seen_of_group(v_group) s;
    if v_seen.last_seen_at is null then
        perform monitoring._refuse_unknown(
            'error group', p_fingerprint,
            'Take the fingerprint from error_groups or error_tracking.'
        );
    end if;
    v_from := greatest(monitoring._checked_moment('from', p_from), v_seen.first_seen_at);
    v_until := least(
        monitoring._checked_moment('to', p_to),
        monitoring._checked_moment('before_time', p_before_time) + interval '1 microsecond',
        v_seen.last_seen_at + interval '1 microsecond'
    );
    while v_left > 0 and v_until > v_from loop
        v_begin := greatest(v_until - v_span, v_from);
        return query
        select
            e.error_id, e.occurred_at, nullif(e.task_id, ''),
            monitoring._type_of_task(nullif(e.task_id, ''), e.occurred_at),
            e.severity, e.component, e.message, e.details, e.stack
        from (
            select a.*
            from monitoring._all_errors a
            where a.occurred_at >= v_begin
                and a.occurred_at < v_until
                and a.fingerprint = any(v_fingerprints)
                and (p_before_time is null or (a.occurred_at, a.error_id) < (
                    p_before_time, coalesce(p_before_error_id, 9223372036854775807)
                ))
            order by a.occurred_at desc, a.error_id desc
            limit v_left
        ) e
        order by e.occurred_at desc, e.error_id desc;
        get diagnostics v_found = row_count;
        v_left := v_left - v_found;
        v_until := v_begin;
        v_span := v_span * 4;
    end loop;
end
$$;

comment on function monitoring.get_error_occurrences(
    text, timestamptz, timestamptz, integer, timestamptz, bigint
) is
'The newest occurrences of an error group with details, stack and the type of their task, of a '
'span if given. p_before_... say where the page before ended: its last occurred_at and error_id.';
