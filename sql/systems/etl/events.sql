-- Log lines and metrics of ETL, singly. Writes log_lines, metric_samples and errors. What belongs
-- to ETL has the key execution_id in its details or tags, also where that is null: views go by it.

-- Details with the names of execution, chunk and fixture in them; what is no object goes under
-- the key details.
create or replace function monitoring._etl_document(
    p_document jsonb, p_execution_id text, p_chunk_id text, p_fixture_id text
)
returns jsonb
language sql
stable
return case
    when p_document is null or p_document = 'null' then '{}'::jsonb
    when p_document @> '{}' then monitoring._fitted_json(p_document, 60000)
    else jsonb_build_object('details', monitoring._fitted_json(p_document, 60000))
end
|| jsonb_build_object('execution_id', p_execution_id)
|| jsonb_strip_nulls(jsonb_build_object('chunk_id', p_chunk_id, 'fixture_id', p_fixture_id));

-- Does the work of log_etl_event.
create or replace function monitoring._log_etl_event(
    p_component text,
    p_level text,
    p_message text,
    p_details jsonb,
    p_execution_id text,
    p_chunk_id text,
    p_fixture_id text,
    p_duration_ms double precision,
    p_logged_at timestamptz
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_given constant text[] := monitoring._in_order(
        'level', array['debug', 'info', 'warning', 'error', 'critical'],
        array['level', 'component', 'message'], 1, array[p_level, p_component, p_message]
    );
    v_level text := monitoring._mended_level(v_given[1]);
    v_execution_id text := monitoring._mended_optional_name('execution_id', p_execution_id);
    v_details jsonb := monitoring._etl_document(
        p_details,
        v_execution_id,
        monitoring._mended_optional_name('chunk_id', p_chunk_id),
        monitoring._mended_optional_name('fixture_id', p_fixture_id)
    );
    v_log_id bigint := monitoring._record_log(
        v_given[2], v_level, v_given[3], v_details, v_execution_id, p_duration_ms, p_logged_at
    );
begin
    if v_level in ('ERROR', 'CRITICAL') then
        perform monitoring._record_error(
            coalesce(v_execution_id, ''),
            'etl.log_' || lower(v_level collate "C"),
            case v_level when 'ERROR' then 'high' else 'critical' end,
            v_given[3], v_given[2], v_details, null, null, p_logged_at
        );
    end if;
    return v_log_id;
end
$$;

create or replace function monitoring.log_etl_event(
    p_level text,
    p_component text,
    p_message text,
    p_details jsonb default null,
    p_execution_id text default null,
    p_chunk_id text default null,
    p_fixture_id text default null,
    p_duration_ms double precision default null,
    p_logged_at timestamptz default null
)
returns bigint
language sql
volatile
return monitoring._log_etl_event(
    coalesce(p_component, ''), p_level, p_message, p_details, p_execution_id, p_chunk_id,
    p_fixture_id, p_duration_ms, p_logged_at
);

comment on function monitoring.log_etl_event(
    text, text, text, jsonb, text, text, text, double precision, timestamptz
) is
'Records one log line of ETL as record_log does and returns its log_id. A line of level ERROR or '
'CRITICAL is recorded as an error too, of severity high or critical.';

-- Does the work of record_etl_metric.
create or replace function monitoring._record_etl_metric(
    p_metric_name text,
    p_execution_id text,
    p_value double precision,
    p_unit text,
    p_tags jsonb,
    p_metric_type text,
    p_component text,
    p_recorded_at timestamptz
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_execution_id text := monitoring._mended_optional_name('execution_id', p_execution_id);
begin
    return monitoring._record_metric(
        p_metric_name, p_metric_type, p_value, p_unit, p_component,
        monitoring._etl_document(
            monitoring._mended_object('tags', p_tags), v_execution_id, null, null
        ),
        v_execution_id, p_recorded_at
    );
end
$$;

create or replace function monitoring.record_etl_metric(
    p_execution_id text,
    p_metric_name text,
    p_value double precision,
    p_unit text default null,
    p_tags jsonb default null,
    p_metric_type text default 'gauge',
    p_component text default 'etl',
    p_recorded_at timestamptz default null
)
returns bigint
language sql
volatile
return monitoring._record_etl_metric(
    coalesce(p_metric_name, ''), p_execution_id, p_value, p_unit, p_tags, p_metric_type,
    p_component, p_recorded_at
);

comment on function monitoring.record_etl_metric(
    text, text, double precision, text, jsonb, text, text, timestamptz
) is
'Records one measured value of an ETL execution (null: of none) as record_performance_metric does '
'and returns its number.';
