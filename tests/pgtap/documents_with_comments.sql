-- Documents in text: comments as people write them are passed over, texts are kept.

begin;
select plan(13);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

-- Behaviour

select is(monitoring._read_document('document', text), document::jsonb, to_json(text)::text)
from (
    values
    (E'{"x": 1 // one\n}', '{"x": 1}'),
    (E'// "a\n{"x": 1 // one\r\n, "y": 2}', '{"x": 1, "y": 2}'),
    ('/* a /* b */ {"x": /**/ 1 /* * / **/}//', '{"x": 1}'),
    (E'{"x": "https://a/*b*/" // "c"\n}', '{"x": "https://a/*b*/"}'),
    (E'{"x": "a\\\\", "y": "\\"// no"} // "', E'{"x": "a\\\\", "y": "\\"// no"}'),
    (E'[1,//,\n2/*,3*/]', '[1, 2]')
) as known (text, document);

select is(
    monitoring.apply_config(
        E'{"alert_thresholds": {"queue_backlog": {\n  "critical": 501,    // pending tasks\n'
        '  "high": 201 /* as before */\n}}}'
    ) #> '{alert_thresholds.queue_backlog.critical,to}',
    '501',
    'a configuration may have comments'
);
select is(
    monitoring.apply_workflow(
        E'{"workflow": "w", // ours\n "steps": [{"step": "a"}]}'
    ) -> 'workflow',
    '{"from": null, "to": "w"}',
    'and a workflow'
);
select is(
    monitoring.apply_config('{"page_url": "https://monitor.example/a"}'::jsonb)
    #>> '{page_url,to}',
    'https://monitor.example/a',
    'JSON is taken as it is'
);

-- Refusals

select
    is(
        (select row(code, message) from pg_temp.refusal_of(statement)),
        row('PV009'::text, message),
        statement
    )
from (
    values
    (
        'monitoring.apply_config(''{"x": 1,}'')',
        'the configuration is not JSON: Expected string, but found "}".'
    ),
    (
        'monitoring.apply_workflow(''{"x": 1 /* no end'')',
        'the workflow is not JSON: Token "/" is invalid.'
    ),
    (
        'monitoring.apply_config('''')',
        'the configuration is not JSON: The input string ended unexpectedly.'
    )
) as refused (statement, message);
select is(
    (select hint from pg_temp.refusal_of('monitoring.apply_config(''{'')')),
    'It is plain JSON, apart from // and /* */ comments: no comma before } or ].',
    'the hint says what is allowed'
);

select * from finish(); -- noqa: AM04
rollback;
