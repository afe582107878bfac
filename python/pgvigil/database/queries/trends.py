"""What is asked of figures by time, and of what may explain them."""

RESOLUTION = "select monitoring.get_trend_resolution(p_from => %(from_at)s, p_to => %(to_at)s)"
# The last hours begin within a bucket, which is not whole; a span may begin with one.
POINTS = """
select bucket_at, series, value
from monitoring.get_trend_points(
    p_what => %(what)s, p_from => %(from_at)s, p_to => %(to_at)s, p_resolution => %(resolution)s
)
where bucket_at > %(from_at)s or not %(is_of_hours)s
"""
MARKS = """
select *
from monitoring.get_chart_marks(
    p_from => %(from_at)s, p_to => %(to_at)s, p_component => %(component)s, p_limit => %(limit)s
)
"""
RELEASES = """
select *
from monitoring.v_releases
where (component = %(component)s or %(component)s::text is null)
    and (released_at >= %(from)s or %(from)s::timestamptz is null)
    and (released_at < %(to)s or %(to)s::timestamptz is null)
    and ((released_at, release_id)
        < (%(after_released_at)s::timestamptz, %(after_release_id)s::bigint)
        or %(after_release_id)s::bigint is null)
order by released_at desc, release_id desc
limit %(limit)s
"""
