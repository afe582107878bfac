-- What registering sources of records and queries refuses, and what it says would be right.

begin;
select plan(23);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql
\ir helpers/record_source.psql

create table scratch.hidden (id text, state text);

create function pg_temp.refused(
    p_name text default 'crm',
    p_relation text default 'scratch.proposals',
    p_columns text default '{"record_key": "number", "status": "state"}',
    p_statuses text default '{}',
    p_more text default 'p_is_complete => false'
) returns text
language sql
as $$
    select r.code || ' ' || r.message
    from pg_temp.refusal_of(format(
        'monitoring.register_record_source(%L, ''apr'', %L, %L, %L, %s)', p_name, p_relation,
        p_columns, p_statuses, p_more
    )) as r
$$;

create function pg_temp.refused_query(p_arguments text) returns text
language sql
as $$
    select r.code || ' ' || r.message
    from pg_temp.refusal_of(format('monitoring.register_source_query(%s)', p_arguments)) as r
$$;

select is(pg_temp.refused(), 'none was accepted', 'what is right is accepted');
select is(pg_temp.refused(p_name => ' '), 'PV001 source_name is empty: " "', 'a name of blanks');
select is(
    pg_temp.refused(p_name => 'a:b'), 'PV003 source_name is not known: "a:b"', 'one with a colon'
);
select is(
    pg_temp.refused(p_relation => 'scratch.gone'), 'PV007 there is no relation "scratch.gone"',
    'a relation that is not there'
);
select is(
    pg_temp.refused(p_relation => 'query:gone'), 'PV007 there is no query "gone"',
    'a query that is not there'
);
select is(
    pg_temp.refused(
        p_relation => 'scratch.hidden', p_columns => '{"record_key": "id", "status": "state"}'
    ),
    'PV007 monitoring_reader may not read scratch.hidden',
    'what may not be read'
);
select is(
    pg_temp.refused(p_columns => '{"record_key": "number", "status": "stat"}'),
    'PV007 scratch.proposals has no column "stat"',
    'a column that is not there'
);
select is(
    pg_temp.refused(p_columns => '{"record_key": ["branch", "gone"], "status": "state"}'),
    'PV007 scratch.proposals has no column "gone"',
    'also as a part of the key'
);
select is(
    pg_temp.refused(p_columns => '{"record_key": "number"}'),
    'PV005 columns has the wrong shape: {"record_key": "number"}',
    'no status'
);
select is(
    pg_temp.refused(p_columns => '{"record_key": [], "status": "state"}'),
    'PV005 columns.record_key has the wrong shape: []',
    'a key of nothing'
);
select is(
    pg_temp.refused(p_columns => '{"record_key": "number", "status": ["state"]}'),
    'PV005 columns.status has the wrong shape: ["state"]',
    'a status of several columns'
);
select is(
    pg_temp.refused(p_columns => '{"record_key": "number", "status": "state", "colour": "x"}'),
    'PV003 key of columns is not known: "colour"',
    'a key that is not known'
);
select is(
    pg_temp.refused(p_statuses => '{"a": "X", " A": "Y"}'),
    'PV005 statuses has the wrong shape: {"a": "X", " A": "Y"}',
    'a code that is called two things'
);
select is(
    pg_temp.refused(p_statuses => '{"a": 1}'), 'PV005 statuses.a has the wrong shape: 1',
    'a code that is called a number'
);
select is(
    pg_temp.refused(p_more => 'p_change_source => ''GHOST'''),
    'PV003 change source is not known: "GHOST"',
    'a change source that is not known'
);
select is(
    left(pg_temp.refused(p_more => 'p_time_zone => ''Mars/Olympus'''), 5), 'PV007',
    'a time zone that is none'
);

-- Queries

select is(
    pg_temp.refused_query($$'q', 'mysql://u:secret@h/d', 'select 1', '{a}'$$),
    'PV003 target looks like an address: "mysql:..."',
    'an address in place of its name, of which nothing is shown'
);
select is(
    pg_temp.refused_query($$'q', 'ERP', ' ; ', '{a}'$$), 'PV001 query is missing: null',
    'no query'
);
select is(
    pg_temp.refused_query($$'q', 'ERP', 'select 1', '{}'$$), 'PV001 column is missing: null',
    'no columns'
);
select is(
    pg_temp.refused_query($$'q', 'ERP', 'select 1', '{a,a}'$$),
    'PV005 columns has the wrong shape: {a,a}',
    'a column twice'
);
select is(
    pg_temp.refused_query($$'q', 'ERP', 'select 1', '{a}', 'b'$$),
    'PV003 resume_column is not known: "b"',
    'a resume column that is not among them'
);
select is(
    pg_temp.refused_query($$'q', 'ERP', 'select 1', '{a}', p_every => '5 seconds'$$),
    'PV004 every is out of range: 00:00:05',
    'too often'
);
select pg_temp.refused_query($$'q', 'ERP', 'select 1', '{number,state}'$$);
select pg_temp.refused(p_name => 'reader', p_relation => 'query:q');
select throws_ok(
    $$select monitoring.remove_source_query('q')$$, 'PV003', 'query "q" is read by source reader',
    'a query that is read cannot be removed'
);

select * from finish(); -- noqa: AM04
rollback;
