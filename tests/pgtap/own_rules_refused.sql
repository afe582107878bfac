-- What no rule can be made of, and what the query of a rule cannot do.

begin;
select plan(54);
\ir helpers/fixed_clock.psql
\ir helpers/own_rules.psql
\ir helpers/refusals.psql

-- Somebody else's function that writes with its owner's rights, for everyone to call.
create function shop.take_all() returns integer
language sql
security definer
as $$ update shop.till set amount = 0 returning amount $$;

create sequence shop.receipts;
grant usage on sequence shop.receipts to monitoring_reader;

-- How the making of a rule is refused: rule name, query, and what follows.
create function pg_temp.refused(p_query text, p_more text default $$'{"low": 1}'$$)
returns pg_temp.refusal
language sql
as $$
    select pg_temp.refusal_of(
        format('monitoring.create_alert_rule(''a rule'', %L, %s)', p_query, p_more)
    )
$$;

set local role monitoring_operator;

-- What a query cannot do

select
    results_eq(
        format('select code, message, hint from pg_temp.refused(%L)', query),
        format('select ''PV008'', %L, %L', 'the query cannot be run: ' || message, hint),
        'a query cannot ' || what
    )
from (
    values
    (
        'write', 'insert into shop.orders values (''x'') returning customer as fingerprint',
        'syntax error at or near "into"', 'Give one select that returns a row for each alert.'
    ),
    (
        'write on its way',
        'with w as (delete from shop.orders returning *) select customer as fingerprint from w',
        'WITH clause containing a data-modifying statement must be at the top level',
        'Give one select that returns a row for each alert.'
    ),
    (
        'write through a function of somebody who may',
        'select ''x'' as fingerprint, shop.take_all() as value',
        'cannot execute UPDATE in a read-only transaction', 'A rule can only read.'
    ),
    (
        'record',
        'select ''x'' as fingerprint, monitoring.record_queue_metrics(''q'', 1)::text as severity',
        'permission denied for function record_queue_metrics',
        'Own rules run with the rights of monitoring_reader and cannot call what writes; let it '
        'read your tables: grant select on ... to monitoring_reader.'
    ),
    (
        'read a table that the readers may not read', 'select amount as fingerprint from shop.till',
        'permission denied for table till',
        'Own rules run with the rights of monitoring_reader and cannot call what writes; let it '
        'read your tables: grant select on ... to monitoring_reader.'
    ),
    (
        'read tables of pgvigil', 'select task_id as fingerprint from finished_tasks',
        'permission denied for table finished_tasks',
        'Own rules run with the rights of monitoring_reader and cannot call what writes; let it '
        'read your tables: grant select on ... to monitoring_reader.'
    ),
    (
        'be two statements', 'select 1 as fingerprint; select 2 as fingerprint',
        'syntax error at or near ";"', 'Give one select that returns a row for each alert.'
    ),
    (
        'take another role',
        'select set_config(''role'', ''monitoring_admin'', false) as fingerprint, 1 as value',
        'cannot set parameter "role" within security-definer function',
        'Own rules run with the rights of monitoring_reader and cannot call what writes; let it '
        'read your tables: grant select on ... to monitoring_reader.'
    ),
    (
        'become somebody else',
        'select 1 as fingerprint, '
        'set_config(''session_authorization'', ''postgres'', false) as severity',
        'cannot set parameter "session_authorization" within security-definer function',
        'Own rules run with the rights of monitoring_reader and cannot call what writes; let it '
        'read your tables: grant select on ... to monitoring_reader.'
    ),
    (
        'allow itself to write',
        'select 1 as fingerprint, '
        'set_config(''transaction_read_only'', ''off'', false) as severity',
        'cannot set transaction read-write mode inside a read-only transaction',
        'A rule can only read.'
    ),
    (
        'count a sequence up', 'select nextval(''shop.receipts'') as value, 1 as fingerprint',
        'cannot execute nextval() in a read-only transaction', 'A rule can only read.'
    ),
    (
        'lock rows', 'select customer as fingerprint from shop.orders for update',
        'SELECT FOR UPDATE is not allowed in a non-volatile function',
        'Give one select that returns a row for each alert.'
    ),
    (
        'end what is not its own', 'select pg_reload_conf() as fingerprint',
        'permission denied for function pg_reload_conf',
        'Own rules run with the rights of monitoring_reader and cannot call what writes; let it '
        'read your tables: grant select on ... to monitoring_reader.'
    ),
    (
        'be something that it is not', 'select from where', 'syntax error at or near "where"',
        'Give one select that returns a row for each alert.'
    ),
    (
        'read what is not there', 'select x as fingerprint from orders',
        'relation "orders" does not exist',
        'Name what is not in schema monitoring with its schema; of pgvigil itself there are views '
        'and get_... functions to read.'
    ),
    (
        'go wrong',
        'select ''x'' as fingerprint, 1 / count(*) as value from shop.orders where false',
        'division by zero', 'Run the query by itself to see what is wrong with it.'
    )
) as bad (what, query, message, hint);

reset role;

select throws_ok(
    $$select monitoring._run_rule_query(
        'select 1) as q; select to_jsonb(q) from (select 2', '', 10, 'monitoring_reader'
    )$$,
    '42P11',
    'cannot open multi-query plan as cursor',
    'a query cannot be two statements, whatever brackets it closes'
);

set local role monitoring_operator;

-- What it must return

select
    results_eq(
        format('select code, message, hint from pg_temp.refused(%L)', query),
        format('select %L, %L, %L', code, message, hint),
        'refused: ' || query
    )
from (
    values
    (
        'select', 'PV008', 'the query returns no column "fingerprint"',
        'Return as fingerprint what was found, such as the name of a customer; besides it value '
        'or severity, and if you like threshold, labels, summary.'
    ),
    (
        'select 1 as value', 'PV008', 'the query returns no column "fingerprint"',
        'Return as fingerprint what was found, such as the name of a customer; besides it value '
        'or severity, and if you like threshold, labels, summary.'
    ),
    (
        'select 1 as fingerprint where false', 'PV008',
        'the query returns neither column "value" nor column "severity"',
        'Return as value what is compared with the thresholds, or severity itself.'
    ),
    (
        'select 1 as fingerprint, ''1'' as value', 'PV008',
        'the query returns column "value" as text',
        'Return value as a number; of an interval take extract(epoch from ...).'
    ),
    (
        'select 1 as fingerprint, now() - now() as value', 'PV008',
        'the query returns column "value" as interval',
        'Return value as a number; of an interval take extract(epoch from ...).'
    ),
    (
        'select 1 as fingerprint, 1 as value, now() as threshold', 'PV008',
        'the query returns column "threshold" as timestamp with time zone',
        'Return threshold as a number.'
    ),
    (
        'select 1 as fingerprint, 3 as severity', 'PV008',
        'the query returns column "severity" as integer',
        'Return severity as a text: low, medium, high or critical.'
    ),
    (
        'select 1 as fingerprint, 1 as value, 2 as summary', 'PV008',
        'the query returns column "summary" as integer', 'Return summary as a text.'
    ),
    (
        'select 1 as fingerprint, 1 as value, ''{}'' as labels', 'PV008',
        'the query returns column "labels" as text', 'Return labels as a jsonb object of texts.'
    ),
    (
        'select 1 as fingerprint, 1 as value, ''[1]''::jsonb as labels', 'PV005',
        'labels has the wrong shape: [1]', 'Give labels as an object of texts.'
    ),
    (
        'select 1 as fingerprint, ''warning'' as severity', 'PV003',
        'severity is not known: "warning"', 'Use one of: low, medium, high, critical.'
    ),
    (
        'select '''' as fingerprint, 1 as value', 'PV001', 'fingerprint is empty: ""',
        'Give fingerprint a name of 1 to 255 characters that are not all blank.'
    ),
    (
        'select null as fingerprint, 1 as value', 'PV001', 'fingerprint is missing: null',
        'Give fingerprint a name of 1 to 255 characters that are not all blank.'
    ),
    (
        'select i as fingerprint, 1 as value from generate_series(1, 1001) as i', 'PV008',
        'the query returns more than 1000 rows',
        'A row is an alert: return what people can look after.'
    ),
    (
        '', 'PV008', 'the query is missing',
        'Give a select of at most 65,536 characters that returns a row for each alert.'
    ),
    (
        ' ; ', 'PV008', 'the query is missing',
        'Give a select of at most 65,536 characters that returns a row for each alert.'
    )
) as bad (query, code, message, hint);

select results_eq(
    $$select code, message from pg_temp.refused('select ' || repeat('1 + ', 17000) || '1')$$,
    $$values ('PV008', 'the query is too long: 68008 characters')$$,
    'a query of any length is too much'
);

select results_eq(
    $$select code, message, hint
    from pg_temp.refused('select 1 as fingerprint, 1 as value', 'null')$$,
    $$values ('PV008',
        'the query returns no column "severity" and the rule has no thresholds',
        'Give thresholds such as {"high": 10}, or return severity: low, medium, high, critical.')$$,
    'without thresholds it must return severities'
);

-- Other arguments

select
    results_eq(
        format(
            'select code, message from pg_temp.refused(%L, %L)',
            'select 1 as fingerprint, 1 as value', arguments
        ),
        format('select %L, %L', code, message),
        'refused: ' || arguments
    )
from (
    values
    ($$'[]'$$, 'PV005', 'thresholds has the wrong shape: []'),
    ($$'{"warning": 1}'$$, 'PV003', 'severity of a threshold is not known: "warning"'),
    ($$'{"low": "1"}'$$, 'PV004', 'threshold low is out of range: "1"'),
    ($$'{"low": 2, "high": 1}'$$, 'PV004', 'threshold high is out of range: 1'),
    (
        $$'{"low": 1, "high": 2}', p_comparison => '<'$$,
        'PV004',
        'threshold high is out of range: 2'
    ),
    ($$'{"low": 1}', p_comparison => '='$$, 'PV003', 'comparison is not known: "="'),
    ($$'{"low": 1}', p_comparison => null$$, 'PV003', 'comparison is not known: ""'),
    ($$'{"low": 1}', p_for => '-1 s'$$, 'PV004', 'for_seconds is out of range: -1'),
    ($$'{"low": 1}', p_for_evaluations => 0$$, 'PV004', 'for_evaluations is out of range: 0'),
    (
        $$'{"low": 1}', p_keep_firing_for => null$$, 'PV004',
        'keep_firing_seconds is out of range: null'
    ),
    ($$'{"low": 1}', p_no_data => 'fire'$$, 'PV003', 'no_data is not known: "fire"'),
    ($$'{"low": 1}', p_on_error => 'alert'$$, 'PV003', 'on_error is not known: "alert"'),
    ($$'{"low": 1}', p_time_limit => '0'$$, 'PV004', 'time_limit_seconds is out of range: 0')
) as bad (arguments, code, message);

-- Names

reset role;
insert into monitoring.alert_rules (rule_name, family, finder_name)
values ('built in', 'queues', '_find_nothing');
set local role monitoring_operator;

select monitoring.create_alert_rule('mine', 'select 1 as fingerprint, 1 as value', '{"low": 1}');

select
    results_eq(
        'select code, message, hint from pg_temp.refusal_of(' || quote_literal(call) || ')',
        format('select %L, %L, %L', code, message, hint),
        'refused: ' || call
    )
from (
    values
    (
        'monitoring.create_alert_rule('' '', ''select 1'')', 'PV001', 'rule_name is empty: " "',
        'Give rule_name a name of 1 to 255 characters that are not all blank.'
    ),
    (
        'monitoring.create_alert_rule(''mine'', ''select 1'')', 'PV003',
        'there is an own rule "mine" already',
        'Remove it first with remove_alert_rule(), or take another name.'
    ),
    (
        'monitoring.create_alert_rule(''built in'', ''select 1'')', 'PV003',
        'there is a built-in rule "built in" already',
        'Take another name; a built-in rule is changed with change_alert_rule() and '
        'set_alert_thresholds().'
    ),
    (
        'monitoring.remove_alert_rule(''built in'')', 'PV003',
        'rule "built in" is built in and cannot be removed',
        'Disable it: select disable_alert_rule(''built in'').'
    )
) as bad (call, code, message, hint);

-- Nothing of it stays

reset role;

select is(
    (select array_agg(rule_name) from monitoring.alert_rules where family = 'own'),
    array['mine'],
    'what is refused leaves no rule'
);

select is((select amount from shop.till), 100, 'and the till is what it was');

select * from finish(); -- noqa: AM04
rollback;
