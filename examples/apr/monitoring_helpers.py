"""The helpers that the programs of this system call, under the names they have always had.

Each takes a session first, and is a call of `pgvigil.MonitoringClient`. What the session may be:

- a `MonitoringClient`, or what its `on()` returns: that records;
- a connection of psycopg, or a session of SQLAlchemy over one, to the database that has pgvigil:
  what is recorded belongs to its transaction;
- anything else, such as a session of MariaDB, or None: a client of this module's own records, in
  the database that ``PGVIGIL_DSN`` names.

`bind` says what the records are called; do it once, at the beginning of a program.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import psycopg

from pgvigil import MonitoringClient

logger = logging.getLogger("monitoring_helpers")


@dataclass(frozen=True)
class Binding:
    """What the programs of a team call things; names of columns in any case of letters."""

    dataset: str = "apr"
    """What these are records of."""
    key: str = "proposal"
    """Column that names a record."""
    group: str = "cedente"
    """Column by which issues are counted."""
    message: str = "message"
    """Column that says what is wrong."""
    status: str = "status"
    """Column with the status."""
    changed_at: str = "changed_at"
    """Column that says since when it has that, if there is one."""
    target_date: date | None = None
    """Day that a run looks at, of records that do not say theirs; None for today."""
    product: str = "product"
    """Column with the name of a product; several rows of a record make several products."""
    source: str | None = None
    """Registered source of statuses (`register_record_source`); None for all of the dataset."""
    read_source: Callable[[Any, date], Iterable[Any]] | None = None
    """Reads the records of a day with the programs' own session; None to have pgvigil do that."""
    run_modes: Mapping[str, str] | None = None
    """Words of yours for full (all records of the day were looked at), partial and dry_run."""
    is_dry_run: bool = False
    """Whether to keep nothing, as in a run with ``--dry-run``."""
    monitor: MonitoringClient | None = None
    """Records for sessions of other databases; None for a client of ``PGVIGIL_DSN``."""


_bound = Binding()
_found_at: list[datetime] = []
"""When the run that goes on found what is invalid."""


def bind(**settings: Any) -> None:
    """Change what records are called, by the names of `Binding`; the rest stays."""
    global _bound
    _bound = replace(_bound, **settings)


def log_invalid_records(
    session: Any, records: Iterable[Any], validation_type: str, alerted_count: int = 0
) -> int:
    """Record which records failed a validation; people were told of the first so many.

    Returns:
        How many were not known to be invalid before.
    """
    _found_at.append(datetime.now(UTC))
    counts = _monitor(session).log_invalid_records(
        _bound.dataset,
        [_invalid(record, validation_type) for record in records],
        validation_type,
        alerted_count,
        target_date=_bound.target_date,
        detected_at=_found_at[-1],
        is_dry_run=_bound.is_dry_run,
    )
    return _sum(counts, "opened", "reopened")


def auto_resolve_invalid_records(session: Any, target_date: date) -> int:
    """Resolve what the newest complete run over a day did not find again; return how many."""
    counts = _monitor(session).auto_resolve_invalid_records(
        _bound.dataset, target_date, is_dry_run=_bound.is_dry_run
    )
    if counts and "note" in counts:
        logger.warning("nothing is resolved: %s", counts["note"])
    return _sum(counts, "resolved")


def track_status_changes(
    session: Any, target_date: date | str | Iterable[Any], change_source: str = "SYSTEM"
) -> int:
    """Record what became of the records of a day, or of the records themselves that are given.

    A bot gives those that it has processed, with the status that each has now, and BOT.

    Returns:
        How many changes were recorded.
    """
    told: Any = target_date
    if not isinstance(target_date, date | str):
        told = [_status(record) for record in target_date]
    elif _bound.source:
        return track_all_status_changes_from_source(None, session, told, change_source)
    counts = _monitor(session).track_status_changes(
        _bound.dataset, told, change_source, is_dry_run=_bound.is_dry_run
    )
    return _changes(counts)


def track_all_status_changes_from_source(
    mssql_session: Any, mariadb_session: Any, target_date: date, change_source: str = "SYSTEM"
) -> int:
    """Record what became of all records of a day, valid or not, whoever changed them.

    Where `read_source` is bound it reads them with the first session; else pgvigil reads the
    registered source itself, and that session is not used.

    Returns:
        How many changes were recorded.
    """
    if mssql_session is not None and _bound.read_source is not None:
        found = _bound.read_source(mssql_session, target_date)
        return track_status_changes(mariadb_session, list(found), change_source)
    if _bound.source is None:
        return track_status_changes(mariadb_session, target_date, change_source)
    return (
        _monitor(mariadb_session).track_all_status_changes_from_source(
            _bound.source, target_date, change_source, is_dry_run=_bound.is_dry_run
        )
        or 0
    )


def track_proposal_products(session: Any, valid_records: Iterable[Any]) -> int:
    """Record which products proposals have; return how many are new, changed or gone."""
    products: dict[str, list[Any]] = {}
    for record in valid_records:
        row = _row(record)
        found = row.get("products") or [row]
        products.setdefault(_key(row), []).extend(_product(each) for each in found)
    counts = _monitor(session).track_record_products(
        _bound.dataset,
        [
            {"record_key": key, "products": [each for each in found if each]}
            for key, found in products.items()
        ],
        is_dry_run=_bound.is_dry_run,
    )
    return _sum(counts, "added", "changed", "removed")


def log_program_execution(
    session: Any,
    target_date: date,
    stats: Mapping[str, float],
    execution_time: Any,
    run_mode: str = "full",
) -> str | None:
    """Record a run of a program over a day; return its name."""
    words = {"dry-run": "dry_run", **(_bound.run_modes or {})}
    now = datetime.now(UTC)
    # However long ago that was measured: the run did not begin after it had found something.
    with suppress(TypeError, ValueError, OverflowError, IndexError):
        length = execution_time
        if not isinstance(length, timedelta):
            length = timedelta(seconds=length)
        execution_time = max(length, now - _found_at[0])
    _found_at.clear()
    name: str | None = _monitor(session).log_program_execution(
        _bound.dataset,
        target_date,
        stats,
        execution_time,
        words.get(run_mode, run_mode),
        # By the clock that measured the time, so that what a run found is not older than the run.
        finished_at=now,
        is_dry_run=_bound.is_dry_run,
    )
    return name


def update_daily_summary(session: Any, target_date: date) -> dict[str, Any]:
    """Count a day anew; return its row of ``daily_summary``."""
    return (
        _monitor(session).update_daily_summary(
            _bound.dataset, target_date, is_dry_run=_bound.is_dry_run
        )
        or {}
    )


def cleanup_old_monitoring_data(session: Any, retention_days: int = 30) -> dict[str, int]:
    """Remove what is older than so many days; return how many rows, by view."""
    removed: dict[str, int] = _monitor(session).cleanup_old_monitoring_data(
        retention_days, dataset=_bound.dataset, is_dry_run=_bound.is_dry_run
    )
    return removed


# How sessions and records of theirs become ours


def _monitor(session: Any) -> Any:
    """Return what records for a session."""
    if hasattr(session, "log_invalid_records"):
        return session
    client = _bound.monitor or _own_client()
    connection = _connection(session)
    return client if connection is None else client.on(connection)


@cache
def _own_client() -> MonitoringClient:
    return MonitoringClient(component="apr")


def _connection(session: Any) -> "psycopg.Connection[Any] | None":
    """Return the connection to PostgreSQL under a session, and None under any other."""
    if isinstance(session, psycopg.Connection):
        return session
    with suppress(Exception):  # a session of anything else
        if session.get_bind().dialect.driver == "psycopg":
            found = session.connection().connection.driver_connection
            return found if isinstance(found, psycopg.Connection) else None
    return None


def _row(record: Any) -> dict[str, Any]:
    """Return a record, be it a mapping, a row of SQLAlchemy, an object or a key, by lower names."""
    if isinstance(record, str | int):
        return {"record_key": record}
    values = getattr(record, "_mapping", record)
    if not isinstance(values, Mapping):
        own = getattr(record, "__dict__", {})
        values = {name: value for name, value in own.items() if name[:1] != "_"}
    return {str(name).lower(): value for name, value in values.items()}


def _key(row: Mapping[str, Any]) -> str:
    key = row.get(_bound.key.lower(), row.get("record_key"))
    return "" if key is None else str(key)


def _invalid(record: Any, validation_type: str) -> dict[str, Any]:
    """Return a record as `MonitoringClient.log_invalid_records` takes it, with all that it has."""
    row = _row(record)
    wrong = row.get(validation_type.lower(), row.get("value"))
    return {
        "record_key": _key(row),
        "value": None if wrong is None else str(wrong),
        "group": row.get(_bound.group.lower(), row.get("group")),
        "message": row.get(_bound.message.lower()),
        "target_date": row.get("target_date"),
        "details": row,
    }


def _status(record: Any) -> dict[str, Any]:
    """Return a record as `MonitoringClient.track_status_changes` takes it.

    One without a status is left out and told of: None would mean that the record is gone.
    """
    row = _row(record)
    status = row.get(_bound.status.lower())
    return {
        "record_key": _key(row),
        **({} if status is None else {"status": str(status)}),
        "effective_at": row.get(_bound.changed_at.lower()),
        "actor": row.get("actor"),
    }


def _product(product: Any) -> Any:
    """Return a product as `MonitoringClient.track_record_products` takes it; None for none."""
    if isinstance(product, str):
        return product
    row = _row(product)
    name = row.get(_bound.product.lower())
    return name and {"product": name, "quantity": row.get("quantity"), "amount": row.get("amount")}


def _changes(counts: Mapping[str, Any] | None) -> int:
    return _sum(counts, "new", "changed", "gone", "late")


def _sum(counts: Mapping[str, Any] | None, *names: str) -> int:
    """Return how many there were; none where nothing could be recorded, which the log has."""
    return sum(counts.get(name) or 0 for name in names) if counts else 0
