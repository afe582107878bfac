-- Recording records that fail a validation. Writes invalid_record_states, invalid_record_spells and
-- status_changes.
-- Lock order: rows of invalid_record_states by record_key, then by validation_type; whoever
-- resolves keeps to it, so that sessions that are about the same records wait but never deadlock.

-- Whether a known record that is found is resolved no more: found after its resolution, and not
-- with the value that people have accepted.
create or replace function monitoring._opens_again(
    p_known monitoring.invalid_record_states, p_found monitoring.invalid_record_states
)
returns boolean
language sql
stable
return p_found.last_detected_at > greatest(p_known.resolved_at, p_known.last_detected_at)
and (
    coalesce(p_known.resolution in ('manual', 'superseded'), false)
    and coalesce(p_found.reported_value = p_known.reported_value, p_found.reported_value is null)
) is false;

-- Writes what was found invalid and what is resolved in one pass, in the order of locks, and
-- returns the rows as they are then, but for those that are not to be resolved any more.
create or replace function monitoring._upsert_invalid_records(
    p_rows monitoring.invalid_record_states[], p_detected_until timestamptz
)
returns monitoring.invalid_record_states[]
language sql
volatile
begin atomic
    -- Detections come late, and are told again: those within what is known count no more. For the
    -- rest the newest has the word, and only one after the resolution opens a record again.
    -- A row that is resolved says what an open one is to become; the rest of it is known already.
    -- One without a detection of its own is of a record that people accepted, and is valid now.
    with written as (
        insert into monitoring.invalid_record_states as s
        select r.* from unnest(p_rows) as r -- noqa: AM04
        order by r.record_key, r.validation_type
        on conflict (dataset, record_key, validation_type) do update
            set
                group_name = case
                    when excluded.last_detected_at < s.last_detected_at then s.group_name
                    else coalesce(excluded.group_name, s.group_name)
                end,
                reported_value = case
                    when excluded.last_detected_at < s.last_detected_at then s.reported_value
                    else coalesce(excluded.reported_value, s.reported_value)
                end,
                message = case
                    when excluded.last_detected_at < s.last_detected_at then s.message
                    else coalesce(excluded.message, s.message)
                end,
                details = case
                    when excluded.last_detected_at < s.last_detected_at then s.details
                    else coalesce(excluded.details, s.details)
                end,
                target_date = case
                    when excluded.last_detected_at < s.last_detected_at then s.target_date
                    else excluded.target_date
                end,
                task_id = case
                    when excluded.last_detected_at < s.last_detected_at then s.task_id
                    else coalesce(excluded.task_id, s.task_id)
                end,
                first_detected_at = least(s.first_detected_at, excluded.first_detected_at),
                last_detected_at = greatest(s.last_detected_at, excluded.last_detected_at),
                opened_at = case
                    when monitoring._opens_again(s, excluded) then excluded.opened_at
                    when s.times_reopened = 0 and s.resolved_at = 'infinity'
                        then least(s.opened_at, excluded.opened_at)
                    else s.opened_at
                end,
                times_detected = s.times_detected + case
                    when
                        excluded.last_detected_at > s.last_detected_at
                        or excluded.first_detected_at < s.first_detected_at
                        then 1
                    else 0
                end,
                times_detected_before = case
                    when monitoring._opens_again(s, excluded) then s.times_detected
                    else s.times_detected_before
                end,
                times_reopened = s.times_reopened + case
                    when monitoring._opens_again(s, excluded) then 1
                    else 0
                end,
                alerted_at = case
                    when monitoring._opens_again(s, excluded) then excluded.alerted_at
                    when s.resolved_at = 'infinity' then coalesce(s.alerted_at, excluded.alerted_at)
                    else s.alerted_at
                end,
                resolved_at = case
                    when excluded.resolved_at < 'infinity'
                        then greatest(excluded.resolved_at, s.last_detected_at)
                    when monitoring._opens_again(s, excluded) then excluded.resolved_at
                    else s.resolved_at
                end,
                resolution = case
                    when excluded.resolved_at < 'infinity' then excluded.resolution
                    when not monitoring._opens_again(s, excluded) then s.resolution
                end,
                resolved_by = case
                    when excluded.resolved_at < 'infinity' then excluded.resolved_by
                    when not monitoring._opens_again(s, excluded) then s.resolved_by
                end,
                resolution_reason = case
                    when excluded.resolved_at < 'infinity' then excluded.resolution_reason
                    when not monitoring._opens_again(s, excluded) then s.resolution_reason
                end
            -- Meanwhile somebody may have resolved a record, or found it again.
            where
            excluded.resolved_at = 'infinity'
            or (
                s.last_detected_at <= p_detected_until
                and case
                    when excluded.times_detected > excluded.times_detected_before
                        then s.resolved_at = 'infinity'
                    else s.resolution in ('manual', 'superseded')
                end
            )
        -- The row as one value, which it is as well when the table has a column more.
        returning s as written_row
    )

    select array_agg(w.written_row) from written as w;
end;

-- What becomes of an invalid record by its resolution, as the history of changes says it.
create or replace function monitoring._status_after(p_resolution text) returns text
language sql
immutable
return case p_resolution
    when 'auto' then 'valid'
    when 'manual' then 'accepted'
    else p_resolution
end;

-- Writes what was found invalid and what is resolved, the latter with its spells and changes of
-- status, unless it was resolved or found again meanwhile; tells what became of each. What
-- people had accepted has its spell already.
create or replace function monitoring._write_invalid_records(
    p_found monitoring.invalid_record_states[],
    p_closing monitoring.invalid_record_states[],
    p_detected_until timestamptz,
    p_now timestamptz,
    p_change_source text,
    p_task_id text
)
returns table (
    record_key text,
    validation_type text,
    opened_at timestamptz,
    times_detected bigint,
    is_resolved boolean
)
language sql
volatile
begin atomic
    with written as materialized (
        select u.*
        from
            unnest(
                monitoring._upsert_invalid_records(p_found || p_closing, p_detected_until)
            ) as u
    ),

    closed as materialized (
        select
            w.*,
            c.times_detected > c.times_detected_before as was_open
        from written as w
        inner join unnest(p_closing) as c
            on w.record_key = c.record_key and w.validation_type = c.validation_type
    ),

    spells as (
        insert into monitoring.invalid_record_spells (
            dataset, record_key, validation_type, group_name, reported_value, opened_at,
            resolved_at, times_detected, is_alerted, resolution, resolved_by, resolution_reason
        )
        select
            c.dataset,
            c.record_key,
            c.validation_type,
            c.group_name,
            c.reported_value,
            c.opened_at,
            c.resolved_at,
            c.times_detected - c.times_detected_before as times_detected,
            c.alerted_at is not null as is_alerted,
            c.resolution,
            c.resolved_by,
            c.resolution_reason
        from closed as c
        where c.was_open
        returning spell_id
    ),

    changes as materialized (
        select
            c.dataset,
            c.record_key,
            p_now,
            c.resolved_at,
            c.validation_type,
            case
                when c.was_open then 'invalid'
                else (
                    select monitoring._status_after(k.resolution)
                    from monitoring.invalid_record_states as k
                    where
                        k.dataset = c.dataset
                        and k.record_key = c.record_key
                        and k.validation_type = c.validation_type
                )
            end as from_status,
            monitoring._status_after(c.resolution) as to_status,
            p_change_source,
            c.resolved_by,
            p_task_id,
            nullif(jsonb_strip_nulls(jsonb_build_object(
                'reason', c.resolution_reason,
                'status', (
                    select s.status
                    from monitoring.record_states as s
                    where s.dataset = c.dataset and s.record_key = c.record_key
                )
            )), '{}') as details
        from closed as c
    ),

    placed as (
        insert into monitoring.status_changes (
            dataset, record_key, recorded_at, effective_at, validation_type, from_status, to_status,
            change_source, actor, task_id, details
        )
        select h.*
        from changes as h
        where monitoring._has_partition('status_changes', p_now)
        returning change_id
    ),

    late as (
        insert into monitoring.late_status_changes (
            dataset, record_key, recorded_at, effective_at, validation_type, from_status, to_status,
            change_source, actor, task_id, details
        )
        select h.*
        from changes as h
        where not monitoring._has_partition('status_changes', p_now)
        returning change_id
    )

    select
        w.record_key,
        w.validation_type,
        w.opened_at,
        w.times_detected,
        coalesce(c.was_open, false) as is_resolved
    from written as w
    left join closed as c
        on w.record_key = c.record_key and w.validation_type = c.validation_type;
end;

-- Writes what was found invalid and what is resolved, or in a dry run does not, and returns how
-- many records were opened, reopened, touched, found though accepted, and resolved, with 20 of
-- them in a dry run.
create or replace function monitoring._apply_invalid_records(
    p_found monitoring.invalid_record_states[],
    p_closing monitoring.invalid_record_states[],
    p_detected_until timestamptz default 'infinity',
    p_change_source text default 'AUTO_RESOLVE',
    p_task_id text default null,
    p_is_dry_run boolean default false
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- What is known is looked up by key. A plan made while the table is empty would read it once for
-- each record, as it grows; one made for a thousand records would read all that is known.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_result jsonb;
begin
    with written as materialized (
        select w.*
        from monitoring._write_invalid_records(
            p_found, p_closing, p_detected_until, v_now, p_change_source, p_task_id
        ) w
        where not p_is_dry_run
    ),

    changed as (
        select
            g.record_key, g.validation_type, g.alerted_at is not null as is_alerted,
            case
                -- One that somebody else has just opened was found twice by now.
                when k.record_key is null and coalesce(w.times_detected, 1) = 1 then 'opened'
                when k.resolved_at < 'infinity'
                    and g.last_detected_at <= greatest(k.resolved_at, k.last_detected_at) then 'late'
                when k.resolved_at < 'infinity' and not monitoring._opens_again(k, g)
                    then 'accepted'
                when k.resolved_at < 'infinity' and coalesce(w.opened_at, g.opened_at) = g.opened_at
                    then 'reopened'
                else 'touched'
            end as change
        from unnest(p_found) g
        left join monitoring.invalid_record_states k
            on k.dataset = g.dataset and k.record_key = g.record_key
            and k.validation_type = g.validation_type
        left join written w
            on w.record_key = g.record_key and w.validation_type = g.validation_type
        union all
        select
            c.record_key, c.validation_type, false,
            case when c.times_detected > c.times_detected_before then 'resolved' else 'valid' end
        from unnest(p_closing) c
        where p_is_dry_run
            or (c.record_key, c.validation_type) in (
                select w.record_key, w.validation_type from written w where w.is_resolved
            )
    )

    select jsonb_strip_nulls(jsonb_build_object(
        'records', count(*) filter (where c.change not in ('resolved', 'valid')),
        'opened', count(*) filter (where c.change = 'opened'),
        'reopened', count(*) filter (where c.change = 'reopened'),
        'touched', count(*) filter (where c.change = 'touched'),
        'late', count(*) filter (where c.change = 'late'),
        'accepted', count(*) filter (where c.change = 'accepted'),
        'alerted', count(*) filter (where c.is_alerted),
        'resolved', count(*) filter (where c.change = 'resolved'),
        'sample', case when p_is_dry_run then coalesce(to_jsonb((array_agg(
            to_jsonb(c) - 'is_alerted' order by c.change, c.record_key, c.validation_type
        ) filter (where c.change not in ('touched', 'late', 'accepted')))[:20]), '[]') end
    ))
    into v_result
    from changed c;
    return v_result;
end
$$;

create or replace function monitoring.log_invalid_records(
    p_dataset text,
    p_records jsonb,
    p_validation_type text,
    p_alerted_count bigint default 0,
    p_target_date date default null,
    p_task_id text default null,
    p_detected_at timestamptz default null,
    p_is_dry_run boolean default false
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_hint text;
begin
    return monitoring._apply_invalid_records(
        monitoring._found_invalid_records(
            p_dataset, p_records, p_validation_type, p_alerted_count, p_target_date, null,
            p_task_id, monitoring._event_time(p_detected_at)
        ),
        '{}', p_is_dry_run => coalesce(p_is_dry_run, false)
    ) - 'resolved';
exception
    when data_exception or sqlstate 'PV001' or sqlstate 'PV002' or sqlstate 'PV003'
        or sqlstate 'PV004' or sqlstate 'PV005' or sqlstate 'PV006' or sqlstate 'PV007' then
            get stacked diagnostics v_hint = pg_exception_hint;
            perform monitoring._tell_refusal('log_invalid_records', sqlstate, sqlerrm, v_hint);
            return null;
end
$$;

comment on function monitoring.log_invalid_records(
    text, jsonb, text, bigint, date, text, timestamptz, boolean
) is
'Records that records of a dataset, an array of keys or of objects, failed a validation, and that '
'people were notified of the first so many. Opens, touches or re-opens each and returns how many; '
'what people have accepted stays so while it is found with the same value.';

call monitoring._ship_retention('invalid_record_states', '30 days');
call monitoring._ship_retention('invalid_record_spells', '30 days');
