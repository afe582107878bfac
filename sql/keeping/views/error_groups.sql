-- Deciding about error groups. Writes error_group_states, never errors.

-- Writes what was decided about an error group, which need not have occurred yet.
create or replace function monitoring._note_group_decision(
    p_fingerprint text, p_status text, p_muted_until timestamptz, p_note text, p_by text,
    p_at timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._checked_moment('until', p_muted_until);
    perform monitoring._checked_moment('at', p_at);
    insert into monitoring.error_group_states (
        fingerprint, status, muted_until, note, changed_by, changed_at
    )
    values (
        p_fingerprint, p_status, p_muted_until, monitoring._capped_text(p_note, 8000),
        monitoring._checked_name('by', p_by), p_at
    )
    on conflict (fingerprint) do update
        set
            status = excluded.status,
            muted_until = excluded.muted_until,
            note = excluded.note,
            changed_by = excluded.changed_by,
            login_name = session_user,
            changed_at = excluded.changed_at;
end
$$;

-- The same for one that has occurred; PV007 when no error has that fingerprint. False when it was
-- so already.
create or replace function monitoring._decide_error_group(
    p_fingerprint text, p_status text, p_muted_until timestamptz, p_note text, p_by text
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_status text;
begin
    p_fingerprint := monitoring._error_group_of(p_fingerprint);
    if not exists (
        select from monitoring._error_group_parts g where g.fingerprint = p_fingerprint
    ) then
        perform monitoring._refuse_unknown(
            'error group', p_fingerprint,
            'Take the fingerprint from error_groups or error_tracking.'
        );
    end if;
    if p_muted_until <= monitoring.clock() then
        raise exception using
            errcode = 'PV006',
            message = format('a mute cannot end in the past: %s', p_muted_until),
            hint = 'Give a time to come, or leave p_until out to mute without an end.';
    end if;
    select g.status into v_status
    from monitoring.error_groups g where g.fingerprint = p_fingerprint;
    perform monitoring._note_group_decision(
        p_fingerprint, p_status, p_muted_until, p_note,
        coalesce(monitoring._checked_optional_name('by', p_by), session_user), monitoring.clock()
    );
    return v_status is distinct from p_status;
end
$$;

create or replace function monitoring.resolve_error_group(
    p_fingerprint text, p_note text default null, p_by text default null
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    return monitoring._decide_error_group(p_fingerprint, 'resolved', null, p_note, p_by);
end
$$;

comment on function monitoring.resolve_error_group(text, text, text) is
'Marks an error group as resolved, by the session user unless p_by says by whom; a later '
'occurrence shows it as regressed. False when it was resolved already.';

create or replace function monitoring.mute_error_group(
    p_fingerprint text,
    p_until timestamptz default null,
    p_note text default null,
    p_by text default null
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    return monitoring._decide_error_group(p_fingerprint, 'muted', p_until, p_note, p_by);
end
$$;

comment on function monitoring.mute_error_group(text, timestamptz, text, text) is
'Mutes an error group until a time to come, or without an end; its occurrences are still recorded. '
'False when it was muted already, which then ends at this time.';

create or replace function monitoring.reopen_error_group(p_fingerprint text) returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from monitoring.error_group_states
    where fingerprint = monitoring._error_group_of(p_fingerprint);
    return found;
end
$$;

comment on function monitoring.reopen_error_group(text) is
'Takes back what was decided about an error group; false when nothing had been.';
