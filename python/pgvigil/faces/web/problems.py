"""What a caller is told when something is wrong: never a statement, an address or a trace.

In the form of RFC 9457. Where the status says it all, the type is `about:blank`.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from inspect import getdoc
from typing import Any
from uuid import uuid4

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from pgvigil.database.log import log
from pgvigil.database.outage import refusal
from pgvigil.exceptions import (
    MonitoringError,
    NotInstalledError,
    PgvigilError,
    UnknownNameError,
)
from pgvigil.faces.export import ExportError
from pgvigil.faces.web.database import BusyError, SilentError

MEDIA_TYPE = "application/problem+json"
_SECONDS_TO_RETRY = "5"
_PREFIX = "urn:pgvigil:"


@dataclass(frozen=True)
class Kind:
    """A kind of problem, with a name that programs may go by."""

    status: int
    title: str
    type: str = "about:blank"


def kind_of_status(status: int) -> Kind:
    """Return the kind of which the status says it all."""
    return Kind(status, HTTPStatus(status).phrase)


INVALID_REQUEST = Kind(422, "Invalid request", f"{_PREFIX}invalid-request")
INVALID_CURSOR = Kind(400, "Invalid cursor", f"{_PREFIX}invalid-cursor")
NOT_EXPORTED = Kind(400, "This cannot be exported", f"{_PREFIX}export-refused")
NOT_FIRING = Kind(409, "The alert does not fire", f"{_PREFIX}alert-not-firing")
SILENCE_ENDED = Kind(409, "The silence has ended", f"{_PREFIX}silence-ended")
READ_ONLY = Kind(403, "This service only reads", f"{_PREFIX}read-only")
BUSY = Kind(503, "Too many requests at once", f"{_PREFIX}busy")
UNAVAILABLE = Kind(503, "The database is unavailable", f"{_PREFIX}database-unavailable")
TIMEOUT = Kind(503, "The database took too long", f"{_PREFIX}database-timeout")
UPGRADED = Kind(503, "The database was upgraded just now", f"{_PREFIX}database-upgraded")
NOT_INSTALLED = Kind(503, "pgvigil is not installed", f"{_PREFIX}not-installed")
RIGHTS_MISSING = Kind(503, "The service lacks rights", f"{_PREFIX}rights-missing")
# Addresses of pings and of check-ins have a key in them.
_HAS_A_KEY = re.compile(r"(/ping/|/cron/).*", re.DOTALL)
# Such as a NUL, or half a character, within a document.
_UNSENDABLE = (psycopg.errors.UntranslatableCharacter, psycopg.errors.InvalidTextRepresentation)
_SENTENCES = {
    400: "the body cannot be parsed",
    404: "there is no such path",
    405: "the path takes other methods",
}


class Trouble(BaseModel):
    """One thing that is wrong with a request."""

    where: str
    """Such as query.limit."""
    detail: str


class Problem(BaseModel):
    """What went wrong, and what would be right, in the form of RFC 9457."""

    type: str
    """Name of the kind of problem; about:blank: see the status."""
    title: str
    """The kind in words."""
    status: int
    detail: str
    """What went wrong this time."""
    instance: str
    """Names this occurrence; the service's log names it as well where it is to blame."""
    hint: str | None = None
    """What would be right."""
    errors: list[Trouble] | None = None
    """All that is wrong with the request."""


class ProblemError(Exception):
    """Ends a request with a `Problem`."""

    def __init__(
        self,
        kind: Kind | int,
        detail: str,
        hint: str | None = None,
        *,
        errors: list[Trouble] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Keep what to answer.

        Args:
            kind: kind of problem, or a status that says it all.
            detail: what went wrong, as part of a sentence.
            hint: what would be right.
            errors: all that is wrong with the request.
            headers: headers of the answer.
        """
        super().__init__(detail)
        known = kind_of_status(kind) if isinstance(kind, int) else kind
        self.headers = dict(headers or {})
        self.problem = Problem(
            type=known.type,
            title=known.title,
            status=known.status,
            detail=detail,
            instance=uuid4().urn,
            hint=hint,
            errors=errors,
        )

    def answer(self) -> JSONResponse:
        """Return it as an answer."""
        return JSONResponse(
            self.problem.model_dump(mode="json", exclude_none=True),
            self.problem.status,
            self.headers,
            MEDIA_TYPE,
        )


def answers(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Return, for the description of a path, that it may answer with problems."""
    return {
        status: {"model": Problem, "description": HTTPStatus(status).phrase}
        for status in (*statuses, 400, 422, 503)
    }


def add_handlers(app: FastAPI) -> None:
    """Let an app answer with problems, and say so in its description."""
    app.add_exception_handler(ProblemError, _answer_problem)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    for kind in (psycopg.Error, PgvigilError, BusyError, SilentError, OSError):
        app.add_exception_handler(kind, _answer_database)
    app.add_exception_handler(Exception, _answer_bug)
    describe = app.openapi
    app.openapi = lambda: _with_media_type(describe())  # type: ignore[method-assign]


def _with_media_type(described: dict[str, Any]) -> dict[str, Any]:
    """Correct the media type of problems: FastAPI takes it to be that of the path's answers."""
    for methods in described["paths"].values():
        for method in methods.values():
            for answer in method["responses"].values():
                for media_type, content in list(answer.get("content", {}).items()):
                    if content["schema"].get("$ref") == "#/components/schemas/Problem":
                        answer["content"] = {MEDIA_TYPE: answer["content"].pop(media_type)}
    return described


async def _answer_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)
    return error.answer()


async def _answer_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = error.status_code
    sentence = _SENTENCES.get(status, HTTPStatus(status).phrase)
    return ProblemError(status, sentence, headers=error.headers).answer()


async def _answer_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # Without the input: it is the caller's, and may be as long as they like.
    errors = [
        Trouble(where=".".join(map(str, each["loc"])), detail=str(each["msg"]))
        for each in error.errors()
    ]
    return ProblemError(INVALID_REQUEST, "the request is invalid", errors=errors).answer()


async def _answer_database(request: Request, error: Exception) -> JSONResponse:
    found = _of_database(error)
    if found is None:
        return await _answer_bug(request, error)
    if found.problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        found.headers["Retry-After"] = _SECONDS_TO_RETRY
        _log(logging.WARNING, request, found, error)
    return found.answer()


async def _answer_bug(request: Request, error: Exception) -> JSONResponse:
    # The server that runs the app logs where it comes from.
    found = ProblemError(500, "internal error", "The log of the service says more.")
    _log(logging.ERROR, request, found, error)
    return found.answer()


def _log(level: int, request: Request, found: ProblemError, error: Exception) -> None:
    instance = found.problem.instance
    path = _HAS_A_KEY.sub(r"\1...", request.url.path)
    log(
        level,
        f"{path}: {found} ({instance})",
        cause=type(error).__name__,
        instance=instance,
    )


def _of_database(error: Exception) -> ProblemError | None:
    if isinstance(error, BusyError):
        return ProblemError(BUSY, "too many requests at once")
    if isinstance(error, SilentError):
        return ProblemError(UNAVAILABLE, "the database does not answer")
    if isinstance(error, ExportError):
        return ProblemError(NOT_EXPORTED, str(error), error.hint)
    if isinstance(error, NotInstalledError):
        return ProblemError(NOT_INSTALLED, str(error), error.hint)
    if isinstance(error, psycopg.errors.QueryCanceled):
        return ProblemError(TIMEOUT, "the database took too long", "Ask for less.")
    if isinstance(error, psycopg.errors.FeatureNotSupported):
        # A plan that was kept does not fit a view any more.
        return ProblemError(UPGRADED, "the database was upgraded just now", "Ask again.")
    if isinstance(error, psycopg.Error) and (refused := MonitoringError.from_database(error)):
        return ProblemError(kind_of_refusal(refused), str(refused), refused.hint)
    if (unready := refusal(error)) is not None:
        return _lacking(error, unready)
    if isinstance(error, _UNSENDABLE) or (
        isinstance(error, psycopg.DataError) and error.sqlstate is None
    ):
        return ProblemError(400, "a value cannot be sent to the database")
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | OSError):
        return ProblemError(UNAVAILABLE, "the database is unavailable")
    return None


def kind_of_refusal(refused: MonitoringError) -> Kind:
    """Return the kind of a refusal by the database, which goes by its code."""
    status = 404 if isinstance(refused, UnknownNameError) else 400
    title = (getdoc(type(refused)) or "").splitlines()[0].rstrip(".")
    return Kind(status, title, f"{_PREFIX}{refused.sqlstate}")


def _lacking(error: Exception, unready: PgvigilError) -> ProblemError:
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return ProblemError(
            RIGHTS_MISSING,
            "the service lacks rights in the database",
            "Its login needs monitoring_reader, monitoring_operator to acknowledge, and "
            "monitoring_writer to take pings.",
        )
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return ProblemError(UNAVAILABLE, str(unready), unready.hint)
    return ProblemError(NOT_INSTALLED, str(unready), unready.hint)
