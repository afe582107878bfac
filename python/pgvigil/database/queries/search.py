"""What is asked to find things of all kinds."""

SEARCH = """
select *
from monitoring.get_search_results(p_search => %(search)s, p_limit => %(limit)s)
"""
