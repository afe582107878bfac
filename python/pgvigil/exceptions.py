"""What can go wrong, by name: refusals by the database (SQLSTATE class PV) and failed installs.

The docstring of each exception says what it means; docs/errors.md has examples and remedies.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import cleandoc

import psycopg


class PgvigilError(Exception):
    """Something that pgvigil itself has to say; ``hint`` tells what would be right."""

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        """Keep the message (the docstring when None) and the hint."""
        super().__init__(message or cleandoc(type(self).__doc__ or ""))
        self.hint = hint


class MonitoringError(PgvigilError):
    """A function of schema monitoring refused its input; nothing of the call was recorded."""

    sqlstate: str | None = None
    """The code of class PV that was raised."""

    @classmethod
    def from_database(cls, error: psycopg.Error) -> "MonitoringError | None":
        """Return the exception for a database error of class PV, or None for any other.

        A code that this version does not know becomes a plain `MonitoringError`.
        """
        code = error.sqlstate or ""
        if not code.startswith("PV"):
            return None
        kind = _KINDS.get(code, MonitoringError)
        translated = kind(error.diag.message_primary or str(error), hint=error.diag.message_hint)
        translated.sqlstate = code
        return translated


class NameMissingError(MonitoringError):
    """A name that must be there is null, empty or blank."""

    sqlstate = "PV001"


class NameTooLongError(MonitoringError):
    """A name has more than 255 characters."""

    sqlstate = "PV002"


class UnknownValueError(MonitoringError):
    """A value is not one of those allowed, such as a status, severity or level."""

    sqlstate = "PV003"


class NumberOutOfRangeError(MonitoringError):
    """A number is negative, infinite, NaN or missing where it cannot be."""

    sqlstate = "PV004"


class WrongJsonShapeError(MonitoringError):
    """A JSON value has the wrong shape, such as an array where an object belongs."""

    sqlstate = "PV005"


class ImpossibleTimeError(MonitoringError):
    """A time lies before 1970 or more than a day ahead, or a task ends before it starts."""

    sqlstate = "PV006"


class UnknownNameError(MonitoringError):
    """A call of an operator names something that does not exist."""

    sqlstate = "PV007"


class RuleQueryError(MonitoringError):
    """The query of an alert rule cannot be run, or returns what no alert can be made of."""

    sqlstate = "PV008"


class ConfigurationError(MonitoringError):
    """A configuration says what is not known or cannot be; nothing of it was applied."""

    sqlstate = "PV009"


class SourceNotReadError(MonitoringError):
    """A source is not read now: its query has to be loaded first, or another session reads it."""

    sqlstate = "PV010"


_KINDS: dict[str, type[MonitoringError]] = {
    kind.sqlstate: kind for kind in MonitoringError.__subclasses__() if kind.sqlstate is not None
}


@contextmanager
def monitoring_errors() -> Iterator[None]:
    """Turn database errors of class PV that occur inside into `MonitoringError`.

    Raises:
        MonitoringError: the subclass for the SQLSTATE; other errors pass as they are.
    """
    try:
        yield
    except psycopg.Error as error:
        translated = MonitoringError.from_database(error)
        if translated is None:
            raise
        raise translated from error


class MissingExtraError(PgvigilError):
    """A part of pgvigil was not installed along with the client."""

    def __init__(self, what: str) -> None:
        """Say what takes the extra ``server``."""
        super().__init__(f"{what} needs more: pip install 'pgvigil[server]'")


class AlertsUnknownError(PgvigilError):
    """It is not known which alerts are open: the database is away, or no rule has run lately."""


class InstallError(PgvigilError):
    """The installation was not changed any further; what was committed before stays valid."""


class ChangedMigrationError(InstallError):
    """A released migration differs from its checksum: migrations are never edited."""


class NewerDatabaseError(InstallError):
    """The database holds migrations that this version of pgvigil does not know."""


class DatabaseNotReadyError(InstallError):
    """The server or the caller's rights do not allow an installation here."""


class MigrationFailedError(InstallError):
    """A migration, or its rollback, failed; its transaction was rolled back."""


class CodeFailedError(InstallError):
    """The functions and views could not be loaded; those from before stay."""


class LockedError(InstallError):
    """Another program, such as plain yoyo, is migrating this database."""


class RollbackRefusedError(InstallError):
    """The newest migration cannot be rolled back as things are; nothing was changed."""


class NotInstalledError(InstallError):
    """This database does not have pgvigil."""


@contextmanager
def installed_or_told() -> Iterator[None]:
    """Turn errors that come of a database without pgvigil into one that says so.

    Raises:
        NotInstalledError: a function or view of pgvigil is not there.
    """
    try:
        yield
    except (
        psycopg.errors.InvalidSchemaName,
        psycopg.errors.UndefinedFunction,
        psycopg.errors.UndefinedTable,
    ) as error:
        raise NotInstalledError(hint="Run `pgvigil migrate` on it first.") from error


def explain(error: BaseException) -> str | None:
    """Return the message, and hint if any, for a user; None for errors that are bugs."""
    if isinstance(error, PgvigilError):
        hint = error.hint
        message = str(error)
    elif isinstance(error, psycopg.Error):
        hint = error.diag.message_hint
        message = error.diag.message_primary or str(error).strip() or type(error).__name__
    else:
        return None
    return f"{message}\nHint: {hint}" if hint else message
