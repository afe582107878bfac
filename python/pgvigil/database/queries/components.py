"""What is asked of components: as they are, and as they were."""

WATCHED = """
select *
from monitoring.get_components(
    p_search => %(search)s, p_component_type => %(type)s, p_status => %(status)s,
    p_is_troubled => %(troubled)s, p_days => %(days)s, p_limit => %(limit)s,
    p_after_trouble => %(after_trouble)s, p_after_standing => %(after_standing)s,
    p_after_type => %(after_component_type)s, p_after_name => %(after_component_name)s
)
"""
WATCHED_ONE = """
select *
from monitoring.get_components(p_component_name => %(component)s, p_days => %(days)s)
"""
HISTORY = """
select *
from monitoring.get_component_trends(
    p_component_type => %(type)s, p_component_name => %(component)s,
    p_from => %(from_at)s, p_to => %(to_at)s, p_resolution => %(resolution)s
)
order by bucket_at
"""
CHECKS = """
select probe_id, checked_at, status, response_time_ms, failure_reason, details
from monitoring.v_health_history
where component_name = %(component)s
    and (%(type)s::text is null or component_type = %(type)s)
    and (%(status)s::text is null or status = %(status)s)
    and checked_at >= coalesce(
        %(from)s::timestamptz, (select monitoring.clock()) - interval '24 hours'
    )
    and checked_at < coalesce(%(to)s::timestamptz, 'infinity')
    and (%(after_probe_id)s::bigint is null or (checked_at, probe_id) < (
        %(after_checked_at)s::timestamptz, %(after_probe_id)s
    ))
order by checked_at desc, probe_id desc
limit %(limit)s
"""
