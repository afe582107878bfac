"""What becomes of a Django project's requests is recorded, served by WSGI and by ASGI."""

import asyncio
from collections.abc import Iterator

import django
import psycopg
import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.test.utils import override_settings

from pgvigil.client import MonitoringClient
from pgvigil.integrations import django as integration
from tests.python.support.asking import rows
from tests.python.support.requests_seen import durations, errors, longest_ms

OURS = "pgvigil.integrations.django.MonitoringMiddleware"
BREAKING = f"{__name__}.breaking_middleware"

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["testserver"],
        LOGGING_CONFIG=None,
        MIDDLEWARE=[OURS, "django.middleware.common.CommonMiddleware"],
        ROOT_URLCONF="tests.python.support.django_shop",
        SECRET_KEY="tests",
    )
    django.setup()


@pytest.fixture
def monitor(dsn: str) -> Iterator[MonitoringClient]:
    """The client that the settings describe."""
    integration.monitor.cache_clear()
    with override_settings(PGVIGIL={"dsn": dsn, "component": "shop"}):
        yield integration.monitor()
        integration.monitor().close()
    integration.monitor.cache_clear()


def test_requests_are_measured_by_route_and_not_by_path(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    client = Client()
    client.get("/orders/1/")
    client.get("/orders/2/")
    client.post("/orders/3/")
    client.get("/orders/404/")
    client.get("/inner/orders/5/")
    client.get("/wp-admin/1")
    client.generic("DRINK", "/orders/1/")
    assert monitor.flush()
    assert durations(connection) == {
        "GET /orders/<int:number>/": ["200", "200", "404"],
        "POST /orders/<int:number>/": ["200"],
        "GET /inner/orders/<int:number>/": ["200"],
        "GET (no route)": ["404"],
        "OTHER /orders/<int:number>/": ["200"],
    }
    assert errors(connection) == []


@pytest.mark.parametrize("prefix", ["", "inner/"])
@pytest.mark.parametrize("is_async", [False, True])
def test_exceptions_of_views_are_recorded_once_with_their_stack(
    monitor: MonitoringClient, connection: psycopg.Connection, prefix: str, is_async: bool
) -> None:
    if is_async:
        client = AsyncClient(raise_request_exception=False)
        answers = [
            asyncio.run(client.get(f"/{prefix}orders/{number}/")) for number in (0, 503, 404)
        ]
    else:
        plain = Client(raise_request_exception=False)
        answers = [plain.get(f"/{prefix}orders/{number}/") for number in (0, 503, 404)]
    assert [answer.status_code for answer in answers] == [500, 503, 404]
    assert monitor.flush()
    route = f"/{prefix}orders/<int:number>/"
    assert errors(connection) == [("ValueError", "high", route), ("HTTP 503", "medium", route)]
    assert durations(connection) == {f"GET {route}": ["500", "503", "404"]}
    query = "select stack from monitoring.error_tracking where error_type = 'ValueError'"
    assert 'raise ValueError("no price")' in rows(connection, query)[0]["stack"]


def breaking_middleware(get_response: object) -> object:
    """Return a middleware that fails."""

    def answer(request: HttpRequest) -> HttpResponse:
        raise RuntimeError("middleware")

    return answer


def test_exceptions_of_other_middleware_are_recorded(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    with override_settings(MIDDLEWARE=[OURS, BREAKING]):
        Client(raise_request_exception=False).get("/orders/1/")
    assert monitor.flush()
    assert errors(connection) == [("RuntimeError", "high", "(no route)")]


@pytest.mark.parametrize("path", ["/stream/", "/astream/"])
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")
def test_a_request_lasts_until_the_end_of_its_body(
    monitor: MonitoringClient, connection: psycopg.Connection, path: str, is_async: bool
) -> None:
    async def consume() -> bytes:
        response = await AsyncClient().get(path)
        return b"".join([chunk async for chunk in response])

    body = asyncio.run(consume()) if is_async else b"".join(Client().get(path))
    assert body == b"xxxx"
    assert monitor.flush()
    assert durations(connection) == {f"GET {path}": ["200"]}
    assert longest_ms(connection) >= 200


@pytest.mark.parametrize("path", ["/stream/", "/astream/"])
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")
def test_an_exception_amid_a_body_is_recorded(
    monitor: MonitoringClient, connection: psycopg.Connection, path: str
) -> None:
    async def consume() -> None:
        async for _ in await AsyncClient().get(f"{path}?fail=1"):
            pass

    with pytest.raises(LookupError):
        asyncio.run(consume())
    assert monitor.flush()
    assert errors(connection) == [("LookupError", "high", path)]
    assert durations(connection) == {f"GET {path}": ["200"]}


def test_a_file_is_sent_as_it_is(monitor: MonitoringClient, connection: psycopg.Connection) -> None:
    response = Client().get("/download/")
    assert b"".join(response) == b"file"
    response.close()
    assert monitor.flush()
    assert durations(connection) == {"GET /download/": ["200"]}


def test_a_monitor_that_breaks_does_not_break_requests(
    monitor: MonitoringClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(monitor, "record_performance_metric", lambda *_, **__: 1 / 0)
    for _ in range(3):
        assert Client().get("/orders/1/").content == b"x"
    told = [record for record in caplog.records if "division by zero" in record.getMessage()]
    assert [record.name for record in told] == ["pgvigil"]
