-- What people decide about which error groups are one. Takes the lock of alerts, writes
-- error_group_merges and raised_alerts.

-- Has a fingerprint, and those merged into it, belong to another group; to none when that is its
-- own. How many moved.
create or replace function monitoring._note_group_merge(
    p_fingerprint text, p_into text, p_note text, p_by text, p_at timestamptz
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_into text;
    v_moved text[];
    v_count bigint;
begin
    perform monitoring._checked_moment('at', p_at);
    -- A group that others go into is in none itself, whoever else merges at the same time.
    lock table monitoring.error_group_merges in share row exclusive mode;
    if p_into = p_fingerprint then
        v_into := p_into;
        v_moved := array[p_fingerprint];
    else
        v_into := monitoring._error_group_of(p_into);
        v_moved := array_remove(monitoring._fingerprints_of_group(p_fingerprint), v_into);
        if monitoring._error_group_of(p_fingerprint) = v_into then
            return 0::bigint;
        end if;
    end if;
    insert into monitoring.error_group_merges as m (
        fingerprint, merged_into, note, changed_by, changed_at
    )
    select
        f.fingerprint, v_into, monitoring._capped_text(p_note, 8000),
        monitoring._checked_name('by', p_by), p_at
    from unnest(v_moved) f (fingerprint)
    on conflict (fingerprint) do update
        set
            merged_into = excluded.merged_into,
            note = excluded.note,
            changed_by = excluded.changed_by,
            login_name = session_user,
            changed_at = excluded.changed_at;
    get diagnostics v_count = row_count;
    return v_count;
end
$$;

-- Has open alerts about fingerprints be about the group that they are in now. Where that has one
-- already, it speaks for both, and the other ends.
create or replace function monitoring._move_alerts_to_group(
    p_fingerprints text[], p_into text, p_by text, p_at timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_alert monitoring.raised_alerts;
begin
    for v_alert in
        select a.*
        from monitoring.raised_alerts a
        where a.resolved_at = 'infinity'
            and a.rule_name in ('error_group_new', 'error_group_regressed')
            and a.fingerprint = any(p_fingerprints)
        order by a.alert_id
    loop
        if exists (
            select from monitoring.raised_alerts a
            where a.resolved_at = 'infinity'
                and a.rule_name = v_alert.rule_name
                and a.fingerprint = p_into
        ) then
            perform monitoring._end_alert_of_merged_group(v_alert, p_into, p_by, p_at);
        else
            update monitoring.raised_alerts
            set
                fingerprint = p_into,
                labels = labels || jsonb_build_object('error_group', p_into)
            where alert_id = v_alert.alert_id;
        end if;
    end loop;
end
$$;

-- Ends an alert whose group has become part of another that has one; what nobody was told of is
-- forgotten.
create or replace function monitoring._end_alert_of_merged_group(
    p_alert monitoring.raised_alerts, p_into text, p_by text, p_at timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_alert.status = 'pending' then
        delete from monitoring.raised_alerts where alert_id = p_alert.alert_id;
        return;
    end if;
    perform monitoring._close_alert(
        p_alert, p_at, p_by, format('its error group is part of %s', p_into)
    );
end
$$;

-- Has a fingerprint, and those merged into it, belong to another group, and alerts about it as
-- well. How many moved.
create or replace function monitoring._merge_error_group(
    p_fingerprint text, p_into text, p_note text, p_by text, p_at timestamptz
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_moved bigint;
    v_into text;
begin
    perform monitoring._lock_alerts();
    v_moved := monitoring._note_group_merge(p_fingerprint, p_into, p_note, p_by, p_at);
    v_into := monitoring._error_group_of(p_into);
    if v_moved > 0 and v_into <> p_fingerprint then
        perform monitoring._move_alerts_to_group(
            array_remove(monitoring._fingerprints_of_group(v_into), v_into), v_into, p_by, p_at
        );
    end if;
    return v_moved;
end
$$;

-- PV007 when no error has that fingerprint, or many have that share none.
create or replace function monitoring._check_error_group(p_fingerprint text) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_fingerprint is distinct from '(other)' and exists (
        select from monitoring._error_group_parts g where g.member = p_fingerprint
    ) then
        return;
    end if;
    perform monitoring._refuse_unknown(
        'error group', p_fingerprint, 'Take the fingerprint from error_groups or error_tracking.'
    );
end
$$;

create or replace function monitoring.merge_error_groups(
    p_into text, p_fingerprints text[], p_note text default null, p_by text default null
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_by text := coalesce(monitoring._checked_optional_name('by', p_by), session_user);
    v_now timestamptz := monitoring.clock();
    v_fingerprint text;
    v_moved bigint := 0::bigint;
begin
    perform monitoring._check_error_group(p_into);
    foreach v_fingerprint in array coalesce(p_fingerprints, '{}') loop
        perform monitoring._check_error_group(v_fingerprint);
        continue when v_fingerprint = p_into;
        v_moved := v_moved
            + monitoring._merge_error_group(v_fingerprint, p_into, p_note, v_by, v_now);
    end loop;
    perform monitoring._plan_notifications(v_now);
    return v_moved;
end
$$;

comment on function monitoring.merge_error_groups(text, text[], text, text) is
'Makes error groups, also of other types, part of another, with what is still to come; what was '
'decided about that one holds for all. Returns how many fingerprints moved.';

create or replace function monitoring.split_error_group(
    p_fingerprint text, p_note text default null, p_by text default null
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_by text := coalesce(monitoring._checked_optional_name('by', p_by), session_user);
begin
    perform monitoring._check_error_group(p_fingerprint);
    if monitoring._error_group_of(p_fingerprint) = p_fingerprint then
        return false;
    end if;
    return monitoring._note_group_merge(
        p_fingerprint, p_fingerprint, p_note, v_by, monitoring.clock()
    ) > 0;
end
$$;

comment on function monitoring.split_error_group(text, text, text) is
'Takes a fingerprint out of the error group that it was merged into (merged_from there): it is a '
'group of its own again. False when it is in none.';
