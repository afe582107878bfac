"""Installing pgvigil in a database, upgrading it, and telling what is there."""

from pgvigil.install.bundle import single_file
from pgvigil.install.extension import extension_script
from pgvigil.install.runner import Migrated, migrate, newest_migration, roll_back

__all__ = [
    "Migrated", "extension_script", "migrate", "newest_migration", "roll_back", "single_file",
]  # fmt: skip
