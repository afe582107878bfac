-- When a job is due. An interval keeps its phase: runs are whole intervals apart from each other,
-- however late one of them began. A cron expression goes by the clock of the job's time zone.
-- What passed while nobody ran jobs is counted, and not caught up.

-- When a job that begins now is due next, and how often it was due since it should have begun.
create or replace function monitoring._plan_next_run(
    p_job monitoring.jobs,
    p_now timestamptz,
    out p_next_run_at timestamptz,
    out p_missed_runs bigint
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_every interval;
    v_latest timestamptz;
begin
    p_next_run_at := p_job.next_run_at;
    p_missed_runs := 0;
    if p_job.next_run_at > p_now or not p_job.is_enabled then
        return;
    end if;
    if monitoring._is_cron(p_job.schedule) then
        p_next_run_at := monitoring.next_cron_time(p_job.schedule, p_now, p_job.time_zone);
        if p_job.next_run_at is not null then
            p_missed_runs := monitoring._count_cron_times(
                p_job.schedule, p_job.next_run_at, p_now, p_job.time_zone
            )::bigint;
        end if;
    else
        v_every := make_interval(secs => monitoring._seconds_between_runs(p_job.schedule));
        v_latest := date_bin(v_every, p_now, coalesce(p_job.next_run_at, p_now));
        p_next_run_at := v_latest + v_every;
        if p_job.next_run_at is not null then
            p_missed_runs := round(
                date_part('epoch', v_latest - p_job.next_run_at) / date_part('epoch', v_every)
            )::bigint;
        end if;
    end if;
end
$$;
