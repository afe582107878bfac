-- What should not wait for the next minute: a run that has just become late, a critical error after
-- a quiet while, a component that has just become unhealthy, an alert that others raise.
-- `pgvigil run` asks every few seconds, so each question goes by an index and reads what came since
-- the last evaluation began.

-- Whether the grace of an expected run has ended since a time.
create or replace function monitoring._has_run_become_late(
    p_since timestamptz, p_now timestamptz
)
returns boolean
language sql
stable
return exists (
    select from monitoring.expected_run_states as s
    where s.verdict_at > p_since and s.verdict_at <= p_now
);

-- Whether there was a critical error since a time, and none in the minute before it: those that go
-- on have an alert already, which an evaluation a minute keeps up.
create or replace function monitoring._has_critical_error_come(
    p_since timestamptz, p_now timestamptz
)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Planned for the times, so that no other day is looked at.
set plan_cache_mode = force_custom_plan
as $$
begin
    return exists (
        select from monitoring._all_errors e
        where e.severity = 'critical' and e.occurred_at > p_since and e.occurred_at <= p_now
    ) and not exists (
        select from monitoring._all_errors e
        where e.severity = 'critical'
            and e.occurred_at > p_since - interval '1 minute'
            and e.occurred_at <= p_since
    );
end
$$;

-- Whether a check since a time found a component unhealthy that was not so before.
create or replace function monitoring._has_component_fallen_ill(
    p_since timestamptz, p_now timestamptz
)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return exists (
        select
        from monitoring.component_states c
        inner join monitoring._all_health_probes p
            on p.component_name = c.component_name and p.component_type = c.component_type
        where c.status <> 'unhealthy'
            and p.status = 'unhealthy'
            and p.checked_at > p_since
            and p.checked_at <= p_now
    );
end
$$;

-- Whether others have raised an alert of severity high or critical since a time.
create or replace function monitoring._has_alert_been_raised(
    p_since timestamptz, p_now timestamptz
)
returns boolean
language sql
stable
return exists (
    select from monitoring.reported_alerts as r
    where r.raised_at > p_since and r.raised_at <= p_now and r.severity in ('high', 'critical')
);

create or replace function monitoring.request_urgent_evaluation() returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now constant timestamptz := monitoring.clock();
    v_since timestamptz;
begin
    select greatest(j.last_started_at, v_now - interval '5 minutes') into v_since
    from monitoring.jobs j
    where j.job_name = 'evaluate_alerts' and j.is_enabled and j.requested_at is null;
    if v_since is null then
        return false;
    end if;
    if monitoring._has_run_become_late(v_since, v_now)
        or monitoring._has_critical_error_come(v_since, v_now)
        or monitoring._has_component_fallen_ill(v_since, v_now)
        or monitoring._has_alert_been_raised(v_since, v_now)
    then
        perform monitoring.request_job('evaluate_alerts');
        return true;
    end if;
    return false;
end
$$;

comment on function monitoring.request_urgent_evaluation() is
'Has alerts evaluated at once when a run has become late, a critical error has come after a quiet '
'minute, a component has become unhealthy or others have raised an alert since the last evaluation '
'began. Returns whether that was so; pgvigil run calls it every three seconds.';
