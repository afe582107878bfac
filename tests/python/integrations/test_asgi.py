"""What becomes of requests to ASGI applications is recorded, and nothing of them is changed."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import APIRouter, FastAPI, HTTPException
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from pgvigil.client import AsyncMonitoringClient, MonitoringClient
from pgvigil.integrations.asgi import App, MonitoringMiddleware, Scope
from tests.python.support.asking import rows
from tests.python.support.requests_seen import durations, errors, longest_ms


@pytest.fixture
def monitor(dsn: str) -> Iterator[MonitoringClient]:
    """A client."""
    with MonitoringClient(dsn, component="shop") as client:
        yield client


def test_an_asynchronous_client_serves_as_well(dsn: str, connection: psycopg.Connection) -> None:
    async def serve() -> bool:
        async with AsyncMonitoringClient(dsn, component="shop") as monitor:
            app = MonitoringMiddleware(Starlette(routes=STARLETTE), monitor)
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
                await client.get("/orders/1")
                await client.get("/orders/2?fail=1")
            return await monitor.flush()

    assert asyncio.run(serve())
    assert durations(connection) == {"GET /orders/{number:int}": ["200", "500"]}
    assert errors(connection) == [("ValueError", "high", "/orders/{number:int}")]


def ask(app: App, path: str, method: str = "GET") -> httpx.Response:
    """Send one request to an application."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return await client.request(method, path)

    return asyncio.run(send())


async def order(request: Request) -> Response:
    """Answer as the query wants it."""
    if "fail" in request.query_params:
        raise ValueError("no price")
    return PlainTextResponse("x", status_code=int(request.query_params.get("status", "200")))


async def chunks(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        await asyncio.sleep(0.05)
        yield b"x"


async def stream(request: Request) -> Response:
    """Answer little by little."""
    return StreamingResponse(chunks(4))


async def breaking(request: Request) -> Response:
    """Break off after a while."""

    async def body() -> AsyncIterator[bytes]:
        yield b"x"
        raise LookupError("no more")

    return StreamingResponse(body())


async def afterwards(request: Request) -> Response:
    """Work on when everything is answered."""
    return PlainTextResponse("x", background=BackgroundTask(time.sleep, 0.3))


STARLETTE = [
    Route("/orders/{number:int}", order, methods=["GET", "POST"]),
    Route("/stream", stream),
    Route("/breaking", breaking),
    Route("/afterwards", afterwards),
    Mount("/of/{tenant}", routes=[Route("/files/{path:path}", order)]),
]


def test_requests_are_measured_by_route_and_not_by_path(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    app = Starlette(routes=STARLETTE)
    app.add_middleware(MonitoringMiddleware, monitor=monitor)
    assert ask(app, "/orders/1?status=201").status_code == 201
    ask(app, "/orders/2?status=404")
    ask(app, "/orders/3", "POST")
    ask(app, "/of/north/files/a/b/c.txt")
    ask(app, "/of/south/files/d")
    ask(app, "/wp-admin/1")
    ask(app, "/wp-admin/2")
    ask(app, "/orders/4", "DRINK")
    assert monitor.flush()
    assert durations(connection) == {
        "GET /orders/{number:int}": ["201", "404"],
        "POST /orders/{number:int}": ["200"],
        "GET /of/{tenant}/files/{path:path}": ["200", "200"],
        "GET (no route)": ["404", "404"],
        "OTHER /orders/{number:int}": ["405"],
    }
    assert errors(connection) == []


def test_fastapi_routes_have_what_routers_and_mounts_put_before_them(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    app, mounted, router = FastAPI(), FastAPI(), APIRouter()

    @router.get("/orders/{number}")
    def one(number: str) -> str:
        if number == "none":
            raise HTTPException(404)
        return number

    app.include_router(router, prefix="/v1")
    mounted.include_router(router)
    app.mount("/inner", mounted)
    app.add_middleware(MonitoringMiddleware, monitor=monitor)
    for path in ("/v1/orders/007", "/v1/orders/none", "/inner/orders/8", "/v1/orders/v1"):
        ask(app, path)
    assert monitor.flush()
    assert durations(connection) == {
        "GET /v1/orders/{number}": ["200", "404", "200"],
        "GET /inner/orders/{number}": ["200"],
    }


def test_exceptions_are_recorded_with_their_stack_and_go_on(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    app = Starlette(routes=STARLETTE)
    app.add_middleware(MonitoringMiddleware, monitor=monitor)
    with pytest.raises(ValueError, match="no price"):
        ask(app, "/orders/1?fail=1")
    with pytest.raises(LookupError):
        ask(app, "/breaking")
    ask(app, "/orders/1?status=503")
    assert monitor.flush()
    assert durations(connection) == {
        "GET /orders/{number:int}": ["none", "503"],
        "GET /breaking": ["200"],
    }
    assert errors(connection) == [
        ("ValueError", "high", "/orders/{number:int}"),
        ("LookupError", "high", "/breaking"),
        ("HTTP 503", "medium", "/orders/{number:int}"),
    ]
    query = "select stack from monitoring.error_tracking order by occurred_at limit 1"
    assert 'raise ValueError("no price")' in rows(connection, query)[0]["stack"]


def test_a_request_lasts_until_the_end_of_its_body_and_no_longer(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    app = Starlette(routes=STARLETTE)
    app.add_middleware(MonitoringMiddleware, monitor=monitor)
    ask(app, "/afterwards")
    assert monitor.flush()
    assert longest_ms(connection) < 200
    assert ask(app, "/stream").content == b"xxxx"
    assert monitor.flush()
    assert longest_ms(connection) >= 200


@pytest.mark.parametrize("kind", ["websocket", "lifespan", "something new"])
def test_what_is_no_request_passes_untouched(
    monitor: MonitoringClient, connection: psycopg.Connection, kind: str
) -> None:
    got: list[Any] = []

    async def app(*given: Any) -> None:
        got.extend(given)
        raise ValueError("as it is")

    given: list[Any] = [{"type": kind}, object(), object()]
    with pytest.raises(ValueError, match="as it is"):
        asyncio.run(MonitoringMiddleware(app, monitor)(*given))
    assert all(one is other for one, other in zip(got, given, strict=True))
    assert monitor.flush()
    assert durations(connection) == {}
    assert errors(connection) == []


async def _answers(error: BaseException | None, send: Callable[[Any], Any]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if error is not None:
        raise error
    await send({"type": "http.response.body", "body": b"x"})


@pytest.mark.parametrize(
    ("raised", "by_server"),
    [
        (asyncio.CancelledError(), False),
        (ClientDisconnect(), False),
        (None, True),
    ],
)
def test_a_client_that_goes_away_is_no_error(
    monitor: MonitoringClient,
    connection: psycopg.Connection,
    raised: BaseException | None,
    by_server: bool,
) -> None:
    async def app(scope: Scope, receive: Any, send: Any) -> None:
        await _answers(raised, send)

    async def sending(message: Any) -> None:
        if by_server and message["type"] == "http.response.body":
            raise OSError("the connection is closed")

    async def call() -> None:
        middleware = MonitoringMiddleware(app, monitor, route_of=lambda scope: "/x")
        await middleware({"type": "http", "method": "GET", "path": "/x"}, None, sending)  # type: ignore[arg-type]

    with pytest.raises((OSError, ClientDisconnect, asyncio.CancelledError)):
        asyncio.run(call())
    assert monitor.flush()
    assert durations(connection) == {"GET /x": ["200"]}
    assert errors(connection) == []


def test_an_error_of_the_program_s_own_files_is_one(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    async def app(scope: Scope, receive: Any, send: Any) -> None:
        raise FileNotFoundError("prices.csv")

    with pytest.raises(FileNotFoundError):
        ask(MonitoringMiddleware(app, monitor), "/x")
    assert monitor.flush()
    assert errors(connection) == [("FileNotFoundError", "high", "(no route)")]


def broken(scope: Scope) -> str | None:
    """Fail to find a route."""
    raise ZeroDivisionError("division by zero")


def test_a_monitor_that_breaks_does_not_break_requests(
    monitor: MonitoringClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = Starlette(routes=STARLETTE)
    app.add_middleware(MonitoringMiddleware, monitor=monitor, route_of=broken)
    monkeypatch.setattr(monitor, "record_performance_metric", lambda *_, **__: 1 / 0)
    for _ in range(3):
        assert ask(app, "/orders/1").status_code == 200
    told = [record for record in caplog.records if "division by zero" in record.getMessage()]
    assert [record.name for record in told] == ["pgvigil"]
