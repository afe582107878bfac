"""What a caller is told when something is wrong: never a statement, an address or a trace."""

import logging
from http import HTTPStatus

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

_SECONDS_TO_RETRY = "5"


class Trouble(BaseModel):
    """One thing that is wrong with a request."""

    where: str
    """Such as query.limit."""
    message: str


class Problem(BaseModel):
    """What went wrong, and what would be right."""

    error: str
    hint: str | None = None
    details: list[Trouble] = []


class ProblemError(Exception):
    """Ends a request with a `Problem`."""

    def __init__(self, status: int, error: str, hint: str | None = None, **headers: str) -> None:
        """Keep what to answer."""
        super().__init__(error)
        self.status = status
        self.problem = Problem(error=error, hint=hint)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def answers(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Return, for the description of a path, that it may answer with problems."""
    return {
        status: {"model": Problem, "description": HTTPStatus(status).phrase}
        for status in (*statuses, 400, 422, 503)
    }


def add_handlers(app: FastAPI) -> None:
    """Let an app answer with problems."""
    app.add_exception_handler(ProblemError, _answer_problem)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    for kind in (psycopg.Error, PgvigilError, BusyError, SilentError, OSError):
        app.add_exception_handler(kind, _answer_database)
    app.add_exception_handler(Exception, _answer_bug)


def respond(status: int, problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return a problem as an answer."""
    return JSONResponse(problem.model_dump(mode="json"), status, headers)


async def _answer_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)
    return respond(error.status, error.problem, error.headers)


async def _answer_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return respond(
        error.status_code,
        Problem(error=HTTPStatus(error.status_code).phrase),
        dict(error.headers or {}),
    )


async def _answer_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # Without the input: it is the caller's, and may be as long as they like.
    details = [
        Trouble(where=".".join(map(str, each["loc"])), message=str(each["msg"]))
        for each in error.errors()
    ]
    return respond(422, Problem(error="the request makes no sense", details=details))


async def _answer_database(request: Request, error: Exception) -> JSONResponse:
    problem = _of_database(error)
    if problem is None:
        return await _answer_bug(request, error)
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        problem.headers["Retry-After"] = _SECONDS_TO_RETRY
        log(logging.WARNING, f"{request.url.path}: {problem}", cause=type(error).__name__)
    return respond(problem.status, problem.problem, problem.headers)


async def _answer_bug(request: Request, error: Exception) -> JSONResponse:
    # The server that runs the app logs where it comes from.
    return respond(500, Problem(error="internal error", hint="The log of the service says more."))


def _of_database(error: Exception) -> ProblemError | None:
    if isinstance(error, BusyError):
        return ProblemError(503, "too many questions at once")
    if isinstance(error, SilentError):
        return ProblemError(503, "the database does not answer")
    if isinstance(error, ExportError):
        return ProblemError(400, str(error), error.hint)
    if isinstance(error, NotInstalledError):
        return ProblemError(503, str(error), error.hint)
    if isinstance(error, psycopg.errors.QueryCanceled):
        return ProblemError(503, "the database took too long", "Ask for less.")
    if isinstance(error, psycopg.errors.FeatureNotSupported):
        # A plan that was kept does not fit a view any more.
        return ProblemError(503, "the database was upgraded just now", "Ask again.")
    if isinstance(error, psycopg.Error) and (refused := MonitoringError.from_database(error)):
        status = 404 if isinstance(refused, UnknownNameError) else 400
        return ProblemError(status, str(refused), refused.hint)
    if (unready := refusal(error)) is not None:
        return ProblemError(503, *_lacking(error, unready))
    if isinstance(error, psycopg.DataError) and error.sqlstate is None:
        return ProblemError(400, "a value cannot be sent to the database")
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | OSError):
        return ProblemError(503, "the database is away")
    return None


def _lacking(error: Exception, unready: PgvigilError) -> tuple[str, str | None]:
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return (
            "the service lacks rights in the database",
            "Its login needs monitoring_reader, and monitoring_operator to acknowledge.",
        )
    return str(unready), unready.hint
