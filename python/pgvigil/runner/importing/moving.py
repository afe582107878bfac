"""Moving tables in: each is compared with its mapping, and its rows are loaded as history."""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from typing import Any

import psycopg

from pgvigil.client.backfill import KINDS, Listener, Loading, Outcome, exact_json
from pgvigil.client.backfill.forms import NAMES, Form
from pgvigil.client.backfill.lines import BadLineError, Line, row_of
from pgvigil.client.backfill.recognition import UnknownFormError, form_of
from pgvigil.database.queries import history
from pgvigil.outside.secrets import Secrets
from pgvigil.runner.importing.mapping import Mapping, MappingError, Table
from pgvigil.runner.importing.tables import Database, TableError, database_of
from pgvigil.runner.importing.values import Value, column, row_of_table, written_there

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Plan:
    """How a table is moved in."""

    table: Table
    form: Form
    values: Dictionary[str, Value]
    """What our columns are made of."""
    theirs: tuple[str, ...]
    """The columns of the table, in order."""
    order_by: str | None

    @property
    def unused(self) -> list[str]:
        """Columns of theirs that nothing is made of."""
        used = {
            written_there(name, self.theirs)
            for value in self.values.values()
            for name in value.columns
        }
        return [name for name in self.theirs if name not in used]


@dataclass(frozen=True)
class Moved:
    """How it went with a table."""

    plan: Plan
    outcome: Outcome
    before: int
    """Rows of our view before it."""
    after: int


def plans_of(mapping: Mapping, dsn: str, secrets: Secrets) -> list[Plan]:
    """Compare a mapping with the tables that it names.

    Raises:
        MappingError: they do not fit; the message has all faults, a line each.
    """
    plans, faults = [], []
    for table in mapping.tables:
        try:
            with database_of(table, dsn, secrets) as database:
                plans.append(_plan(table, _columns(table, database)))
        except (TableError, _MisfitError) as error:
            faults += str(error).splitlines()
    if faults:
        raise MappingError(
            "the mapping does not fit:\n" + "\n".join(f"  {fault}" for fault in faults),
            hint="Nothing was loaded. Correct these, and run it again.",
        )
    return plans


class _MisfitError(Exception):
    """A table does not fit its mapping; the message has a line for each fault."""


def _columns(table: Table, database: Database) -> list[str]:
    try:
        return database.columns(table)
    except psycopg.Error as error:
        what = error.diag.message_primary or str(error)
        raise _MisfitError(f"{table.path}: {table.name} cannot be read: {what}") from None


def _plan(table: Table, theirs: Sequence[str]) -> Plan:
    forms = NAMES[table.kind]
    if table.columns is None:
        known = frozenset().union(*(form.columns for form in forms))
        values: Dictionary[str, Value] = {
            name: column(name, {}, None, None) for name in map(str.lower, theirs) if name in known
        }
    else:
        values = _found(table, theirs)
    try:
        form = form_of(values, forms)
    except UnknownFormError as error:
        raise _MisfitError(f"{table.path}.columns: {error} {error.hint}") from None
    missing = sorted(form.required - values.keys())
    if missing:
        raise _MisfitError(
            f"{table.path}.columns: {', '.join(missing)} must be told of {form.kind.name}"
        )
    return Plan(table, form, values, tuple(theirs), _order(table, form, values, theirs))


def _found(table: Table, theirs: Sequence[str]) -> Dictionary[str, Value]:
    """Return what our columns are made of, once it is known that theirs are there."""
    assert table.columns is not None
    faults = [
        f"{table.path}.columns.{ours}: {table.name} has no column {name!r}; it has "
        + ", ".join(theirs)
        for ours, value in table.columns.items()
        for name in value.columns
        if written_there(name, theirs) is None
    ]
    if faults:
        raise _MisfitError("\n".join(faults))
    return table.columns


def _order(
    table: Table, form: Form, values: Dictionary[str, Value], theirs: Sequence[str]
) -> str | None:
    """Return the column by whose order rows of a relation happened, where there is one."""
    times = [name for name in form.required if name in _TIMES and name in values]
    if table.relation is None or not times or len(values[times[0]].columns) != 1:
        return None
    return written_there(values[times[0]].columns[0], theirs)


_TIMES = frozenset(("timestamp", "last_check_at", *(kind.time_column for kind in KINDS.values())))


def move(
    connection: Connection,
    plan: Plan,
    dsn: str,
    secrets: Secrets,
    listener: Listener,
    *,
    dry_run: bool = False,
    put_aside: Callable[[Line], None] = lambda line: None,
) -> Moved:
    """Load the rows of a table; doing so again adds nothing.

    Args:
        connection: to load over, in autocommit mode.
        plan: how.
        dsn: this database, for the table that is in it.
        secrets: where the addresses of others are.
        listener: is told how it goes.
        dry_run: have everything checked and keep nothing.
        put_aside: called with each row that is rejected.

    Raises:
        TableError: the table cannot be read to its end; what was read before is loaded.
        psycopg.Error: our own database failed; batches before this stay.
    """
    connection.execute(
        "select set_config('TimeZone', %s, false), set_config('DateStyle', 'ISO, YMD', false)",
        [plan.table.time_zone],
    )
    before = _count(connection, plan.form.name)
    loading = Loading(connection, listener, put_aside=put_aside, dry_run=dry_run)
    broken: TableError | None = None
    try:
        with database_of(plan.table, dsn, secrets) as database:
            loading.add(_lines(plan, database))
    except TableError as error:
        broken = error
    outcome = loading.finish()
    if broken is not None:
        raise broken
    return Moved(plan, outcome, before, _count(connection, plan.form.name))


def _lines(plan: Plan, database: Database) -> Iterator[Line]:
    for number, cells in enumerate(database.rows(plan.table, plan.order_by), start=1):
        row = row_of_table(plan.theirs, cells)
        made = {ours: value.make(row) for ours, value in plan.values.items()}
        yield _line(plan.form, number, made)


def _line(form: Form, number: int, made: dict[str, Any]) -> Line:
    said = {name: value for name, value in made.items() if value is not None}
    fault = None
    try:
        for name in form.documents & said.keys():
            if isinstance(said[name], str):
                said[name] = exact_json.loads(said[name], name)
        row = row_of(form, said, made.keys())
    except (BadLineError, exact_json.NotJsonError) as error:
        row, fault = {}, str(error)
    # As pgvigil backfill reads it, for those that are put aside.
    text = exact_json.dumps({"kind": form.name, **said}, ensure_ascii=False) + "\n"
    return Line(number, text, form.kind, row, fault)


def _count(connection: Connection, view: str) -> int:
    row = connection.execute(history.count(view).encode()).fetchone()
    assert row is not None
    return int(row[0])
