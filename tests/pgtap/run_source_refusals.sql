-- What register_run_source refuses, and what it says would be right.

begin;
select plan(17);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql
\ir helpers/run_source.psql

create table scratch.hidden (id text, state text, begun timestamptz, done timestamptz);

create function pg_temp.refused(
    p_relation text default 'scratch.runs',
    p_columns text default '{"run_id": "id", "status": "state", "started_at": "begun",
        "finished_at": "done"}',
    p_statuses text default '{"RN": "running"}',
    p_more text default 'p_task_type => ''t'''
) returns text
language sql
as $$
    select r.code || ' ' || r.message
    from pg_temp.refusal_of(format(
        'monitoring.register_run_source(''erp'', %L, %L, %L, %s)', p_relation, p_columns,
        p_statuses, p_more
    )) as r
$$;

select is(pg_temp.refused(), 'none was accepted', 'what is right is accepted');

select is(
    pg_temp.refused(p_relation => 'scratch.gone'), 'PV007 there is no relation "scratch.gone"',
    'a relation that is not there'
);
select is(
    pg_temp.refused(p_relation => 'runs'), 'PV007 there is no relation "runs"',
    'one without a schema'
);
select is(
    pg_temp.refused(p_relation => 'scratch.runs; drop table scratch.runs'),
    'PV007 there is no relation "scratch.runs; drop table scratch.runs"',
    'one that is more than a name'
);
select results_eq(
    $$
        select r.code, r.message, r.hint from pg_temp.refusal_of($call$
            monitoring.register_run_source('erp', 'scratch.hidden', '{"run_id": "id",
                "status": "state", "started_at": "begun", "finished_at": "done"}',
                '{"RN": "running"}', 't')
        $call$) as r
    $$,
    $$
        values ('PV007', 'monitoring_reader may not read scratch.hidden',
            'Grant it: grant usage on schema scratch to monitoring_reader; '
            'grant select on scratch.hidden to monitoring_reader;')
    $$,
    'one that may not be read, with what to grant'
);
select is(
    pg_temp.refused(p_columns => '{"run_id": "id", "status": "state", "started_at": "begun",
        "finished_at": "finish"}'),
    'PV007 scratch.runs has no column "finish"',
    'a column that is not there'
);
select is(
    pg_temp.refused(p_columns => '{"run_id": "id", "state": "state"}'),
    'PV003 key of columns is not known: "state"',
    'a key that means nothing'
);
select matches(
    pg_temp.refused(p_columns => '{"run_id": "id", "status": "state", "started_at": "begun"}'),
    '^PV005 columns has the wrong shape',
    'columns that never say when a run ended'
);
select matches(
    pg_temp.refused(p_more => 'p_by => ''x'''), '^PV005 columns has the wrong shape',
    'no word of the task type'
);
select is(
    pg_temp.refused(p_columns => '{"run_id": 1}'), 'PV005 columns.run_id has the wrong shape: 1',
    'a name that is no text'
);
select is(
    pg_temp.refused(p_statuses => '{"RN": "runs"}'),
    'PV003 meaning of status RN is not known: "runs"',
    'a meaning that is none'
);
select matches(
    pg_temp.refused(p_statuses => '{"RN": "running", " rn ": "failed"}'),
    '^PV005 statuses has the wrong shape',
    'two meanings of one code'
);
select matches(
    pg_temp.refused(p_statuses => '{}'), '^PV005 statuses has the wrong shape', 'no codes'
);
select is(
    pg_temp.refused(p_more => 'p_task_type => ''t'', p_time_zone => ''Mars/Base'''),
    'PV007 there is no time zone "Mars/Base"',
    'a time zone that is not there'
);
select matches(
    pg_temp.refused(p_more => 'p_task_type => ''t'', p_look_back => ''31 days'''),
    '^PV004 look_back is out of range',
    'looking back further than what was seen is remembered'
);
select is(
    (
        select r.code
        from pg_temp.refusal_of(
                $$monitoring.register_run_source('a:b', 'scratch.runs', '{}', '{}')$$
            ) as r
    ),
    'PV003',
    'a name with a colon, after which the run comes'
);
select results_eq(
    $$
        select r.code, r.message
        from unnest(array['sync_source', 'enable_source', 'remove_source']) as f (name)
        cross join lateral pg_temp.refusal_of(format('monitoring.%I(''none'')', f.name)) as r
    $$,
    $$
        values ('PV007', 'there is no source "none"'), ('PV007', 'there is no source "none"'),
            ('PV007', 'there is no source "none"')
    $$,
    'a source that was never registered'
);

select * from finish(); -- noqa: AM04
rollback;
