-- depends: 0021_enabled_sources

-- What vital work is guarded by: rows and sequences that nobody but the admins can lock or set.

set local lock_timeout = '5s';

create table monitoring.guards (
    guard_name text not null,
    constraint guards_pk primary key (guard_name)
);

comment on table monitoring.guards is
'One row for each piece of work that only one session may do at a time, which locks it meanwhile.';
comment on column monitoring.guards.guard_name is
'What is guarded.';

insert into monitoring.guards (guard_name) values
('configuration'), ('evaluations'), ('alerts'), ('partitions'), ('cleanup'),
('import of pg_cron runs'),
('rule_query_1'), ('rule_query_1 end'), ('rule_query_2'), ('rule_query_2 end'),
('rule_query_3'), ('rule_query_3 end'), ('rule_query_4'), ('rule_query_4 end'),
('explanation_1'), ('explanation_1 end'), ('explanation_2'), ('explanation_2 end');

-- Sequences are the only thing that others see before a transaction ends. They belong to the table,
-- so that they change owner and go with it.
create sequence monitoring.rule_query_1 minvalue 0 owned by monitoring.guards.guard_name;
create sequence monitoring.rule_query_2 minvalue 0 owned by monitoring.guards.guard_name;
create sequence monitoring.rule_query_3 minvalue 0 owned by monitoring.guards.guard_name;
create sequence monitoring.rule_query_4 minvalue 0 owned by monitoring.guards.guard_name;
create sequence monitoring.explanation_1 minvalue 0 owned by monitoring.guards.guard_name;
create sequence monitoring.explanation_2 minvalue 0 owned by monitoring.guards.guard_name;
create sequence monitoring.evaluated_rule minvalue 0 owned by monitoring.guards.guard_name;

comment on sequence monitoring.rule_query_1 is
'Until when the query of a rule may run, and in which session; see sql/alerts/time_limits.sql.';
comment on sequence monitoring.rule_query_2 is
'Until when the query of a rule may run, and in which session; see sql/alerts/time_limits.sql.';
comment on sequence monitoring.rule_query_3 is
'Until when the query of a rule may run, and in which session; see sql/alerts/time_limits.sql.';
comment on sequence monitoring.rule_query_4 is
'Until when the query of a rule may run, and in which session; see sql/alerts/time_limits.sql.';
comment on sequence monitoring.explanation_1 is
'Until when the query of a rule may run that explains an alert, and in which session.';
comment on sequence monitoring.explanation_2 is
'Until when the query of a rule may run that explains an alert, and in which session.';
comment on sequence monitoring.evaluated_rule is
'Checksum of the own rule whose query an evaluation is running; 0 when it is running none.';

-- Whoever loads a query is known by its row from now on, no longer by a lock of its session.
alter table monitoring.source_loads add column loader_pid integer;

comment on column monitoring.source_loads.loader_pid is
'Process id of the session that loads it, or did last.';

alter table monitoring.jobs add column cancellations integer not null default 0;

comment on column monitoring.jobs.cancellations is
'How often the present run was cancelled because it took too long; it is ended at the third time.';

insert into monitoring.installed_migrations (migration_id) values ('0025_guards');
