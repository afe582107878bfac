-- depends: 0007_queues
-- squawk-ignore-file require-concurrent-index-creation, require-concurrent-index-deletion

-- A BRIN index of days that are there is built in seconds, and the views come again with the code.

set local lock_timeout = '5s';

-- Which transaction recorded a row says whether a roll-up has seen it, however late the row is or
-- long its transaction took. Rows that are there already count as this transaction's.
alter table monitoring.finished_tasks
add column recorded_xid bigint not null default txid_current();
alter table monitoring.errors
add column recorded_xid bigint not null default txid_current();
alter table monitoring.metric_samples
add column recorded_xid bigint not null default txid_current();
alter table monitoring.health_probes
add column recorded_xid bigint not null default txid_current();
alter table monitoring.queue_samples
add column recorded_xid bigint not null default txid_current();

comment on column monitoring.finished_tasks.recorded_xid is
'Transaction that recorded the row; tells roll-ups what is new.';
comment on column monitoring.errors.recorded_xid is
'Transaction that recorded the row; tells roll-ups what is new.';
comment on column monitoring.metric_samples.recorded_xid is
'Transaction that recorded the row; tells roll-ups what is new.';
comment on column monitoring.health_probes.recorded_xid is
'Transaction that recorded the row; tells roll-ups what is new.';
comment on column monitoring.queue_samples.recorded_xid is
'Transaction that recorded the row; tells roll-ups what is new.';

-- One index serves every question about a span of time, and the roll-ups' about what is new.
drop index monitoring.finished_tasks_time_ix;
drop index monitoring.errors_time_ix;
drop index monitoring.metric_samples_time_ix;
drop index monitoring.health_probes_time_ix;
drop index monitoring.queue_samples_time_ix;

create index finished_tasks_time_ix on monitoring.finished_tasks
using brin (finished_at, recorded_xid) with (pages_per_range = 16, autosummarize = on);
create index errors_time_ix on monitoring.errors
using brin (occurred_at, recorded_xid) with (pages_per_range = 16, autosummarize = on);
create index metric_samples_time_ix on monitoring.metric_samples
using brin (recorded_at, recorded_xid) with (pages_per_range = 16, autosummarize = on);
create index health_probes_time_ix on monitoring.health_probes
using brin (checked_at, recorded_xid) with (pages_per_range = 16, autosummarize = on);
create index queue_samples_time_ix on monitoring.queue_samples
using brin (recorded_at, recorded_xid) with (pages_per_range = 16, autosummarize = on);

-- A few transactions may have recorded a whole day, or each row one. The planner is to expect the
-- latter, or it would rather read all days than ask the index which of them have something new.
do $$
declare
    v_partition regclass;
begin
    for v_partition in
        select i.inhrelid::regclass
        from pg_inherits i
        inner join pg_attribute a on a.attrelid = i.inhrelid
        where i.inhparent in (
            select to_regclass('monitoring.' || t.table_name) from monitoring.partitioned_tables t
        )
        and a.attname = 'recorded_xid'
    loop
        execute format(
            'alter table %s alter column recorded_xid set (n_distinct = -1)', v_partition
        );
        execute format(
            'comment on column %s.recorded_xid is %L', v_partition,
            'Transaction that recorded the row; tells roll-ups what is new.'
        );
    end loop;
end
$$;

-- On days that were there the index on critical errors had to stand back for the one just dropped;
-- now it is named as on days to come.
do $$
declare
    v_day text;
begin
    for v_day in
        select left(c.relname, -1) from pg_class c
        where c.relnamespace = 'monitoring'::regnamespace
            and c.relkind = 'i'
            and c.relname ~ '^errors_[0-9]{8}_occurred_at_idx1$'
    loop
        execute format('alter index monitoring.%I rename to %I', v_day || '1', v_day);
    end loop;
end
$$;

create type monitoring.histogram as (
    cells smallint [],
    counts bigint []
);

comment on type monitoring.histogram is
'How many values fell into each log-scaled cell: two parallel arrays in ascending order of cells, '
'of those cells that are not empty. Each cell is 5 % wide.';
comment on column monitoring.histogram.cells is
'Numbers of the cells; see histogram_cell().';
comment on column monitoring.histogram.counts is
'Number of values in each of them.';

create table monitoring.rollups (
    source text not null,
    name text not null,
    label text not null,
    component text not null,
    resolution text not null,
    bucket_at timestamptz not null,
    row_count bigint not null,
    value_count bigint not null,
    value_sum double precision not null,
    value_sum_squares double precision not null,
    value_min double precision,
    value_max double precision,
    histogram monitoring.histogram,
    constraint rollups_pk primary key (source, bucket_at, name, label, component, resolution)
)
partition by list (resolution);

-- Every run of the roll-up writes the newest buckets again: room for that on their own pages.
create table monitoring.rollups_minute partition of monitoring.rollups for values in ('minute')
with (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0
);
create table monitoring.rollups_hour partition of monitoring.rollups for values in ('hour')
with (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);
create table monitoring.rollups_day partition of monitoring.rollups for values in ('day')
with (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0
);

-- Serves the removal of old ones.
create index rollups_time_ix on monitoring.rollups
using brin (bucket_at) with (pages_per_range = 16, autosummarize = on);

comment on table monitoring.rollups is
'What was recorded, by minute, hour and day: counts, sums and histograms that can be added up over '
'any span. Kept longer than the rows themselves.';
comment on column monitoring.rollups.source is
'tasks, errors, metrics, queues, health (checks) or uptime (seconds in each state of health).';
comment on column monitoring.rollups.name is
'Task type, error type, metric, queue or component, as the source has it.';
comment on column monitoring.rollups.label is
'Status of tasks and health, severity of errors, unit of metrics, or which figure of a queue.';
comment on column monitoring.rollups.component is
'Component of errors and metrics, type of a component for health; empty when there is none.';
comment on column monitoring.rollups.resolution is
'minute, hour or day; decides the partition.';
comment on column monitoring.rollups.bucket_at is
'Beginning of the minute, hour or day, in UTC.';
comment on column monitoring.rollups.row_count is
'Rows recorded.';
comment on column monitoring.rollups.value_count is
'How many of them had a value: milliseconds of tasks and health checks, the measure of metrics, '
'the figure of queues; errors have none.';
comment on column monitoring.rollups.value_sum is
'Sum of the values; for uptime the seconds.';
comment on column monitoring.rollups.value_sum_squares is
'Sum of their squares.';
comment on column monitoring.rollups.value_min is
'Least value.';
comment on column monitoring.rollups.value_max is
'Greatest value.';
comment on column monitoring.rollups.histogram is
'Distribution of the values; null when there are none.';

create table monitoring.rollup_progress (
    table_name text not null,
    source text not null,
    claimed_below bigint not null default 0,
    still_open bigint[] not null default '{}',
    complete_since timestamptz not null default '-infinity',
    rolled_up_at timestamptz,
    system_identifier bigint,
    xid_offset bigint not null default 0,
    constraint rollup_progress_pk primary key (table_name),
    constraint rollup_progress_source_uq unique (source)
);

comment on table monitoring.rollup_progress is
'How far each table has been rolled up: rows of transactions below claimed_below are in the '
'roll-ups, except those of transactions that were still open.';
comment on column monitoring.rollup_progress.table_name is
'Table whose rows are rolled up.';
comment on column monitoring.rollup_progress.source is
'What roll-ups call it.';
comment on column monitoring.rollup_progress.claimed_below is
'First transaction that no roll-up has looked at.';
comment on column monitoring.rollup_progress.still_open is
'Transactions below that which had not ended when it looked.';
comment on column monitoring.rollup_progress.complete_since is
'From here on no rows have been removed, so that roll-ups can be rebuilt from them.';
comment on column monitoring.rollup_progress.rolled_up_at is
'When it was last rolled up.';
comment on column monitoring.rollup_progress.system_identifier is
'Server that it was rolled up on, as pg_control_system() has it; tells that a dump was restored.';
comment on column monitoring.rollup_progress.xid_offset is
'What is added to the numbers of transactions here, so that they follow those of the server that '
'the rows were restored from.';

insert into monitoring.rollup_progress (table_name, source)
values
('finished_tasks', 'tasks'),
('errors', 'errors'),
('metric_samples', 'metrics'),
('health_probes', 'health'),
('queue_samples', 'queues');

create table monitoring.error_group_totals (
    fingerprint text not null,
    error_type text not null,
    severity text not null,
    component text not null,
    example text not null,
    occurrences bigint not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    last_error_id bigint not null,
    constraint error_group_totals_pk primary key (fingerprint, error_type, severity, component)
)
with (fillfactor = 70);

comment on table monitoring.error_group_totals is
'Error groups by type, severity and component, as far as they are rolled up.';
comment on column monitoring.error_group_totals.fingerprint is
'Name of the error group.';
comment on column monitoring.error_group_totals.severity is
'low, medium, high or critical.';
comment on column monitoring.error_group_totals.component is
'Program, service or stage that spoke; empty when unknown.';
comment on column monitoring.error_group_totals.error_type is
'Kind of error.';
comment on column monitoring.error_group_totals.example is
'Message of the newest occurrence.';
comment on column monitoring.error_group_totals.occurrences is
'How often it was recorded.';
comment on column monitoring.error_group_totals.first_seen_at is
'When it first happened.';
comment on column monitoring.error_group_totals.last_seen_at is
'When it last happened.';
comment on column monitoring.error_group_totals.last_error_id is
'Number of the newest occurrence.';

create table monitoring.component_states (
    component_name text not null,
    component_type text not null,
    checked_at timestamptz not null,
    probe_id bigint not null,
    status text not null,
    response_time_ms double precision,
    failure_reason text,
    details jsonb,
    last_unhealthy_at timestamptz,
    constraint component_states_pk primary key (component_name, component_type)
)
with (fillfactor = 70);

comment on table monitoring.component_states is
'Newest health check of each component, as far as they are rolled up.';
comment on column monitoring.component_states.component_name is
'Which component was checked.';
comment on column monitoring.component_states.component_type is
'What it is, such as database, service or queue.';
comment on column monitoring.component_states.checked_at is
'When it was last checked.';
comment on column monitoring.component_states.probe_id is
'Number of that check.';
comment on column monitoring.component_states.status is
'healthy, degraded, unhealthy or unknown.';
comment on column monitoring.component_states.response_time_ms is
'Milliseconds until the component answered.';
comment on column monitoring.component_states.failure_reason is
'What was wrong.';
comment on column monitoring.component_states.details is
'Whatever the caller wanted to find again, as JSON.';
comment on column monitoring.component_states.last_unhealthy_at is
'When a check last found it unhealthy; null when none has.';

-- These get other columns, which "create or replace view" cannot do. Functions that read them go
-- along, and come again with the code.
do $$
declare
    v_view regclass;
begin
    for v_view in
        select c.oid::regclass from pg_class c
        where c.relnamespace = 'monitoring'::regnamespace
            and c.relname in (
                'v_performance_trends', 'v_error_summary', 'error_groups', 'v_task_statistics'
            )
    loop
        execute format('drop view %s cascade', v_view);
    end loop;
end
$$;

insert into monitoring.installed_migrations (migration_id) values ('0008_rollups');
