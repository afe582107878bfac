-- Recording records that fail a validation. Writes invalid_record_states.
-- Lock order: rows of invalid_record_states by record_key, then by validation_type; whoever
-- resolves keeps to it, so that sessions that are about the same records wait but never deadlock.

create or replace function monitoring._read_invalid_records(p_records jsonb)
returns table (
    row_number bigint,
    record_key text,
    group_name text,
    reported_value text,
    message text,
    details jsonb,
    target_date date,
    detected_at timestamptz,
    is_alerted boolean
)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        r.ordinality,
        monitoring._key_of_row(r.value),
        monitoring._checked_optional_name('group', r.value ->> 'group'),
        monitoring._capped_text(r.value ->> 'value', 1000),
        monitoring._capped_text(r.value ->> 'message', 4000),
        monitoring._capped_json(r.value -> 'details'),
        (r.value ->> 'target_date')::date,
        case
            when r.value ->> 'detected_at' is not null
                then monitoring._event_time((r.value ->> 'detected_at')::timestamptz)
        end,
        coalesce((r.value ->> 'alerted')::boolean, false)
    from jsonb_array_elements(p_records) with ordinality r;
end
$$;

comment on function monitoring._read_invalid_records(jsonb) is
'Keys or objects of invalid records as rows, each field checked.';

create or replace function monitoring._time_zone_of(p_dataset text) returns text
language sql
stable
return coalesce(
    (select d.time_zone from monitoring.datasets as d where d.dataset = p_dataset), 'UTC'
);

comment on function monitoring._time_zone_of(text) is
'Time zone in which the days of a dataset begin and end; UTC where nobody said.';

create or replace function monitoring._given_invalid_records(
    p_dataset text,
    p_records jsonb,
    p_validation_type text,
    p_alerted_count bigint,
    p_target_date date,
    p_group text,
    p_task_id text,
    p_now timestamptz
)
returns setof monitoring.invalid_record_states
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_time_zone text := monitoring._time_zone_of(p_dataset);
begin
    return query
    select distinct on (r.record_key)
        p_dataset, r.record_key, p_validation_type, coalesce(r.group_name, p_group),
        r.reported_value, r.message, r.details,
        coalesce(r.target_date, p_target_date, (t.detected_at at time zone v_time_zone)::date),
        t.detected_at, t.detected_at, t.detected_at, 1::bigint, 0::bigint, 0,
        case
            when bool_or(r.is_alerted or r.row_number <= p_alerted_count)
                over (partition by r.record_key)
                then t.detected_at
        end,
        p_task_id, 'infinity'::timestamptz, null::text, null::text, null::text
    from monitoring._read_invalid_records(p_records) r
    cross join lateral (select coalesce(r.detected_at, p_now) as detected_at) t
    order by r.record_key, t.detected_at desc, r.row_number desc;
exception
    when data_exception or sqlstate 'PV001' or sqlstate 'PV002' or sqlstate 'PV005'
        or sqlstate 'PV006' then
        perform monitoring._name_bad_record('_read_invalid_records', p_records);
        raise;
end
$$;

comment on function monitoring._given_invalid_records(
    text, jsonb, text, bigint, date, text, text, timestamptz
) is
'What callers say about invalid records, one row for each key in their order, as it is stored '
'when nothing is known of them; of a key that comes twice the newest counts.';

create or replace function monitoring._upsert_invalid_records(
    p_given monitoring.invalid_record_states[]
)
returns table (record_key text, is_new boolean, opened_at timestamptz)
language sql
volatile
begin atomic
    -- Detections come late, and are told again: those within what is known count no more. For the
    -- rest the newest has the word, and only one after the resolution opens a record again.
    insert into monitoring.invalid_record_states as s
    select g.* from unnest(p_given) as g -- noqa: AM04
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
                when excluded.last_detected_at > s.resolved_at then excluded.opened_at
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
                when excluded.last_detected_at > s.resolved_at then s.times_detected
                else s.times_detected_before
            end,
            times_reopened = s.times_reopened + case
                when excluded.last_detected_at > s.resolved_at then 1
                else 0
            end,
            alerted_at = case
                when excluded.last_detected_at > s.resolved_at then excluded.alerted_at
                when s.resolved_at = 'infinity' then coalesce(s.alerted_at, excluded.alerted_at)
                else s.alerted_at
            end,
            resolved_at = case
                when excluded.last_detected_at > s.resolved_at then excluded.resolved_at
                else s.resolved_at
            end,
            resolution = case
                when excluded.last_detected_at <= s.resolved_at then s.resolution
            end,
            resolved_by = case
                when excluded.last_detected_at <= s.resolved_at then s.resolved_by
            end,
            resolution_reason = case
                when excluded.last_detected_at <= s.resolved_at then s.resolution_reason
            end
    returning s.record_key, s.xmax = 0 as is_new, s.opened_at;
end;

comment on function monitoring._upsert_invalid_records(monitoring.invalid_record_states[]) is
'Writes what was found invalid, in the order of the rows, and tells for each key whether it is new '
'and since when it is open.';

create or replace function monitoring._log_invalid_records(
    p_dataset text,
    p_records jsonb,
    p_validation_type text,
    p_alerted_count bigint,
    p_target_date date,
    p_group text,
    p_task_id text,
    p_detected_at timestamptz,
    p_is_dry_run boolean
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_given monitoring.invalid_record_states [];
    v_result jsonb;
begin
    perform monitoring._check_records(p_records, array[
        'record_key', 'value', 'group', 'message', 'details', 'target_date', 'detected_at', 'alerted'
    ]);
    v_given := array(
        select g from monitoring._given_invalid_records(
            monitoring._checked_name('dataset', p_dataset), p_records,
            monitoring._checked_name('validation_type', p_validation_type),
            coalesce(monitoring._checked_size('alerted_count', p_alerted_count), 0),
            p_target_date, p_group, monitoring._checked_optional_name('task_id', p_task_id),
            monitoring._event_time(p_detected_at)
        ) g
    );
    with changed as (
        select
            g.record_key,
            g.alerted_at is not null as is_alerted,
            case
                when w.is_new or (w.record_key is null and k.record_key is null) then 'opened'
                when k.resolved_at < 'infinity' and g.last_detected_at <= k.resolved_at then 'late'
                when k.resolved_at < 'infinity' and coalesce(w.opened_at, g.opened_at) = g.opened_at
                    then 'reopened'
                else 'touched'
            end as change
        from unnest(v_given) g
        left join monitoring.invalid_record_states k
            on k.dataset = p_dataset and k.record_key = g.record_key
            and k.validation_type = p_validation_type
        left join monitoring._upsert_invalid_records(
            case when p_is_dry_run then '{}' else v_given end
        ) w on w.record_key = g.record_key
    )

    select jsonb_strip_nulls(jsonb_build_object(
        'records', count(*),
        'opened', count(*) filter (where c.change = 'opened'),
        'reopened', count(*) filter (where c.change = 'reopened'),
        'touched', count(*) filter (where c.change = 'touched'),
        'late', count(*) filter (where c.change = 'late'),
        'alerted', count(*) filter (where c.is_alerted),
        'sample', case when p_is_dry_run then coalesce(to_jsonb((array_agg(
            jsonb_build_object(
                'record_key', c.record_key, 'validation_type', p_validation_type, 'change', c.change
            )
            order by c.record_key
        ) filter (where c.change in ('opened', 'reopened')))[:20]), '[]') end
    ))
    into v_result
    from changed c;
    return v_result;
end
$$;

comment on function monitoring._log_invalid_records(
    text, jsonb, text, bigint, date, text, text, timestamptz, boolean
) is
'Does the work of log_invalid_records; records that have no group get the given one.';

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
as $$
begin
    return monitoring._log_invalid_records(
        p_dataset, p_records, p_validation_type, p_alerted_count, p_target_date, null, p_task_id,
        p_detected_at, coalesce(p_is_dry_run, false)
    );
end
$$;

comment on function monitoring.log_invalid_records(
    text, jsonb, text, bigint, date, text, timestamptz, boolean
) is
'Records that records of a dataset, an array of keys or of objects, failed a validation, and that '
'people were told of the first so many. Opens, touches or re-opens each and returns how many.';
