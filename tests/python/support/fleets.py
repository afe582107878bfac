"""Reading members into a hub as the runner does, and comparing what came with what is there."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from pgvigil.demo.server import PostgresServer
from pgvigil.outside.fleet.reading import Reading
from pgvigil.outside.secrets import Secrets
from tests.harness.databases import create_database, drop_database

_ROLLUPS = """
    select source, name, label, component, resolution, bucket_at, row_count, value_count,
        value_sum, value_sum_squares, value_min, value_max, histogram::text
    from monitoring.{table}
    where resolution in ('hour', 'day') {condition}
    order by source, resolution, bucket_at, name, label, component
"""


class Fleet:
    """A hub, and members whose addresses its reader finds."""

    def __init__(self, hub: str, directory: Path) -> None:
        """Take the DSN of the hub, and where to keep the addresses."""
        self.hub = psycopg.connect(hub, autocommit=True)
        self.secrets_file = directory / "fleet.toml"
        self._dsn = hub
        self._addresses: dict[str, str] = {}

    def add(self, name: str, dsn: str, **options: str) -> None:
        """Register a member, as whoever runs its DSN."""
        self._addresses[name] = dsn
        lines = [f'{name} = "{address}"' for name, address in self._addresses.items()]
        self.secrets_file.write_text("\n".join(["[connections]", *lines]))
        self.secrets_file.chmod(0o600)
        given = "".join(f", {option} => '{value}'" for option, value in options.items())
        call = f"select monitoring.register_fleet_member(%s, %s{given})"
        self.hub.execute(call.encode(), [name, name])

    def read(self, *names: str) -> dict[str, str | None]:
        """Read members at the same time; return what went wrong with each."""
        # All that has changed, whenever it was last asked for.
        self.hub.execute("update monitoring.fleet_member_states set rollups_asked_at = null")
        return asyncio.run(self._read(names))

    async def _read(self, names: tuple[str, ...]) -> dict[str, str | None]:
        secrets = Secrets(self.secrets_file, "connections")
        async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True) as hub:
            readings = {name: Reading(hub, name, secrets) for name in names}
            await asyncio.gather(*(reading.run() for reading in readings.values()))
        return {name: reading.error for name, reading in readings.items()}

    def member(self, name: str) -> dict[str, Any]:
        """Return what the hub shows of a member."""
        with self.hub.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            cursor.execute(
                "select * from monitoring.v_fleet_members where member_name = %s", [name]
            )
            (row,) = cursor.fetchall()
        return row

    def assert_same(self, name: str, member: psycopg.Connection[Any]) -> None:
        """See that the hub has the roll-ups of a member as that has them."""
        there = member.execute(_ROLLUPS.format(table="rollups", condition="").encode())
        here = self.hub.execute(
            _ROLLUPS.format(table="fleet_rollups", condition="and member_name = %s").encode(),
            [name],
        )
        assert here.fetchall() == there.fetchall()

    def close(self) -> None:
        """Leave the hub."""
        self.hub.close()


@contextmanager
def databases(server: PostgresServer, template: str, *names: str) -> Iterator[list[str]]:
    """Have databases with pgvigil, and return their DSNs."""
    for name in names:
        create_database(server, name, template)
    try:
        yield [server.dsn(name) for name in names]
    finally:
        for name in names:
            drop_database(server, name)
