"""Starts servers, prepares databases and runs what proves the SQL; `python -m tests.harness -h`."""
