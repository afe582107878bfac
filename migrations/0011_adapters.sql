-- depends: 0010_sources

-- What is known of the queues and schedulers of others that live in PostgreSQL: where each keeps
-- its work, and the queries that make runs and depths of it.

set local lock_timeout = '200ms';

create table monitoring.adapters (
    adapter_name text not null,
    description text not null,
    relations jsonb not null,
    runs text,
    statuses jsonb not null default '{}',
    depths text,
    work text not null,
    further_grants text[] not null default '{}',
    changed_by text not null,
    changed_at timestamptz not null,
    constraint adapters_pk primary key (adapter_name),
    constraint adapters_names_begin_a_view_ck check (adapter_name ~ '^[a-z][a-z0-9_]{0,29}$'),
    constraint adapters_name_relations_ck check (
        jsonb_typeof(relations) = 'object' and relations <> '{}'
    ),
    constraint adapters_tell_of_something_ck check (num_nonnulls(runs, depths) > 0),
    constraint adapters_work_is_known_ck check (work in ('type', 'run'))
);

comment on table monitoring.adapters is
'Queues and schedulers of others that adopt() knows: where they keep their work, and how it is '
'read.';
comment on column monitoring.adapters.adapter_name is
'Name of the system, with which the names of its sources and views begin.';
comment on column monitoring.adapters.description is
'What it is, and the versions that the adapter was tried with.';
comment on column monitoring.adapters.relations is
'Object of its relations and the columns of each that are read, by which its schema is found.';
comment on column monitoring.adapters.runs is
'Query for its runs, over {schema}, p_since and p_known; null when it keeps none.';
comment on column monitoring.adapters.statuses is
'Object of what the status codes of its runs mean.';
comment on column monitoring.adapters.depths is
'Query for the depths of its queues, over {schema} and p_now; null when it has none.';
comment on column monitoring.adapters.work is
'What makes up for a run that failed: the next of its type, or that run alone.';
comment on column monitoring.adapters.further_grants is
'Statements over {schema} and {reader} that grant what the relations alone do not tell.';
comment on column monitoring.adapters.changed_by is
'Who defined it.';
comment on column monitoring.adapters.changed_at is
'When that was.';

-- What was made of them here.
create table monitoring.adoptions (
    adoption_name text not null,
    adapter_name text not null,
    schema_name text not null,
    changed_by text not null,
    changed_at timestamptz not null,
    constraint adoptions_pk primary key (adoption_name)
);

comment on table monitoring.adoptions is
'Queues and schedulers of others that were adopted: each has views and sources of its name.';
comment on column monitoring.adoptions.adoption_name is
'Name of its source of runs, with which those of its queues, views and other source begin.';
comment on column monitoring.adoptions.adapter_name is
'Adapter that it was made by.';
comment on column monitoring.adoptions.schema_name is
'Schema that has its relations.';
comment on column monitoring.adoptions.changed_by is
'Who adopted it last.';
comment on column monitoring.adoptions.changed_at is
'When that was.';

insert into monitoring.installed_migrations (migration_id) values ('0011_adapters');
