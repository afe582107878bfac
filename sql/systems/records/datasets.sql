-- What people say about datasets: their days, their bot, and the changes of status that they
-- allow. Writes datasets, allowed_transitions and change_sources.

-- Raises PV001 to PV008 for settings of a dataset that cannot be right.
create or replace function monitoring._check_dataset_settings(p_settings jsonb) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_statuses jsonb := nullif(p_settings -> 'pending_statuses', 'null');
    v_name text;
begin
    if jsonb_typeof(p_settings) is distinct from 'object' then
        perform monitoring._refuse_json('settings', coalesce(p_settings::text, 'null'),
            'an object such as {"time_zone": "America/Sao_Paulo", "pending_statuses": ["OPEN"]}');
    end if;
    perform monitoring._refuse_unknown_keys(
        'setting of a dataset', p_settings,
        array['description', 'time_zone', 'pending_statuses', 'bot_task_type']
    );
    foreach v_name in array array['description', 'time_zone', 'bot_task_type'] loop
        if jsonb_typeof(p_settings -> v_name) not in ('string', 'null') then
            perform monitoring._refuse_json(v_name, (p_settings -> v_name)::text, 'a text or null');
        end if;
    end loop;
    if p_settings ->> 'time_zone' is not null then
        perform monitoring._check_time_zone(p_settings ->> 'time_zone');
    end if;
    if v_statuses is not null and (
        jsonb_typeof(v_statuses) <> 'array'
        -- One that is null is refused as a name.
        or jsonb_path_exists(
            v_statuses, 'strict $[*] ? (@.type() != "string" && @.type() != "null")'
        )
    ) then
        perform monitoring._refuse_json('pending_statuses', v_statuses::text,
            'an array of statuses, such as ["OPEN", "WAITING"]');
    end if;
    perform monitoring._checked_name('status', s.status)
    from jsonb_array_elements_text(v_statuses) s (status);
    perform monitoring._checked_optional_name('bot_task_type', p_settings ->> 'bot_task_type');
end
$$;

create or replace function monitoring.change_dataset(
    p_dataset text, p_settings jsonb, p_by text default null
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_dataset monitoring.datasets;
begin
    perform monitoring._checked_name('dataset', p_dataset);
    perform monitoring._check_dataset_settings(p_settings);
    -- One at a time, or of two that set different things one would be undone.
    perform monitoring._guard('dataset ' || p_dataset);
    select d.* into v_dataset from monitoring.datasets d where d.dataset = p_dataset;
    insert into monitoring.datasets as d (
        dataset, description, time_zone, pending_statuses, bot_task_type, changed_by, changed_at
    )
    values (
        p_dataset,
        case
            when p_settings ? 'description'
                then monitoring._capped_text(p_settings ->> 'description', 1000)
            else v_dataset.description
        end,
        case
            when p_settings ? 'time_zone' then coalesce(p_settings ->> 'time_zone', 'UTC')
            else coalesce(v_dataset.time_zone, 'UTC')
        end,
        case
            when p_settings ? 'pending_statuses'
                then array(
                    select jsonb_array_elements_text(nullif(p_settings -> 'pending_statuses', 'null'))
                )
            else coalesce(v_dataset.pending_statuses, '{}')
        end,
        case
            when p_settings ? 'bot_task_type' then nullif(p_settings ->> 'bot_task_type', '')
            else v_dataset.bot_task_type
        end,
        coalesce(p_by, session_user), monitoring.clock()
    )
    on conflict (dataset) do update
        set
            description = excluded.description,
            time_zone = excluded.time_zone,
            pending_statuses = excluded.pending_statuses,
            bot_task_type = excluded.bot_task_type,
            changed_by = excluded.changed_by,
            login_name = session_user,
            changed_at = excluded.changed_at;
end
$$;

comment on function monitoring.change_dataset(text, jsonb, text) is
'Says what a dataset is: description, time_zone, pending_statuses (that its bot takes records out '
'of) and bot_task_type. What is not named stays as it is; null takes it back.';

create or replace function monitoring.set_allowed_transitions(p_dataset text, p_transitions jsonb)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_transitions jsonb := coalesce(nullif(p_transitions, 'null'), '{}');
    v_bad text;
    v_allowed integer;
begin
    perform monitoring._checked_name('dataset', p_dataset);
    if jsonb_typeof(v_transitions) = 'object' then
        select t.value::text into v_bad
        from jsonb_each(v_transitions) t
        where jsonb_typeof(t.value) <> 'array'
            or jsonb_path_exists(t.value, 'strict $[*] ? (@.type() != "string")')
        limit 1;
    else
        v_bad := v_transitions::text;
    end if;
    if v_bad is not null then
        perform monitoring._refuse_json('transitions', v_bad,
            'an object of arrays, such as {"OPEN": ["DONE", ""], "": ["OPEN"]}');
    end if;
    perform monitoring._guard('dataset ' || p_dataset);
    delete from monitoring.allowed_transitions where dataset = p_dataset;
    insert into monitoring.allowed_transitions (dataset, from_status, to_status)
    select distinct p_dataset,
        coalesce(monitoring._checked_optional_name('status', t.key), ''),
        coalesce(monitoring._checked_optional_name('status', s.status), '')
    from jsonb_each(v_transitions) t, jsonb_array_elements_text(t.value) s (status);
    get diagnostics v_allowed = row_count;
    return v_allowed;
end
$$;

comment on function monitoring.set_allowed_transitions(text, jsonb) is
'Says to which statuses records may go from each; the empty status is that of a record that is '
'new or gone. Null or {} allows every change again; returns how many are allowed.';

create or replace function monitoring.remove_dataset(p_dataset text) returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_is_known boolean;
begin
    perform monitoring._checked_name('dataset', p_dataset);
    delete from monitoring.allowed_transitions where dataset = p_dataset;
    v_is_known := found;
    delete from monitoring.datasets where dataset = p_dataset;
    return found or v_is_known;
end
$$;

comment on function monitoring.remove_dataset(text) is
'Forgets what people have said about a dataset, not what happened to its records; false when there '
'was nothing.';

-- Describes a kind of source of changes as we ship it, or removes one that people added; PV007 when
-- there is none of that name, PV003 while it is in use.
create or replace function monitoring._take_back_change_source(p_change_source text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_user text;
begin
    update monitoring.change_sources
    set decided_description = null, changed_by = null, changed_at = null
    where change_source = p_change_source and shipped_description is not null;
    if found then
        return;
    end if;
    select u.name into v_user
    from (
        select format('source "%s"', s.source_name) as name
        from monitoring.sources s
        where s.settings ->> 'change_source' = p_change_source
        union all
        select format('the status trigger of %s', t.table_name)
        from monitoring.status_triggers t
        where t.change_source = p_change_source
    ) u
    order by u.name
    limit 1;
    if found then
        raise exception using
            errcode = 'PV003',
            message = format('change source "%s" is used by %s', p_change_source, v_user),
            hint = 'Give that another change source, or remove it, first.';
    end if;
    delete from monitoring.change_sources where change_source = p_change_source;
    if not found then
        perform monitoring._refuse_unknown(
            'change source', p_change_source, 'Take the name from v_change_sources.'
        );
    end if;
end
$$;

create or replace function monitoring.define_change_source(p_change_source text, p_description text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_description is null then
        perform monitoring._take_back_change_source(p_change_source);
        return;
    end if;
    insert into monitoring.change_sources (
        change_source, decided_description, changed_by, changed_at
    )
    values (
        monitoring._checked_name('change_source', p_change_source),
        monitoring._capped_text(monitoring._checked_name('description', p_description), 255),
        session_user,
        monitoring.clock()
    )
    on conflict (change_source) do update
        set
            decided_description = excluded.decided_description,
            changed_by = excluded.changed_by,
            changed_at = excluded.changed_at;
end
$$;

comment on function monitoring.define_change_source(text, text) is
'Adds a kind of source of changes, or describes one anew. Null takes that back: one of ours is as '
'shipped again, one that was added goes.';

-- The change source, or PV003 unless it is a row of change_sources.
create or replace function monitoring._checked_change_source(p_change_source text) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select from monitoring.change_sources s where s.change_source = p_change_source
    ) then
        perform monitoring._refuse_choice('change source', p_change_source,
            array(select s.change_source from monitoring.change_sources s order by 1));
    end if;
    return p_change_source;
end
$$;

-- The change source, in any case of letters; SYSTEM, and told of, when it is no row of
-- change_sources.
create or replace function monitoring._mended_change_source(p_change_source text) returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_known text[] := array(select s.change_source from monitoring.change_sources s order by 1);
    v_fault text[] := monitoring._fault_of_choice('change source', p_change_source, v_known);
    v_word text := upper(p_change_source collate "C");
begin
    if p_change_source = any(v_known) then
        return p_change_source;
    end if;
    perform monitoring._refuse_if_strict(v_fault);
    if v_word = any(v_known) then
        return v_word;
    end if;
    perform monitoring._tell_repair('change source', v_fault, 'recorded as SYSTEM');
    return 'SYSTEM';
end
$$;

call monitoring._ship_change_source('SYSTEM', 'The system that the record lives in.');
call monitoring._ship_change_source('BOT', 'A program that works on records in place of people.');
call monitoring._ship_change_source(
    'AUTO_RESOLVE', 'A validation that no longer fails, or whose record is gone from its source.'
);
call monitoring._ship_change_source(
    'MONITOR', 'A program that watches records, and saw the change.'
);
call monitoring._ship_change_source('MANUAL', 'A person.');
