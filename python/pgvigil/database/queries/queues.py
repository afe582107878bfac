"""What is asked of queues: as they are, and as they were."""

WATCHED = """
select *
from monitoring.get_queues(
    p_search => %(search)s, p_is_troubled => %(troubled)s, p_limit => %(limit)s,
    p_after_trouble => %(after_trouble)s, p_after_pending => %(after_pending)s,
    p_after_name => %(after_queue_name)s
)
"""
WATCHED_ONE = "select * from monitoring.get_queues(p_queue_name => %(queue)s)"
HISTORY = """
select *
from monitoring.get_queue_trends(
    p_from => %(from_at)s, p_to => %(to_at)s, p_resolution => %(resolution)s,
    p_queue_name => %(queue)s
)
order by bucket_at
"""
SAMPLES = """
select recorded_at, sample_id, pending, processing, completed, failed, oldest_ready_seconds
from monitoring.queue_monitoring
where queue_name = %(queue)s
    and recorded_at >= coalesce(
        %(from)s::timestamptz, (select monitoring.clock()) - interval '24 hours'
    )
    and recorded_at < coalesce(%(to)s::timestamptz, 'infinity')
    and (%(after_sample_id)s::bigint is null or (recorded_at, sample_id) < (
        %(after_recorded_at)s::timestamptz, %(after_sample_id)s
    ))
order by recorded_at desc, sample_id desc
limit %(limit)s
"""
