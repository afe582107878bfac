-- Reading statuses and their changes.

create or replace view monitoring.v_datasets as
with allowed as (
    select
        f.dataset,
        jsonb_object_agg(f.from_status, f.to_statuses) as transitions
    from (
        select
            t.dataset,
            t.from_status,
            jsonb_agg(t.to_status order by t.to_status) as to_statuses
        from monitoring.allowed_transitions as t
        group by t.dataset, t.from_status
    ) as f
    group by f.dataset
)

select
    coalesce(d.dataset, a.dataset) as dataset,
    d.description,
    coalesce(d.time_zone, 'UTC') as time_zone,
    coalesce(d.pending_statuses, '{}') as pending_statuses,
    d.bot_task_type,
    coalesce(a.transitions, '{}') as allowed_transitions,
    d.changed_by,
    d.changed_at,
    d.login_name
from monitoring.datasets as d
full join allowed as a on d.dataset = a.dataset;

comment on view monitoring.v_datasets is
'What people have said about datasets; one that nobody said anything about is not among them.';
comment on column monitoring.v_datasets.dataset is
'Name of the dataset.';
comment on column monitoring.v_datasets.description is
'What its records are.';
comment on column monitoring.v_datasets.time_zone is
'Time zone in which its days begin and end.';
comment on column monitoring.v_datasets.pending_statuses is
'Statuses that its bot is expected to take records out of.';
comment on column monitoring.v_datasets.bot_task_type is
'Task type of the runs of its bot; null when it has none.';
comment on column monitoring.v_datasets.allowed_transitions is
'Object of the statuses to which records may go from each; {} when every change is allowed.';
comment on column monitoring.v_datasets.changed_by is
'Who changed its settings last; null when only its transitions were ever set.';
comment on column monitoring.v_datasets.changed_at is
'When that was.';
comment on column monitoring.v_datasets.login_name is
'Database user whose session changed them, whatever name was given.';

create or replace view monitoring.v_change_sources as
select
    s.change_source,
    s.description,
    s.changed_by,
    s.changed_at
from monitoring.change_sources as s;

comment on view monitoring.v_change_sources is
'Who or what changes statuses.';
comment on column monitoring.v_change_sources.change_source is
'Name of the kind of source.';
comment on column monitoring.v_change_sources.description is
'What it stands for.';
comment on column monitoring.v_change_sources.changed_by is
'Who added or described it; null as shipped.';
comment on column monitoring.v_change_sources.changed_at is
'When that was; null as shipped.';

-- How many tables a table is, its partitions among them, and which of them lack a status
-- trigger. Not within the view, where the planner would take it for a thousand times as dear.
create or replace function monitoring._count_watched_tables(
    p_table text, out tables bigint, out without_trigger text[]
)
language plpgsql
stable
cost 10000
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    select
        count(*),
        coalesce(array_agg(u.table_name order by u.table_name) filter (where f.triggers < 4), '{}')
    into tables, without_trigger
    from monitoring._tables_under(p_table) u (table_name)
    cross join lateral (
        select count(*) as triggers
        from pg_trigger t
        where t.tgrelid = to_regclass(u.table_name)
            and monitoring._is_status_trigger(t.tgfoid)
            and t.tgenabled = 'A'
    ) f;
end
$$;

create or replace view monitoring.v_status_triggers as
select
    s.table_name,
    s.dataset,
    s.key_columns,
    s.status_column,
    s.change_source,
    s.attached_by,
    s.attached_at,
    c.tables,
    c.without_trigger
from monitoring.status_triggers as s
cross join lateral monitoring._count_watched_tables(s.table_name) as c;

comment on view monitoring.v_status_triggers is
'Tables whose changes of status are recorded by triggers, and whether they still are.';
comment on column monitoring.v_status_triggers.table_name is
'Table with its schema.';
comment on column monitoring.v_status_triggers.dataset is
'Dataset that its rows are records of.';
comment on column monitoring.v_status_triggers.key_columns is
'Columns that name a record.';
comment on column monitoring.v_status_triggers.status_column is
'Column that holds the status.';
comment on column monitoring.v_status_triggers.change_source is
'Change source of those who do not say one.';
comment on column monitoring.v_status_triggers.attached_by is
'Who attached it.';
comment on column monitoring.v_status_triggers.attached_at is
'When that was.';
comment on column monitoring.v_status_triggers.tables is
'Number of tables: itself and its partitions; 0 when it is gone.';
comment on column monitoring.v_status_triggers.without_trigger is
'Those without triggers or with disabled ones, such as partitions added since; what is done to one '
'of them by its own name is not recorded. Attach again.';

create or replace view monitoring.status_history as
select
    c.change_id,
    c.dataset,
    c.record_key,
    c.recorded_at,
    c.effective_at,
    c.validation_type,
    c.from_status,
    c.to_status,
    c.change_source,
    c.actor,
    c.source_name,
    c.task_id,
    c.details,
    c.login_name
from monitoring._all_status_changes as c;

comment on view monitoring.status_history is
'Every change of status of every record, and of every verdict of a validation.';
comment on column monitoring.status_history.change_id is
'Number of the change.';
comment on column monitoring.status_history.dataset is
'Dataset of the record.';
comment on column monitoring.status_history.record_key is
'Name of the record in its dataset.';
comment on column monitoring.status_history.recorded_at is
'When it was recorded.';
comment on column monitoring.status_history.effective_at is
'When it took effect.';
comment on column monitoring.status_history.validation_type is
'Validation whose verdict changed; empty for the status of the record itself.';
comment on column monitoring.status_history.from_status is
'Status before; null when the record was not known, or gone.';
comment on column monitoring.status_history.to_status is
'Status after; null when the record is gone.';
comment on column monitoring.status_history.change_source is
'What changed it: SYSTEM, BOT, AUTO_RESOLVE, MONITOR, MANUAL, or another of v_change_sources.';
comment on column monitoring.status_history.actor is
'Who changed it, as far as known.';
comment on column monitoring.status_history.source_name is
'Source in which it was seen; null when a program or trigger recorded it.';
comment on column monitoring.status_history.task_id is
'Task that saw or made it; null outside any.';
comment on column monitoring.status_history.details is
'Whatever the caller wanted to find again, as JSON.';
comment on column monitoring.status_history.login_name is
'Database user whose session recorded it, whatever actor was given.';

create or replace view monitoring.v_record_status as
select
    r.dataset,
    r.record_key,
    r.status,
    r.previous_status,
    r.effective_at,
    r.recorded_at,
    r.change_source,
    r.actor
from monitoring.record_states as r;

comment on view monitoring.v_record_status is
'The status that each record has now.';
comment on column monitoring.v_record_status.dataset is
'Dataset of the record.';
comment on column monitoring.v_record_status.record_key is
'Name of the record in its dataset.';
comment on column monitoring.v_record_status.status is
'Its status; null when the record is gone.';
comment on column monitoring.v_record_status.previous_status is
'Status before; null when the record was not known, or gone.';
comment on column monitoring.v_record_status.effective_at is
'When it got that status, or was first seen with it.';
comment on column monitoring.v_record_status.recorded_at is
'When that was recorded.';
comment on column monitoring.v_record_status.change_source is
'What changed it.';
comment on column monitoring.v_record_status.actor is
'Who changed it, as far as known.';

create or replace view monitoring.v_time_in_status as
with stays as (
    select
        c.dataset,
        c.to_status as status,
        c.effective_at as began_at,
        lead(c.effective_at) over (
            -- Numbers sort several times as fast as keys, which are long and begin alike.
            partition by hashtextextended(c.record_key, 0), c.dataset, c.record_key
            -- Loaded changes of one moment have numbers in any order; the first came from nothing.
            order by c.effective_at, c.recorded_at, c.from_status is not null, c.change_id
        ) as ended_at
    from monitoring._all_status_changes as c
    where c.validation_type = ''
),

ended as (
    select
        s.dataset,
        s.status,
        count(*) as ended_stays,
        avg(extract(epoch from s.ended_at - s.began_at))::double precision as avg_seconds,
        percentile_cont(array[0.5, 0.95]) within group (
            order by extract(epoch from s.ended_at - s.began_at)::double precision
        ) as percentiles
    from stays as s
    where s.status is not null and s.ended_at is not null
    group by s.dataset, s.status
),

present as (
    select
        r.dataset,
        r.status,
        count(*) as records,
        min(r.effective_at) as oldest_since_at
    from monitoring.record_states as r
    where r.status is not null
    group by r.dataset, r.status
)

select
    coalesce(p.dataset, e.dataset) as dataset,
    coalesce(p.status, e.status) as status,
    coalesce(p.records, 0) as records_now,
    p.oldest_since_at,
    coalesce(e.ended_stays, 0) as ended_stays,
    e.avg_seconds,
    e.percentiles[1] as p50_seconds,
    e.percentiles[2] as p95_seconds
from present as p
full join ended as e on p.dataset = e.dataset and p.status = e.status;

comment on view monitoring.v_time_in_status is
'How many records each status has, and how long records stayed in it before the next, by the '
'history that is kept. Late reports take their place by when they took effect.';
comment on column monitoring.v_time_in_status.dataset is
'Name of the dataset.';
comment on column monitoring.v_time_in_status.status is
'The status.';
comment on column monitoring.v_time_in_status.records_now is
'Number of records that have it now.';
comment on column monitoring.v_time_in_status.oldest_since_at is
'Since when the one has it that has had it longest; null when none has it.';
comment on column monitoring.v_time_in_status.ended_stays is
'How often a record had it and then another, or went.';
comment on column monitoring.v_time_in_status.avg_seconds is
'Mean length of those stays.';
comment on column monitoring.v_time_in_status.p50_seconds is
'Half of those stays were not longer.';
comment on column monitoring.v_time_in_status.p95_seconds is
'Nineteen in twenty of those stays were not longer.';
