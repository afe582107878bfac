-- Sessions and roles may have standard_conforming_strings off, by which a backslash in a literal
-- means something else. The body of a function in PL/pgSQL is read by that when it is first called.

begin;
select plan(16);
\ir helpers/fixed_clock.psql

create schema scratch;
create table scratch.runs (id text, state text, begun text, ended text);
create table scratch.orders (id text, state text, day date);
grant usage on schema scratch to monitoring_admin, monitoring_reader;
grant select on scratch.runs, scratch.orders to monitoring_admin, monitoring_reader;

set local standard_conforming_strings = off;
set local escape_string_warning = off;

-- Jobs, rules, channels

select is(
    monitoring._find_job_routine('monitoring.sync_sources ( ) '),
    'monitoring.sync_sources()'::regprocedure,
    'a job may be named with its parentheses'
);
select is(
    monitoring.next_cron_time('30' || chr(9) || '6  * * *', '2026-01-15 12:00+00'),
    '2026-01-16 06:30+00'::timestamptz,
    'the fields of a cron expression may be apart by any blanks'
);
select lives_ok(
    $$
        select monitoring.define_notification_channel(
            'mail', array['MAIL'], p_summary_time => '07:35'
        )
    $$,
    'a time of day is one'
);
select throws_ok(
    $$
        select monitoring.define_notification_channel(
            'mail', array['MAIL'], p_summary_time => '07:d'
        )
    $$,
    'PV006', 'time of day is impossible: "07:d"', 'and nothing else'
);
select lives_ok(
    $$
        select monitoring.create_alert_rule(
            'few', 'select 1::float8 as value, ''s'' as fingerprint ; ', '{"low": 5}'
        )
    $$,
    'the query of a rule may end in a semicolon and blanks'
);
select throws_ok(
    $$select monitoring.create_alert_rule('none', ' ; ')$$, 'PV008', null,
    'but not consist of them'
);

-- Errors and records

select is(
    monitoring.message_template('login failed for user ann with 17'),
    'login failed for user <*> with <*>',
    'what differs in a message is found'
);
select is(
    monitoring.key_of_record('a|b', 'c' || chr(92)),
    replace('a/|b|c//', '/', chr(92)),
    'the parts of a key are marked'
);
select is(
    monitoring.track_status_changes(
        'apr', ' ' || chr(10) || '[{"record_key": "1", "status": "OPEN"}]'
    ) -> 'new',
    '1',
    'a text may begin with blanks before its JSON'
);
select is(
    monitoring.track_status_changes(
        'apr', jsonb_build_array(jsonb_build_object('record_key', chr(92) || '''', 'status', 'A'))
    ) -> 'new',
    '1',
    'a record may be named with a backslash'
);

-- Sources

select monitoring.register_record_source(
    'orders', 'orders', 'scratch.orders', '{"record_key": ["id", "day"], "status": "state"}',
    jsonb_build_object(chr(92) || 'O', 'OPEN')
);
insert into scratch.orders values (chr(92) || '1', chr(92) || 'o', '2026-01-15');
select monitoring.sync_source('orders');
select results_eq(
    $$select record_key, status from monitoring.v_record_status where dataset = 'orders'$$,
    $$values (repeat(chr(92), 2) || '1|2026-01-15', 'OPEN')$$,
    'rows and codes with backslashes are read as they are'
);
select monitoring.register_run_source(
    'runs', 'scratch.runs',
    '{"run_id": "id", "status": "state", "started_at": "begun", "finished_at": "ended",
        "business_date": "begun"}',
    '{"R": "running", "C": "completed"}', 'night', 'America/Sao_Paulo'
);
insert into scratch.runs values
(chr(92) || '1', 'R', '2026-01-15 10:00:00.5+00', null),
('2', 'C', '2026-01-15 08:00', '2026-01-15T08:30');
select is(
    monitoring.sync_source('runs') - array['source', 'progressed', 'ended', 'restarted'],
    '{"bad": 0, "new": 2, "vanished": 0, "unchanged": 0, "went_backwards": 0}',
    'times are read in texts of any form'
);
select results_eq(
    $$
        select task_id, start_time, metadata ->> 'business_date'
        from monitoring.processing_metrics where task_id like 'runs:%' order by start_time
    $$,
    $$
        values ('runs:' || chr(92) || '1', '2026-01-15 10:00:00.5+00'::timestamptz, '2026-01-15'),
            ('runs:2', '2026-01-15 11:00+00', '2026-01-15')
    $$,
    'those that name their zone by that, and the others by that of the source'
);
select is(
    monitoring.sync_source('runs') -> 'unchanged', '2', 'and the runs are found again'
);

-- Recording

select lives_ok(
    $$
        select monitoring.record_error('t', 'E', 'low', chr(92) || 'n'),
            monitoring.start_task_tracking(chr(92) || '''', 'load'),
            monitoring.complete_task_tracking(chr(92) || ''''),
            monitoring.record_log(chr(92), 'INFO', chr(92)),
            monitoring.log_program_execution('apr', '2026-01-15', '{}', '90 seconds')
    $$,
    'recording takes whatever it is told'
);
select results_eq(
    $$select message from monitoring.error_tracking where error_type = 'E'$$,
    $$values (chr(92) || 'n')$$,
    'and keeps it'
);

select * from finish(); -- noqa: AM04
rollback;
