"""Handing batches to the database, so that a bad line costs nobody but itself.

The database refuses a whole call for one bad row and names that row. What stands before it is
good, so it is sent; the bad row is put aside; and it goes on behind it. Every row is sent twice
at most, however many are bad.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from pgvigil.client.backfill import exact_json
from pgvigil.client.backfill.kinds import Kind
from pgvigil.client.backfill.lines import Line
from pgvigil.client.recording.link import STRICTLY
from pgvigil.exceptions import PgvigilError

Reject = Callable[[Line, str], None]
Show = Callable[[Line], None]
Policy = tuple[str, str]
"""What rows are kept by: a table, and a category of it that may be empty."""
_NAMED_ROW = re.compile(r"row (\d+): (.*)", re.DOTALL)
_LINES_SHOWN = 20
_LOAD = "select monitoring.load_history(p_kind => %(kind)s, p_rows => %(rows)s::jsonb)" + STRICTLY
_PREPARE = "select monitoring.prepare_history(p_kind => %(kind)s, p_rows => %(rows)s::jsonb)"


class RightsMissingError(PgvigilError):
    """Whoever loads history may not."""


class BatchLoader:
    """Loads batches over one connection, each batch in a transaction of its own."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        reject: Reject,
        *,
        dry_run: bool = False,
        show: Show = lambda line: None,
        warn: Callable[[Policy], None] = lambda policy: None,
    ) -> None:
        """Load over a connection that is in autocommit mode.

        Args:
            connection: where to.
            reject: called with each refused line and why.
            dry_run: roll every batch back.
            show: called in a dry run with the first twenty lines that would be new.
            warn: called, before the first such line is loaded, with what it is kept by, when the
                next clean-up would remove it.
        """
        self._connection = connection
        self._reject = reject
        self._dry_run = dry_run
        self._show = show
        self._warn = warn
        self._left_to_show = _LINES_SHOWN if dry_run else 0
        self.expired: Counter[Policy] = Counter()
        """Lines that the next clean-up would remove, by what they are kept by."""
        self.partitions = 0
        """Partitions of past days that were made."""

    def load(self, kind: Kind, lines: Sequence[Line]) -> tuple[int, int]:
        """Load lines of one kind and return how many were new and how many already there.

        Raises:
            psycopg.Error: a fault that no line is to blame for; nothing of the batch stays.
            RightsMissingError: it takes another role.
        """
        self._prepare(kind, lines)
        with self._connection.transaction(force_rollback=self._dry_run):
            return self._load(kind, lines)

    def _prepare(self, kind: Kind, lines: Sequence[Line]) -> None:
        """Have partitions made, and tell what would not stay."""
        try:
            with self._connection.transaction(force_rollback=self._dry_run):
                answer = self._call(_PREPARE, kind, lines)
        except psycopg.Error as error:
            if not _is_about_content(error):
                raise
            return  # which line it is will be found out when it is loaded
        self.partitions += answer["partitions"]
        for found in answer["expired"]:
            policy = (str(found["table_name"]), str(found["category"]))
            if policy not in self.expired:
                self._warn(policy)
            self.expired[policy] += int(found["rows"])

    def _load(self, kind: Kind, lines: Sequence[Line]) -> tuple[int, int]:
        new = known = 0
        while lines:
            try:
                written = self._send_showing(kind, lines)
            except psycopg.Error as error:
                good, bad, why = _split(lines, error)
                if bad is not None:
                    self._reject(bad, why)
                rest = len(good) + (bad is not None)
                counts, lines = self._load(kind, good), lines[rest:]
            else:
                counts, lines = (written, len(lines) - written), []
            new, known = new + counts[0], known + counts[1]
        return new, known

    def _send_showing(self, kind: Kind, lines: Sequence[Line]) -> int:
        """Send lines; while there is room to show new ones, halve until it is known which are."""
        if not self._left_to_show:
            return self._send(kind, lines)
        with self._connection.transaction() as attempt:
            written = self._send(kind, lines)
            if written in (0, len(lines)):
                self._show_first(lines[:written])
                return written
            raise psycopg.Rollback(attempt)
        half = len(lines) // 2
        return sum(self._send_showing(kind, part) for part in (lines[:half], lines[half:]))

    def _show_first(self, lines: Sequence[Line]) -> None:
        for line in lines[: self._left_to_show]:
            self._left_to_show -= 1
            self._show(line)

    def _send(self, kind: Kind, lines: Sequence[Line]) -> int:
        # A savepoint: what was refused leaves the batch's transaction usable.
        with self._connection.transaction():
            return int(self._call(_LOAD, kind, lines))

    def _call(self, call: str, kind: Kind, lines: Sequence[Line]) -> Any:
        rows = exact_json.dumps([line.row for line in lines])
        try:
            row = self._connection.execute(
                call.encode(), {"kind": kind.name, "rows": rows}
            ).fetchone()
        except psycopg.errors.InsufficientPrivilege as error:
            raise RightsMissingError(
                f"history cannot be loaded: {error.diag.message_primary}",
                hint="It takes the role monitoring_admin; ask an administrator to grant it.",
            ) from None
        assert row is not None
        return row[0]


def _is_about_content(error: psycopg.Error) -> bool:
    return (error.sqlstate or "").startswith(("PV", "22", "54"))


def _split(lines: Sequence[Line], error: psycopg.Error) -> tuple[Sequence[Line], Line | None, str]:
    """Return the lines to send next, the bad one behind them if it is known, and what is wrong.

    Raises:
        psycopg.Error: the error itself, when it is not about the content of a line.
    """
    if not _is_about_content(error):
        raise error
    why = error.diag.message_primary or str(error)
    named = _NAMED_ROW.match(why)
    if named is not None and 1 <= int(named[1]) <= len(lines):
        position = int(named[1]) - 1
        return lines[:position], lines[position], named[2]
    if len(lines) == 1:
        return [], lines[0], why
    # Text that is no JSON for PostgreSQL, such as \u0000, spoils the call before rows are seen.
    return lines[: len(lines) // 2], None, why
