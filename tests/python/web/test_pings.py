"""Pings over HTTP, answered as clients of Healthchecks expect it."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from tests.harness.tools import program
from tests.python.support.asking import value
from tests.python.support.web_running import TOKEN, Web

KEY = "a-key-for-tests-only"
RUN = "3f0d8f2e-0e3a-4f55-9c85-6a9e7c1d2b3a"
_RUNS = """
    select task_id, status, attempt from monitoring.processing_metrics
    where task_type = %s order by coalesce(end_time, 'infinity'), start_time
"""


@pytest.fixture
def pinged(dsn: str) -> Iterator[Web]:
    """A web service that takes pings."""
    with Web(dsn, ping_key=KEY) as web:
        yield web


def runs(connection: psycopg.Connection[Any], name: str) -> list[tuple[Any, ...]]:
    """Return id, status and attempt of the runs of a name."""
    return [
        tuple(row.values())
        for row in connection.cursor(row_factory=dict_row).execute(_RUNS, [name])
    ]


def test_a_run_is_a_start_and_an_end(pinged: Web, connection: psycopg.Connection[Any]) -> None:
    answer = pinged.client.get(f"/ping/{KEY}/backup/start?create=1")
    assert (answer.status_code, answer.text) == (201, "Created")
    assert answer.headers["ping-body-limit"] == "10000"
    assert answer.headers["content-type"].startswith("text/plain")
    assert runs(connection, "backup") == [("backup", "running", 1)]
    answer = pinged.client.post(f"/ping/{KEY}/backup", content=b"12 GB \xff\x00")
    assert (answer.status_code, answer.text) == (200, "OK")
    assert runs(connection, "backup") == [("backup", "completed", 1)]
    assert (
        value(connection, "select message from monitoring.v_application_logs")
        == "12 GB \ufffd\ufffd"
    )


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("", "completed"),
        ("/0", "completed"),
        ("/fail", "failed"),
        ("/1", "failed"),
        ("/255", "failed"),
    ],
)
def test_each_method_tells_each_end(
    pinged: Web, connection: psycopg.Connection[Any], method: str, action: str, status: str
) -> None:
    answer = pinged.client.request(method, f"/ping/{KEY}/job{action}?create=1")
    assert answer.status_code == 201
    assert runs(connection, "job") == [("job", status, 1)]


def test_a_log_is_no_run(pinged: Web, connection: psycopg.Connection[Any]) -> None:
    assert pinged.client.post(f"/ping/{KEY}/job/log?create=1", content="hello").status_code == 201
    assert runs(connection, "job") == []
    assert value(connection, "select message from monitoring.v_application_logs") == "hello"


def test_runs_with_ids_overlap(pinged: Web, connection: psycopg.Connection[Any]) -> None:
    other = str(uuid4())
    for run in (RUN, other):
        pinged.client.get(f"/ping/{KEY}/sync/start", params={"rid": run, "create": 1})
    pinged.client.get(f"/ping/{KEY}/sync", params={"rid": RUN.upper()})
    assert runs(connection, "sync") == [
        (f"sync:{RUN}", "completed", 1), (f"sync:{other}", "running", 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        (f"{KEY}/unknown", 404, "not found"),
        (f"{KEY}/unknown?create=0", 404, "not found"),
        (f"{KEY}x/job?create=1", 404, "not found"),
        ("job?create=1", 404, "not found"),
        (f"{RUN}?create=1", 404, "not found"),
        (f"{RUN}/start", 404, "not found"),
        ("", 404, "not found"),
        (f"{KEY}", 400, "invalid url format"),
        (f"{KEY}/", 400, "invalid url format"),
        (f"{KEY}/Upper?create=1", 400, "invalid url format"),
        (f"{KEY}/job/256?create=1", 400, "invalid url format"),
        (f"{KEY}/job/-1?create=1", 400, "invalid url format"),
        (f"{KEY}/job/%C2%B2?create=1", 400, "invalid url format"),
        (f"{KEY}/job/stop?create=1", 400, "invalid url format"),
        (f"{KEY}/job/start/start?create=1", 400, "invalid url format"),
        (f"{KEY}/job/?create=1", 400, "invalid url format"),
        (f"{KEY}/{'x' * 256}?create=1", 400, "invalid url format"),
        (f"{KEY}/job?create=1&rid=1", 400, "invalid uuid format"),
        (f"{KEY}/job?create=1&rid=", 400, "invalid uuid format"),
        (f"{KEY}/job?create=1&rid={RUN.replace('-', '')}", 400, "invalid uuid format"),
    ],
)  # fmt: skip
def test_what_is_no_ping_is_refused_in_words(
    pinged: Web, connection: psycopg.Connection[Any], path: str, status: int, text: str
) -> None:
    answer = pinged.client.get(f"/ping/{path}")
    assert (answer.status_code, answer.text) == (status, text)
    assert value(connection, "select count(*) from monitoring.pings") == 0
    assert value(connection, "select count(*) from monitoring.processing_metrics") == 0


def test_an_id_stands_for_a_name_and_the_key(
    pinged: Web, connection: psycopg.Connection[Any]
) -> None:
    ping_id = value(connection, "select monitoring.define_ping('weekly')")
    assert pinged.client.get(f"/ping/{str(ping_id).upper()}/start").text == "OK"
    assert pinged.client.get(f"/ping/{ping_id}").text == "OK"
    assert runs(connection, "weekly") == [("weekly", "completed", 1)]


def test_the_key_may_come_in_a_header(pinged: Web, connection: psycopg.Connection[Any]) -> None:
    shown = {"Authorization": f"Bearer {KEY}"}
    assert pinged.client.get("/ping/job?create=1", headers=shown).status_code == 201
    for wrong in (f"Bearer {KEY}x", "Bearer", f"Basic {KEY}", f"Bearer {TOKEN}"):
        refused = pinged.client.get("/ping/job", headers={"Authorization": wrong})
        assert refused.status_code == 404


def test_without_a_key_there_are_no_pings(dsn: str, connection: psycopg.Connection[Any]) -> None:
    ping_id = value(connection, "select monitoring.define_ping('weekly')")
    with Web(dsn) as web:
        for path in (f"{ping_id}", f"{KEY}/weekly", f"{TOKEN}/weekly", "None/weekly", "weekly"):
            answer = web.client.get(f"/ping/{path}", headers={"Authorization": "Bearer None"})
            assert answer.status_code == 404
    assert runs(connection, "weekly") == []


def in_pieces() -> Iterator[bytes]:
    for _ in range(50):
        yield b"x" * 10_000


@pytest.mark.parametrize("body", [b"x" * 5_000_000, in_pieces])
def test_a_body_of_any_length_is_cut(
    pinged: Web, connection: psycopg.Connection[Any], body: Any
) -> None:
    content = body() if callable(body) else body
    answer = pinged.client.post(f"/ping/{KEY}/job/1?create=1", content=content)
    assert answer.status_code == 201
    assert value(connection, "select length(stack) from monitoring.error_tracking") == 8000


def test_many_at_once_lose_nothing(pinged: Web, connection: psycopg.Connection[Any]) -> None:
    def send(run: str) -> None:
        with httpx.Client(base_url=pinged.server.url) as sender:
            for action in ("/start", ""):
                answer = sender.get(f"/ping/{KEY}/many{action}", params={"create": 1, "rid": run})
                assert answer.text in ("OK", "Created")

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(send, [str(uuid4()) for _ in range(20)]))
    assert [row[1] for row in runs(connection, "many")] == ["completed"] * 20


def test_the_key_is_in_no_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Web("postgresql://nobody@127.0.0.1:1/nowhere", ping_key=KEY) as web:
        assert web.client.get(f"/ping/{KEY}/job").status_code == 503
    assert "/ping/" in caplog.text
    assert KEY not in caplog.text


def test_pings_come_with_the_rights_of_a_writer_alone(
    dsn: str, connection: psycopg.Connection[Any]
) -> None:
    connection.execute("create role pinging login password 'for-a-test' in role monitoring_writer")
    try:
        login = psycopg.conninfo.make_conninfo(dsn, user="pinging", password="for-a-test")
        with Web(login, ping_key=KEY) as web:
            assert web.client.get(f"/ping/{KEY}/job?create=1").status_code == 201
            assert web.client.get("/api/active-alerts").status_code == 503
    finally:
        connection.execute("drop role pinging")
    assert runs(connection, "job") == [("job", "completed", 1)]


def test_borgmatic_sends_its_pings_as_it_is(
    pinged: Web, connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    (tmp_path / "source").mkdir()
    config = tmp_path / "config.yaml"
    config.write_text(f"""
        location:
            source_directories: ["{tmp_path}/source"]
            repositories: ["{tmp_path}/repository"]
        retention:
            keep_daily: 1
        hooks:
            healthchecks:
                ping_url: {pinged.server.url}ping/{KEY}/borg
    """)
    connection.execute("select monitoring.define_ping('borg')")

    def borgmatic(*words: str) -> int:
        return subprocess.run(
            [program("borgmatic"), "--config", str(config), *words],
            env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            capture_output=True,
            timeout=120,
        ).returncode

    assert borgmatic("init", "--encryption", "none") == 0
    assert borgmatic("create", "--stats") == 0
    assert [row[1] for row in runs(connection, "borg")] == ["completed"]
    (tmp_path / "repository").rename(tmp_path / "gone")
    assert borgmatic("create") != 0
    assert [row[1] for row in runs(connection, "borg")] == ["completed", "failed"]
    query = "select stack from monitoring.error_tracking where component = 'borg'"
    assert "Error running actions" in value(connection, query)
