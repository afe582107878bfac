-- Invalid records by the thousand, for backfills. Writes invalid_record_states and
-- invalid_record_spells.

-- Raises PV006 for a record that was resolved before it was found.
create or replace function monitoring._refuse_spell(
    p_opened_at timestamptz, p_resolved_at timestamptz
)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using
        errcode = 'PV006',
        message = format('record is resolved before it is found: found %s, resolved %s',
            p_opened_at, p_resolved_at),
        hint = 'Give a resolved_at that is not before opened_at and last_detected_at.';
end
$$;

-- How a record was resolved, auto when missing, or PV003 unless it is known.
create or replace function monitoring._checked_resolution(p_resolution text) returns text
language sql
stable
return case
    when coalesce(p_resolution, 'auto') in ('auto', 'manual', 'superseded', 'gone')
        then coalesce(p_resolution, 'auto')
    else monitoring._refuse_choice(
            'resolution', p_resolution, array['auto', 'manual', 'superseded', 'gone']
        )
end;

-- An array of invalid records as rows, with their times checked and the missing ones filled in.
create or replace function monitoring._timed_invalid_records(p_rows jsonb)
returns monitoring.invalid_record_states[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(
        select monitoring._invalid_record(
            r.dataset, r.record_key, r.validation_type, r.group_name, r.reported_value, r.message,
            r.details, monitoring._checked_date('target_date', r.target_date),
            least(g.given_at, g.opened_at),
            coalesce(g.opened_at, g.given_at),
            greatest(g.last_detected_at, g.opened_at, g.given_at),
            r.times_detected, r.times_detected_before, r.times_reopened, r.alerted_at, r.task_id,
            coalesce(g.resolved_at, 'infinity'),
            r.resolution, r.resolved_by, r.resolution_reason
        )
        from jsonb_to_recordset(p_rows) as r (
            dataset text,
            record_key text,
            validation_type text,
            group_name text,
            reported_value text,
            message text,
            details jsonb,
            target_date date,
            first_detected_at timestamptz,
            opened_at timestamptz,
            last_detected_at timestamptz,
            times_detected bigint,
            times_detected_before bigint,
            times_reopened integer,
            alerted_at timestamptz,
            task_id text,
            resolved_at timestamptz,
            resolution text,
            resolved_by text,
            resolution_reason text
        )
        -- Each time once, for a missing first one is the present.
        cross join lateral (
            select
                monitoring._checked_time(coalesce(r.first_detected_at, r.opened_at)) as given_at,
                case when r.opened_at is not null then monitoring._checked_time(r.opened_at) end
                    as opened_at,
                case
                    when r.last_detected_at is not null
                        then monitoring._checked_time(r.last_detected_at)
                end as last_detected_at,
                case when r.resolved_at is not null then monitoring._checked_time(r.resolved_at) end
                    as resolved_at
        ) g
    );
end
$$;

-- An array of invalid records as rows, each field checked.
create or replace function monitoring._past_invalid_records(p_rows jsonb)
returns monitoring.invalid_record_states[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(
        select monitoring._invalid_record(
            monitoring._checked_name('dataset', r.dataset),
            monitoring._checked_name('record_key', r.record_key),
            monitoring._checked_name('validation_type', r.validation_type),
            monitoring._checked_optional_name('group_name', r.group_name),
            monitoring._capped_text(r.reported_value, 1000),
            monitoring._capped_text(r.message, 4000),
            monitoring._capped_json(r.details),
            coalesce(
                r.target_date, (r.opened_at at time zone coalesce(d.time_zone, 'UTC'))::date
            ),
            r.first_detected_at,
            r.opened_at,
            r.last_detected_at,
            greatest(monitoring._checked_size('times_detected', r.times_detected), 1),
            0::bigint,
            coalesce(monitoring._checked_size('times_reopened', r.times_reopened), 0)::integer,
            r.alerted_at,
            monitoring._checked_optional_name('task_id', r.task_id),
            case
                when r.resolved_at >= r.last_detected_at then r.resolved_at
                -- What people have accepted is found again, and stays accepted.
                when r.resolved_at >= r.opened_at and r.resolution in ('manual', 'superseded')
                    then r.resolved_at
                else monitoring._refuse_spell(r.opened_at, r.resolved_at)
            end,
            case
                when r.resolved_at < 'infinity' then monitoring._checked_resolution(r.resolution)
            end,
            case
                when r.resolved_at < 'infinity'
                    then coalesce(
                            monitoring._checked_optional_name('resolved_by', r.resolved_by),
                            'backfill'
                        )
            end,
            case
                when r.resolved_at < 'infinity'
                    then monitoring._capped_text(r.resolution_reason, 4000)
            end
        )
        from unnest(monitoring._timed_invalid_records(p_rows)) r
        left join monitoring.datasets d on d.dataset = r.dataset
    );
end
$$;

-- Writes the spells of those records that have been resolved, and returns those that were new.
create or replace function monitoring._load_spells(
    p_records monitoring.invalid_record_states[]
)
returns setof monitoring.invalid_record_states
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- Planned for the number of records: a backfill begins while the tables are empty.
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    with ended as (
        select distinct on (g.dataset, g.record_key, g.validation_type, g.opened_at) g.*
        from unnest(p_records) g
        where g.resolved_at < 'infinity'
        order by g.dataset, g.record_key, g.validation_type, g.opened_at, g.last_detected_at desc
    ), written as (
        insert into monitoring.invalid_record_spells (
            dataset, record_key, validation_type, group_name, reported_value, opened_at,
            resolved_at, times_detected, is_alerted, resolution, resolved_by, resolution_reason
        )
        select
            e.dataset, e.record_key, e.validation_type, e.group_name, e.reported_value,
            e.opened_at, e.resolved_at, e.times_detected, e.alerted_at is not null, e.resolution,
            e.resolved_by, e.resolution_reason
        from ended e
        where not exists (
            select from monitoring.invalid_record_spells s
            where s.dataset = e.dataset and s.record_key = e.record_key
                and s.validation_type = e.validation_type and s.opened_at = e.opened_at
        )
        returning dataset, record_key, validation_type, opened_at
    )
    select e.* from ended e
    inner join written w using (dataset, record_key, validation_type, opened_at);
end
$$;

-- Makes the newest row of each record what is known of it, unless more is known already, and
-- returns the rows that did.
create or replace function monitoring._load_invalid_states(
    p_records monitoring.invalid_record_states[]
)
returns setof monitoring.invalid_record_states
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    insert into monitoring.invalid_record_states as s
    select distinct on (r.dataset, r.record_key, r.validation_type)
        r.dataset, r.record_key, r.validation_type, r.group_name, r.reported_value, r.message,
        r.details, r.target_date, r.first_detected_at, r.opened_at, r.last_detected_at,
        -- The earlier spells of the array count too, each once at least.
        greatest(r.times_detected, dense_rank() over spells),
        greatest(r.times_detected_before, dense_rank() over spells - 1),
        greatest(r.times_reopened, (dense_rank() over spells)::integer - 1),
        r.alerted_at, r.task_id, r.resolved_at, r.resolution, r.resolved_by, r.resolution_reason
    from unnest(p_records) r
    window spells as (
        partition by r.dataset, r.record_key, r.validation_type order by r.opened_at
    )
    order by r.dataset, r.record_key, r.validation_type, r.opened_at desc,
        r.last_detected_at desc, r.resolved_at
    on conflict (dataset, record_key, validation_type) do update
        set
            group_name = excluded.group_name,
            reported_value = excluded.reported_value,
            message = excluded.message,
            details = excluded.details,
            target_date = excluded.target_date,
            opened_at = excluded.opened_at,
            last_detected_at = greatest(excluded.last_detected_at, s.last_detected_at),
            times_detected = greatest(
                excluded.times_detected,
                s.times_detected + (excluded.opened_at > s.opened_at)::integer
            ),
            times_detected_before = case
                when excluded.opened_at > s.opened_at then s.times_detected
                else s.times_detected_before
            end,
            times_reopened = greatest(
                excluded.times_reopened,
                s.times_reopened + (excluded.opened_at > s.opened_at)::integer
            ),
            alerted_at = excluded.alerted_at,
            task_id = excluded.task_id,
            resolved_at = excluded.resolved_at,
            resolution = excluded.resolution,
            resolved_by = excluded.resolved_by,
            resolution_reason = excluded.resolution_reason
        -- A later spell, or more about the one that is open: never what happened before.
        where (excluded.opened_at >= s.resolved_at and excluded.opened_at > s.opened_at)
            or (
                excluded.opened_at = s.opened_at
                and s.resolved_at = 'infinity'
                and (
                    excluded.last_detected_at > s.last_detected_at
                    or excluded.resolved_at between s.last_detected_at and '9999-12-31'
                )
            )
    returning s.*;
end
$$;

-- Tells records that are known how long before they were found already, and returns the rows
-- that knew.
create or replace function monitoring._extend_invalid_states(
    p_records monitoring.invalid_record_states[]
)
returns setof monitoring.invalid_record_states
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- Planned for the number of records: a backfill begins while the tables are empty.
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    with earliest as (
        select distinct on (r.dataset, r.record_key, r.validation_type)
            r.*,
            min(r.opened_at) filter (
                where r.resolved_at = 'infinity'
                    -- Resolved since, it was open in an earlier spell.
                    and not exists (
                        select from monitoring.invalid_record_spells p
                        where p.dataset = r.dataset and p.record_key = r.record_key
                            and p.validation_type = r.validation_type
                            and p.resolved_at > r.opened_at
                    )
            ) over record as open_since
        from unnest(p_records) r
        window record as (partition by r.dataset, r.record_key, r.validation_type)
        order by r.dataset, r.record_key, r.validation_type, r.first_detected_at
    ), extended as (
        update monitoring.invalid_record_states s
        set
            first_detected_at = least(s.first_detected_at, e.first_detected_at),
            opened_at = case
                when s.resolved_at = 'infinity' then least(s.opened_at, e.open_since)
                else s.opened_at
            end
        from earliest e
        where e.dataset = s.dataset and e.record_key = s.record_key
            and e.validation_type = s.validation_type
            and (
                e.first_detected_at < s.first_detected_at
                or (e.open_since < s.opened_at and s.resolved_at = 'infinity')
            )
        returning e.dataset, e.record_key, e.validation_type, e.opened_at
    )
    select e.* from unnest(p_records) e
    inner join extended x using (dataset, record_key, validation_type, opened_at);
end
$$;

-- Writes an array of invalid records, one a spell, and returns how many of them were news.
create or replace function monitoring._insert_invalid_record_states(p_rows jsonb) returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_records monitoring.invalid_record_states [];
    v_spells monitoring.invalid_record_states [];
    v_states monitoring.invalid_record_states [];
    v_extended monitoring.invalid_record_states [];
begin
    v_records := monitoring._past_invalid_records(p_rows);
    v_spells := array(select w from monitoring._load_spells(v_records) w);
    -- One after the other: both write the same rows.
    v_states := array(select w from monitoring._load_invalid_states(v_records) w);
    v_extended := array(select w from monitoring._extend_invalid_states(v_records) w);
    return (
        select count(distinct (w.dataset, w.record_key, w.validation_type, w.opened_at))
        from unnest(v_spells || v_states || v_extended) w
    );
end
$$;

create or replace function monitoring.load_invalid_records(p_records jsonb) returns bigint
language sql
volatile
return monitoring._record_rows(
    'invalid_record_states', 'invalid_records', 'first_detected_at', p_records
);

comment on function monitoring.load_invalid_records(jsonb) is
'Loads an array of records that were or are invalid, keys as the columns of invalid_records '
'(dataset, record_key and validation_type needed), all or nothing. Returns how many were new; what '
'is known already, or later, is left as it is.';
