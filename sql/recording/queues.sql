-- Recording depths of queues. Writes queue_samples.

call monitoring._ship_partitioned_table('queue_samples', 'queue_name', 'recorded_at');
call monitoring._ship_retention('queue_samples', '7 days');

-- Does the work of record_queue_metrics.
create or replace function monitoring._record_queue(
    p_queue_name text,
    p_pending bigint,
    p_processing bigint,
    p_completed bigint,
    p_failed bigint,
    p_oldest_ready_seconds double precision,
    p_recorded_at timestamptz
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_recorded_at timestamptz := coalesce(p_recorded_at, monitoring.clock());
    v_sample_id bigint;
begin
    if (
        p_queue_name collate "C" >= '!'
        and length(p_queue_name) <= 255
        and monitoring._is_printable(p_queue_name)
        and num_nulls(p_pending, p_processing, p_completed, p_failed) = 0
        and least(p_pending, p_processing, p_completed, p_failed) >= 0
        and (p_oldest_ready_seconds is null or p_oldest_ready_seconds between 0 and '1e100')
        and monitoring._has_partition('queue_samples', v_recorded_at)
        and (p_recorded_at is null or monitoring._is_recent(p_recorded_at))
    ) is not true then
        p_queue_name := monitoring._mended_name('queue_name', p_queue_name);
        p_pending := monitoring._mended_size('pending', coalesce(p_pending, 0));
        if p_pending is null then
            -- What was not measured is not nothing.
            return null;
        end if;
        p_processing := coalesce(monitoring._mended_size('processing', p_processing), 0);
        p_completed := coalesce(monitoring._mended_size('completed', p_completed), 0);
        p_failed := coalesce(monitoring._mended_size('failed', p_failed), 0);
        p_oldest_ready_seconds
        := monitoring._mended_length('oldest_ready_seconds', p_oldest_ready_seconds);
        v_recorded_at := monitoring._event_time(p_recorded_at);
        if monitoring._is_late('queue_samples', v_recorded_at) then
            insert into monitoring.late_queue_samples (
                queue_name, recorded_at, pending, processing, completed, failed, oldest_ready_seconds
            )
            values (
                p_queue_name, v_recorded_at, p_pending, p_processing, p_completed, p_failed,
                p_oldest_ready_seconds
            )
            returning sample_id into v_sample_id;
            return v_sample_id;
        end if;
    end if;
    insert into monitoring.queue_samples (
        queue_name, recorded_at, pending, processing, completed, failed, oldest_ready_seconds
    )
    values (
        p_queue_name, v_recorded_at, p_pending, p_processing, p_completed, p_failed,
        p_oldest_ready_seconds
    )
    returning sample_id into v_sample_id;
    return v_sample_id;
end
$$;

create or replace function monitoring.record_queue_metrics(
    p_queue_name text,
    p_pending double precision,
    p_processing double precision default 0,
    p_completed double precision default 0,
    p_failed double precision default 0,
    p_oldest_ready_seconds double precision default null,
    p_recorded_at timestamptz default null
)
returns bigint
language sql
volatile
return monitoring._record_queue(
    coalesce(p_queue_name, ''), monitoring._whole(p_pending), monitoring._whole(p_processing),
    monitoring._whole(p_completed), monitoring._whole(p_failed), p_oldest_ready_seconds,
    p_recorded_at
);

comment on function monitoring.record_queue_metrics(
    text, double precision, double precision, double precision, double precision, double precision,
    timestamptz
) is
'Records the depth of a queue: items waiting and being worked on, running totals of done and '
'failed, and the age in seconds of the oldest item that is ready. Returns its sample_id.';
