"""Benchmarks: ratios between things run in turn in one run, never single times."""
