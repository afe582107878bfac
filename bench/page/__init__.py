"""Benchmark of the page's first load."""
