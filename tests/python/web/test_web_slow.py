"""The web service among those who ask slowly, and before a server that is frozen."""

import email
import json
import os
import signal
import socket
import time
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgvigil.demo.server import PostgresServer
from pgvigil.faces.web import protocol
from tests.python.support.web_problems import MEDIA_TYPE
from tests.python.support.web_running import Web

_HEAD = b"GET /api/tasks HTTP/1.1\r\nHost: localhost\r\n"
_BODY = (
    b"POST /api/alerts/1/acknowledge HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n"
)
_LARGE = _BODY.replace(b": 100", b": 1000000")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> float:
    """Seconds that a request may take."""
    monkeypatch.setattr(protocol, "SECONDS_TO_ASK", 0.6)
    return 0.6


def connect(web: Web) -> socket.socket:
    opened = socket.create_connection(
        (web.client.base_url.host, web.client.base_url.port or 0), timeout=20
    )
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def drip(opened: socket.socket, begin: bytes, more: bytes) -> tuple[float, bytes]:
    """Send a byte now and then; return after how long it was ended, and what had come."""
    began = time.monotonic()
    opened.sendall(begin)
    opened.settimeout(0.05)
    answer = b""
    place = 0
    while time.monotonic() - began < 15:
        try:
            piece = opened.recv(4096)
            if not piece:
                break
            answer += piece
        except TimeoutError:
            pass
        except ConnectionError:
            break
        try:
            opened.sendall(more[place % len(more) :][:1] if more else b"")
        except OSError:
            continue
        place += 1
    return time.monotonic() - began, answer


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"", b""),
        (b"", _HEAD),
        (b"GET ", b"/aaaaaaaa"),
        (_HEAD, b"X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
        (_BODY, b" "),
        (_LARGE, b" "),
    ],
)
def test_a_request_that_does_not_come_to_an_end_is_ended(
    web: Web, short: float, begin: bytes, more: bytes
) -> None:
    with connect(web) as opened:
        seconds, answer = drip(opened, begin, more)
    assert short * 0.8 < seconds < short + 3
    assert b"200 OK" not in answer
    # Some are answered before all of their body has come.
    assert problem_in(answer[answer.rindex(b"HTTP/1.1") :])["status"] == 408
    web.get("/healthz")


def test_what_is_not_http_is_refused_in_the_form_of_all_refusals(web: Web) -> None:
    with connect(web) as opened:
        opened.sendall(b"hello\r\n\r\n")
        answer = b""
        while piece := opened.recv(4096):
            answer += piece
    problem = problem_in(answer)
    assert (problem["status"], problem["title"]) == (400, "Bad Request")
    assert problem["detail"] == "the request is not valid HTTP"


def problem_in(answer: bytes) -> dict[str, Any]:
    """Return the problem that an answer, as it was sent, consists of."""
    head, _, body = answer.partition(b"\r\n\r\n")
    headers = email.message_from_bytes(head.partition(b"\r\n")[2])
    assert headers["content-type"] == MEDIA_TYPE
    assert headers["connection"] == "close"
    assert int(headers["content-length"]) == len(body)
    problem: dict[str, Any] = json.loads(body)
    assert head.startswith(f"HTTP/1.1 {problem['status']} {problem['title']}".encode())
    return problem


def test_the_second_request_of_a_connection_is_ended_as_well(web: Web, short: float) -> None:
    with connect(web) as opened:
        opened.sendall(_HEAD + b"\r\n")
        assert b"200 OK" in opened.recv(4096)
        seconds, _ = drip(opened, _HEAD, b"X-A: aaaaaaaaaaaaa\r\n")
        assert seconds < short + 3


def test_a_request_in_two_parts_is_answered_when_it_is_in_time(web: Web) -> None:
    with connect(web) as opened:
        for _ in range(2):
            opened.sendall(_HEAD)
            time.sleep(0.2)
            opened.sendall(b"\r\n")
            answer = b""
            while b"}" not in answer:
                answer += opened.recv(65536)
            assert b"200 OK" in answer
            time.sleep(0.2)


def test_an_answer_that_takes_long_is_not_taken_for_a_slow_question(
    dsn: str, connection: psycopg.Connection, short: float
) -> None:
    connection.execute(
        "create or replace function monitoring.get_dashboard_cards() returns jsonb language sql"
        " as 'select jsonb_build_object(''slept'', length(pg_sleep(2)::text))'"
    )
    with Web(dsn) as web:
        began = time.monotonic()
        web.client.get("/api/summary")
        assert time.monotonic() - began > 2 * short


def test_nine_hundred_that_ask_halfway_keep_nobody_out(web: Web) -> None:
    slow = []
    try:
        for number in range(900):
            opened = connect(web)
            opened.sendall(_HEAD if number % 2 else b"")
            slow.append(opened)
            if number % 100 == 99:
                began = time.monotonic()
                assert web.get("/healthz")["status"] == "ok"
                assert time.monotonic() - began < 3
        assert len(web.server.server_state.asking) <= protocol.MOST_ASKING  # type: ignore[attr-defined]
    finally:
        for opened in slow:
            opened.close()


# A server that is frozen


@pytest.fixture
def frozen(server: PostgresServer, dsn: str) -> Iterator[Web]:
    """The service over a database whose server stops in the middle of everything."""
    with Web(dsn, seconds_to_answer=2.0) as web:
        for path in ("/api/summary", "/api/tasks", "/metrics"):
            assert web.client.get(path).status_code == 200
        with psycopg.connect(dsn) as opened:
            rows = opened.execute("select pid from pg_stat_activity where pid <> pg_backend_pid()")
            pids = [pid for (pid,) in rows if pid] + [_parent(opened.info.backend_pid)]
        for pid in reversed(pids):
            os.kill(pid, signal.SIGSTOP)
        try:
            yield web
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_it_answers_within_its_patience(frozen: Web) -> None:
    for path in ("/api/summary", "/metrics", "/api/tasks", "/api/summary"):
        began = time.monotonic()
        assert frozen.client.get(path).status_code == 503
        assert time.monotonic() - began < 2.8, path
    began = time.monotonic()
    assert frozen.client.get("/").status_code == 200
    assert time.monotonic() - began < 0.5


def test_it_answers_in_time_when_the_server_freezes_in_the_middle_of_an_answer(
    dsn: str, connection: psycopg.Connection
) -> None:
    connection.execute(
        "create or replace function monitoring.get_dashboard_cards() returns jsonb language sql"
        " as 'select jsonb_build_object(''slept'', length(pg_sleep(60)::text))'"
    )
    query = "select pid from pg_stat_activity where wait_event = 'PgSleep'"
    with Web(dsn, seconds_to_answer=2.0) as web, ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        asked = pool.submit(web.client.get, "/api/summary")
        while (row := connection.execute(query).fetchone()) is None:
            assert time.monotonic() - began < 10
        began = time.monotonic()
        os.kill(row[0], signal.SIGSTOP)
        try:
            assert asked.result().status_code == 503
            assert time.monotonic() - began < 4
            # Another session is opened instead, and that answers.
            assert web.client.get("/api/tasks").status_code == 200
            assert time.monotonic() - began < 6
        finally:
            os.kill(row[0], signal.SIGCONT)


def test_a_kept_session_that_says_nothing_is_given_up_for_a_new_one(
    dsn: str, connection: psycopg.Connection
) -> None:
    with Web(dsn, seconds_to_answer=2.0) as web:
        assert web.client.get("/api/tasks").status_code == 200
        row = connection.execute(
            "select pid from pg_stat_activity where application_name = 'pgvigil web'"
        ).fetchone()
        assert row is not None
        os.kill(row[0], signal.SIGSTOP)
        try:
            began = time.monotonic()
            assert web.client.get("/api/tasks").status_code == 200
            assert time.monotonic() - began < 2
        finally:
            os.kill(row[0], signal.SIGCONT)


def test_the_service_sleeps_while_the_database_works(
    web: Web, connection: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop that looked all the time would use up a processor for each question."""
    looks = 0
    add_reader = BaseSelectorEventLoop._add_reader  # type: ignore[attr-defined]

    def counted(*arguments: Any) -> Any:
        nonlocal looks
        looks += 1
        return add_reader(*arguments)

    monkeypatch.setattr(BaseSelectorEventLoop, "_add_reader", counted)
    web.get("/api/cards")
    connection.execute("begin")
    connection.execute("lock table monitoring.raised_alerts in access exclusive mode")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(web.get, "/api/active-alerts")
        before, began = looks, time.monotonic()
        time.sleep(1)
        connection.execute("rollback")
        asked.result()
    # Ten times a second, for a few questions.
    assert looks - before < 100 * (time.monotonic() - began)
