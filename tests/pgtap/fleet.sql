-- A hub and its members: what a member tells is shown here with its age, what is decided here is
-- brought there, and one that is silent is told. The member is this database itself.

begin;
select plan(26);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql
\ir helpers/judging.psql
\ir helpers/rolled_up.psql
set local timezone = 'UTC';

select monitoring.ensure_partitions(3);
select monitoring.start_task_tracking('a-1', 'import', p_worker_id => 'w1');
select monitoring.start_task_tracking('a-2', 'import');
select monitoring.complete_task_tracking('a-2', 'failed');
select monitoring.update_system_health('service', 'api', 'unhealthy', 12, 'no answer');
select monitoring.apply_workflow('{"workflow": "night", "steps": [{"step": "load"}]}');
select monitoring.raise_alert('script', 'disk', 'critical', 'the disk is full');
select monitoring.evaluate_alerts();
select pg_temp.roll_up_own('tasks');
update monitoring.rollup_progress set claimed_below = 0 where source <> 'tasks';

-- Reads a member as a runner does, and returns how many pieces of roll-ups that took.
create function pg_temp.pull(p_member text) returns integer
language plpgsql
as $$
declare
    v_order jsonb := monitoring.begin_fleet_pull(p_member);
    v_wanted jsonb;
    v_pieces integer := 0;
begin
    v_wanted := monitoring.note_fleet_changes(
        p_member, (v_order ->> 'pull_id')::bigint,
        monitoring.get_fleet_changes(v_order -> 'asked')
    );
    while v_wanted is not null loop
        v_wanted := monitoring.note_fleet_rollups(
            p_member, (v_order ->> 'pull_id')::bigint,
            monitoring.get_fleet_rollups(v_wanted, 1)
        );
        v_pieces := v_pieces + 1;
    end loop;
    return v_pieces;
end
$$;

-- Members

select monitoring.register_fleet_member('north', 'NORTH_DSN', 'https://north.example/');
select results_eq(
    $$
        select member_name, state, is_known, page_url, is_due, open_alerts
        from monitoring.v_fleet_members
    $$,
    $$values ('north', 'waiting', false, 'https://north.example', true, null::bigint)$$,
    'a member that was never read is waited for, and nothing is known of it'
);
select results_eq(
    $$
        select r.code, r.message from pg_temp.refusal_of(
            $call$monitoring.register_fleet_member('x', 'postgresql://u:p@h/d')$call$
        ) as r
        union all
        select r.code, r.message from pg_temp.refusal_of(
            $call$monitoring.begin_fleet_pull('south')$call$
        ) as r
    $$,
    $$
        values ('PV003', (select r.message from pg_temp.refusal_of(
            $call$monitoring.define_notification_channel('c', '{postgresql://u:p@h/d}')$call$
        ) as r)),
        ('PV007', 'there is no member "south"')
    $$,
    'addresses have no place here, only their names; and who is not registered is not read'
);

-- What is told

select cmp_ok(pg_temp.pull('north'), '>', 1, 'roll-ups come in pieces');
select results_eq(
    $$
        select state, is_known, seconds_old, version = monitoring.version(), open_alerts = (
                select count(*) from monitoring.v_active_alerts
            ), critical_alerts > 0, running_tasks, ended_tasks, failed_tasks, components,
            unhealthy_components, wanted_buckets, is_due
        from monitoring.v_fleet_members
    $$,
    $$
        values ('stale', false, 0::double precision, true, true, true, 1::bigint, 1::bigint,
            1::bigint, 1::bigint, 1::bigint, 0::bigint, false)
    $$,
    'what it told of itself is there, and that its own jobs are late'
);
select set_eq(
    $$
        select alert_id, rule_name, severity, summary, labels, link, member_name
        from monitoring.v_fleet_alerts
    $$,
    $$
        select alert_id, rule_name, severity, summary, labels,
            'https://north.example/alerts/' || alert_id as link, 'north' as member_name
        from monitoring.v_active_alerts
    $$,
    'its open alerts are, with where its page shows each'
);
select results_eq(
    'select member_name, task_id, task_type, worker_id, attempt from monitoring.v_fleet_tasks',
    $$values ('north', 'a-1', 'import', 'w1', 1::bigint)$$,
    'so are its running tasks'
);
select results_eq(
    $$
        select component_type, component_name, status, response_time_ms, failure_reason
        from monitoring.v_fleet_health
    $$,
    $$values ('service', 'api', 'unhealthy', 12::double precision, 'no answer')$$,
    'and its components'
);
select results_eq(
    $$
        select workflow_name, business_date, steps, complete, is_today
        from monitoring.v_fleet_workflow_days
    $$,
    $$values ('night', date '2026-01-15', 1::bigint, 0::bigint, true)$$,
    'and the business days of its workflows'
);
select set_eq(
    $$
        select source, name, label, component, resolution, bucket_at, row_count, value_count,
            value_sum, value_sum_squares, value_min, value_max, histogram
        from monitoring.fleet_rollups where member_name = 'north'
    $$,
    $$
        select source, name, label, component, resolution, bucket_at, row_count, value_count,
            value_sum, value_sum_squares, value_min, value_max, histogram
        from monitoring.rollups where resolution in ('hour', 'day')
    $$,
    'its roll-ups by hour and day are here as they are there'
);

-- Sums

select monitoring.register_fleet_member('twin', 'TWIN_DSN');
select pg_temp.pull('twin');
select results_eq(
    $$
        select name, label, members, row_count from monitoring.get_fleet_statistics()
        where name = 'import'
    $$,
    $$values ('import', 'failed', 2::bigint, 2::bigint)$$,
    'figures of all members are added up'
);
select results_eq(
    $$
        select members, row_count
        from monitoring.get_fleet_statistics('tasks', p_member_name => 'twin')
        where name = 'import'
    $$,
    $$values (1::bigint, 1::bigint)$$,
    'or are those of one'
);
select results_eq(
    $$
        select member_name, resolution, bucket_at, row_count from monitoring.v_fleet_trends
        where source = 'tasks' and name = 'import' order by member_name, resolution
    $$,
    $$
        values ('north', 'day', timestamptz '2026-01-15 00:00+00', 1::bigint),
        ('north', 'hour', '2026-01-15 12:00+00', 1), ('twin', 'day', '2026-01-15 00:00+00', 1),
        ('twin', 'hour', '2026-01-15 12:00+00', 1)
    $$,
    'and each is there by itself'
);
select monitoring.remove_fleet_member('twin');

-- What others tell

select is(
    monitoring.note_fleet_changes('north', 0, '{"format": 1}'), null::jsonb,
    'what a reading tells that a newer has overtaken is not taken'
);
select lives_ok(
    $$
        select monitoring.note_fleet_changes(
            'north', (monitoring.begin_fleet_pull('north') ->> 'pull_id')::bigint,
            '{"format": 1, "figures": {"version": "9.9", "open_alerts": 1, "phase_of_moon": 3},
            "alerts": [{"alert_id": 1, "member_name": "south", "colour": "red",
                "status": "firing", "severity": "high"}], "news": []}'
        )
    $$,
    'fields that are not known are passed over, and those that are missing are'
);
select results_eq(
    $$
        select a.member_name, a.alert_id, a.severity, a.rule_name, m.version, m.running_tasks
        from monitoring.v_fleet_alerts as a
        inner join monitoring.v_fleet_members as m on a.member_name = m.member_name
    $$,
    $$values ('north', 1::bigint, 'high', null, '9.9', null::bigint)$$,
    'they are null, and a member speaks for itself alone'
);
select throws_ok(
    $$
        select monitoring.note_fleet_changes(
            'north', (monitoring.begin_fleet_pull('north') ->> 'pull_id')::bigint,
            '{"format": 2}'
        )
    $$,
    'PV003', null, 'another format is refused'
);
select pg_temp.pull('north');

-- Decisions

create temporary view disk as
select a.alert_id from monitoring.v_active_alerts as a where a.rule_name = 'reported_alert';

select results_eq(
    $$
        select monitoring.acknowledge_fleet_alert('north', alert_id, 'on it', 'ann'),
            monitoring.acknowledge_fleet_alert('north', alert_id, 'me too', 'bob'),
            monitoring.acknowledge_fleet_alert('north', -1)
        from disk
    $$,
    $$values (true, false, false)$$,
    'an alert is acknowledged here once, and one that is none is not'
);
select results_eq(
    $$
        select a.status, a.acknowledging_by, m.is_due
        from monitoring.v_fleet_alerts as a
        inner join monitoring.v_fleet_members as m on a.member_name = m.member_name
        where a.alert_id = (select alert_id from disk)
    $$,
    $$values ('firing', 'ann', true)$$,
    'it is under way, and the member is read at once'
);
select is(
    (
        select p.told #- '{decisions,0,started_at}' #- '{decisions,0,decision_id}' -> 'decisions'
        from (select monitoring.begin_fleet_pull('north')) as p (told)
    ),
    (
        select jsonb_build_array(jsonb_build_object(
            'alert_id', alert_id, 'note', 'on it', 'by', 'ann'
        )) from disk
    ),
    'the next reading brings it there, with who said so and why'
);
select monitoring.acknowledge_alert(alert_id, 'on it', 'ann') from disk;
select results_eq(
    $$
        select monitoring.note_fleet_decision(decision_id, 'acknowledged'),
            monitoring.note_fleet_decision(decision_id, 'refused')
        from monitoring.v_fleet_decisions
    $$,
    $$values (true, false)$$,
    'what became of it is noted once'
);
select pg_temp.pull('north');
select results_eq(
    $$
        select a.status, a.acknowledged_by, a.acknowledging_by, a.refusal
        from monitoring.v_fleet_alerts as a where a.alert_id = (select alert_id from disk)
    $$,
    $$values ('acknowledged', 'ann', null, null)$$,
    'and then the member tells it itself'
);

-- Silence

create function pg_temp.silent_at(p_now text) returns setof monitoring.finding
language sql
as $$
    select pg_temp.set_clock(p_now);
    select j.* from pg_temp.judge('fleet_member_silent', p_now) as j
$$;

update monitoring.fleet_member_states set is_current = true;
select results_eq(
    $$
        select at, f.value, f.severity
        from unnest(array[
            '2026-01-15 12:03+00', '2026-01-15 12:06+00', '2026-01-15 12:31+00'
        ]) as at, pg_temp.silent_at(at) as f
    $$,
    $$
        values
        ('2026-01-15 12:03+00', 0::double precision, null),
        ('2026-01-15 12:06+00', 5, 'high'),
        ('2026-01-15 12:31+00', 30, 'critical')
    $$,
    'a member that is not heard is told after five minutes, and again after half an hour'
);
select is(
    monitoring.fail_fleet_pull('north', (
        select pull_id from monitoring.fleet_member_states
    ), 'connection refused'),
    true, 'a reading may fail'
);
select results_eq(
    $$select summary, labels from pg_temp.silent_at('2026-01-15 12:31+00')$$,
    $$
        values ('member north was last heard at 2026-01-15 12:00 UTC: connection refused',
            '{"member": "north"}'::jsonb)
    $$,
    'the alert says since when, and why'
);
select results_eq(
    $$
        select m.state, m.is_known, m.seconds_old, bool_or(a.is_known), max(a.seconds_old)
        from monitoring.v_fleet_members as m
        inner join monitoring.v_fleet_alerts as a on m.member_name = a.member_name
        group by m.state, m.is_known, m.seconds_old
    $$,
    $$values ('silent', false, 1860::double precision, false, 1860::double precision)$$,
    'what is shown of it has its age, and is not known to be so'
);
select monitoring.disable_fleet_member('north');
select is_empty(
    $$select * from pg_temp.silent_at('2026-01-15 12:31+00')$$,
    'nobody misses one that is not to be read'
);

select * from finish(); -- noqa: AM04
rollback;
