"""Benchmarks of reading and rolling up many rows, against reading the rows themselves."""
