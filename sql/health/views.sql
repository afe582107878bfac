-- Reading health: the state of each component, its history and its uptime.

create or replace view monitoring.health_history as
select
    p.probe_id,
    p.component_type,
    p.component_name,
    p.status,
    p.response_time_ms,
    p.failure_reason,
    p.details,
    p.checked_at
from monitoring.health_probes as p;

create or replace view monitoring.system_health as
select distinct on (p.component_type, p.component_name)
    p.component_type,
    p.component_name,
    p.status,
    p.response_time_ms,
    p.failure_reason,
    p.checked_at as last_check_at,
    p.details
from monitoring.health_probes as p
order by p.component_type asc, p.component_name asc, p.checked_at desc, p.probe_id desc;

create or replace view monitoring.v_system_health_summary as
with checks as (
    select
        p.component_type,
        p.component_name,
        p.status,
        p.response_time_ms,
        p.checked_at,
        p.probe_id,
        true as is_in_day
    from monitoring.health_probes as p
    where
        p.checked_at > (select monitoring.clock()) - interval '24 hours'
        and p.checked_at <= (select monitoring.clock())
    union all
    -- The day begins with the status of the check before it.
    select
        b.component_type,
        b.component_name,
        b.status,
        null::double precision as response_time_ms,
        (select monitoring.clock()) - interval '24 hours' as checked_at,
        b.probe_id,
        false as is_in_day
    from (
        select distinct on (p.component_type, p.component_name)
            p.component_type,
            p.component_name,
            p.status,
            p.probe_id
        from monitoring.health_probes as p
        where p.checked_at <= (select monitoring.clock()) - interval '24 hours'
        order by p.component_type asc, p.component_name asc, p.checked_at desc, p.probe_id desc
    ) as b
),

spells as (
    select
        c.component_type,
        c.component_name,
        c.status,
        c.response_time_ms,
        c.checked_at,
        c.is_in_day,
        -- A status holds until the next check, the last one until now.
        extract(
            epoch from
            coalesce(
                lead(c.checked_at) over (
                    partition by c.component_type, c.component_name
                    order by c.checked_at, c.is_in_day, c.probe_id
                ),
                (select monitoring.clock())
            ) - c.checked_at
        ) as held_seconds
    from checks as c
),

last_day as (
    select
        s.component_type,
        s.component_name,
        count(*) filter (where s.is_in_day) as checks,
        avg(s.response_time_ms) as avg_response_time_ms,
        coalesce(sum(s.held_seconds) filter (where s.status in ('healthy', 'degraded')), 0)
        / nullif(sum(s.held_seconds) filter (where s.status <> 'unknown'), 0) as uptime,
        max(s.checked_at) filter (where s.is_in_day and s.status = 'unhealthy') as last_unhealthy_at
    from spells as s
    group by s.component_type, s.component_name
)

select
    h.component_type,
    h.component_name,
    h.status,
    h.response_time_ms,
    h.failure_reason,
    h.last_check_at,
    extract(epoch from (select monitoring.clock()) - h.last_check_at)::double precision
        as seconds_since_check,
    coalesce(d.checks, 0) as checks,
    d.avg_response_time_ms,
    round(100.0 * d.uptime, 3) as uptime_percent,
    d.last_unhealthy_at
from monitoring.system_health as h
left join last_day as d
    on h.component_type = d.component_type and h.component_name = d.component_name;

comment on view monitoring.health_history is
'Every check of every component.';
comment on column monitoring.health_history.probe_id is
'Number of the check.';
comment on column monitoring.health_history.component_type is
'What it is, such as database, service or queue.';
comment on column monitoring.health_history.component_name is
'Which component was checked.';
comment on column monitoring.health_history.status is
'healthy, degraded, unhealthy or unknown.';
comment on column monitoring.health_history.response_time_ms is
'Milliseconds until the component answered.';
comment on column monitoring.health_history.failure_reason is
'What was wrong.';
comment on column monitoring.health_history.details is
'Whatever the caller wanted to find again, as JSON.';
comment on column monitoring.health_history.checked_at is
'When it was checked.';

comment on view monitoring.system_health is
'The newest check of each component.';
comment on column monitoring.system_health.component_type is
'What it is, such as database, service or queue.';
comment on column monitoring.system_health.component_name is
'Which component was checked.';
comment on column monitoring.system_health.status is
'healthy, degraded, unhealthy or unknown.';
comment on column monitoring.system_health.response_time_ms is
'Milliseconds until the component answered.';
comment on column monitoring.system_health.failure_reason is
'What was wrong.';
comment on column monitoring.system_health.last_check_at is
'When it was checked.';
comment on column monitoring.system_health.details is
'Whatever the caller wanted to find again, as JSON.';

comment on view monitoring.v_system_health_summary is
'The state of each component, with its last 24 hours.';
comment on column monitoring.v_system_health_summary.component_type is
'What it is, such as database, service or queue.';
comment on column monitoring.v_system_health_summary.component_name is
'Which component it is.';
comment on column monitoring.v_system_health_summary.status is
'Status at the newest check.';
comment on column monitoring.v_system_health_summary.response_time_ms is
'Milliseconds until it answered the newest check.';
comment on column monitoring.v_system_health_summary.failure_reason is
'What was wrong at the newest check.';
comment on column monitoring.v_system_health_summary.last_check_at is
'When it was last checked.';
comment on column monitoring.v_system_health_summary.seconds_since_check is
'Seconds since then.';
comment on column monitoring.v_system_health_summary.checks is
'Checks in the last 24 hours.';
comment on column monitoring.v_system_health_summary.avg_response_time_ms is
'Mean milliseconds until it answered, over the last 24 hours.';
comment on column monitoring.v_system_health_summary.uptime_percent is
'Share of the known time of the last 24 hours in which it was healthy or degraded, 0 to 100; a '
'status holds until the next check.';
comment on column monitoring.v_system_health_summary.last_unhealthy_at is
'Newest unhealthy check in the last 24 hours.';
