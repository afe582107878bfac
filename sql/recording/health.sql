-- Recording health checks. Writes health_probes; the newest probe of a component is its state.

call monitoring._ship_partitioned_table('health_probes', 'component_name', 'checked_at');
call monitoring._ship_retention('health_probes', '30 days');

-- Does the work of update_system_health.
create or replace function monitoring._record_probe(
    p_component_name text,
    p_component_type text,
    p_status text,
    p_response_time_ms double precision,
    p_failure_reason text,
    p_details jsonb,
    p_checked_at timestamptz
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_checked_at timestamptz := coalesce(p_checked_at, monitoring.clock());
    v_given text[];
    v_probe_id bigint;
begin
    if (
        least(p_component_name collate "C", coalesce(p_component_type, '')) >= '!'
        and octet_length(concat(p_component_name, p_component_type)) <= 255
        and monitoring._is_printable(concat(p_component_name, p_component_type))
        and p_status in ('healthy', 'degraded', 'unhealthy', 'unknown')
        and (p_response_time_ms is null or p_response_time_ms between 0 and '1e100')
        and (p_failure_reason is null or length(p_failure_reason) <= 8000)
        and monitoring._has_partition('health_probes', v_checked_at)
        and monitoring._is_small_json(p_details)
        and (p_checked_at is null or monitoring._is_recent_past(p_checked_at))
    ) is not true then
        v_given := monitoring._health_in_order(p_component_type, p_component_name, p_status);
        p_component_type := v_given[1];
        p_component_name := v_given[2];
        p_status := v_given[3];
        p_component_name := monitoring._mended_name('component_name', p_component_name);
        p_component_type := monitoring._mended_name('component_type', p_component_type);
        p_status := monitoring._mended_health(p_status);
        p_response_time_ms := monitoring._mended_length('response_time_ms', p_response_time_ms);
        p_failure_reason := monitoring._capped_text(p_failure_reason, 8000);
        p_details := monitoring._capped_json(p_details);
        v_checked_at := monitoring._event_time(p_checked_at);
        -- The state of a component is its newest check: what a fast clock dates ahead counts as of
        -- its arrival, or it would hide all that comes after it.
        if v_checked_at > monitoring.clock() + interval '1 minute' then
            v_checked_at := monitoring.clock();
        end if;
        if monitoring._is_late('health_probes', v_checked_at) then
            insert into monitoring.late_health_probes (
                component_name, component_type, checked_at, status, response_time_ms, failure_reason,
                details
            )
            values (
                p_component_name, p_component_type, v_checked_at, p_status, p_response_time_ms,
                p_failure_reason, p_details
            )
            returning probe_id into v_probe_id;
            return v_probe_id;
        end if;
    end if;
    insert into monitoring.health_probes (
        component_name, component_type, checked_at, status, response_time_ms, failure_reason,
        details
    )
    values (
        p_component_name, p_component_type, v_checked_at, p_status, p_response_time_ms,
        p_failure_reason, p_details
    )
    returning probe_id into v_probe_id;
    return v_probe_id;
end
$$;

create or replace function monitoring.update_system_health(
    p_component_type text,
    p_component_name text,
    p_status text,
    p_response_time_ms double precision default null,
    p_failure_reason text default null,
    p_details jsonb default null,
    p_checked_at timestamptz default null
)
returns bigint
language sql
volatile
return monitoring._record_probe(
    coalesce(p_component_name, ''), p_component_type, p_status, p_response_time_ms,
    p_failure_reason, p_details, p_checked_at
);

comment on function monitoring.update_system_health(
    text, text, text, double precision, text, jsonb, timestamptz
) is
'Records one check of a component as healthy, degraded, unhealthy or unknown, with the '
'milliseconds it took to answer, and returns its probe_id. One that is '
'dated more than a minute ahead counts as of now.';
