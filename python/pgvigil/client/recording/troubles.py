"""What goes wrong: it is counted, and told to the log, and raised only where that is wanted."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import psycopg

from pgvigil.client.recording.link import UnavailableError
from pgvigil.exceptions import MonitoringError, explain

_LOG_INTERVAL = 60.0

logger = logging.getLogger("pgvigil")

_is_silenced: ContextVar[bool] = ContextVar("pgvigil_is_silenced", default=False)


@contextmanager
def silenced() -> Iterator[None]:
    """Let nothing raise in the block that would with ``on_error="raise"``."""
    token = _is_silenced.set(True)
    try:
        yield
    finally:
        _is_silenced.reset(token)


def is_silenced() -> bool:
    """Tell whether nothing is to be raised here."""
    return _is_silenced.get()


class Troubles:
    """Counts the records that were lost, and tells the log about it now and then."""

    def __init__(self, raises: bool = False) -> None:
        """Begin without any.

        Args:
            raises: whether a refusal is raised rather than counted and logged.
        """
        self.raises = raises
        """Whether a refusal is raised rather than counted and logged."""
        self.lost = 0
        """Records lost so far, not counting those that were lost on their way."""
        self.lost_on_the_way: Callable[[], int] = lambda: 0
        """How many those are."""
        self._told_at: dict[str, float] = {}
        self._is_away = False

    @property
    def lost_altogether(self) -> int:
        """Records lost so far."""
        return self.lost + self.lost_on_the_way()

    @contextmanager
    def of_call(self, function: str, at_stake: int) -> Iterator[None]:
        """Take what goes wrong with a call to the database in the block.

        Args:
            function: which one is called.
            at_stake: how many records are lost when it does not work.

        Raises:
            Exception: the call was refused, and that is to be raised.
        """
        try:
            yield
        except UnavailableError as error:
            self._is_away = True
            self.lose(at_stake, "away", "cannot reach its database", error)
        except Exception as error:
            self.refused(at_stake, function, error)
        except BaseException as error:  # Ctrl-C, or the cancellation of a coroutine
            self.lose(at_stake, "interrupted", f"did not come to the end of {function}", error)
            raise
        else:
            if self._is_away:
                self._is_away = False
                lost = self.lost_altogether
                self.tell_log("back", f"pgvigil records again; records lost so far: {lost}")

    def refused(self, records: int, function: str, error: Exception) -> None:
        """Take that a call was refused, and what that has lost.

        Raises:
            Exception: that is to be raised.
        """
        if self.raises and not is_silenced():
            translated = (
                MonitoringError.from_database(error) if isinstance(error, psycopg.Error) else None
            )
            if translated is None:
                raise error
            raise translated from error
        code = getattr(error, "sqlstate", None) or type(error).__name__
        self.lose(records, f"{function} {code}", f"was refused by {function}", error)

    def repaired(self, function: str, what: str, error: Exception) -> None:
        """Tell that a call is recorded without an argument that is wrong, or in another order.

        Raises:
            Exception: that is to be raised.
        """
        if self.raises and not is_silenced():
            raise error
        self.tell_log(
            f"{function} {what}",
            f"pgvigil changed {what} of {function} before recording it: {error}",
        )

    def lose(self, records: int, kind: str, what: str, error: BaseException) -> None:
        """Count records that are lost, and tell the log why."""
        self.lost += records
        lost = self.lost_altogether
        reason = explain(error) or str(error) or type(error).__name__
        self.tell_log(kind, f"pgvigil {what}; records lost so far: {lost}. {reason}")

    def warned(self, warning: psycopg.errors.Diagnostic) -> None:
        """Log a warning of the database, such as that it repaired a value."""
        if warning.severity_nonlocalized == "WARNING":
            message = warning.message_primary or ""
            hint = f" Hint: {warning.message_hint}" if warning.message_hint else ""
            # One of a kind: what differs is the value, which comes after the first words.
            kind = f"warning {warning.sqlstate} {' '.join(message.split()[:2])}"
            self.tell_log(kind, f"pgvigil changed a value before recording it: {message}.{hint}")

    def tell_log(self, kind: str, message: str) -> None:
        """Log a warning, unless one of its kind was logged less than a minute ago."""
        now = time.monotonic()
        if now - self._told_at.get(kind, float("-inf")) >= _LOG_INTERVAL:
            self._told_at[kind] = now
            logger.warning("%s", message)
