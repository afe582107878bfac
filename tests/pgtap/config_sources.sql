-- Sources of runs, records and queues in the configuration.

begin;
select plan(23);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

create schema app;
create table app.runs (id text, state text, begun timestamptz, changed timestamptz);
create table app.mails (queue text, state text, ready timestamptz);
grant usage on schema app to monitoring_reader, monitoring_admin;
grant select on all tables in schema app to monitoring_reader, monitoring_admin;

-- Made

select lives_ok(
    $$select monitoring.apply_config('{
        "change_sources": {"ROBOT": "The robot."},
        "source_queries": {"orders": {
            "connection": "ORDERS_DB", "query": "select id, state from orders",
            "columns": ["id", "state"]
        }},
        "sources": {
            "billing": {
                "kind": "run", "relation": "app.runs", "task_type": "billing",
                "columns": {"run_id": "id", "status": "state", "started_at": "begun",
                    "updated_at": "changed"},
                "statuses": {"r": "running", "C": "completed"}
            },
            "orders": {
                "kind": "record", "relation": "query:orders", "dataset": "orders",
                "columns": {"record_key": ["id"], "status": "state"}, "change_source": "ROBOT"
            },
            "mails": {
                "kind": "queue", "relation": "app.mails",
                "columns": {"queue": "queue", "status": "state", "ready_at": "ready"},
                "statuses": {"W": "pending"}, "is_enabled": false
            }
        }
    }')$$,
    'sources of all kinds are registered, with the query and the change source that one needs'
);

select is(
    monitoring.get_config() #> '{sources,billing}',
    '{"kind": "run", "relation": "app.runs", "task_type": "billing",
        "columns": {"run_id": "id", "status": "state", "started_at": "begun",
            "updated_at": "changed"},
        "statuses": {"R": "running", "C": "completed"}, "time_zone": "UTC",
        "look_back_days": 7, "work": "type", "every_seconds": 900, "timeout_seconds": 600,
        "is_enabled": true}'::jsonb,
    'a source of runs has what was said of it, and what it is otherwise'
);

select is(
    monitoring.get_config() #> '{sources,orders}',
    '{"kind": "record", "relation": "query:orders", "dataset": "orders",
        "columns": {"record_key": ["id"], "status": "state"}, "statuses": {},
        "change_source": "ROBOT", "is_complete": false, "time_zone": "UTC",
        "every_seconds": 3600, "timeout_seconds": 600, "is_enabled": true}'::jsonb,
    'and so has one of records'
);

select is(
    monitoring.get_config() #> '{sources,mails}',
    '{"kind": "queue", "relation": "app.mails",
        "columns": {"queue": "queue", "status": "state", "ready_at": "ready"},
        "statuses": {"W": "pending"}, "time_zone": "UTC",
        "every_seconds": 60, "timeout_seconds": 30, "is_enabled": false}'::jsonb,
    'and one of queues'
);

select is(
    monitoring.apply_config(monitoring.get_config()), '{}'::jsonb,
    'applying what it says changes nothing'
);

-- What a source needs

select is(
    (pg_temp.refusal_of($$monitoring.apply_config('{"change_sources": {"ROBOT": null},
        "source_queries": {"orders": null}}')$$)).message,
    E'source_queries.orders: query "orders" is read by source orders\n'
    'change_sources.ROBOT: change source "ROBOT" is used by source "orders"',
    'is not removed'
);

-- Changed

select is(
    monitoring.apply_config('{
        "retention": {"source_runs": "90 days"},
        "sources": {"billing": {"look_back_days": 60, "failed_severity": "critical"},
            "mails": {"queue_name": "mail", "columns": {"status": "state"}}}
    }'),
    '{
        "retention.source_runs": {"from": "30 days", "to": "90 days"},
        "sources.billing.look_back_days": {"from": 7, "to": 60},
        "sources.billing.failed_severity": {"from": null, "to": "critical"},
        "sources.mails.queue_name": {"from": null, "to": "mail"},
        "sources.mails.columns.queue": {"from": "queue", "to": null},
        "sources.mails.columns.ready_at": {"from": "ready", "to": null}
    }'::jsonb,
    'settings change one by one, and columns as a whole'
);

select is(
    monitoring.apply_config('{"sources": {"billing": {"failed_severity": null}}}'),
    '{"sources.billing.failed_severity": {"from": "critical", "to": null}}'::jsonb,
    'null takes one back'
);

set local role monitoring_operator;

select is(
    monitoring.apply_config('{"sources": {"billing": {"is_enabled": false},
        "mails": {"is_enabled": true}}}'),
    '{"sources.billing.is_enabled": {"from": true, "to": false},
        "sources.mails.is_enabled": {"from": false, "to": true}}'::jsonb,
    'an operator enables and disables'
);

select is(
    (pg_temp.refusal_of($$monitoring.apply_config('{"sources": {"billing": {"work": "run"},
        "mails": null}}')$$)).message,
    E'sources.mails: monitoring_operator may not register sources\n'
    'sources.billing: monitoring_operator may not register sources',
    'but neither changes nor removes one'
);

reset role;

-- Removed

select lives_ok(
    $$select monitoring.apply_config('{"source_queries": {"orders": null},
        "change_sources": {"ROBOT": null},
        "sources": {"orders": null, "billing": null, "mails": null}}')$$,
    'a source goes together with the query that it reads and its change source'
);

select is(
    (
        select c.config -> 'sources' || c.config -> 'source_queries' || c.config -> 'change_sources'
        from (select monitoring.get_config() as config) as c
    ),
    '{}'::jsonb,
    'and nothing is left of them'
);

-- Refusals

select
    results_eq(
        format(
            'select code, message from pg_temp.refusal_of(%L)',
            format('monitoring.apply_config(%L)', jsonb_build_object('sources', sources::jsonb))
        ),
        format('select ''PV009'', %L', message),
        'refused: ' || message
    )
from (
    values
    ('{"a": {"relation": "app.runs"}}', 'sources.a: kind is not known: null'),
    ('{"a": {"kind": "runs"}}', 'sources.a.kind is not right: "runs"'),
    ('{"a": {"kind": "run"}}', 'sources.a: relation is missing: null'),
    ('{"a": {"kind": "run", "relation": "app.x"}}', 'sources.a: there is no relation "app.x"'),
    (
        '{"a": {"kind": "run", "relation": "query:x"}}',
        'sources.a: there is no query "x"'
    ),
    (
        '{"a": {"kind": "queue", "relation": "app.mails", "dataset": "x"}}',
        'sources.a: setting of a source of queues is not known: "dataset"'
    ),
    (
        '{"a": {"kind": "run", "relation": "app.runs", "is_complete": true}}',
        'sources.a: setting of a source of runs is not known: "is_complete"'
    ),
    (
        '{"a": {"kind": "queue", "relation": "app.mails", "columns": {"queue": "x"}}}',
        'sources.a: app.mails has no column "x"'
    ),
    (
        '{"a": {"kind": "record", "relation": "app.runs", "columns": {"record_key": "id"}}}',
        'sources.a: dataset is missing: null'
    ),
    (
        '{"a:b": {"kind": "queue", "relation": "app.mails"}}',
        'sources.a:b: source_name is not known: "a:b"'
    ),
    ('{"a": {"every_seconds": 5}}', 'sources.a.every_seconds is not right: 5')
) as bad (sources, message);

select * from finish(); -- noqa: AM04
rollback;
