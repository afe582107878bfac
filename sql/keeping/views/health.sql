-- Reading health: the state of each component, its history and its uptime.

create or replace view monitoring.v_health_history as
select
    p.probe_id,
    p.component_type,
    p.component_name,
    p.status,
    p.response_time_ms,
    p.failure_reason,
    p.details,
    p.checked_at
from monitoring._all_health_probes as p;

create or replace view monitoring._component_states as
select distinct on (s.component_type, s.component_name)
    s.component_type,
    s.component_name,
    s.status,
    s.response_time_ms,
    s.failure_reason,
    least(s.checked_at, c.now) as checked_at,
    s.details,
    case
        when max(s.last_unhealthy_at) over component is not null
            then least(max(s.last_unhealthy_at) over component, c.now)
    end as last_unhealthy_at
from (
    select
        k.component_type,
        k.component_name,
        k.status,
        k.response_time_ms,
        k.failure_reason,
        k.checked_at,
        k.probe_id,
        k.details,
        k.last_unhealthy_at
    from monitoring.component_states as k
    union all
    select
        n.component_type,
        n.component_name,
        n.status,
        n.response_time_ms,
        n.failure_reason,
        n.checked_at,
        n.probe_id,
        n.details,
        n.last_unhealthy_at
    from (
        select
            p.*,
            k.name is not null as is_known,
            row_number() over (
                partition by k.name is null order by p.component_name, p.component_type
            ) as place
        from monitoring._newest_probes() as p
        left join monitoring._known_names as k
            on
                k.kind = 'health'
                and p.component_name = k.name
                and p.component_type = k.component
    ) as n
    -- As many as a roll-up will get to know.
    where
        n.is_known
        or n.place <= (select r.room from monitoring._name_room as r where r.kind = 'health')
) as s
cross join (select monitoring.clock() as now) as c
window component as (partition by s.component_type, s.component_name)
order by
    s.component_type asc,
    s.component_name asc,
    -- What a clock that was ahead has left gives way to whatever comes after it.
    s.checked_at > c.now + interval '1 minute' and s.probe_id < max(s.probe_id) over (
        partition by s.component_type, s.component_name
    ) asc,
    s.checked_at desc,
    s.probe_id desc;

create or replace view monitoring.system_health as
select
    s.component_type,
    s.component_name,
    s.status,
    s.response_time_ms,
    s.failure_reason,
    s.checked_at as last_check_at,
    s.details
from monitoring._component_states as s;

create or replace view monitoring._component_standings as
select
    k.component_type,
    k.component_name,
    case
        when k.known_until_at < (select monitoring.clock()) then 'unknown' else k.last_status
    end as status,
    k.last_status,
    k.response_time_ms,
    k.failure_reason,
    k.checked_at,
    k.last_unhealthy_at,
    k.known_until_at
from (
    select
        c.component_type,
        c.component_name,
        c.status as last_status,
        c.response_time_ms,
        c.failure_reason,
        c.checked_at,
        c.last_unhealthy_at,
        -- For so long it counts as what it was; then nobody knows.
        c.checked_at + make_interval(
            secs => least(
                coalesce(
                    (
                        select least(t.low, t.medium, t.high, t.critical)
                        from monitoring.alert_thresholds as t
                        where
                            t.rule_name = 'component_silent'
                            and jsonb_build_object(
                                'component', c.component_name, 'component_type', c.component_type
                            ) @> t.labels
                            and not t.is_empty
                        order by
                            (select count(*) from jsonb_object_keys(t.labels)) desc,
                            t.labels asc
                        limit 1
                    ),
                    86400
                ),
                315360000
            )
        ) as known_until_at
    from monitoring._component_states as c
) as k;

create or replace view monitoring.v_system_health_summary as
-- Once: to ask all days for new checks takes longer than all the rest.
with states as materialized (
    select s.* from monitoring._component_standings as s
),

spells as (
    select
        t.component_type,
        t.component_name,
        t.status,
        t.seconds
    from monitoring._uptime_trends() as t
    where
        t.resolution = 'hour'
        and t.bucket_at >= (select monitoring._last_day_since())
        and t.bucket_at <= (select monitoring.clock())
    union all
    -- The last status holds until now, or until nobody knows.
    select
        s.component_type,
        s.component_name,
        s.last_status as status,
        greatest(extract(
            epoch from least((select monitoring.clock()), s.known_until_at)
            - greatest(s.checked_at, (select monitoring._last_day_since()))
        ), 0)::double precision as seconds
    from states as s
),

uptime as (
    select
        s.component_type,
        s.component_name,
        coalesce(sum(s.seconds) filter (where s.status in ('healthy', 'degraded')), 0)
        / nullif(sum(s.seconds) filter (where s.status <> 'unknown'), 0) as fraction
    from spells as s
    group by s.component_type, s.component_name
),

checks as (
    select
        d.component as component_type,
        d.name as component_name,
        sum(d.row_count)::bigint as checks,
        sum(d.value_sum) / nullif(sum(d.value_count), 0)::double precision as avg_response_time_ms
    from monitoring._last_day('health') as d
    group by d.component, d.name
)

select
    h.component_type,
    h.component_name,
    h.status,
    h.response_time_ms,
    h.failure_reason,
    h.checked_at as last_check_at,
    extract(epoch from (select monitoring.clock()) - h.checked_at)::double precision
        as seconds_since_check,
    coalesce(c.checks, 0) as checks,
    c.avg_response_time_ms,
    round((100.0 * u.fraction)::numeric, 3) as uptime_percent,
    h.last_unhealthy_at,
    h.last_status
from states as h
left join uptime as u
    on h.component_type = u.component_type and h.component_name = u.component_name
left join checks as c
    on h.component_type = c.component_type and h.component_name = c.component_name;

comment on view monitoring._component_standings is
'Each component as its newest check found it, and for how long that tells how it is.';
comment on view monitoring._component_states is
'Newest check of each component, rolled up or not.';

comment on view monitoring.v_health_history is
'Every check of every component.';
comment on column monitoring.v_health_history.probe_id is
'Number of the check.';
comment on column monitoring.v_health_history.component_type is
'What it is, such as database, service or queue.';
comment on column monitoring.v_health_history.component_name is
'Which component was checked.';
comment on column monitoring.v_health_history.status is
'healthy, degraded, unhealthy or unknown.';
comment on column monitoring.v_health_history.response_time_ms is
'Milliseconds until the component answered.';
comment on column monitoring.v_health_history.failure_reason is
'What was wrong.';
comment on column monitoring.v_health_history.details is
'Whatever the caller wanted to find again, as JSON.';
comment on column monitoring.v_health_history.checked_at is
'When it was checked.';

comment on view monitoring.system_health is
'The newest check of each component. A view, so it has no index of its own '
'and needs none: by hour v_health_trends answers from roll-ups.';
comment on column monitoring.system_health.component_type is
'What it is, such as database, service or queue.';
comment on column monitoring.system_health.component_name is
'Which component was checked.';
comment on column monitoring.system_health.status is
'healthy, degraded, unhealthy or unknown, as the newest check found it, however long ago.';
comment on column monitoring.system_health.response_time_ms is
'Milliseconds until the component answered.';
comment on column monitoring.system_health.failure_reason is
'What was wrong.';
comment on column monitoring.system_health.last_check_at is
'When it was checked.';
comment on column monitoring.system_health.details is
'Whatever the caller wanted to find again, as JSON.';

comment on view monitoring.v_system_health_summary is
'The state of each component, with its last day: this hour and the 23 before it.';
comment on column monitoring.v_system_health_summary.component_type is
'What it is, such as database, service or queue.';
comment on column monitoring.v_system_health_summary.component_name is
'Which component it is.';
comment on column monitoring.v_system_health_summary.status is
'healthy, degraded, unhealthy or unknown; unknown as well once the newest check is older than the '
'least threshold of the rule component_silent for it.';
comment on column monitoring.v_system_health_summary.response_time_ms is
'Milliseconds until it answered the newest check.';
comment on column monitoring.v_system_health_summary.failure_reason is
'What was wrong at the newest check.';
comment on column monitoring.v_system_health_summary.last_check_at is
'When it was last checked.';
comment on column monitoring.v_system_health_summary.seconds_since_check is
'Seconds since then.';
comment on column monitoring.v_system_health_summary.checks is
'Checks in the last day.';
comment on column monitoring.v_system_health_summary.avg_response_time_ms is
'Mean milliseconds until it answered, over the last day.';
comment on column monitoring.v_system_health_summary.uptime_percent is
'Share of the known time of the last day in which it was healthy or degraded, 0 to 100; a '
'status holds until the next check, at longest until it is unknown.';
comment on column monitoring.v_system_health_summary.last_unhealthy_at is
'Newest check that found it unhealthy; null when none has.';
comment on column monitoring.v_system_health_summary.last_status is
'What the newest check found, however long ago.';
