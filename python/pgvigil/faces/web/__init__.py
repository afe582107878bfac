"""The web service of ``pgvigil serve``: what the database tells as JSON, and a page that shows it.

Nothing here decides or computes: each path reads one view or calls one
function.
"""
