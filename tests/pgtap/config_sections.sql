-- What people decide besides alerts, retention and jobs, in the configuration.

begin;
select plan(47);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

create temporary table fresh as select monitoring.get_config() as config;
grant select on fresh to monitoring_operator;
set local role monitoring_operator;

-- The page, names and partitions

select is(
    monitoring.apply_config('{
        "page_url": "https://monitor.example/pgvigil/",
        "name_limits": {"tasks": 5000, "metrics": 100},
        "partitions_ahead": {"errors": 14}
    }'),
    '{
        "page_url": {"from": null, "to": "https://monitor.example/pgvigil"},
        "name_limits.metrics": {"from": 5000, "to": 100},
        "name_limits.tasks": {"from": 2000, "to": 5000},
        "partitions_ahead.errors": {"from": 7, "to": 14}
    }'::jsonb,
    'an operator says where the page is, how many names and days ahead there may be'
);

select results_eq(
    $$select name, settings from monitoring.monitoring_config where section = 'page_url'$$,
    $$values (null::text, '"https://monitor.example/pgvigil"'::jsonb)$$,
    'a section that is one value is a row without a name'
);

select is(
    monitoring.apply_config('{"page_url": null, "name_limits": {"tasks": null},
        "partitions_ahead": {"errors": null}}'),
    '{
        "page_url": {"from": "https://monitor.example/pgvigil", "to": null},
        "name_limits.tasks": {"from": 5000, "to": 2000},
        "partitions_ahead.errors": {"from": 14, "to": 7}
    }'::jsonb,
    'null takes back what was said'
);

select results_eq(
    $$select kind, at_most from monitoring.v_name_limits where kind in ('tasks', 'metrics')
    order by 1$$,
    $$values ('metrics', 100), ('tasks', 2000)$$,
    'then as many names are told apart as we ship'
);

select is_empty(
    $$select section from monitoring.monitoring_config where section = 'page_url'$$,
    'and there is no page'
);

-- Owners

select monitoring.apply_config('{"alert_owners": [
    {"labels": {"task_type": "etl"}, "owner": "Ann"}, {"labels": {}, "owner": "Team"}
]}');

select is(
    monitoring.apply_config('{"alert_owners": [
        {"labels": {}, "owner": "Team"}, {"labels": {"task_type": "etl"}, "owner": "Bob"}
    ]}'),
    '{"alert_owners": {
        "from": [
            {"labels": {}, "owner": "Team"}, {"labels": {"task_type": "etl"}, "owner": "Ann"}
        ],
        "to": [{"labels": {}, "owner": "Team"}, {"labels": {"task_type": "etl"}, "owner": "Bob"}]
    }}'::jsonb,
    'an owner takes the place of another'
);

select is(
    monitoring.apply_config('{"alert_owners": [{"labels": {"task_type": "etl"}, "owner": "Bob"}]}')
    #> '{alert_owners,to}',
    '[{"labels": {"task_type": "etl"}, "owner": "Bob"}]'::jsonb,
    'owners are those that are listed'
);

-- Change sources and datasets

select monitoring.apply_config('{"change_sources": {"ROBOT": "The robot."}}');

select is(
    monitoring.get_config() #>> '{change_sources,ROBOT}', 'The robot.', 'a change source is added'
);

select is(
    monitoring.apply_config('{"change_sources": {"ROBOT": null, "BOT": "Ours.", "NONE": null}}'),
    '{"change_sources.ROBOT": {"from": "The robot.", "to": null},
        "change_sources.BOT": {"from": "A program that works on records in place of people.",
            "to": "Ours."}}'::jsonb,
    'or goes again, and one of ours is described anew'
);

select is(
    monitoring.apply_config('{"change_sources": {"BOT": null}}') #>> '{change_sources.BOT,to}',
    'A program that works on records in place of people.',
    'until null takes that back'
);

select is(
    monitoring.apply_config('{"datasets": {
        "orders": {
            "description": "Orders.", "time_zone": "America/Sao_Paulo",
            "pending_statuses": ["OPEN", "WAITING"], "bot_task_type": "order_bot",
            "allowed_transitions": {"OPEN": ["DONE", ""], "": ["OPEN"]}
        },
        "bills": {"allowed_transitions": {"": ["NEW"]}}
    }}') -> 'datasets.bills',
    '{"from": null, "to": {"allowed_transitions": {"": ["NEW"]}}}'::jsonb,
    'a dataset has what was said of it'
);

select is(
    monitoring.apply_config('{"datasets": {"orders": {
        "description": null, "pending_statuses": null, "allowed_transitions": {"OPEN": ["DONE"]}
    }}}'),
    '{
        "datasets.orders.description": {"from": "Orders.", "to": null},
        "datasets.orders.pending_statuses": {"from": ["OPEN", "WAITING"], "to": []},
        "datasets.orders.allowed_transitions.": {"from": ["OPEN"], "to": null},
        "datasets.orders.allowed_transitions.OPEN": {"from": ["", "DONE"], "to": ["DONE"]}
    }'::jsonb,
    'settings of it change one by one, and what it allows as a whole'
);

select is(
    monitoring.get_config() #> '{datasets,orders}',
    '{"description": null, "time_zone": "America/Sao_Paulo", "pending_statuses": [],
        "bot_task_type": "order_bot", "allowed_transitions": {"OPEN": ["DONE"]}}'::jsonb,
    'and the others stay'
);

select lives_ok(
    $$select monitoring.apply_config('{"datasets": {"orders": null, "bills": {
        "allowed_transitions": null}}}')$$,
    'null forgets a dataset, or what it allows'
);

select is(monitoring.get_config() -> 'datasets', '{}'::jsonb, 'and nothing is left of them');

-- Workflows

select monitoring.apply_config('{"workflows": {"nightly": {
    "time_zone": "Europe/Berlin", "cutover": "06:00",
    "steps": [{"step": "load", "schedule": "18:00", "late_after": "15 minutes"},
        {"step": "count", "after": ["load"], "expected": "20 min"}]
}}}');

select is(
    monitoring.get_config() #> '{workflows,nightly}',
    '{"time_zone": "Europe/Berlin", "cutover": "06:00", "enabled": true, "steps": [
        {"step": "load", "schedule": "18:00", "late_after": "15 minutes"},
        {"step": "count", "after": ["load"], "expected": "20 minutes"}
    ]}'::jsonb,
    'a workflow is one with its steps'
);

select is(
    monitoring.apply_config('{"workflows": {"nightly": {"enabled": false}}}'),
    '{"workflows.nightly.enabled": {"from": true, "to": false}}'::jsonb,
    'what is not named of it stays'
);

select is(
    monitoring.apply_config('{"workflows": {"nightly": null, "daily": {"steps": [
        {"step": "load"}, {"step": "count"}]}}}') #> '{workflows.daily,to,steps}',
    '[{"step": "load"}, {"step": "count"}]'::jsonb,
    'steps go from one that is removed to another'
);

select is(
    monitoring.apply_config('{"workflows": {"daily": {"steps": [{"step": "load"}]}}}')
    #> '{workflows.daily.steps,to}',
    '[{"step": "load"}]'::jsonb,
    'steps change as a whole'
);

select lives_ok(
    $$select monitoring.apply_config('{"workflows": {"daily": null}}')$$, 'null removes it'
);

select is(monitoring.get_config() -> 'workflows', '{}'::jsonb, 'with its steps');

-- Error groups, which need not have occurred yet

select monitoring.apply_config('{"error_groups": {
    "aaa": {"status": "muted", "muted_until": "2026-02-01T00:00:00Z", "note": "known"},
    "bbb": {"status": "resolved", "decided_by": "ann", "decided_at": "2026-01-10T08:00:00Z"},
    "ccc": {"status": "muted", "muted_until": "2026-01-01T00:00:00Z"}
}}');

select is(
    monitoring.get_config() -> 'error_groups',
    jsonb_build_object(
        'aaa', jsonb_build_object(
            'status', 'muted', 'muted_until', '2026-02-01T00:00:00Z', 'note', 'known',
            'decided_by', session_user, 'decided_at', '2026-01-15T12:00:00Z'
        ),
        'bbb', '{"status": "resolved", "muted_until": null, "note": null, "decided_by": "ann",
            "decided_at": "2026-01-10T08:00:00Z"}'::jsonb
    ),
    'decisions are kept with who and when, but for mutes that have ended'
);

select is(
    monitoring.apply_config('{"error_groups": {"aaa": {"status": "resolved"}}}'),
    '{
        "error_groups.aaa.status": {"from": "muted", "to": "resolved"},
        "error_groups.aaa.muted_until": {"from": "2026-02-01T00:00:00Z", "to": null}
    }'::jsonb,
    'another decision ends a mute'
);

select is(
    monitoring.apply_config('{"error_groups": {"aaa": null, "bbb": null, "zzz": null}}')
    -> 'error_groups.bbb' -> 'to',
    'null'::jsonb,
    'null opens a group again'
);

-- Queries in other databases

select is(
    pg_temp.refusal_of($$monitoring.apply_config('{"source_queries": {"runs": {
        "connection": "OTHER_DB", "query": "select id from runs", "columns": ["id"]}}}')$$),
    row(
        'PV009', 'source_queries.runs: monitoring_operator may not register queries',
        'Have a member of monitoring_admin apply it: registered sources are trusted.'
    )::pg_temp.refusal,
    'an operator registers no query'
);

reset role;
create role config_operator in role monitoring_operator;
set local session authorization config_operator;

select is(
    (pg_temp.refusal_of($$monitoring.apply_config('{"source_queries": {"runs": {
        "connection": "OTHER_DB", "query": "select id from runs", "columns": ["id"]}}}')$$)).message,
    'source_queries.runs: config_operator may not register queries',
    'by whichever role it comes'
);

reset session authorization;

select is(
    monitoring.apply_config('{"source_queries": {"runs": {
        "connection": "OTHER_DB", "query": "select id from runs;", "columns": ["id"],
        "resume_column": "id"}}}') #> '{source_queries.runs,to}',
    '{"connection": "OTHER_DB", "query": "select id from runs", "columns": ["id"],
        "resume_column": "id", "every_seconds": 3600, "timeout_seconds": 600, "is_enabled": true}'
    ::jsonb,
    'an admin does'
);

set local role monitoring_operator;

select is(
    monitoring.apply_config('{"source_queries": {"runs": {"is_enabled": false}}}'),
    '{"source_queries.runs.is_enabled": {"from": true, "to": false}}'::jsonb,
    'an operator disables one'
);

select is(
    (pg_temp.refusal_of($$monitoring.apply_config('{"source_queries": {"runs": null}}')$$)).message,
    'source_queries.runs: monitoring_operator may not register queries',
    'but removes none'
);

reset role;

select is(
    monitoring.apply_config('{"source_queries": {"runs": {"every_seconds": 7200}}}'),
    '{"source_queries.runs.every_seconds": {"from": 3600, "to": 7200}}'::jsonb,
    'settings of a query change one by one'
);

select monitoring.apply_config('{"source_queries": {"runs": null}}');

select is(monitoring.get_config() -> 'source_queries', '{}'::jsonb, 'null removes a query');

set local role monitoring_operator;

-- Jobs of one's own

select is(
    (pg_temp.refusal_of($$monitoring.apply_config('{"jobs": {
        "mine": {"procedure": "monitoring.roll_up", "schedule": "1 hour"},
        "roll_up": {"procedure": "monitoring.evaluate_alerts"}}}')$$)).message,
    E'jobs.mine: monitoring_operator may not register jobs\n'
    'jobs.roll_up: monitoring_operator may not register jobs',
    'an operator says not what a job calls'
);

reset role;

select is(
    monitoring.apply_config('{"jobs": {"mine": {"procedure": "monitoring.roll_up",
        "schedule": "1 hour", "description": "Sums up once more."}}}') #> '{jobs.mine,to}',
    '{"procedure": "monitoring.roll_up", "schedule": "1 hour", "time_zone": "UTC",
        "timeout_seconds": 600, "is_enabled": true, "description": "Sums up once more."}'::jsonb,
    'an admin adds a job'
);

set local role monitoring_operator;

select is(
    monitoring.apply_config('{"jobs": {"mine": {"schedule": "2 hours", "is_enabled": false}}}'),
    '{"jobs.mine.schedule": {"from": "1 hour", "to": "2 hours"},
        "jobs.mine.is_enabled": {"from": true, "to": false}}'::jsonb,
    'an operator changes when it runs'
);

reset role;
select monitoring.apply_config('{"jobs": {"mine": null}}');

select is(monitoring.get_config() #> '{jobs,mine}', null, 'null removes it');

set local role monitoring_operator;

-- All of it together

select is(
    monitoring.apply_config(
        (select config from fresh) || '{"name_limits": {"metrics": null}}'
    ),
    '{
        "name_limits.metrics": {"from": 100, "to": 5000},
        "alert_owners": {
            "from": [{"labels": {"task_type": "etl"}, "owner": "Bob"}], "to": []
        }
    }'::jsonb,
    'what was there at first can be had again'
);

-- Refusals

select
    results_eq(
        format(
            'select code, message from pg_temp.refusal_of(%L)',
            format('monitoring.apply_config(%L)', config)
        ),
        format('select ''PV009'', %L', message),
        'refused: ' || message
    )
from (
    values
    ('{"page_url": "https://ann:secret@monitor.example"}', 'page_url is not right'),
    ('{"name_limits": {"tasks": 9}}', 'name_limits.tasks is not right: 9'),
    ('{"name_limits": {"none": 99}}', 'name_limits.none: kind is not known: "none"'),
    (
        '{"partitions_ahead": {"none": 9}}',
        'partitions_ahead.none: there is no partitioned table "none"'
    ),
    ('{"alert_owners": [{"labels": {}}]}', 'alert_owners[0] is not right: {"labels": {}}'),
    (
        '{"datasets": {"a": {"time_zone": "Mars/Base"}}}',
        'datasets.a: there is no time zone "Mars/Base"'
    ),
    (
        '{"workflows": {"w": {"steps": [{"step": "a", "after": ["b"], "late_after": "soon"}]},
            "v": {}}}',
        E'workflows.v is not right: {"workflow": "v"}\n'
        'workflows.w.steps[0].after names no step of the workflow: "b"\n'
        'workflows.w.steps[0].late_after is not a length of time: "soon"'
    ),
    (
        '{"workflows": {"w": {"steps": [{"step": "a", "optionl": true}]}}}',
        'workflows.w.steps[0].optionl is not known'
    ),
    (
        '{"workflows": {"w": {"time_zone": "Mars/Base", "steps": [{"step": "a"}]}}}',
        'workflows.w.time_zone: there is no time zone "Mars/Base"'
    ),
    ('{"error_groups": {"a": {"note": "x"}}}', 'error_groups.a: status is not known: null'),
    (
        '{"error_groups": {"a": {"status": "resolved", "muted_until": "2026-02-01T00:00:00Z"}}}',
        'error_groups.a: a resolved error group has no muted_until'
    )
) as bad (config, message);

select * from finish(); -- noqa: AM04
rollback;
