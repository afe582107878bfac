"""What is asked of groups of errors, and what people decide about them."""

GROUPS = """
select *
from monitoring.error_groups
where (%(status)s::text is null or status = %(status)s)
    and (%(severity)s::text is null or severity = %(severity)s)
    and (%(type)s::text is null or error_type = %(type)s)
    and (%(component)s::text is null or %(component)s = any(components))
    and (%(search)s::text is null or position(
        lower(%(search)s collate "C")
        in lower(concat_ws(' ', error_type, example, array_to_string(components, ' ')) collate "C")
    ) > 0)
    and ((last_seen_at, fingerprint)
        < (%(after_last_seen_at)s::timestamptz, %(after_fingerprint)s::text)
        or %(after_fingerprint)s::text is null)
order by last_seen_at desc, fingerprint desc
limit %(limit)s
"""
GROUP = """
select *
from monitoring.error_groups
where fingerprint = %(fingerprint)s or %(fingerprint)s = any(merged_from)
"""
OCCURRENCES = """
select *
from monitoring.get_error_occurrences(
    p_fingerprint => %(fingerprint)s, p_from => %(from)s, p_to => %(to)s, p_limit => %(limit)s,
    p_before_time => %(after_occurred_at)s, p_before_error_id => %(after_error_id)s
)
"""
POINTS = """
select date_trunc(%(resolution)s, occurred_at, 'UTC') as bucket_at, severity as series,
    count(*)::double precision as value
from monitoring.error_tracking
where error_group = %(fingerprint)s and occurred_at >= %(from_at)s and occurred_at <= %(to_at)s
group by 1, 2
order by 1, 2
"""
RELEASES = """
select *
from monitoring.v_releases
where component = any(%(components)s) and released_at >= %(from_at)s and released_at < %(to_at)s
order by released_at desc
limit 20
"""
RUNNING_AT_FIRST = """
select distinct on (component) *
from monitoring.v_releases
where component = any(%(components)s) and released_at <= %(first_seen_at)s
order by component, released_at desc, release_id desc
"""
RESOLVE = """
select monitoring.resolve_error_group(
    p_fingerprint => %(fingerprint)s, p_note => %(note)s, p_by => %(by)s
)
"""
MUTE = """
select monitoring.mute_error_group(
    p_fingerprint => %(fingerprint)s, p_until => %(until)s, p_note => %(note)s, p_by => %(by)s
)
"""
REOPEN = "select monitoring.reopen_error_group(p_fingerprint => %(fingerprint)s)"
MERGE = """
select monitoring.merge_error_groups(
    p_into => %(into)s, p_fingerprints => %(fingerprints)s, p_note => %(note)s,
    p_by => %(by)s
)
"""
SPLIT = """
select monitoring.split_error_group(
    p_fingerprint => %(fingerprint)s, p_note => %(note)s, p_by => %(by)s
)
"""
