-- A night of alerts from findings to messages: what the engine does and what people are told.

begin;
select plan(21);
\ir helpers/fixed_clock.psql
\ir helpers/alert_engine.psql

select monitoring.define_notification_channel('ops', '{MAIL}', p_repeat => '1 hour');

select monitoring.define_notification_channel(
    'pager', '{SMS}', p_minimum_severity => 'critical', p_repeat => null,
    p_has_resolved_notices => false
);

select monitoring.change_alert_rule('load', '{"for_seconds": 120, "keep_firing_seconds": 300}');

-- What is queued while something is done, as "ops: firing a, resolved b"; nothing is null.
create function pg_temp.news_of(p_call text) returns text
language plpgsql
as $$
declare
    v_last bigint := coalesce((select max(notification_id) from monitoring.v_notifications), 0);
begin
    execute 'select ' || p_call;
    return (
        select string_agg(
            n.channel_name || ': ' || (
                select string_agg(
                    concat_ws(' ', a.value ->> 'event', a.value ->> 'fingerprint'), ', '
                    order by a.ordinality
                )
                from jsonb_array_elements(n.payload -> 'alerts') with ordinality a
            ),
            '; ' order by n.notification_id
        )
        from monitoring.v_notifications n where n.notification_id > v_last
    );
end
$$;

create function pg_temp.news_at(p_time text, p_findings jsonb default null) returns text
language plpgsql
as $$
begin
    if p_findings is not null then
        perform pg_temp.see(p_findings);
    end if;
    return pg_temp.news_of(format('pg_temp.evaluate_at(%L)', p_time));
end
$$;

-- The story

select is(pg_temp.news_at('12:00', '{"a": 20, "b": 60}'), null, 'what is pending is not told');
select is(pg_temp.news_at('12:01', '{"b": 60}'), null, 'nor that it has gone again');

select is(
    pg_temp.news_at('12:02'), 'ops: firing b', 'what has lasted is told where it belongs'
);

select is(
    pg_temp.news_of('monitoring.evaluate_alerts()'), null, 'evaluating again tells nothing'
);

select is(
    pg_temp.news_at('12:03', '{"b": 120}'), 'ops: escalated b; pager: firing b',
    'what gets worse is told again, and where the worst belongs'
);

select is(
    pg_temp.news_of('monitoring.acknowledge_alert(pg_temp.alert_about(''b''), ''on it'', ''ann'')'),
    null, 'an acknowledgement is not told'
);

select is(pg_temp.news_at('13:30'), null, 'of what is acknowledged nobody is reminded');

select is(
    pg_temp.news_of('monitoring.unacknowledge_alert(pg_temp.alert_about(''b''))'),
    'ops: reminder b', 'taking it back brings the reminder that was due, at once'
);

select is(pg_temp.news_at('13:31', '{"c": 60}'), null, 'what is gone fires on for a while');
select is(pg_temp.news_at('13:33', '{"b": 60, "c": 60}'), 'ops: firing c', 'it comes back');
select is(pg_temp.news_at('13:34', '{"c": 60}'), null, 'and is gone again, untold');

select is(
    pg_temp.news_at('13:39'), 'ops: resolved b',
    'its end is told when it has been gone for long enough, but not on quiet channels'
);

create temporary table numbers as
select monitoring.silence_alerts('{"queue": ["c", "d"]}', '6 hours', 'moving', 'ann') as silence_id;

select is(pg_temp.news_at('13:40', '{"c": 120, "d": 120}'), null, 'silenced, it gets worse');
select is(pg_temp.news_at('13:42'), null, 'and another one begins');

select is(
    pg_temp.news_of('monitoring.unsilence_alerts((select silence_id from numbers))'),
    'ops: escalated c, firing d; pager: firing c, firing d',
    'when the silence is ended, what is still so is told at once'
);

insert into monitoring.alert_rules (rule_name, family, finder_name)
values ('host', 'self', '_find_scratch');
select monitoring.define_inhibition('host', 'load', '{queue}');
select monitoring.set_alert_thresholds('host', '{"low": 1}');
select pg_temp.see('{"e": 2}', 'host');

select is(
    pg_temp.news_at('13:43', '{"c": 120, "d": 120, "e": 60}'), 'ops: firing e',
    'that a host is down is told'
);

select is(pg_temp.news_at('13:45'), null, 'and what follows from it is not');
select pg_temp.see('{}', 'host');

select is(
    pg_temp.news_at('13:46'), 'ops: firing e, resolved e', 'unless it outlasts it'
);

select is(
    pg_temp.news_of('monitoring.resolve_alert(pg_temp.alert_about(''c''), ''restarted'', ''bob'')'),
    'ops: resolved c', 'that a person resolved it is told as well'
);

select is(
    (
        select string_agg(distinct status, ', ') from monitoring.v_notifications
        where created_at <= '2026-01-15 13:46+00'
    ),
    'waiting', 'all of it waits to be sent'
);

select is(
    (select count(*) from monitoring.claim_notifications('runner', 1000)),
    (
        select count(*)
        from (
            select distinct
                n.channel_name,
                n.target
            from monitoring.v_notifications as n
        ) as d
    ),
    'and is there for a runner, a message for each target'
);

select * from finish(); -- noqa: AM04
rollback;
