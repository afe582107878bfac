"""The server that `make db` keeps loads what has changed, and ends when asked to."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from pgvigil.demo.server_binaries import embedded_binaries
from tests.harness.kept import KeptServer

PASSING = "tests/pgtap/clock.sql"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "kept"


@pytest.fixture
def kept(home: Path) -> Iterator[KeptServer]:
    """A kept server of this test's own."""
    binaries = embedded_binaries()
    assert binaries is not None
    kept = KeptServer(binaries, home)
    yield kept
    kept.stop()


def test_a_changed_file_is_loaded_by_itself_and_a_changed_table_installs_anew(
    kept: KeptServer, home: Path
) -> None:
    dsn = kept.start()
    assert kept.prove([PASSING]).passed
    spoil = """
        create or replace function monitoring.version() returns text
        language sql immutable return 'spoilt';
        create table if not exists public.kept ();
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(spoil)

    _forget(home, "reading/installation.sql")
    assert _found(kept.start()) == ("0.1.0", True)

    _forget(home, "migrations")
    assert _found(kept.start()) == ("0.1.0", False)

    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("create table public.kept ()")
    _forget(home, "grants.sql")
    assert _found(kept.start()) == ("0.1.0", True)

    # What the sources do not make any more would be left behind.
    _forget(home, "grants.sql", made=["function monitoring.renamed(p_any text) "])
    assert _found(kept.start()) == ("0.1.0", False)

    assert kept.stop()
    assert not kept.stop()


def _found(dsn: str) -> tuple[str, bool]:
    """Return the version that the code tells, and whether the database is still the one before."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "select monitoring.version(), to_regclass('public.kept') is not null"
        ).fetchone()
    assert row is not None
    return row[0], row[1]


def _forget(home: Path, name: str, made: Sequence[str] = ()) -> None:
    """Let the server take a file for one that it has not loaded, which used to make functions."""
    loaded = home / "loaded.json"
    known = json.loads(loaded.read_text())
    known |= {name: "", "made": [*known["made"], *made]}
    loaded.write_text(json.dumps(known))
