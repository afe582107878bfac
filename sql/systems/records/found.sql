-- What callers say about records that fail a validation, checked and as rows. Reads datasets.

-- Keys or objects of invalid records as rows, each field checked.
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
                then monitoring._checked_time((r.value ->> 'detected_at')::timestamptz)
        end,
        coalesce((r.value ->> 'alerted')::boolean, false)
    from jsonb_array_elements(p_records) with ordinality r;
end
$$;

-- Time zone in which the days of a dataset begin and end; UTC where nobody said.
create or replace function monitoring._time_zone_of(p_dataset text) returns text
language sql
stable
return coalesce(
    (select d.time_zone from monitoring.datasets as d where d.dataset = p_dataset), 'UTC'
);

-- An invalid record as a row. Its body is kept parsed, so that it makes such rows while
-- the table has a column more as well, where PL/pgSQL would miss one.
create or replace function monitoring._invalid_record(
    p_dataset text,
    p_record_key text,
    p_validation_type text,
    p_group_name text,
    p_reported_value text,
    p_message text,
    p_details jsonb,
    p_target_date date,
    p_first_detected_at timestamptz,
    p_opened_at timestamptz,
    p_last_detected_at timestamptz,
    p_times_detected bigint,
    p_times_detected_before bigint,
    p_times_reopened integer,
    p_alerted_at timestamptz,
    p_task_id text,
    p_resolved_at timestamptz,
    p_resolution text,
    p_resolved_by text,
    p_resolution_reason text
)
returns monitoring.invalid_record_states
language sql
stable
return row(
    p_dataset, p_record_key, p_validation_type, p_group_name, p_reported_value, p_message,
    p_details, p_target_date, p_first_detected_at, p_opened_at, p_last_detected_at,
    p_times_detected, p_times_detected_before, p_times_reopened, p_alerted_at, p_task_id,
    p_resolved_at, p_resolution, p_resolved_by, p_resolution_reason
)::monitoring.invalid_record_states;

-- What callers say about invalid records, one row for each key in their order, as it is stored
-- when nothing is known of them; of a key that comes twice the newest counts.
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
returns monitoring.invalid_record_states[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_time_zone text := monitoring._time_zone_of(p_dataset);
begin
    return array(
        select distinct on (r.record_key) monitoring._invalid_record(
            p_dataset, r.record_key, p_validation_type, coalesce(r.group_name, p_group),
            r.reported_value, r.message, r.details,
            coalesce(
                monitoring._checked_date('target_date', coalesce(r.target_date, p_target_date)),
                (t.detected_at at time zone v_time_zone)::date
            ),
            t.detected_at, t.detected_at, t.detected_at, 1::bigint, 0::bigint, 0,
            case
                when bool_or(r.is_alerted or r.row_number <= p_alerted_count)
                    over (
                        -- The order of the whole, so that it is sorted but once.
                        partition by r.record_key
                        order by t.detected_at desc, r.row_number desc
                        rows between unbounded preceding and unbounded following
                    )
                    then t.detected_at
            end,
            p_task_id, 'infinity'::timestamptz, null::text, null::text, null::text
        )
        from monitoring._read_invalid_records(p_records) r
        cross join lateral (select coalesce(r.detected_at, p_now) as detected_at) t
        order by r.record_key, t.detected_at desc, r.row_number desc
    );
exception
    when data_exception or sqlstate 'PV001' or sqlstate 'PV002' or sqlstate 'PV005'
        or sqlstate 'PV006' then
        perform monitoring._name_bad_record(
            'select * from monitoring._read_invalid_records($1)', p_records
        );
        raise;
end
$$;

-- What callers say about invalid records, checked, as rows; records that have no group get the
-- given one.
create or replace function monitoring._found_invalid_records(
    p_dataset text,
    p_records jsonb,
    p_validation_type text,
    p_alerted_count bigint,
    p_target_date date,
    p_group text,
    p_task_id text,
    p_detected_at timestamptz
)
returns monitoring.invalid_record_states[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_query text := 'select * from monitoring._read_invalid_records($1)';
    v_records jsonb := monitoring._given_records(p_records, array[
        'record_key', 'value', 'group', 'message', 'details', 'target_date', 'detected_at', 'alerted'
    ]);
begin
    p_dataset := monitoring._mended_key('dataset', p_dataset);
    p_validation_type := monitoring._mended_key('validation_type', p_validation_type);
    p_alerted_count := coalesce(monitoring._mended_size('alerted_count', p_alerted_count), 0);
    p_task_id := monitoring._mended_optional_name('task_id', p_task_id);
    for v_reading in 1 .. 2 loop
        begin
            return monitoring._given_invalid_records(
                p_dataset, v_records, p_validation_type, p_alerted_count, p_target_date,
                p_group, p_task_id, p_detected_at
            );
        exception
            when data_exception or sqlstate 'PV001' or sqlstate 'PV002' or sqlstate 'PV005'
                or sqlstate 'PV006' then
                    if v_reading = 2 or monitoring._is_strict() then
                        raise;
                    end if;
                    v_records := monitoring._readable_records(
                        v_query, v_records, array['record_key']
                    );
        end;
    end loop;
    return null;
end
$$;
