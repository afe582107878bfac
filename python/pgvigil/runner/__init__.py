"""The scheduler of ``pgvigil run``, for those who have no pg_cron or do not want it."""

from pgvigil.runner.runner import Runner, Settings

__all__ = ["Runner", "Settings"]
