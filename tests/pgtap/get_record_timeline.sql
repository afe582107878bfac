-- get_record_timeline: all that happened to one record.

begin;
select plan(8);
\ir helpers/fixed_clock.psql
\ir helpers/statuses.psql

create function pg_temp.timeline(p_key text, p_limit integer default 100)
returns table (at text, kind text, summary text)
language sql
as $$
    select to_char(t.happened_at at time zone 'UTC', 'HH24:MI'), t.kind, t.summary
    from monitoring.get_record_timeline('orders', p_key, p_limit) as t
$$;

select is_empty($$select * from pg_temp.timeline('1')$$, 'nothing happened to an unknown record');

select pg_temp.track_at('08:00', pg_temp.told('1', 'OPEN') || pg_temp.told('2', 'OPEN'));
select pg_temp.track_at('09:00', pg_temp.told('1', 'DONE'), 'BOT', 'robo');
select monitoring.track_status_changes('bills', '[{"record_key": "1", "status": "PAID"}]');
select results_eq(
    $$select * from pg_temp.timeline('1')$$,
    $$
        values ('09:00', 'status', 'OPEN to DONE by BOT robo'),
        ('08:00', 'status', 'not known to OPEN by MONITOR')
    $$,
    'changes of its status come newest first, and none of a namesake'
);

-- Tasks and errors

select monitoring.record_finished_tasks(
    '[{"task_id": "1", "task_type": "named", "end_time": "2026-01-15T08:10Z",
        "metadata": {"dataset": "orders"}},
      {"task_id": "2", "task_type": "something else", "end_time": "2026-01-15T08:11Z"},
      {"task_id": "1", "task_type": "namesake", "end_time": "2026-01-15T08:12Z",
        "metadata": {"dataset": "bills"}},
      {"task_id": "1", "task_type": "other record", "end_time": "2026-01-15T08:13Z",
        "metadata": {"dataset": "orders", "record_key": "9"}},
      {"task_id": "orders/1", "task_type": "full", "end_time": "2026-01-15T08:20Z"},
      {"task_id": "x", "task_type": "told", "end_time": "2026-01-15T08:30Z", "status": "failed"},
      {"task_id": "w", "task_type": "for it", "end_time": "2026-01-15T08:35Z",
        "metadata": {"dataset": "orders", "record_key": "1"}},
      {"task_id": "y", "task_type": "other", "end_time": "2026-01-15T08:30Z"}]'
);
select monitoring.track_status_changes(
    'orders', pg_temp.told('1', 'OPEN', '08:00') || pg_temp.told('1', 'SENT', '09:30'),
    p_task_id => 'x'
);
select monitoring.track_status_changes(
    'orders', pg_temp.told('1', 'PAID', '09:40'), p_task_id => 'w'
);
select monitoring.track_status_changes('bills', pg_temp.told('1', 'SENT'), p_task_id => 'y');
select monitoring.start_task_tracking(
    'z', 'running', p_metadata => '{"dataset": "orders", "record_key": "1"}',
    p_started_at => '2026-01-15 08:40+00'
);
select results_eq(
    $$select * from pg_temp.timeline('1') where kind = 'task'$$,
    $$
        values ('08:40', 'task', 'running running'), ('08:35', 'task', 'for it completed'),
        ('08:30', 'task', 'told failed'), ('08:20', 'task', 'full completed'),
        ('08:10', 'task', 'named completed')
    $$,
    'tasks are found by their names, by having told of it, and running ones by their metadata'
);
select monitoring.record_errors(
    '[{"task_id": "w", "error_type": "E", "severity": "low", "message": "of its task",
        "occurred_at": "2026-01-15T08:31Z"},
      {"task_id": "2", "error_type": "E", "severity": "low", "message": "about another thing",
        "occurred_at": "2026-01-15T08:31Z"},
      {"task_id": "y", "error_type": "E", "severity": "low", "message": "of another",
        "occurred_at": "2026-01-15T08:31Z"},
      {"task_id": "x", "error_type": "E", "severity": "low", "message": "about others",
        "occurred_at": "2026-01-15T08:31Z"},
      {"task_id": "x", "error_type": "E", "severity": "low", "message": "about it",
        "details": {"dataset": "orders", "record_key": "1"}, "occurred_at": "2026-01-15T08:32Z"},
      {"task_id": "orders/1", "error_type": "E", "severity": "low", "message": "both",
        "details": {"dataset": "orders", "record_key": "1"}, "occurred_at": "2026-01-15T08:33Z"}]'
);
select results_eq(
    $$select * from pg_temp.timeline('1') where kind = 'error'$$,
    $$
        values ('08:33', 'error', 'E: both'), ('08:32', 'error', 'E: about it'),
        ('08:31', 'error', 'E: of its task')
    $$,
    'errors are those of its own tasks, and of others that say which record they are about'
);

-- Validations

insert into monitoring.invalid_record_spells (
    dataset, record_key, validation_type, reported_value, opened_at, resolved_at, times_detected,
    is_alerted, resolution, resolved_by
)
values (
    'orders', '2', 'DUPLICATA', '12', '2026-01-15 07:00+00', '2026-01-15 07:30+00', 3, true,
    'manual', 'ann'
);
insert into monitoring.invalid_record_states (
    dataset, record_key, validation_type, target_date, first_detected_at, opened_at,
    last_detected_at
)
values (
    'orders', '2', 'SEUNO', '2026-01-15', '2026-01-15 06:00+00', '2026-01-15 07:40+00',
    '2026-01-15 07:50+00'
);
select results_eq(
    $$select * from pg_temp.timeline('2')$$,
    $$
        values ('08:00', 'status', 'not known to OPEN by MONITOR'),
        ('07:40', 'invalid', 'SEUNO'), ('07:30', 'resolved', 'DUPLICATA: manual'),
        ('07:00', 'invalid', 'DUPLICATA: 12')
    $$,
    'being invalid begins and ends'
);

-- Alerts

insert into monitoring.raised_alerts (
    rule_name, fingerprint, status, severity, worst_severity, summary, labels, started_at,
    fired_at, last_seen_at
)
values
(
    'own', 'f', 'firing', 'low', 'low', 'order 2 is odd',
    '{"dataset": "orders", "record_key": "2", "more": "x"}', '2026-01-15 11:00+00',
    '2026-01-15 11:10+00', '2026-01-15 11:20+00'
),
(
    'own', 'g', 'firing', 'low', 'low', 'orders are odd', '{"dataset": "orders"}',
    '2026-01-15 11:00+00', '2026-01-15 11:10+00', '2026-01-15 11:20+00'
);
select results_eq(
    $$select * from pg_temp.timeline('2', 1)$$,
    $$values ('11:10', 'alert', 'order 2 is odd')$$,
    'alerts are its own by their labels, and a limit leaves out the oldest'
);
select is(
    (
        select details - 'alert_id' from monitoring.get_record_timeline('orders', '2', 1)
    ),
    '{"rule_name": "own", "severity": "low", "status": "firing"}'::jsonb,
    'with what there is to know'
);

-- What it costs

create function pg_temp.plan_of(p_query text) returns text
language plpgsql
as $$
declare
    v_line text;
    v_plan text := '';
begin
    for v_line in execute 'explain ' || p_query loop
        v_plan := v_plan || v_line || E'\n';
    end loop;
    return v_plan;
end
$$;

set local enable_seqscan = off;
select unalike(
    pg_temp.plan_of(
        $$select 1 from monitoring._all_finished_tasks where task_id = any('{1,orders/1}')$$
    ),
    '%Seq Scan%', 'tasks of a record are found by an index'
);

select * from finish(); -- noqa: AM04
rollback;
