-- Whose setting monitoring.now counts: that of members of monitoring_admin, by who logged in.

begin;
select plan(42);

create role clock_stranger;
create role clock_writer in role monitoring_writer;
create role clock_reader in role monitoring_reader;
create role clock_operator in role monitoring_operator;
create role clock_admin in role monitoring_admin;
grant monitoring_writer to clock_admin;
create schema shop;
create table shop.orders (id integer primary key, state text);
insert into shop.orders values (1, 'OPEN'), (2, 'OPEN');
grant usage on schema shop to public, monitoring_admin;
grant select on shop.orders to monitoring_admin;
grant select, update on shop.orders to clock_stranger;
select monitoring.attach_status_trigger('shop.orders', '{id}', 'state', 'orders');

create function pg_temp.is_now(p_at timestamptz) returns boolean
language sql
as $$ select p_at between clock_timestamp() - interval '1 minute' and clock_timestamp() $$;

-- The same in a part of the transaction that cannot write.
create function pg_temp.is_now_in_reading(p_setting text) returns boolean
language plpgsql
as $$
begin
    perform set_config('transaction_read_only', 'on', true);
    perform set_config('monitoring.now', p_setting, true);
    return pg_temp.is_now(monitoring.clock());
exception
    when division_by_zero then
        return null;
end
$$;

create table shop.settings (setting text);
insert into shop.settings values
('garbage'), ('2099-01-01 00:00+00'), ('2001-01-01 00:00+00'), ('infinity'), ('-infinity'),
('294276-12-31 00:00+00'), ('4713-01-01 BC'), ('today'), (' '), ('now #'),
('2099-01-01T00:00:00.000000Z #' || repeat('0', 64));
grant select on shop.settings to public;

-- Somebody without any role changes a table that is watched

set session authorization clock_stranger;
do $$
declare
    v_setting text;
begin
    for v_setting in select setting from shop.settings loop
        perform set_config('monitoring.now', v_setting, true);
        update shop.orders set state = state || '.' where id = 1;
    end loop;
end
$$;
reset session authorization;
select set_config('monitoring.now', '', true);

select is(
    (select count(*) from monitoring.status_history where record_key = '1'),
    11::bigint,
    'whatever a stranger sets, each change of a watched table is recorded'
);
select ok(
    (
        select bool_and(pg_temp.is_now(recorded_at) and pg_temp.is_now(effective_at))
        from monitoring.status_history
    ),
    'with its true time'
);
select is_empty(
    'select * from monitoring.error_tracking where error_type = ''StatusTriggerFailed''',
    'and nothing fails'
);
set session authorization clock_stranger;
select set_config('monitoring.actor', 'boss', true);
update shop.orders set state = 'DONE' where id = 1;
reset session authorization;
select results_eq(
    'select actor, login_name from monitoring.status_history order by change_id desc limit 1',
    $$values ('boss', 'clock_stranger')$$,
    'who says to be somebody else is noted beside that'
);
select is(
    (select status from monitoring.v_record_status where record_key = '1'), 'DONE',
    'the status goes on with what happens next'
);

-- Programs

set session authorization clock_writer;
select
    ok(
        set_config('monitoring.now', setting, true) is not null
        and pg_temp.is_now(monitoring.clock()),
        format('the clock of a writer goes right though it is set to %s', left(setting, 40))
    )
from shop.settings;
select set_config('monitoring.now', '2099-01-01 00:00+00', true);
select monitoring.update_system_health('service', 'gw', 'healthy');
select monitoring.record_error('t', 'E', 'low', 'm');
select set_config('monitoring.strict', 'on', true);
select throws_ok(
    $$select monitoring.record_log('c', 'INFO', 'm', p_logged_at => '2099-01-01 00:00+00')$$,
    'PV006', null, 'a time that is checked is checked against the true one'
);
select set_config('monitoring.now', '', true);
reset session authorization;
select ok(
    (select bool_and(pg_temp.is_now(last_check_at)) from monitoring.system_health)
    and (select bool_and(pg_temp.is_now(occurred_at)) from monitoring.error_tracking),
    'what a writer records has its true time'
);

-- Readers and operators

set session authorization clock_reader;
select set_config('monitoring.now', '2099-01-01 00:00+00', true);
select ok(pg_temp.is_now(monitoring.clock()), 'a reader sees the true time');
select set_config('monitoring.now', 'garbage', true);
select lives_ok('select * from monitoring.system_health', 'and reads on whatever is set');
select
    ok(
        pg_temp.is_now_in_reading('2099-01-01 00:00+00'),
        'also where nothing can be written, for only our own functions make a seal'
    );
select throws_ok(
    'select monitoring._sealed_time(''2099-01-01'')', '42501', null, 'and a reader cannot'
);
reset session authorization;

set session authorization clock_operator;
select set_config('monitoring.now', '2099-01-01 00:00+00', true);
select lives_ok('select monitoring.evaluate_alerts()', 'an operator evaluates');
select ok(
    (select max(evaluated_at) from monitoring.v_alert_rules) < clock_timestamp()
    and pg_temp.is_now((select max(evaluated_at) from monitoring.v_alert_rules)),
    'as of now'
);
select set_config('monitoring.now', 'garbage', true);
select lives_ok('select monitoring.evaluate_alerts()', 'also when the setting is no time');
select is(current_setting('monitoring.now'), 'garbage', 'and finds the setting as it was');

-- What rules read goes by the moment of evaluation, whoever has them evaluated

select monitoring.create_alert_rule(
    'moment',
    'select ''x'' as fingerprint, extract(epoch from monitoring.clock()) as value,
        current_setting(''monitoring.now'') as seal',
    '{"low": 1}'
);
select lives_ok(
    $$select monitoring.evaluate_alerts(
        date_trunc('day', clock_timestamp()) - interval '5 minutes'
    )$$,
    'an operator may evaluate as of a moment'
);
reset session authorization;
select set_config('monitoring.now', '', true);
select is(
    (select value from monitoring.alerts where rule_name = 'moment'),
    extract(epoch from date_trunc('day', clock_timestamp()) - interval '5 minutes')::float8,
    'then an own rule reads that moment from the clock'
);
set session authorization clock_operator;
select ok(
    set_config('monitoring.now', (
        select labels ->> 'seal' from monitoring.alerts where rule_name = 'moment'
    ), true) ~ '#' and pg_temp.is_now(monitoring.clock()),
    'who notes the seal cannot write under it'
);
select results_eq(
    $$select (details ->> 'value')::float8
    from monitoring.explain_alert(
        (select alert_id from monitoring.alerts where rule_name = 'moment')
    ) where source = 'query'$$,
    $$select value from monitoring.alerts where rule_name = 'moment'$$,
    'an explanation goes by the moment at which the alert was last found'
);
select monitoring.acknowledge_alert(alert_id, 'seen', 'boss')
from monitoring.alerts where rule_name = 'moment';
select monitoring.unsilence_alerts(
    monitoring.silence_alerts('{"rule": "moment"}', p_by => 'boss'), 'chief'
);
select monitoring.resolve_error_group(fingerprint, p_by => 'boss') from monitoring.error_groups;
select results_eq(
    $$select changed_by, login_name from monitoring.alert_history
    where transition = 'acknowledged'$$,
    $$values ('boss', 'clock_operator')$$,
    'so it is with alerts'
);
select results_eq(
    'select created_by, login_name, ended_by, ended_login_name from monitoring.v_silences',
    $$values ('boss', 'clock_operator', 'chief', 'clock_operator')$$,
    'silences'
);
select results_eq(
    'select changed_by, login_name from monitoring.error_groups',
    $$values ('boss', 'clock_operator')$$,
    'and error groups'
);
select is(
    (
        select worst_value from monitoring.backtest_alert_rule(
                'moment',
                clock_timestamp() - interval '3 hours',
                clock_timestamp() - interval '2 hours',
                '20 minutes'
            )
    ) - extract(epoch from clock_timestamp() - interval '3 hours')::float8
    between -60 and 3600,
    true,
    'and so does a test of the rule over the past'
);
reset session authorization;

-- Admins

set session authorization clock_admin;
select set_config('monitoring.now', '2026-01-15 12:00+00', true);
select is(
    monitoring.clock(), '2026-01-15 12:00+00'::timestamptz, 'an admin may set the clock'
);
set local role monitoring_writer;
select is(
    monitoring.clock(), '2026-01-15 12:00+00'::timestamptz,
    'also while working in the role of somebody else'
);
reset role;
select
    throws_ok(
        format('select set_config(''monitoring.now'', %L, true), monitoring.clock()', setting),
        'PV006', null, 'but not to ' || left(setting, 40)
    )
from shop.settings
where setting not like '2___-%' and setting not in ('today', 'now #');
reset session authorization;

select * from finish(); -- noqa: AM04
rollback;
