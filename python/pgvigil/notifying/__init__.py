"""Sending what the outbox holds: part of ``pgvigil run``.

A process of its own talks to the outside world (`sending_process`); only that one loads Apprise.
"""
