"""Talking to the database: connections, sessions, outages, and the questions that are asked.

Needs psycopg and nothing else, as the client does that stands on it.
"""
