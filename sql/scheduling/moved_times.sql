-- What a clock that was ahead has noted, once it was put back: what lies in the future would be
-- taken for not due, or not late, until then, and so counts as of now. What senders told of their
-- own times, up to a day ahead, is theirs. Writes small tables of all kinds, and record_states;
-- called when the clock was found to have gone back, which is seldom.

-- A time, or now when it lies in the future; null and infinity stay.
create or replace function monitoring._not_after(p_at timestamptz, p_now timestamptz)
returns timestamptz
language sql
stable
return case when p_at > p_now and p_at < 'infinity' then p_now else p_at end;

-- Has sources and queries read again when they are due by a clock that was put back.
create or replace function monitoring._put_sources_right(p_now timestamptz) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.source_queries q
    set
        changed_at = monitoring._not_after(q.changed_at, p_now),
        enabled_at = monitoring._not_after(q.enabled_at, p_now),
        next_load_at = least(q.next_load_at, p_now + make_interval(secs => q.every_seconds))
    where greatest(q.changed_at, q.enabled_at) > p_now
        or q.next_load_at > p_now + make_interval(secs => q.every_seconds);
    update monitoring.source_loads l
    set
        started_at = monitoring._not_after(l.started_at, p_now),
        heartbeat_at = monitoring._not_after(l.heartbeat_at, p_now),
        ended_at = monitoring._not_after(l.ended_at, p_now)
    where greatest(l.started_at, l.heartbeat_at) > p_now
        or (l.ended_at > p_now and l.ended_at < 'infinity');
    update monitoring.sources s
    set
        changed_at = monitoring._not_after(s.changed_at, p_now),
        enabled_at = monitoring._not_after(s.enabled_at, p_now),
        synced_at = monitoring._not_after(s.synced_at, p_now),
        succeeded_at = monitoring._not_after(s.succeeded_at, p_now),
        next_sync_at = least(s.next_sync_at, p_now + make_interval(secs => s.every_seconds))
    where greatest(s.changed_at, s.enabled_at, s.synced_at, s.succeeded_at) > p_now
        or s.next_sync_at > p_now + make_interval(secs => s.every_seconds);
end
$$;

-- Lets what people decided by a clock that was ahead count from now on, for as long as they
-- said.
create or replace function monitoring._put_decisions_right(p_now timestamptz) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.expected_runs e
    set
        expected_since_at = monitoring._not_after(e.expected_since_at, p_now),
        changed_at = monitoring._not_after(e.changed_at, p_now)
    where greatest(e.expected_since_at, e.changed_at) > p_now;
    delete from monitoring.expected_run_states s where s.worked_out_at > p_now;
    update monitoring.workflow_steps s
    set expected_since_at = p_now
    where s.expected_since_at > p_now;
    update monitoring.reported_alerts r
    set
        raised_at = monitoring._not_after(r.raised_at, p_now),
        told_at = p_now,
        expires_at = case
            when r.expires_at < 'infinity' then r.expires_at - (r.told_at - p_now)
            else r.expires_at
        end
    where r.told_at > p_now;
    -- As long as it was to be, from when it was made.
    update monitoring.alert_silences s
    set
        starts_at = s.starts_at - (s.created_at - p_now),
        ends_at = case
            when s.ends_at < 'infinity' then s.ends_at - (s.created_at - p_now)
            else s.ends_at
        end,
        created_at = p_now
    where s.created_at > p_now and s.created_at < 'infinity';
    update monitoring.error_group_states g
    set
        muted_until = case
            when g.muted_until < 'infinity' then g.muted_until - (g.changed_at - p_now)
            else g.muted_until
        end,
        changed_at = p_now
    where g.changed_at > p_now and g.changed_at < 'infinity';
    update monitoring.error_group_merges m
    set changed_at = p_now
    where m.changed_at > p_now and m.changed_at < 'infinity';
    update monitoring.notification_channels c
    set
        held_back_at = monitoring._not_after(c.held_back_at, p_now),
        summarized_at = monitoring._not_after(c.summarized_at, p_now)
    where greatest(c.held_back_at, c.summarized_at) > p_now;
end
$$;

-- Lets running tasks, statuses, error groups and open alerts that a clock which was ahead has
-- dated be of now, so that what comes after them is newer.
create or replace function monitoring._put_states_right(p_now timestamptz) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Whoever has one of these rows tells of it just now.
    update monitoring.active_tasks t
    set
        started_at = monitoring._not_after(t.started_at, p_now),
        heartbeat_at = monitoring._not_after(t.heartbeat_at, p_now),
        progress_at = monitoring._not_after(t.progress_at, p_now)
    where t.task_id in (
        select a.task_id from monitoring.active_tasks a
        where greatest(a.started_at, a.heartbeat_at, a.progress_at) > p_now
        for update skip locked
    );
    update monitoring.record_states s
    set
        effective_at = monitoring._not_after(s.effective_at, p_now),
        recorded_at = p_now
    where (s.dataset, s.record_key) in (
        select k.dataset, k.record_key from monitoring.record_states k
        where k.recorded_at > p_now
        for update skip locked
    );
    update monitoring.error_group_totals g
    set last_seen_at = monitoring._not_after(g.last_seen_at, p_now)
    where g.last_seen_at > p_now;
    update monitoring.raised_alerts a
    set
        started_at = monitoring._not_after(a.started_at, p_now),
        fired_at = monitoring._not_after(a.fired_at, p_now),
        last_seen_at = monitoring._not_after(a.last_seen_at, p_now),
        cleared_at = monitoring._not_after(a.cleared_at, p_now),
        acknowledged_at = monitoring._not_after(a.acknowledged_at, p_now),
        resolved_at = monitoring._not_after(a.resolved_at, p_now)
    where a.resolved_at > p_now
        and (
            a.resolved_at < 'infinity'
            or greatest(
                a.started_at, a.fired_at, a.last_seen_at, a.cleared_at, a.acknowledged_at
            ) > p_now
        );
    update monitoring.alert_rule_states s
    set paused_until_at = null
    where s.paused_until_at > p_now + interval '1 hour';
end
$$;
