-- A message and the row of an alert say why it fires, whose it is and where to look.

begin;
select plan(21);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql
\ir helpers/run_source.psql

create function pg_temp.failed(
    p_task_id text, p_end timestamptz, p_error text, p_task_type text default 'etl'
) returns void
language plpgsql
as $$
begin
    perform monitoring.start_task_tracking(
        p_task_id, p_task_type, p_started_at => p_end - interval '1 minute'
    );
    perform monitoring.record_error(
        p_task_id, 'OSError', 'high', p_error, 'loader', p_occurred_at => p_end - interval '1 second'
    ) where p_error is not null;
    perform monitoring.complete_task_tracking(p_task_id, 'failed', p_finished_at => p_end);
end
$$;

create function pg_temp.reason_of(p_rule text) returns text
language sql
as $$
    select string_agg(coalesce(a.reason, '-') || '/' || coalesce(a.owner, '-'), ', ' order by a.alert_id)
    from monitoring.v_active_alerts as a where a.rule_name = p_rule
$$;

create function pg_temp.evaluated_at(p_now text) returns void
language plpgsql
as $$
begin
    perform set_config('monitoring.now', p_now, true);
    perform monitoring.evaluate_alerts();
end
$$;

select monitoring.define_notification_channel('ops', '{MAIL}', p_time_zone => 'Europe/Berlin');
select pg_temp.failed('a', '2026-01-15 11:58+00', E'disk full:\nno space left on device');
select pg_temp.evaluated_at('2026-01-15 12:00+00');
select is(
    pg_temp.reason_of('task_failed'), E'OSError: disk full:\nno space left on device/-',
    'an alert about a failed task has type and message of its last error'
);
select matches(
    (select body from monitoring.v_notifications where subject like '%task type etl%'),
    E'\n  why: OSError: disk full: no space left on device\n'
    '  value 1 task, threshold 1 task [(]critical[)]\n',
    'and its message, beside value and threshold with its severity'
);
select pg_temp.failed('b', '2026-01-15 12:01+00', null);
select pg_temp.evaluated_at('2026-01-15 12:02+00');
select is(
    pg_temp.reason_of('task_failed'), E'OSError: disk full:\nno space left on device/-',
    'one that fails without a word does not take it away'
);
select pg_temp.failed('c', '2026-01-15 12:03+00', 'connection refused');
select pg_temp.evaluated_at('2026-01-15 12:04+00');
select is(
    pg_temp.reason_of('task_failed'), 'OSError: connection refused/-', 'the newest reason counts'
);

-- Whose

select monitoring.set_alert_owner('warehouse team', '{"task_type": "etl"}');
select is(
    pg_temp.reason_of('task_failed'), 'OSError: connection refused/warehouse team',
    'people say whose alerts are, and open ones follow'
);
select monitoring.set_alert_owner('night shift', '{"rule": "task_failed"}');
select monitoring.set_alert_owner('ann', '{"rule": "task_failed", "task_type": "etl"}');
select is(
    pg_temp.reason_of('task_failed'), 'OSError: connection refused/ann', 'most labels count'
);
select monitoring.set_alert_owner(null, '{"rule": "task_failed", "task_type": "etl"}');
select monitoring.set_alert_owner(null, '{"rule": "task_failed"}');
select is(
    pg_temp.reason_of('task_failed'), 'OSError: connection refused/warehouse team',
    'null takes it back'
);
select throws_ok($$select monitoring.set_alert_owner('x', '[]')$$, 'PV005');
select throws_ok($$select monitoring.set_alert_owner(' ')$$, 'PV001');

-- Where to look

select is(
    (select link from monitoring.v_active_alerts where rule_name = 'task_failed'), null,
    'without a page there is no link'
);
select throws_ok(
    $$select monitoring.set_page_url('monitor.example')$$, 'PV005',
    'page_url has the wrong shape: "monitor.example"'
);
select throws_ok($$select monitoring.set_page_url('https://me:secret@monitor.example')$$, 'PV005');
select monitoring.set_page_url('https://monitor.example/pgvigil/');
select is(
    (select link from monitoring.v_active_alerts where rule_name = 'task_failed'),
    'https://monitor.example/pgvigil/alerts/' || (
        select alert_id from monitoring.v_active_alerts where rule_name = 'task_failed'
    ),
    'with one an alert has its address'
);
select pg_temp.failed('d', '2026-01-15 16:10+00', 'again', 'ocr');
select pg_temp.evaluated_at('2026-01-15 16:11+00');
select matches(
    (
        select body from monitoring.v_notifications where kind = 'alerts'
        order by notification_id desc limit 1
    ),
    E'\n  whose: warehouse team\n  https://monitor.example/pgvigil/alerts/[0-9]+\n',
    'a message has both'
);
select is(
    (
        select a ->> 'reason' || ' ' || (a ->> 'owner') || ' ' || left(a ->> 'link', 30)
        from monitoring.v_notifications as n, jsonb_array_elements(n.payload -> 'alerts') as a
        where a -> 'labels' ->> 'task_type' = 'etl'
        order by n.notification_id desc limit 1
    ),
    'OSError: connection refused warehouse team https://monitor.example/pgvigi',
    'and so have programs'
);
select monitoring.set_page_url(null);
select is(
    (select count(link) from monitoring.v_active_alerts), 0::bigint, 'null takes it back'
);

-- Other rules

select pg_temp.set_clock('2026-01-15 18:00+00');
select monitoring.update_system_health('service', 'gw', 'unhealthy', p_failure_reason => 'timeout');
select monitoring.record_error(
    'x', 'KeyError', 'critical', 'no such key: 17', 'web', p_occurred_at => '2026-01-15 17:59:00+00'
);
select pg_temp.evaluated_at('2026-01-15 18:00+00');
select is(pg_temp.reason_of('component_unhealthy'), 'timeout/gw', 'of a component why it failed');
select is(
    pg_temp.reason_of('error_group_new'), 'KeyError: no such key: 17/web',
    'of errors what one of them said'
);
select monitoring.define_notification_channel('dead', '{X}', p_max_attempts => 1);
select monitoring.send_test_notification('dead');
select monitoring.note_notification_failed(c.notification_id, c.attempt, 'connection refused')
from monitoring.claim_notifications('r', 100) as c where c.channel_name = 'dead';
select pg_temp.evaluated_at('2026-01-15 18:01+00');
select is(
    pg_temp.reason_of('notification_dead'), 'connection refused/-',
    'of messages that were given up why the last was'
);

-- Bounds

insert into monitoring.raised_alerts (
    rule_name, fingerprint, status, severity, worst_severity, summary, labels, started_at,
    fired_at, last_seen_at
)
select
    'task_failed' as rule_name,
    'f' || n as fingerprint,
    'firing' as status,
    'low' as severity,
    'low' as worst_severity,
    's' as summary,
    '{"task_type": "none"}' as labels,
    monitoring.clock() as started_at,
    monitoring.clock() as fired_at,
    monitoring.clock() as last_seen_at
from generate_series(1, 300) as n;
select monitoring._give_reasons(monitoring.clock());
select ok(
    (select count(*) from monitoring.raised_alerts where explained_at is null) >= 200,
    'in a flood a hundred alerts are looked at a time'
);
select monitoring._give_reasons(monitoring.clock());
select ok(
    (select count(*) from monitoring.raised_alerts where explained_at is null) between 1 and 200,
    'and the others later'
);

select * from finish(); -- noqa: AM04
rollback;
