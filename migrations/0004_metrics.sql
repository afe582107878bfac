-- depends: 0003_errors

set local lock_timeout = '5s';

create table monitoring.metric_samples (
    sample_id bigserial not null,
    metric_name text not null,
    recorded_at timestamptz not null,
    metric_type text not null,
    value double precision not null,
    unit text,
    component text,
    task_id text,
    tags jsonb,
    constraint metric_samples_pk primary key (metric_name, recorded_at, sample_id)
)
partition by range (recorded_at);

-- Serves every question about a span of time.
create index metric_samples_time_ix on monitoring.metric_samples
using brin (recorded_at) with (pages_per_range = 16, autosummarize = on);

comment on table monitoring.metric_samples is
'Measured values, partitioned by the UTC day they were measured on; rows are never updated.';
comment on column monitoring.metric_samples.sample_id is
'Number of the sample, unique together with name and time; negative when a backfill chose it.';
comment on column monitoring.metric_samples.metric_name is
'What was measured, such as rows_per_second.';
comment on column monitoring.metric_samples.recorded_at is
'When it was measured; decides the partition.';
comment on column monitoring.metric_samples.metric_type is
'How to read the value: gauge, counter, timer or a word of the caller''s own.';
comment on column monitoring.metric_samples.value is
'The measured value, finite.';
comment on column monitoring.metric_samples.unit is
'Unit of the value, such as ms or rows/s.';
comment on column monitoring.metric_samples.component is
'Program, service or stage that was measured.';
comment on column monitoring.metric_samples.task_id is
'Task that it was measured in.';
comment on column monitoring.metric_samples.tags is
'Object of labels, such as {"region": "north"}.';

insert into monitoring.partitioned_tables (table_name, key_column, time_column)
values ('metric_samples', 'metric_name', 'recorded_at');

insert into monitoring.installed_migrations (migration_id) values ('0004_metrics');
