"""Installing pgvigil in a database, upgrading it, and telling what is there."""

from pgvigil.install.bundle import single_file
from pgvigil.install.runner import Migrated, migrate, newest_migration, roll_back

__all__ = ["Migrated", "migrate", "newest_migration", "roll_back", "single_file"]
