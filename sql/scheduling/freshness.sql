-- How fresh what is known is, one row for each thing that the faces of pgvigil go by. Whoever shows
-- a state shows with it when that was found, and never takes for fine what nobody has looked at.
-- Reads jobs, alert_rules, alert_rule_states, rollup_progress and the sources.

-- Until when what was found at a time counts as known, where it is looked at by a schedule.
--
-- Until when a thing that is looked at by a schedule counts as known: a look is due, then may come
-- three minutes late, as in self_check().
create or replace function monitoring._fresh_until(
    p_at timestamptz, p_schedule text, p_time_zone text
)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_grace constant interval := interval '3 minutes';
    v_every interval;
begin
    if not p_at between '1970-01-01' and '9999-12-31' then
        return p_at;
    end if;
    if monitoring._is_cron(p_schedule) then
        v_every := monitoring.next_cron_time(p_schedule, p_at, p_time_zone) - p_at;
    else
        v_every := least(monitoring._parse_interval(p_schedule), interval '366 days');
    end if;
    return p_at + v_grace + greatest(v_every - interval '1 minute', interval '0');
end
$$;

-- When the enabled alert rules were last evaluated, all of them; null when none ever was.
--
-- The oldest look of those rules that are to be looked at: one family alone may be newer.
create or replace function monitoring._rules_evaluated_at(p_now timestamptz) returns timestamptz
language sql
stable
return (
    select
        coalesce(
            min(s.evaluated_at) filter (
                where
                coalesce(s.paused_until_at, '-infinity') <= p_now
                -- What was changed since waits for its turn.
                and s.evaluated_at >= coalesce(r.changed_at, '-infinity')
            ),
            max(s.evaluated_at)
        )
    from monitoring.alert_rules as r
    inner join monitoring.alert_rule_states as s on r.rule_name = s.rule_name
    where r.is_enabled
);

-- What is looked at by a schedule, when it last was, and how to say so.
create or replace function monitoring._looked_at(p_now timestamptz)
returns table (
    subject text, known_at timestamptz, schedule text, time_zone text, is_wanted boolean,
    done text, never text, off text
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        'alerts', monitoring._rules_evaluated_at(p_now), j.schedule, j.time_zone,
        coalesce(j.is_enabled, false) and r.are_there,
        'alert rules ran', 'no alert rule has ever run',
        case
            when r.are_there then 'alert rules are not run: job evaluate_alerts is disabled'
            else 'no alert rule is enabled'
        end
    from (
        select exists (select from monitoring.alert_rules a where a.is_enabled) as are_there
    ) r
    left join monitoring.jobs j on j.job_name = 'evaluate_alerts'
    union all
    (
        select
            'scheduler', max(j.last_started_at) over (), j.schedule, j.time_zone, j.is_enabled,
            'a job began', 'no job has ever begun', 'no job is enabled'
        from monitoring.jobs j
        order by
            j.is_enabled desc,
            monitoring._fresh_until(p_now, j.schedule, j.time_zone),
            j.job_name
        limit 1
    )
    union all
    select
        'roll-ups', (select min(p.rolled_up_at) from monitoring.rollup_progress p), j.schedule,
        j.time_zone, j.is_enabled, 'rolled up', 'nothing was ever rolled up',
        'nothing is rolled up: job roll_up is disabled'
    from monitoring.jobs j
    where j.job_name = 'roll_up'
    union all
    select
        'source ' || s.source_name, s.succeeded_at,
        coalesce(q.every_seconds, s.every_seconds) || ' seconds', 'UTC', s.is_enabled,
        'read', 'never read', 'not read: disabled'
    from monitoring.sources s
    left join monitoring.source_queries q on s.relation_name = 'query:' || q.query_name
    union all
    select
        'query ' || q.query_name,
        (
            select max(l.ended_at) from monitoring.source_loads l
            where l.query_name = q.query_name and l.status = 'loaded'
        ),
        q.every_seconds || ' seconds', 'UTC', q.is_enabled,
        'read', 'never read', 'not read: disabled'
    from monitoring.source_queries q
    union all
    select
        'standby', pg_last_xact_replay_timestamp(), '1 minute', 'UTC', true,
        'the last change from the primary was made', 'no change has come from the primary', null
    where pg_is_in_recovery();
end
$$;

-- The rows of v_freshness.
create or replace function monitoring._freshness()
returns table (
    subject text, known_at timestamptz, state text, is_known boolean, seconds_old double precision,
    detail text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now constant timestamptz := monitoring.clock();
begin
    return query
    select
        f.subject,
        case when f.seconds_old is not null then f.known_at end,
        f.state,
        f.state = 'current',
        f.seconds_old,
        case f.state
            when 'off' then f.off
            when 'never' then f.never
            when 'ahead' then f.done || ' at a time that is yet to come'
            else format('%s %s ago', f.done, monitoring._spell_seconds(floor(f.seconds_old)))
        end
    from (
        select
            l.*,
            case
                -- Who looks without being asked for by a job has looked all the same.
                when not l.is_wanted and (l.known_at + interval '3 minutes' >= v_now) is not true
                    then 'off'
                when l.known_at is null then 'never'
                when l.known_at > v_now + interval '1 minute' then 'ahead'
                when monitoring._fresh_until(l.known_at, l.schedule, l.time_zone) < v_now then 'old'
                else 'current'
            end as state,
            case
                when l.known_at between '1970-01-01' and '9999-12-31'
                    then greatest(extract(epoch from v_now - l.known_at), 0)::double precision
            end as seconds_old
        from monitoring._looked_at(v_now) l
    ) f;
end
$$;

create or replace view monitoring.v_freshness as
select
    f.subject,
    f.known_at,
    f.state,
    f.is_known,
    f.seconds_old,
    f.detail
from monitoring._freshness() as f;

comment on view monitoring.v_freshness is
'How fresh what is known is: alerts, the scheduler, roll-ups, each source, and what a standby has. '
'Where is_known is false, that nothing is wrong there means nothing.';
comment on column monitoring.v_freshness.subject is
'alerts, scheduler, roll-ups, source NAME, query NAME, or on a hot standby standby.';
comment on column monitoring.v_freshness.known_at is
'When it was last looked at with success, of alerts when all enabled rules had run; null for '
'never.';
comment on column monitoring.v_freshness.state is
'current, old, never, ahead (its time is yet to come) or off (nothing is to look).';
comment on column monitoring.v_freshness.is_known is
'Whether the state is current.';
comment on column monitoring.v_freshness.seconds_old is
'Seconds since it was last looked at.';
comment on column monitoring.v_freshness.detail is
'The same in words, such as alert rules ran 3 h ago.';
