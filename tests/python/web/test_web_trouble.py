"""The web service when the database is away, silent or slow, and as a program of its own."""

import logging
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from bench.pgbench import cpu_seconds
from pgvigil.demo.server import PostgresServer
from pgvigil.demo.server_binaries import embedded_binaries
from tests.harness.clients import clean_environment
from tests.harness.databases import create_database, disposable_server, install_pgvigil
from tests.python.support.running import RunningRunner, wait_until
from tests.python.support.web_problems import assert_problem
from tests.python.support.web_running import Web

_SLEEPY_VIEW = """
create or replace view monitoring.v_queue_performance as
select queue_name, pending, processing, completed, failed, oldest_ready_seconds, recorded_at,
    samples, avg_pending, max_pending, pending_change,
    length(pg_sleep(30)::text)::double precision as completed_per_minute, failed_percent
from (select 'q'::text as queue_name, 1::bigint as pending, 1::bigint as processing,
    1::bigint as completed, 1::bigint as failed, 1::double precision as oldest_ready_seconds,
    now() as recorded_at, 1::bigint as samples, 1::numeric as avg_pending,
    1::bigint as max_pending, 1::bigint as pending_change, 1::numeric as failed_percent) q
"""


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may stop."""
    binaries = embedded_binaries()
    assert binaries is not None
    with disposable_server(binaries) as running:
        create_database(running, "watched")
        install_pgvigil(running, "watched")
        yield running


def test_the_database_goes_and_comes_back(own_server: PostgresServer) -> None:
    with Web(own_server.dsn("watched")) as web:
        assert web.get("/healthz")["status"] == "ok"
        own_server.stop()
        for path in ("/healthz", "/api/tasks", "/metrics", "/api/summary"):
            answer = web.client.get(path)
            problem = assert_problem(answer, 503)
            assert problem["detail"] == "the database is unavailable"
            assert answer.headers["retry-after"] == "5"
            assert str(own_server.home) not in answer.text
        # What needs no database is there all the same.
        assert web.client.get("/openapi.json").status_code == 200
        own_server.start()
        assert web.get("/healthz")["status"] == "ok"
        assert web.rows("/api/tasks") == []


def test_a_connection_that_was_cut_is_not_noticed_by_callers(
    web: Web, connection: psycopg.Connection[Any]
) -> None:
    for _ in range(3):
        assert web.rows("/api/tasks") == []
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'pgvigil web'"
        )


def test_a_slow_answer_is_given_up_and_leaves_nothing_behind(
    dsn: str, connection: psycopg.Connection[Any]
) -> None:
    connection.execute(_SLEEPY_VIEW)
    with Web(dsn, seconds_to_answer=0.3) as web:
        began = time.monotonic()
        answer = web.client.get("/api/queues")
        assert time.monotonic() - began < 3
        assert assert_problem(answer, 503)["type"] == "urn:pgvigil:database-timeout"
        assert web.rows("/api/tasks") == []
    query = "select count(*) from pg_stat_activity where query ~ 'v_queue_performance' and pid <> "
    assert connection.execute(f"{query} pg_backend_pid()".encode()).fetchone() == (0,)


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        dsn = f"postgresql://u:secret@127.0.0.1:{port}/d?connect_timeout=2"
        with Web(dsn, seconds_to_answer=0.1) as web:
            answer = web.client.get("/healthz")
        assert answer.status_code == 503
        assert "secret" not in answer.text
        assert str(port) not in answer.text


def test_more_questions_than_connections_wait_for_their_turn(web: Web) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: web.client.get("/api/errors").status_code, range(64)))
    assert set(answers) == {200}


def test_it_never_has_more_connections_than_it_may(
    dsn: str, connection: psycopg.Connection[Any]
) -> None:
    query = b"select count(*) from pg_stat_activity where application_name = 'pgvigil web'"
    with Web(dsn, connections=2) as web, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: web.client.get("/api/tasks"), range(32)))
        row = connection.execute(query).fetchone()
        assert row is not None
        assert 1 <= row[0] <= 2
    wait_until(lambda: connection.execute(query).fetchone() == (0,), 10)


def test_when_all_connections_are_slow_others_are_told_soon(
    dsn: str, connection: psycopg.Connection[Any]
) -> None:
    connection.execute(_SLEEPY_VIEW)
    with Web(dsn, connections=1, seconds_to_answer=8) as web:
        slow = threading.Thread(target=web.client.get, args=["/api/queues"])
        slow.start()
        wait_until(
            lambda: connection.execute(
                "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
            ).fetchone() == (1,),
            10,
        )  # fmt: skip
        answer = web.client.get("/api/tasks")
        assert assert_problem(answer, 503)["type"] == "urn:pgvigil:busy"
        slow.join()


def test_a_database_without_pgvigil_is_said_to_be(empty_dsn: str) -> None:
    with Web(empty_dsn) as web:
        answer = web.client.get("/api/tasks")
        problem = assert_problem(answer, 503)
        assert problem["type"] == "urn:pgvigil:not-installed"
        assert problem["hint"] == "Run `pgvigil migrate` on it."


def test_an_upgrade_meanwhile_is_seen_at_the_second_try(
    dsn: str, connection: psycopg.Connection[Any]
) -> None:
    with Web(dsn, connections=1) as web:
        assert web.rows("/api/batch-health") == []
        connection.execute(
            "create or replace view monitoring.v_batch_health as"
            " select h.*, 1 as something_new from monitoring._batch_health() h"
        )
        answer = web.client.get("/api/batch-health")
        assert assert_problem(answer, 503)["type"] == "urn:pgvigil:database-upgraded"
        assert web.rows("/api/batch-health") == []


def test_a_mistake_of_ours_tells_nothing(
    dsn: str, connection: psycopg.Connection[Any], caplog: pytest.LogCaptureFixture
) -> None:
    connection.execute(
        "create or replace function monitoring.get_dashboard_cards() returns jsonb language sql"
        " as 'select (1 / 0)::text::jsonb'"
    )
    with Web(dsn) as web:
        with caplog.at_level(logging.ERROR, logger="pgvigil.runner"):
            problem = assert_problem(answer := web.client.get("/api/summary"), 500)
        assert problem["detail"] == "internal error"
        # By which whoever was told of it finds it in the log.
        assert any(problem["instance"] in each for each in caplog.messages)
        assert "division" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert web.rows("/api/tasks") == []


# As a program


@contextmanager
def serving(dsn: str, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `pgvigil serve` and give its process and address."""
    process = subprocess.Popen(
        [Path(sys.executable).parent / "pgvigil", "serve", "--port", "0", *options],
        env={**clean_environment(), "PGVIGIL_DSN": dsn},
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        found = re.search(r"serving (http\S+)", process.stderr.readline())
        assert found is not None
        yield process, found[1]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_serves_until_it_is_told_to_stop(dsn: str, number: signal.Signals) -> None:
    with serving(dsn) as (process, url):
        assert url.startswith("http://127.0.0.1:")
        assert httpx.get(f"{url}healthz").status_code == 200
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert "stopped" in process.stderr.read()


def test_the_program_starts_without_a_database() -> None:
    with serving("postgresql://u:secret@127.0.0.1:1/none") as (process, url):
        assert httpx.get(f"{url}healthz").status_code == 503
        process.terminate()
        assert process.wait(10) == 0
        assert process.stderr is not None
        log = process.stderr.read()
        assert "the database is unavailable" in log
        assert "secret" not in log


def test_an_answer_under_way_is_finished_before_the_end(
    dsn: str, connection: psycopg.Connection[Any]
) -> None:
    connection.execute(_SLEEPY_VIEW.replace("pg_sleep(30)", "pg_sleep(2)"))
    with serving(dsn) as (process, url), ThreadPoolExecutor(1) as pool:
        answer = pool.submit(httpx.get, f"{url}api/queues", timeout=20)
        wait_until(
            lambda: connection.execute(
                "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
            ).fetchone() == (1,),
            10,
        )  # fmt: skip
        process.terminate()
        assert answer.result().status_code == 200
        assert process.wait(10) == 0


def test_a_port_in_use_is_said_to_be(dsn: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [Path(sys.executable).parent / "pgvigil", "serve", "--port", port],
            env={**clean_environment(), "PGVIGIL_DSN": dsn}, capture_output=True, text=True,
            check=False, timeout=30,
        )  # fmt: skip
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr


def test_a_page_costs_the_database_little(filled_dsn: str) -> None:
    paths = (
        "summary", "active-alerts?limit=500", "batch-timeline", "batch-health", "errors",
        "tasks?state=running", "queues", "health", "self-check", "trends?what=tasks",
        "trends?what=errors", "trends?what=queues",
    )  # fmt: skip
    query = b"select pid from pg_stat_activity where application_name = 'pgvigil web'"
    with Web(filled_dsn, connections=1) as web, psycopg.connect(filled_dsn) as opened:

        def load() -> None:
            for path in paths:
                web.get(f"/api/{path}")

        load()  # the first of a connection plans, and reads the catalogue
        row = opened.execute(query).fetchone()
        assert row is not None
        began = cpu_seconds(row[0])
        for _ in range(10):
            load()
        milliseconds = 100 * (cpu_seconds(row[0]) - began)
    print(f"a page costs {milliseconds:.0f} ms of the server's CPU")
    assert milliseconds <= 150


def test_runner_and_web_service_together_are_small(dsn: str) -> None:
    with RunningRunner(dsn) as runner, serving(dsn) as (process, url):
        runner.wait_for("evaluate_alerts")
        for path in ("healthz", "api/summary", "api/tasks", "metrics"):
            assert httpx.get(url + path).status_code == 200
        together = _megabytes(runner.process.pid) + _megabytes(process.pid)
        print(f"runner {_megabytes(runner.process.pid)} MB, web {_megabytes(process.pid)} MB")
        assert together <= 120
        runner.signal()
        runner.wait()


def _megabytes(pid: int) -> float:
    """Return the memory that is a process's own, shared libraries in proportion."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024
