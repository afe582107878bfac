"""Talking to the receivers of notifications, on behalf of ``pgvigil run``.

A process of its own does it (`sending_process`), and only that one loads Apprise. What it is to
send is up to the runner.
"""
