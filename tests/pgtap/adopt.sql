-- Adopting a queue: its tables are found, views and sources made, and missing rights named.

begin;
select plan(34);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql
\ir helpers/adopting.psql
\ir helpers/river.psql

-- Interface

select is(
    monitoring.adopt('river', p_is_dry_run => true) - 'missing_grants',
    '{"adapter": "river", "schema": "app", "is_adopted": false,
        "sources": ["river", "river_queues"]}',
    'the schema is found, and a dry run only says what would be made'
);
select set_eq(
    $$
        select jsonb_array_elements_text(
            monitoring.adopt('river', p_is_dry_run => true) -> 'missing_grants'
        )
    $$,
    array[
        'grant usage on schema app to monitoring_reader;',
        'grant select (id, kind, queue, state, attempt, max_attempts, scheduled_at, attempted_at, '
        'finalized_at, errors) on app.river_job to monitoring_reader;'
    ],
    'and which rights are missing: to columns, among which are no arguments of jobs'
);
select is(
    monitoring.adopt('river') -> 'is_adopted', 'false', 'while they are missing nothing is made'
);
select is_empty('select * from monitoring.v_sources', 'no source');
select hasnt_view('monitoring', 'v_adopted_river_runs', 'and no view');
select ok(pg_temp.adopt('river'), 'the statements run as they are');
select is(
    monitoring.adopt('river', p_by => 'ana'),
    '{"adapter": "river", "schema": "app", "is_adopted": true, "missing_grants": [],
        "sources": ["river", "river_queues"]}',
    'then it is adopted'
);
select results_eq(
    $$
        select source_name, kind, relation_name, every_seconds, changed_by
        from monitoring.v_sources order by 1
    $$,
    $$
        values
        ('river', 'run', 'monitoring.v_adopted_river_runs', 60::double precision, 'ana'),
        ('river_queues', 'queue', 'monitoring.v_adopted_river_queues', 60, 'ana')
    $$,
    'with a source of runs and one of queues, over views'
);
select results_eq(
    'select adapter_name, has_runs, has_depths, adopted_as from monitoring.v_adapters',
    $$values ('river', true, true, '{river}'::text [])$$,
    'and is seen among the adapters'
);
select is(
    monitoring.sync_source('river_queues') - 'source',
    '{"bad": 0, "failed": 0, "queues": 0, "pending": 0, "completed": 0, "processing": 0}',
    'readers may read what was made'
);

-- Behaviour

select set_config('tests.before', (
    select string_agg(s::text, ' ' order by s.source_name) from monitoring.v_sources as s
), true);
select is(
    monitoring.adopt('river', p_by => 'ana') -> 'is_adopted', 'true', 'it can be adopted again'
);
select is(
    (
        select count(*) from monitoring.v_sources
        where source_name in ('river', 'river_queues')
    ),
    2::bigint, 'which makes nothing twice'
);
select lives_ok(
    $$
        alter table app.river_job alter column queue type varchar(128);
        alter table app.river_job rename to river_job_old;
        alter table app.river_job_old rename to river_job
    $$,
    'nothing depends on its tables: they may be altered'
);
select is(
    monitoring.sync_source('river_queues') ->> 'error', null, 'and are read as they are then'
);
select is(
    monitoring.adopt(
        'river', p_name => 'depths_only', p_has_runs => false
    ) -> 'sources',
    '["depths_only_queues"]', 'depths alone are enough where there are too many jobs'
);
select is(
    (
        select p.proowner::regrole::text from pg_proc as p
        where p.oid = to_regprocedure('monitoring._adopted_river_depths(timestamptz)')
    ),
    (
        select p.proowner::regrole::text from pg_proc as p
        where p.oid = 'monitoring.sync_source(text)'::regprocedure
    ),
    'what is made belongs to the owner of all else'
);
select is_empty(
    $$
        select p.proname from pg_proc as p
        where p.pronamespace = 'monitoring'::regnamespace and starts_with(p.proname, '_adopted_river')
            and (
                p.prosecdef
                or exists (select from aclexplode(p.proacl) as a where a.grantee = 0)
            )
    $$,
    'and runs with the rights of whoever reads, who is not everyone'
);

-- Boundaries

create schema other;
create table other.river_job (like app.river_job);
select is(
    (pg_temp.refusal_of($$monitoring.adopt('river')$$))::text,
    '(PV003,"schema is not known: null","Use one of: app, other.")',
    'of several schemas one must be named'
);
select is(
    monitoring.adopt('river', 'other', 'river_two', p_is_dry_run => true) -> 'sources',
    '["river_two", "river_two_queues"]', 'and gets a name of its own'
);
alter table other.river_job drop column errors;
select is(
    monitoring.adopt('river', p_is_dry_run => true) ->> 'schema', 'app',
    'one that lacks a column is none'
);
select is(
    (pg_temp.refusal_of($$monitoring.adopt('river', 'other')$$)).message,
    'other.river_job has no column "errors"', 'which is said when it is named'
);
drop table other.river_job;

-- Refusals

select is(
    (pg_temp.refusal_of($$monitoring.adopt('rivre')$$))::text,
    '(PV007,"there is no adapter ""rivre""","Load it first, from sql/adapters/ or by: pgvigil '
    'adapter rivre | psql; loaded are: river.")',
    'an adapter that was not loaded'
);
select is(
    (pg_temp.refusal_of($$monitoring.adopt('river', 'other')$$))::text,
    '(PV007,"there is no relation ""other.river_job""","No schema of that name has all of '
    'river_job; adopt it in the database where it is.")',
    'a schema without its tables'
);
select is(
    (pg_temp.refusal_of($$monitoring.adopt('river', p_name => 'River two')$$)).message,
    'name is not known: "River two"', 'a name that no view can have'
);
select is(
    (pg_temp.refusal_of($$monitoring.adopt('river', p_failed_severity => 'bad')$$)).message,
    'failed_severity is not known: "bad"', 'a severity that is none'
);
select is(
    (pg_temp.refusal_of($$monitoring.adopt('river', p_runs_every => '1 second')$$)).message,
    'every is out of range: 00:00:01', 'being read without a pause'
);
select is(
    (pg_temp.refusal_of($$monitoring.define_adapter('x', 'x', '{}', p_depths => 'select')$$)).code,
    'PV005', 'an adapter of no relation'
);
select is(
    (pg_temp.refusal_of(
        $$monitoring.define_adapter('x', 'x', '{"t": "id"}', p_depths => 'select')$$
    )).message,
    'relations.t has the wrong shape: "id"', 'or of a relation without columns'
);
select is(
    (pg_temp.refusal_of($$monitoring.define_adapter('x', 'x', '{"t": ["id"]}')$$)).code,
    'PV003', 'or one that reads nothing'
);
select is(
    (pg_temp.refusal_of($$monitoring.remove_adoption('rivre')$$)).message,
    'there is no adoption "rivre"', 'what was not adopted'
);

select is(
    (pg_temp.refusal_of($$monitoring.register_queue_source(
        'q', 'monitoring.v_adopted_q_queues', '{"pending": "pending"}')$$)).hint,
    'Adopt the system in this database first, with adopt(), which makes it.',
    'a configuration with sources of what was not adopted'
);

-- Removing

select lives_ok($$select monitoring.remove_adoption('river')$$, 'it can be removed');
select set_eq(
    'select source_name from monitoring.v_sources', array['depths_only_queues'],
    'with its sources, and no other'
);
drop schema app cascade;
select is(
    monitoring.sync_source('depths_only_queues') ->> 'error',
    'relation "app.river_job" does not exist', 'of tables that were dropped nothing is read'
);

select * from finish(); -- noqa: AM04
rollback;
