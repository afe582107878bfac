"""A migration writes its own row into the book, or the next run would run it again."""

import pytest

from pgvigil.install.files import Migration, read_migrations

MIGRATIONS = read_migrations()


@pytest.mark.parametrize("migration", MIGRATIONS, ids=lambda each: each.migration_id)
def test_a_migration_notes_itself_and_its_rollback_takes_that_back(migration: Migration) -> None:
    name = migration.migration_id
    noted = f"insert into monitoring.installed_migrations (migration_id) values ('{name}');"
    assert noted in migration.path.read_text()
    if migration is not MIGRATIONS[0]:  # its rollback drops the schema
        taken = f"delete from monitoring.installed_migrations where migration_id = '{name}';"
        assert taken in migration.rollback_path.read_text()
