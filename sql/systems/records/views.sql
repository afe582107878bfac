-- Reading invalid records, products, program runs and days.

-- The sum of the counters of a task whose names begin so; null when there is none.
create or replace function monitoring._counters_like(p_counters jsonb, p_beginning text)
returns bigint
language sql
immutable
return (
    select least(c.total, 9223372036854775807)::bigint
    from (
        select sum(monitoring._counter(p_counters, k.key)) as total
        from jsonb_object_keys(p_counters) as k (key)
        where starts_with(k.key, p_beginning)
    ) as c
    where c.total is not null
);

create or replace view monitoring.invalid_records as
select
    s.dataset,
    s.record_key,
    s.validation_type,
    case when s.resolved_at = 'infinity' then 'open' else 'resolved' end as status,
    s.group_name,
    s.reported_value,
    s.message,
    s.details,
    s.target_date,
    s.first_detected_at,
    s.opened_at,
    s.last_detected_at,
    s.times_detected,
    s.times_reopened,
    s.alerted_at is not null as is_alerted,
    s.alerted_at,
    s.task_id,
    nullif(s.resolved_at, 'infinity') as resolved_at,
    s.resolution,
    s.resolved_by,
    s.resolution_reason,
    date_part(
        'epoch', least(s.resolved_at, greatest(n.now, s.opened_at)) - s.opened_at
    ) as seconds_open
from monitoring.invalid_record_states as s
cross join (select monitoring.clock() as now) as n;

create or replace view monitoring.record_products as
select
    p.dataset,
    p.record_key,
    p.product,
    p.quantity,
    p.amount,
    p.details,
    p.first_seen_at,
    p.changed_at,
    p.task_id
from monitoring.products_of_records as p;

create or replace view monitoring.processing_log as
select
    r.dataset,
    r.target_date,
    r.run_mode,
    t.status,
    t.started_at,
    r.finished_at,
    t.duration_ms / 1000 as execution_seconds,
    monitoring._counter(t.counters, 'total_records_queried') as total_records_queried,
    monitoring._counter(t.counters, 'valid_records') as valid_records,
    coalesce(
        monitoring._counter(t.counters, 'invalid_records'),
        monitoring._counters_like(t.counters, 'invalid_')
    ) as invalid_records,
    monitoring._counter(t.counters, 'records_stored') as records_stored,
    coalesce(
        monitoring._counter(t.counters, 'alerts_sent'),
        monitoring._counters_like(t.counters, 'alerts_sent_')
    ) as alerts_sent,
    t.counters as statistics,
    t.task_id,
    t.metadata ->> 'error_message' as error_message
from monitoring.program_runs as r
cross join
    lateral (
        select f.*
        from monitoring._all_finished_tasks as f
        where
            f.task_id = r.task_id
            and f.finished_at = r.finished_at
            and f.attempt = r.attempt
        -- Looked up in its day alone.
        order by f.finished_at limit 1
    ) as t;

create or replace view monitoring.daily_summary as
select
    d.dataset,
    d.target_date,
    d.runs,
    d.records_queried,
    d.valid_records,
    d.invalid_records,
    d.records_stored,
    d.alerts_sent,
    d.invalid_opened,
    d.invalid_resolved,
    d.invalid_open,
    d.invalid_by_type,
    d.status_changes,
    d.status_changes_by_source,
    d.products,
    d.updated_at
from monitoring.daily_summaries as d;

create or replace view monitoring.v_top_issues as
select
    s.dataset,
    s.validation_type,
    s.group_name,
    count(*) as open_records,
    count(s.alerted_at) as alerted_records,
    min(s.opened_at) as oldest_opened_at,
    max(s.last_detected_at) as last_detected_at
from monitoring.invalid_record_states as s
where s.resolved_at = 'infinity'
group by s.dataset, s.validation_type, s.group_name;

create or replace view monitoring.v_resolution_times as
select
    coalesce(r.dataset, o.dataset) as dataset,
    coalesce(r.validation_type, o.validation_type) as validation_type,
    r.resolution,
    coalesce(r.resolved_records, 0) as resolved_records,
    r.avg_seconds,
    r.p50_seconds,
    r.p95_seconds,
    coalesce(o.open_records, 0) as open_records,
    o.oldest_opened_at
from (
    select
        s.dataset,
        s.validation_type,
        s.resolution,
        count(*) as resolved_records,
        avg(date_part('epoch', s.resolved_at - s.opened_at)) as avg_seconds,
        percentile_cont(0.5) within group (
            order by date_part('epoch', s.resolved_at - s.opened_at)
        ) as p50_seconds,
        percentile_cont(0.95) within group (
            order by date_part('epoch', s.resolved_at - s.opened_at)
        ) as p95_seconds
    from monitoring.invalid_record_spells as s
    group by s.dataset, s.validation_type, s.resolution
) as r
full join (
    select
        s.dataset,
        s.validation_type,
        count(*) as open_records,
        min(s.opened_at) as oldest_opened_at
    from monitoring.invalid_record_states as s
    where s.resolved_at = 'infinity'
    group by s.dataset, s.validation_type
) as o on r.dataset = o.dataset and r.validation_type = o.validation_type;

comment on view monitoring.invalid_records is
'Each record that failed a validation, once for each type of validation, as it is now.';
comment on column monitoring.invalid_records.dataset is
'Dataset of the record.';
comment on column monitoring.invalid_records.record_key is
'Name of the record in its dataset.';
comment on column monitoring.invalid_records.validation_type is
'Validation that it failed, such as DUPLICATA.';
comment on column monitoring.invalid_records.status is
'open or resolved.';
comment on column monitoring.invalid_records.group_name is
'What it is counted by in v_top_issues, such as its branch.';
comment on column monitoring.invalid_records.reported_value is
'The value that is wrong; cut after 1,000 characters, with a note of the full length.';
comment on column monitoring.invalid_records.message is
'What is wrong with it; cut after 4,000 characters, with a note of the full length.';
comment on column monitoring.invalid_records.details is
'Whatever the caller wanted to find again, as JSON.';
comment on column monitoring.invalid_records.target_date is
'Day that was looked at when it was found last.';
comment on column monitoring.invalid_records.first_detected_at is
'When it was found for the first time.';
comment on column monitoring.invalid_records.opened_at is
'When it was found for the first time since it was last valid.';
comment on column monitoring.invalid_records.last_detected_at is
'When it was found for the last time.';
comment on column monitoring.invalid_records.times_detected is
'How often it was found altogether.';
comment on column monitoring.invalid_records.times_reopened is
'How often it was found after it had been resolved.';
comment on column monitoring.invalid_records.is_alerted is
'Whether people were notified of it since it was opened.';
comment on column monitoring.invalid_records.alerted_at is
'When they were first notified; null when they were not.';
comment on column monitoring.invalid_records.task_id is
'Task that found it last; null outside any.';
comment on column monitoring.invalid_records.resolved_at is
'When it was resolved; null while it is open.';
comment on column monitoring.invalid_records.resolution is
'auto (found valid), manual, superseded (another record takes its place) or gone.';
comment on column monitoring.invalid_records.resolved_by is
'Who or what resolved it.';
comment on column monitoring.invalid_records.resolution_reason is
'Why, in their words.';
comment on column monitoring.invalid_records.seconds_open is
'Seconds from its opening to its resolution, or until now.';

comment on view monitoring.record_products is
'The products that each record has now.';
comment on column monitoring.record_products.dataset is
'Dataset of the record.';
comment on column monitoring.record_products.record_key is
'Name of the record in its dataset.';
comment on column monitoring.record_products.product is
'Name of the product.';
comment on column monitoring.record_products.quantity is
'How many of it; null when nobody said.';
comment on column monitoring.record_products.amount is
'What it is worth, in the currency of the dataset; null when nobody said.';
comment on column monitoring.record_products.details is
'Whatever else the caller said about it, as JSON.';
comment on column monitoring.record_products.first_seen_at is
'When the record first had it.';
comment on column monitoring.record_products.changed_at is
'When it was last found to be otherwise than before.';
comment on column monitoring.record_products.task_id is
'Task that recorded it; null outside any.';

comment on view monitoring.processing_log is
'Runs of programs over a day of a dataset, as log_program_execution() recorded them.';
comment on column monitoring.processing_log.dataset is
'Dataset that was looked at.';
comment on column monitoring.processing_log.target_date is
'Day that was looked at.';
comment on column monitoring.processing_log.run_mode is
'full when it looked at all records of the day; partial, dry_run or whatever the program said.';
comment on column monitoring.processing_log.status is
'completed, failed, cancelled, timeout or lost.';
comment on column monitoring.processing_log.started_at is
'When it began; null when nobody said.';
comment on column monitoring.processing_log.finished_at is
'When it ended.';
comment on column monitoring.processing_log.execution_seconds is
'Seconds that it took; null when nobody said.';
comment on column monitoring.processing_log.total_records_queried is
'Number of records that it looked at.';
comment on column monitoring.processing_log.valid_records is
'Number of those that it found valid.';
comment on column monitoring.processing_log.invalid_records is
'Number of those that it found invalid: its statistic invalid_records, or the sum of those whose '
'names begin with invalid_.';
comment on column monitoring.processing_log.records_stored is
'Number of records that it stored.';
comment on column monitoring.processing_log.alerts_sent is
'Number of alerts that it sent: its statistic alerts_sent, or the sum of those whose names begin '
'with alerts_sent_.';
comment on column monitoring.processing_log.statistics is
'Object of all that it counted.';
comment on column monitoring.processing_log.task_id is
'Task that it is.';
comment on column monitoring.processing_log.error_message is
'Why it failed; cut after 4,000 characters, with a note of the full length.';

comment on view monitoring.daily_summary is
'What each day of a dataset came to when update_daily_summary() last counted it.';
comment on column monitoring.daily_summary.dataset is
'Name of the dataset.';
comment on column monitoring.daily_summary.target_date is
'The day, in the time zone of the dataset.';
comment on column monitoring.daily_summary.runs is
'Number of program runs for that day.';
comment on column monitoring.daily_summary.records_queried is
'Number of records that the last complete run for that day looked at.';
comment on column monitoring.daily_summary.valid_records is
'Number of those that it found valid.';
comment on column monitoring.daily_summary.invalid_records is
'Number of those that it found invalid.';
comment on column monitoring.daily_summary.records_stored is
'Number of records stored by all runs for that day.';
comment on column monitoring.daily_summary.alerts_sent is
'Number of alerts sent by all runs for that day.';
comment on column monitoring.daily_summary.invalid_opened is
'Number of invalid records found or found again during the day.';
comment on column monitoring.daily_summary.invalid_resolved is
'Number of invalid records resolved during the day.';
comment on column monitoring.daily_summary.invalid_open is
'Number of invalid records that were open when the day ended, or are now.';
comment on column monitoring.daily_summary.invalid_by_type is
'Object of the number of records opened during the day by type of validation.';
comment on column monitoring.daily_summary.status_changes is
'Number of status changes during the day.';
comment on column monitoring.daily_summary.status_changes_by_source is
'Object of the number of status changes during the day by change source.';
comment on column monitoring.daily_summary.products is
'Number of products first seen during the day.';
comment on column monitoring.daily_summary.updated_at is
'When it was last counted.';

comment on view monitoring.v_top_issues is
'Invalid records that are open, by dataset, type of validation and group.';
comment on column monitoring.v_top_issues.dataset is
'Dataset of the records.';
comment on column monitoring.v_top_issues.validation_type is
'Validation that they failed.';
comment on column monitoring.v_top_issues.group_name is
'What they are counted by; null for those without a group.';
comment on column monitoring.v_top_issues.open_records is
'Number of records.';
comment on column monitoring.v_top_issues.alerted_records is
'Number of those that people were notified of.';
comment on column monitoring.v_top_issues.oldest_opened_at is
'When the one that is open for longest was opened.';
comment on column monitoring.v_top_issues.last_detected_at is
'When one of them was last found.';

comment on view monitoring.v_resolution_times is
'How long it took until invalid records were resolved, by dataset, type of validation and '
'resolution, beside what is still open of that type.';
comment on column monitoring.v_resolution_times.dataset is
'Dataset of the records.';
comment on column monitoring.v_resolution_times.validation_type is
'Validation that they failed.';
comment on column monitoring.v_resolution_times.resolution is
'auto, manual, superseded or gone; null where none of that type has been resolved.';
comment on column monitoring.v_resolution_times.resolved_records is
'Number of times that a record was resolved so.';
comment on column monitoring.v_resolution_times.avg_seconds is
'Mean seconds from opening to resolution.';
comment on column monitoring.v_resolution_times.p50_seconds is
'Median of the seconds from opening to resolution.';
comment on column monitoring.v_resolution_times.p95_seconds is
'95 % took no longer than this, in seconds.';
comment on column monitoring.v_resolution_times.open_records is
'Number of records of that dataset and type that are open, whatever the resolution of this row.';
comment on column monitoring.v_resolution_times.oldest_opened_at is
'When the one that is open for longest was opened; null when none is.';
