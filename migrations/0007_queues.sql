-- depends: 0006_health

set local lock_timeout = '5s';

create table monitoring.queue_samples (
    sample_id bigserial not null,
    queue_name text not null,
    recorded_at timestamptz not null,
    pending bigint not null,
    processing bigint not null,
    completed bigint not null,
    failed bigint not null,
    oldest_ready_seconds double precision,
    constraint queue_samples_pk primary key (queue_name, recorded_at, sample_id)
)
partition by range (recorded_at);

-- Serves every question about a span of time.
create index queue_samples_time_ix on monitoring.queue_samples
using brin (recorded_at) with (pages_per_range = 16, autosummarize = on);

comment on table monitoring.queue_samples is
'Depths of queues as they were sampled, partitioned by UTC day; rows are never updated.';
comment on column monitoring.queue_samples.sample_id is
'Number of the sample, unique together with queue and time.';
comment on column monitoring.queue_samples.queue_name is
'Which queue was looked at.';
comment on column monitoring.queue_samples.recorded_at is
'When it was looked at; decides the partition.';
comment on column monitoring.queue_samples.pending is
'Items waiting.';
comment on column monitoring.queue_samples.processing is
'Items being worked on.';
comment on column monitoring.queue_samples.completed is
'Items done so far, a running total.';
comment on column monitoring.queue_samples.failed is
'Items failed so far, a running total.';
comment on column monitoring.queue_samples.oldest_ready_seconds is
'Seconds that the oldest waiting item has been ready; null when unknown or nothing waits.';

insert into monitoring.partitioned_tables (table_name, key_column, time_column)
values ('queue_samples', 'queue_name', 'recorded_at');

insert into monitoring.installed_migrations (migration_id) values ('0007_queues');
