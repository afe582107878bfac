"""What is asked of business records."""

ISSUES = """
select *
from monitoring.v_top_issues
order by open_records desc, dataset, validation_type, group_name
limit %(limit)s
"""
SEARCHED = """
    position(lower({} collate "C") in lower(
        concat_ws(' ', record_key, group_name, reported_value, message) collate "C"
    )) > 0
"""
OPENED_BEFORE = "opened_at <= monitoring.clock() - interval '1 day' *"
OPENED_AFTER = "opened_at > monitoring.clock() - interval '1 day' *"
DATASETS = """
select *
from monitoring.get_datasets(
    p_search => %(search)s, p_limit => %(limit)s, p_after_trouble => %(after_trouble)s,
    p_after_open => %(after_open_records)s, p_after_dataset => %(after_dataset)s
)
"""
DATASET = "select * from monitoring.get_datasets(p_dataset => %(dataset)s)"
TYPES = """
select *
from monitoring.v_invalid_ages
where dataset = %(dataset)s
order by open_records desc, validation_type
limit %(limit)s
"""
DAYS = """
select * from monitoring.get_invalid_by_day(p_dataset => %(dataset)s, p_days => %(days)s)
"""
RUNS_OF_DATASET = """
select *
from monitoring.processing_log
where dataset = %(dataset)s
order by target_date desc, finished_at desc
limit %(runs)s
"""
VALIDATIONS = """
select *
from monitoring.invalid_records
where dataset = %(dataset)s and record_key = %(record_key)s
order by status, opened_at desc, validation_type
"""
STATUS = """
select * from monitoring.v_record_status
where dataset = %(dataset)s and record_key = %(record_key)s
"""
PRODUCTS = """
select * from monitoring.record_products
where dataset = %(dataset)s and record_key = %(record_key)s
order by product
"""
STATUSES = """
select dataset, status, count(*) as records, max(effective_at) as last_changed_at
from monitoring.v_record_status
where status is not null
group by dataset, status
order by dataset, count(*) desc, status
"""
CHANGES = """
select *
from monitoring.status_history
where (%(dataset)s::text is null or dataset = %(dataset)s)
    and (%(change_source)s::text is null or change_source = %(change_source)s)
    and recorded_at >= coalesce(
        %(from)s::timestamptz, (select monitoring.clock()) - interval '24 hours'
    )
    and recorded_at < coalesce(%(to)s::timestamptz, 'infinity')
    and (%(after_change_id)s::bigint is null or recorded_at <= %(after_recorded_at)s::timestamptz)
    and (%(after_change_id)s::bigint is null or (recorded_at, change_id) < (
        %(after_recorded_at)s::timestamptz, %(after_change_id)s
    ))
order by recorded_at desc, change_id desc
limit %(limit)s
"""
CHANGES_OF_A_DAY = """
select recorded_at, dataset, record_key, validation_type, from_status, to_status, change_source
from monitoring.status_history
where recorded_at > %(now)s - make_interval(days => 1)
order by recorded_at desc, change_id desc
limit %(limit)s
"""
TIMELINE = """
select *
from monitoring.get_record_timeline(
    p_dataset => %(dataset)s, p_record_key => %(record_key)s, p_limit => %(limit)s
)
"""
RUNS = """
select
    dataset, target_date, run_mode, status, finished_at, execution_seconds,
    total_records_queried, invalid_records
from monitoring.processing_log
where finished_at > %(now)s - make_interval(days => 7)
order by finished_at desc
limit %(limit)s
"""
