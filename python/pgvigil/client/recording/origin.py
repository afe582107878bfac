"""Where a log record comes from, noted when it is made: its handler may run in another thread.

A record that is put into a queue also loses its exception and the wording of its message.
"""

import logging
from dataclasses import dataclass
from typing import Any

from pgvigil.client.recording.place import Place, current_place
from pgvigil.client.recording.task import current_task
from pgvigil.client.sending.own_work import is_own_work

ATTRIBUTE = "_pgvigil"
"""Where a record has its origin, if there is anything to say of it."""


@dataclass(frozen=True)
class Origin:
    """What a log record does not say itself."""

    task_id: str | None
    """The task that it was said in."""
    place: Place
    is_own: bool
    """Whether pgvigil itself was at work."""
    error: BaseException | None = None
    """The exception that it tells of."""
    template: str | None = None
    """Its message before values were put in, if it is at least an error."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process, which may not have pgvigil, as nothing special."""
        names = {"task_id": self.task_id, **self.place.names(), "template": self.template}
        return dict, ({key: name for key, name in names.items() if name is not None},)


def note_origins() -> None:
    """Have every log record that is made from now on note where it comes from."""
    make = logging.getLogRecordFactory()
    if not isinstance(make, _Factory):
        logging.setLogRecordFactory(_Factory(make))


def origin_of(record: logging.LogRecord) -> Origin:
    """Return where a record comes from: as noted, or from here."""
    noted = getattr(record, ATTRIBUTE, None)
    if isinstance(noted, Origin):
        return noted
    if isinstance(noted, dict):  # of another process
        names = (noted.get(key) for key in ("execution_id", "chunk_id", "fixture_id"))
        return Origin(noted.get("task_id"), Place(*names), False, template=noted.get("template"))
    return _present(record)


class _Factory:
    """Makes log records as another factory does, and notes where they come from."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._make(*args, **kwargs)
        try:
            origin = _present(record)
            if origin != _NOTHING:
                setattr(record, ATTRIBUTE, origin)
        except Exception:  # such as of a record that refuses attributes: it is as it was
            return record
        return record


def _present(record: logging.LogRecord) -> Origin:
    task = current_task()
    has_values = bool(record.args) and record.levelno >= logging.ERROR
    return Origin(
        None if task is None else str(task.task_id),
        current_place(),
        is_own_work(),
        exception_in(record.exc_info),
        record.msg if has_values and isinstance(record.msg, str) else None,
    )


def exception_in(told: object) -> BaseException | None:
    """Return the exception of an ``exc_info``, whatever it is."""
    if isinstance(told, tuple) and len(told) == 3:
        told = told[1]
    return told if isinstance(told, BaseException) else None


_NOTHING = Origin(None, Place(), False)
