-- Whether pgvigil itself keeps up. Each check is a function of its own; self_check() puts their
-- rows one under the other, so a new check is one function and one line there. Reads jobs,
-- rollup_progress, retention_policies, alert_rule_states, queued_notifications, clock_readings, the
-- sources and the catalogue.

-- Whether something that is noted as past lies in the future: then the clock was ahead when it
-- was noted, and nobody can say how late it is.
create or replace function monitoring._is_to_come(p_at timestamptz) returns boolean
language sql
volatile
return p_at > monitoring.clock() + '1 minute'::interval;

-- A row when what is noted as past lies in the future (failed), and one while nothing is removed
-- because the clock went on by far more than usual (late).
create or replace function monitoring._check_clock()
returns table (check_name text, status text, lateness interval, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := monitoring.clock();
    v_names text;
    v_latest timestamptz;
    v_waits record;
begin
    select string_agg(distinct n.name, ', '), max(n.noted_at)
    into v_names, v_latest
    from (
        select 'runs of jobs' as name, greatest(j.last_started_at, j.last_finished_at) as noted_at
        from monitoring.jobs j
        union all
        select 'plans of jobs', case
            when j.next_run_at > monitoring._planned_run_at(j, v_now) + interval '1 day'
                then j.next_run_at
        end
        from monitoring.jobs j where j.is_enabled and j.running_pid is null
        union all
        select 'scheduler', r.seen_at from monitoring.clock_readings r
        union all
        select 'sources', greatest(s.synced_at, s.succeeded_at) from monitoring.sources s
        union all
        select 'sources', l.heartbeat_at from monitoring.source_loads l
        where l.ended_at = 'infinity'
        union all
        select 'roll-ups', r.rolled_up_at from monitoring.rollup_progress r
        union all
        select 'rules', s.evaluated_at from monitoring.alert_rule_states s
    ) n
    where monitoring._is_to_come(n.noted_at);
    if v_names is not null then
        return query select 'clock', 'failed', v_latest - v_now, format(
            'noted as past or planned, and yet to come (up to %s): %s; the clock was ahead or is '
            'behind now: when it is right, run the jobs, and this is put right',
            to_char(v_latest, 'YYYY-MM-DD HH24:MI:SSOF'), v_names
        );
    end if;
    -- As long as nobody comes by to note it, that is what is late, not the clock.
    select w.p_until, w.p_step into v_waits from monitoring._clean_up_waits_until(v_now) w;
    if v_waits.p_until is not null and not exists (
        select from monitoring.clock_readings r
        where monitoring._is_jump(r.seen_at, v_now, r.last_step_ms)
    ) then
        return query select 'clock', 'late', v_waits.p_step, format(
            'jumped ahead by %s: nothing is removed before %s; if it is right: select '
            'monitoring.confirm_clock();',
            monitoring._spell_seconds(date_part('epoch', v_waits.p_step)),
            to_char(v_waits.p_until, 'YYYY-MM-DD HH24:MI:SSOF')
        );
    end if;
end
$$;

-- One row: late when jobs are due and nothing has been begun for more than three minutes.
create or replace function monitoring._check_scheduler()
returns table (check_name text, status text, lateness interval, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        'scheduler',
        -- A scheduler that comes by once a minute may be held up by a run or two.
        case
            when s.late > interval '3 minutes' or monitoring._is_to_come(s.last_started_at) then 'late'
            else 'ok'
        end,
        s.late,
        concat_ws(
            ', ',
            coalesce(
                'last run began at ' || to_char(s.last_started_at, 'YYYY-MM-DD HH24:MI:SSOF'),
                'nothing has run yet'
            ),
            format('jobs due: %s', s.due),
            'running: ' || s.running
        )
    from (
        select
            -- While other jobs are begun, one that is late is a matter of its own.
            coalesce(
                monitoring.clock() - greatest(
                    min(j.next_run_at) filter (where j.seconds_late > 0),
                    case
                        when bool_or(j.seconds_late > 0)
                            then max(j.last_started_at) filter (
                                where not monitoring._is_to_come(j.last_started_at)
                            )
                    end
                ),
                interval '0'
            ) as late,
            max(j.last_started_at) as last_started_at,
            count(*) filter (where j.seconds_late > 0) as due,
            string_agg(j.job_name, ', ' order by j.job_name) filter (where j.is_running) as running
        from monitoring.v_jobs j
    ) s;
end
$$;

-- A row for each enabled job that did not complete last time (failed), or that is more than
-- three minutes late to begin or to end (late).
create or replace function monitoring._check_jobs()
returns table (check_name text, status text, lateness interval, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        'job ' || j.job_name,
        case when j.consecutive_failures > 0 then 'failed' else 'late' end,
        make_interval(secs => greatest(j.seconds_late, j.running_seconds - j.timeout_seconds, 0)),
        concat_ws(
            ', ',
            case
                when j.consecutive_failures > 0
                    then format('%s in a row did not complete, the last: %s: %s',
                        j.consecutive_failures, j.last_status, split_part(j.last_error, E'\n', 1))
            end,
            case
                when j.seconds_late > 180
                    then 'due since ' || to_char(j.next_run_at, 'YYYY-MM-DD HH24:MI:SSOF')
            end,
            case
                when j.running_seconds > j.timeout_seconds + 180
                    then format('still running %s after its start',
                        monitoring._spell_seconds(j.running_seconds))
            end
        )
    from monitoring.v_jobs j
    where j.is_enabled
        and (
            j.consecutive_failures > 0
            or j.seconds_late > 180
            or j.running_seconds > j.timeout_seconds + 180
        )
    order by j.job_name;
end
$$;

-- One row: late when the last evaluation of alert rules was more than three minutes ago,
-- although job evaluate_alerts is there and enabled.
create or replace function monitoring._check_alerts()
returns table (check_name text, status text, lateness interval, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        'alerts',
        case
            when e.late > interval '3 minutes' or (e.is_wanted and monitoring._is_to_come(e.evaluated_at))
                then 'late'
            else 'ok'
        end,
        e.late,
        case
            when not e.is_wanted then 'rules are not to be evaluated'
            else coalesce(
                'rules evaluated at ' || to_char(e.evaluated_at, 'YYYY-MM-DD HH24:MI:SSOF'),
                'no rule has been evaluated yet'
            )
        end
    from (
        select
            w.is_wanted,
            w.evaluated_at,
            case
                when w.is_wanted then greatest(
                    -- Before the first time they have as long from the installation on.
                    monitoring.clock() - coalesce(w.evaluated_at, (
                        select m.installed_at from monitoring.installed_migrations m
                        where m.migration_id = '0006_alerts'
                    )),
                    interval '0'
                )
                else interval '0'
            end as late
        from (
            select
                exists (select from monitoring.alert_rules r where r.is_enabled)
                and exists (
                    select from monitoring.jobs j
                    where j.job_name = 'evaluate_alerts' and j.is_enabled
                ) as is_wanted,
                (select max(s.evaluated_at) from monitoring.alert_rule_states s) as evaluated_at
        ) w
    ) e;
end
$$;

-- One row: late when a message should have been sent more than ten minutes ago, failed when one
-- was given up within the last 24 hours.
create or replace function monitoring._check_notifications()
returns table (check_name text, status text, lateness interval, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        'notifications',
        case
            when n.dead > 0 then 'failed'
            when n.late > interval '10 minutes' then 'late'
            else 'ok'
        end,
        n.late,
        case
            when n.dead + n.overdue = 0 then 'none is overdue'
            else concat_ws(', ',
                case when n.overdue > 0 then format('overdue: %s', n.overdue) end,
                case
                    when n.dead > 0 then format('given up within a day: %s, to %s', n.dead, n.targets)
                end
            )
        end
    from (
        select
            count(*) filter (where q.status = 'dead') as dead,
            string_agg(distinct q.target, ', ') filter (where q.status = 'dead') as targets,
            count(*) filter (
                where q.finished_at = 'infinity'
                    and q.next_attempt_at < c.now - interval '10 minutes'
            ) as overdue,
            coalesce(
                greatest(
                    c.now - min(q.next_attempt_at) filter (where q.finished_at = 'infinity'),
                    interval '0'
                ),
                interval '0'
            ) as late
        from (select monitoring.clock() as now) c
        -- Those that are not finished are as well: they have infinity there.
        left join monitoring.queued_notifications q
            on q.finished_at > c.now - interval '24 hours'
        group by c.now
    ) n;
end
$$;

-- On a hot standby a row with how far it is behind: late when no change of the primary has come for
-- more than three minutes. A primary whose jobs run changes something every minute.
create or replace function monitoring._check_standby()
returns table (check_name text, status text, lateness interval, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        'standby', case when b.behind <= interval '3 minutes' then 'ok' else 'late' end, b.behind,
        coalesce(
            'the last change from the primary was made at '
            || to_char(b.changed_at, 'YYYY-MM-DD HH24:MI:SSOF'),
            'no change has come from the primary'
        )
    from (
        select
            pg_last_xact_replay_timestamp() as changed_at,
            -- Nothing since it was started is no proof that nothing happened.
            case when pg_last_xact_replay_timestamp() is not null then greatest(
                monitoring.clock() - pg_last_xact_replay_timestamp(), interval '0'
            ) end as behind
    ) b
    where pg_is_in_recovery();
end
$$;

create or replace function monitoring.self_check()
returns table (check_name text, status text, lateness interval, detail text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    return query
    select c.* from monitoring._check_scheduler() c
    union all
    select c.* from monitoring._check_jobs() c
    union all
    select c.* from monitoring._check_rollups() c
    union all
    select c.* from monitoring._check_partitions() c
    union all
    select c.* from monitoring._check_late_rows() c
    union all
    select c.* from monitoring._check_retention() c
    union all
    select c.* from monitoring._check_alerts() c
    union all
    select c.* from monitoring._check_notifications() c
    union all
    select c.* from monitoring._check_clock() c
    union all
    select c.* from monitoring._check_standby() c;
end
$$;

comment on function monitoring.self_check() is
'Whether pgvigil itself keeps up, one row a check: status ok, late or failed, how late, and why. '
'Jobs and the clock have a row only when something is wrong, and standby only where it is one.';
