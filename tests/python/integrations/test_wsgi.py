"""What becomes of requests to WSGI applications is recorded, and nothing of them is changed."""

import time
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults

import psycopg
import pytest
from flask import Flask, Response, abort, got_request_exception, request, stream_with_context

from pgvigil.client import MonitoringClient
from pgvigil.integrations.wsgi import App, Environ, MonitoringMiddleware, note_exception
from tests.python.support.asking import rows
from tests.python.support.requests_seen import durations, errors, longest_ms


@pytest.fixture
def monitor(dsn: str) -> Iterator[MonitoringClient]:
    """A client."""
    with MonitoringClient(dsn, component="shop") as client:
        yield client


@pytest.fixture
def shop(monitor: MonitoringClient) -> Flask:
    """An application of Flask's."""
    app = Flask("shop")

    @app.route("/orders/<int:number>", methods=["GET", "POST"])
    def order(number: int) -> str:
        if number == 0:
            raise ValueError("no price")
        if number > 500:
            abort(number)
        return str(number)

    @app.route("/stream")
    def stream() -> Response:
        def chunks() -> Iterator[bytes]:
            for _ in range(4):
                time.sleep(0.05)
                yield b"x"

        return Response(stream_with_context(chunks()))

    app.wsgi_app = MonitoringMiddleware(app.wsgi_app, monitor)  # type: ignore[method-assign]
    return app


def test_flask_s_requests_are_measured_by_rule(
    shop: Flask, monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    client = shop.test_client()
    assert client.get("/orders/1", buffered=True).text == "1"
    client.get("/orders/2", buffered=True)
    client.post("/orders/3", buffered=True)
    client.get("/orders/503", buffered=True)
    client.get("/wp-admin/1", buffered=True)
    client.get("/wp-admin/2", buffered=True)
    assert monitor.flush()
    assert durations(connection) == {
        "GET /orders/<int:number>": ["200", "200", "503"],
        "POST /orders/<int:number>": ["200"],
        "GET (no route)": ["404", "404"],
    }
    assert errors(connection) == [("HTTP 503", "medium", "/orders/<int:number>")]


def test_what_flask_answers_with_500_is_recorded_as_what_it_was(
    shop: Flask, monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    shop.test_client().get("/orders/0", buffered=True)

    def note(app: Flask, exception: Exception) -> None:
        note_exception(request.environ, exception)

    with got_request_exception.connected_to(note, shop):
        shop.test_client().get("/orders/0", buffered=True)
    assert monitor.flush()
    assert errors(connection) == [
        ("HTTP 500", "medium", "/orders/<int:number>"),
        ("ValueError", "high", "/orders/<int:number>"),
    ]
    query = "select stack from monitoring.error_tracking where error_type = 'ValueError'"
    assert 'raise ValueError("no price")' in rows(connection, query)[0]["stack"]


def test_a_request_lasts_until_the_end_of_its_body(
    shop: Flask, monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    assert shop.test_client().get("/stream", buffered=True).data == b"xxxx"
    assert monitor.flush()
    assert longest_ms(connection) >= 200


# Any application


def call(
    app: App, monitor: MonitoringClient, **environ: Any
) -> tuple[Iterable[bytes], list[tuple[Any, ...]]]:
    """Call an application as a server does; return the body and what was said before it."""
    setup_testing_defaults(environ)
    said: list[tuple[Any, ...]] = []
    middleware = MonitoringMiddleware(app, monitor, route_of=lambda environ: "/x")
    return middleware(environ, lambda *told: said.append(told)), said


def test_a_body_that_is_there_is_handed_on_as_it_is(monitor: MonitoringClient) -> None:
    body = [b"x"]

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("A", "b")])
        return body

    got, said = call(app, monitor)
    assert got is body
    assert said == [("200 OK", [("A", "b")])]


def test_a_file_that_the_server_sends_is_handed_on_as_it_is(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    def app(environ: Environ, start_response: Any) -> Any:
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](BytesIO(b"x"))

    got, _ = call(app, monitor, **{"wsgi.file_wrapper": FileWrapper})
    assert isinstance(got, FileWrapper)
    assert monitor.flush()
    assert durations(connection) == {"GET /x": ["200"]}


def test_exceptions_are_recorded_wherever_they_happen_and_go_on(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    def at_once(environ: Environ, start_response: Any) -> Any:
        raise ValueError("at once")

    def later(environ: Environ, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"x"
        raise LookupError("later")

    with pytest.raises(ValueError, match="at once"):
        call(at_once, monitor)
    body, _ = call(later, monitor)
    with pytest.raises(LookupError):
        list(body)
    body.close()  # type: ignore[attr-defined]
    assert monitor.flush()
    assert durations(connection) == {"GET /x": ["200"], "GET (no route)": ["none"]}
    assert sorted(kind for kind, _, _ in errors(connection)) == ["LookupError", "ValueError"]


def test_a_client_that_goes_away_is_no_error(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    closed: list[int] = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            yield b"x"
            raise AssertionError

        def close(self) -> None:
            closed.append(1)

    def app(environ: Environ, start_response: Any) -> Body:
        start_response("200 OK", [])
        return Body()

    body, _ = call(app, monitor)
    assert next(iter(body)) == b"x"
    body.close()  # type: ignore[attr-defined]
    assert closed == [1]
    assert monitor.flush()
    assert durations(connection) == {"GET /x": ["200"]}
    assert errors(connection) == []


def test_what_a_framework_says_again_after_an_error_is_passed_on(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    def app(environ: Environ, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        start_response("500 Oh", [], (ValueError, ValueError(), None))
        return [b"x"]

    _, said = call(app, monitor)
    assert len(said[1]) == 3
    assert monitor.flush()
    assert durations(connection) == {"GET /x": ["500"]}
    assert errors(connection) == [("HTTP 500", "medium", "/x")]


def test_a_monitor_that_breaks_does_not_break_requests(
    shop: Flask,
    monitor: MonitoringClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(monitor, "record_performance_metric", lambda *_, **__: 1 / 0)
    for _ in range(3):
        assert shop.test_client().get("/orders/1", buffered=True).text == "1"
    told = [record for record in caplog.records if "division by zero" in record.getMessage()]
    assert [record.name for record in told] == ["pgvigil"]
