"""The scheduler of ``pgvigil run``, for those who have no pg_cron or do not want it."""

from pgvigil.runner.background import BackgroundRunner
from pgvigil.runner.runner import Runner, Settings

__all__ = ["BackgroundRunner", "Runner", "Settings"]
