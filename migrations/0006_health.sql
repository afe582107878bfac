-- depends: 0005_logs

set local lock_timeout = '5s';

create table monitoring.health_probes (
    probe_id bigserial not null,
    component_name text not null,
    component_type text not null,
    checked_at timestamptz not null,
    status text not null,
    response_time_ms double precision,
    failure_reason text,
    details jsonb,
    constraint health_probes_pk primary key (component_name, checked_at, probe_id)
)
partition by range (checked_at);

-- Serves every question about a span of time.
create index health_probes_time_ix on monitoring.health_probes
using brin (checked_at) with (pages_per_range = 16, autosummarize = on);

comment on table monitoring.health_probes is
'Results of health checks, partitioned by UTC day; the newest of a component is its state.';
comment on column monitoring.health_probes.probe_id is
'Number of the probe, unique together with component and time.';
comment on column monitoring.health_probes.component_name is
'Which component was checked.';
comment on column monitoring.health_probes.component_type is
'What it is, such as database, service or queue.';
comment on column monitoring.health_probes.checked_at is
'When it was checked; decides the partition.';
comment on column monitoring.health_probes.status is
'healthy, degraded, unhealthy or unknown.';
comment on column monitoring.health_probes.response_time_ms is
'Milliseconds until the component answered.';
comment on column monitoring.health_probes.failure_reason is
'What was wrong; cut after 8,000 characters.';
comment on column monitoring.health_probes.details is
'Whatever the caller wants to find again, as JSON.';

insert into monitoring.partitioned_tables (table_name, key_column, time_column)
values ('health_probes', 'component_name', 'checked_at');

insert into monitoring.installed_migrations (migration_id) values ('0006_health');
