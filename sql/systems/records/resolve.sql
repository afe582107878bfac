-- Resolving invalid records, through what invalid.sql has for writing them.

-- Invalid records of a dataset in a scope that are open or that people have accepted, and that
-- were not detected after a time, but for some keys, in the order in which they are locked.
create or replace function monitoring._open_invalid_records(
    p_dataset text,
    p_validation_type text,
    p_scope jsonb,
    p_detected_until timestamptz,
    p_except_keys text[]
)
returns setof monitoring.invalid_record_states
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Planned for what is given: what is null narrows nothing.
set plan_cache_mode = force_custom_plan
as $$
declare
    v_keys text [];
    v_from date := coalesce(p_scope ->> 'target_date', p_scope ->> 'from')::date;
    v_to date := coalesce(p_scope ->> 'target_date', p_scope ->> 'to')::date;
    v_group text := p_scope ->> 'group';
begin
    if p_scope ? 'keys' then
        v_keys := array(select jsonb_array_elements_text(p_scope -> 'keys'));
    end if;
    return query
    select s.*
    from monitoring.invalid_record_states s
    where s.dataset = p_dataset
        and (s.resolved_at = 'infinity' or s.resolution in ('manual', 'superseded'))
        and s.last_detected_at <= p_detected_until
        and (p_validation_type is null or s.validation_type = p_validation_type)
        and (v_keys is null or s.record_key = any (v_keys))
        and (v_from is null or s.target_date >= v_from)
        and (v_to is null or s.target_date <= v_to)
        and (v_group is null or s.group_name = v_group)
        and s.record_key <> all (p_except_keys)
    order by s.record_key, s.validation_type;
end
$$;

-- Open invalid records of a dataset, a type (null: all) and a scope ({}: all) as they are to be
-- resolved, but for some keys and for those detected after a time; what people have accepted as
-- well, when it is found valid.
create or replace function monitoring._closing_invalid_records(
    p_dataset text,
    p_validation_type text,
    p_scope jsonb,
    p_resolution text,
    p_by text,
    p_reason text default null,
    p_resolved_at timestamptz default monitoring.clock(),
    p_detected_until timestamptz default 'infinity',
    p_except_keys text[] default '{}'
)
returns monitoring.invalid_record_states[]
language sql
stable
return array(
    select
        row(
            o.dataset, o.record_key, o.validation_type, o.group_name, o.reported_value, o.message,
            o.details, o.target_date, o.first_detected_at, o.opened_at, o.last_detected_at,
            o.times_detected,
            -- Since people have accepted it, it has had no spell.
            case
                when o.resolved_at < 'infinity' then o.times_detected
                else o.times_detected_before
            end,
            o.times_reopened, o.alerted_at, o.task_id,
            p_resolved_at, p_resolution, p_by, p_reason
        )::monitoring.invalid_record_states
    from monitoring._open_invalid_records(
            p_dataset, p_validation_type, p_scope, p_detected_until, p_except_keys
        ) as o
    -- What was found valid is accepted no more; who decides anew decides about what is open.
    where o.resolved_at = 'infinity' or p_resolution = 'auto'
);

-- Resolves the open invalid records of a dataset, a type (null: of all) and a scope ({}: all),
-- but for some keys and for those detected after a time; returns how many.
create or replace function monitoring._resolve_invalid_records(
    p_dataset text,
    p_validation_type text,
    p_scope jsonb,
    p_resolution text,
    p_by text,
    p_reason text default null,
    p_resolved_at timestamptz default monitoring.clock(),
    p_detected_until timestamptz default 'infinity',
    p_except_keys text[] default '{}',
    p_change_source text default 'AUTO_RESOLVE',
    p_task_id text default null,
    p_is_dry_run boolean default false
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_closing constant monitoring.invalid_record_states [] := monitoring._closing_invalid_records(
        p_dataset, p_validation_type, p_scope, p_resolution, p_by, p_reason, p_resolved_at,
        p_detected_until, p_except_keys
    );
begin
    perform monitoring._read_resolved_records(v_closing, p_task_id, p_is_dry_run);
    return monitoring._apply_invalid_records(
        '{}', v_closing, p_detected_until, p_change_source, p_task_id, p_is_dry_run
    ) - array['records', 'opened', 'reopened', 'touched', 'late', 'accepted', 'alerted'];
end
$$;

create or replace function monitoring.sync_invalid_records(
    p_dataset text,
    p_validation_type text,
    p_scope jsonb,
    p_failing_keys jsonb,
    p_task_id text default null,
    p_at timestamptz default null,
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
    v_at timestamptz := monitoring._event_time(p_at);
    v_scope jsonb := monitoring._mended_scope(p_scope);
    v_found monitoring.invalid_record_states [];
    v_failing text [];
    v_closing monitoring.invalid_record_states [];
begin
    -- What was examined, or what failed, is not known: only what is known to fail is recorded.
    if v_scope is null or monitoring._has_records_left_out(p_failing_keys) then
        return monitoring.log_invalid_records(
            p_dataset, p_failing_keys, p_validation_type, p_task_id => p_task_id,
            p_detected_at => p_at, p_is_dry_run => p_is_dry_run
        );
    end if;
    v_found := monitoring._found_invalid_records(
        p_dataset, p_failing_keys, p_validation_type, 0,
        coalesce(v_scope ->> 'target_date', v_scope ->> 'to')::date, v_scope ->> 'group', p_task_id,
        v_at
    );
    v_failing := array(select f.record_key from unnest(v_found) f);
    perform monitoring._check_failing_in_scope(v_scope, v_failing);
    v_closing := monitoring._closing_invalid_records(
        p_dataset, p_validation_type, v_scope, 'auto', coalesce(p_task_id, session_user), null,
        v_at, v_at, v_failing
    );
    perform monitoring._read_resolved_records(v_closing, p_task_id, coalesce(p_is_dry_run, false));
    return monitoring._apply_invalid_records(
        v_found, v_closing, p_detected_until => v_at, p_task_id => p_task_id,
        p_is_dry_run => coalesce(p_is_dry_run, false)
    );
exception
    when data_exception or sqlstate 'PV001' or sqlstate 'PV002' or sqlstate 'PV003'
        or sqlstate 'PV004' or sqlstate 'PV005' or sqlstate 'PV006' or sqlstate 'PV007' then
            get stacked diagnostics v_hint = pg_exception_hint;
            perform monitoring._tell_refusal('sync_invalid_records', sqlstate, sqlerrm, v_hint);
            return null;
end
$$;

comment on function monitoring.sync_invalid_records(
    text, text, jsonb, jsonb, text, timestamptz, boolean
) is
'Records the outcome of a check: records that fail are logged, and the open ones of that type in '
'the scope that do not fail are resolved, except those found again later. Returns how many.';

-- When the newest completed run that looked at all records of a day began; null when there is
-- none.
create or replace function monitoring._last_complete_check(p_dataset text, p_target_date date)
returns timestamptz
language sql
stable
return (
    select max(r.started_at)
    from monitoring.program_runs as r
    where
        r.dataset = p_dataset
        and r.target_date = p_target_date
        and r.run_mode = 'full'
        and r.status = 'completed'
);

create or replace function monitoring.auto_resolve_invalid_records(
    p_dataset text,
    p_target_date date,
    p_checked_since timestamptz default null,
    p_validation_type text default null,
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
    v_dataset text;
    v_since timestamptz;
begin
    v_dataset := monitoring._checked_name('dataset', p_dataset);
    v_since := case
        -- A check that is yet to begin would have found none of them.
        when p_checked_since is not null then monitoring._checked_time(p_checked_since)
        else monitoring._last_complete_check(p_dataset, p_target_date)
    end;
    if p_target_date is null then
        perform monitoring._refuse_json('target_date', 'null', 'the day that was checked');
    end if;
    perform monitoring._checked_date('target_date', p_target_date);
    if v_since is null then
        return jsonb_build_object(
            'resolved', 0, 'checked_since', null,
            'note', 'no completed run of run_mode full is known for that day'
        );
    end if;
    return jsonb_build_object('checked_since', v_since) || monitoring._resolve_invalid_records(
        v_dataset, monitoring._checked_optional_name('validation_type', p_validation_type),
        jsonb_build_object('target_date', p_target_date), 'auto', session_user,
        p_detected_until => v_since - interval '1 microsecond',
        p_is_dry_run => coalesce(p_is_dry_run, false)
    );
exception
    when data_exception or sqlstate 'PV001' or sqlstate 'PV002' or sqlstate 'PV003'
        or sqlstate 'PV004' or sqlstate 'PV005' or sqlstate 'PV006' or sqlstate 'PV007' then
            get stacked diagnostics v_hint = pg_exception_hint;
            perform monitoring._tell_refusal('auto_resolve_invalid_records', sqlstate, sqlerrm, v_hint);
            return null;
end
$$;

comment on function monitoring.auto_resolve_invalid_records(
    text, date, timestamptz, text, boolean
) is
'Resolves the open invalid records of a day that a complete check did not find again: those last '
'detected before it began. Left out, that is when the newest completed full run for the day began.';

create or replace function monitoring.resolve_invalid_records(
    p_dataset text,
    p_record_keys text[],
    p_resolution text default 'manual',
    p_reason text default null,
    p_validation_type text default null,
    p_by text default null,
    p_is_dry_run boolean default false
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    if (p_resolution in ('manual', 'superseded', 'gone')) is not true then
        perform monitoring._refuse_choice(
            'resolution', p_resolution, array['manual', 'superseded', 'gone']
        );
    end if;
    if p_record_keys is null then
        perform monitoring._refuse_json('record_keys', 'null', 'an array of keys');
    end if;
    return monitoring._resolve_invalid_records(
        monitoring._checked_name('dataset', p_dataset),
        monitoring._checked_optional_name('validation_type', p_validation_type),
        jsonb_build_object('keys', p_record_keys),
        p_resolution,
        coalesce(monitoring._checked_optional_name('by', p_by), session_user),
        monitoring._capped_text(nullif(p_reason, ''), 2000),
        p_change_source => 'MANUAL',
        p_is_dry_run => coalesce(p_is_dry_run, false)
    );
end
$$;

comment on function monitoring.resolve_invalid_records(
    text, text[], text, text, text, text, boolean
) is
'Resolves open invalid records by hand, of one type or of all, and returns how many. What is '
'manual (accepted as it is) or superseded is opened again when it is found with another value, or '
'after a check found it valid; what is gone, whenever it is found.';
