"""Envelopes, whatever they hold: read within bounds, and refused in words."""

import gzip
import json
import random
import tracemalloc
import zlib
from collections.abc import Iterator
from typing import Any

import brotli
import httpx
import psycopg
import pytest

from pgvigil.faces.web.problems import ProblemError
from pgvigil.faces.web.sentry.envelopes import MOST_ITEMS, MOST_KEPT, Envelope, EnvelopeReader
from tests.harness.databases import create_database, drop_database
from tests.python.support.asking import value
from tests.python.support.envelopes import AUTH, EVENT_ID, KEY, envelope, item
from tests.python.support.web_problems import assert_problem
from tests.python.support.web_running import TOKEN, Web

MESSAGE = {"message": "no tills", "event_id": EVENT_ID, "timestamp": 1_700_000_000}
_COUNT = "select count(*) from monitoring.error_tracking where component <> 'pgvigil'"
_WHOLE = envelope(
    item("transaction", {"spans": []}),
    item("event", MESSAGE),
    item("attachment", b"\n\x00{\xff\n", filename="core"),
    item("session", {}, is_counted=False),
    event_id=EVENT_ID,
)
_BOMB = b"{}\n" + b"\n" * 60_000_000


@pytest.fixture(scope="module")
def taking(server: Any, template: str) -> Iterator[Web]:
    """A web service that takes what SDKs send, for all tests of this file."""
    create_database(server, "envelopes", template)
    with Web(server.dsn("envelopes"), ping_key=KEY) as web:
        yield web
    drop_database(server, "envelopes")


@pytest.fixture
def kept(server: Any, taking: Web) -> Iterator[psycopg.Connection[Any]]:
    """A connection to its database, from which errors are gone."""
    with psycopg.connect(server.dsn("envelopes"), autocommit=True) as connection:
        connection.execute("delete from monitoring.errors")
        connection.execute("delete from monitoring.late_errors")
        yield connection


def read(body: bytes, size: int = 65_536) -> Envelope:
    reader = EnvelopeReader()
    for start in range(0, len(body), size):
        reader.take(body[start : start + size])
    return reader.end()


def send(web: Web, body: Any, path: str = "/api/1/envelope/", **headers: str) -> httpx.Response:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.client.post(path, content=body, headers={**AUTH, **more})


@pytest.mark.parametrize("size", [1, 2, 7, 65_536])
@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n\r\n"])
def test_an_envelope_is_read_from_pieces_of_any_size(size: int, end: bytes) -> None:
    found = read(_WHOLE + end, size)
    assert found.header == {"event_id": EVENT_ID}
    assert found.events == [MESSAGE]


@pytest.mark.parametrize("is_counted", [True, False])
def test_payloads_end_where_they_say_or_with_their_line(is_counted: bool) -> None:
    several = [
        item("event", {"message": "a"}, is_counted),
        item("check_in", {"status": "ok"}, is_counted),
        item("event", {"message": "b"}, is_counted),
    ]
    found = read(envelope(*several))
    assert found.events == [{"message": "a"}, {"message": "b"}]
    assert found.check_ins == [{"status": "ok"}]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "the envelope is empty"),
        (b"{", 400, "a header of the envelope is not valid JSON"),
        (b"[]", 400, "a header of the envelope is not a JSON object"),
        (b"\n{}", 400, "a header of the envelope is not valid JSON"),
        (b"{}\n{}", 400, "an item of the envelope has no type"),
        (b'{}\n{"type": 7}', 400, "an item of the envelope has no type"),
        (b'{}\n{"type": "event", "length": -1}\n{}', 400, "is not a number of bytes"),
        (b'{}\n{"type": "event", "length": true}\n{}', 400, "is not a number of bytes"),
        (b'{}\n{"type": "event", "length": "2"}\n{}', 400, "is not a number of bytes"),
        (b'{}\n{"type": "event", "length": 3}\n{}', 400, "the envelope ends within an item"),
        (b'{}\n{"type": "event", "length": 1}\n{}', 400, "is longer than it says"),
        (b'{}\n{"type": "event", "length": 2}\n[]', 400, "is not a JSON object"),
        (b'{}\n{"type": "event"}', 400, "is not valid JSON"),
        (b'{}\n{"type": "event"}\n\xff', 400, "is not valid JSON"),
        (b'{}\n{"type": "event"}\n' + b'{"a":' * 100_000, 400, "is not valid JSON"),
        (b'{}\n{"type": "event"}\n{"a": ' + b"9" * 5000 + b"}", 400, "is not valid JSON"),
        (b"{" + b" " * 70_000, 400, "is longer than 65,536 bytes"),
        (b"{}" + b'\n{"type": "log"}\n{}' * (MOST_ITEMS + 1), 413, "more than 100 items"),
        (b'{}\n{"type": "event"}\n' + b" " * (MOST_KEPT + 1), 413, "are larger than 1,048,576"),
    ],
)  # fmt: skip
def test_what_is_no_envelope_is_refused_in_words(body: bytes, status: int, words: str) -> None:
    for size in (1000, len(body) + 1):
        with pytest.raises(ProblemError) as refused:
            read(body, size)
        assert refused.value.problem.status == status
        assert words in refused.value.problem.detail


def test_what_is_dropped_takes_no_room() -> None:
    tracemalloc.start()
    reader = EnvelopeReader()
    reader.take(envelope(b'{"type": "attachment", "length": 80000000}\n'))
    for _ in range(850):  # more than it says it has, and these are empty lines
        reader.take(b"\n" * 100_000)
    reader.take(item("event", MESSAGE))
    assert reader.end().events == [MESSAGE]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2_000_000


def test_random_bytes_never_raise_but_in_words() -> None:
    chance = random.Random(7)
    statuses = set()
    for _ in range(3000):
        body = bytearray(_WHOLE)
        for _ in range(chance.randrange(1, 6)):
            start = chance.randrange(len(_WHOLE))
            end = start + chance.choice((0, 1, 1, 8, 200))
            body[start:end] = chance.choice((b"", b"\n", b"{}", b"9", chance.randbytes(3)))
        try:
            read(bytes(body), chance.choice((3, 50, 5000)))
        except ProblemError as refused:
            statuses.add(refused.problem.status)
    assert statuses == {400}


def in_pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), size := max(100, len(body) // 50)):
        yield body[start : start + size]


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [
        (_WHOLE, ""), (_WHOLE, "identity"), (gzip.compress(_WHOLE), "gzip"),
        (zlib.compress(_WHOLE), "deflate"), (brotli.compress(_WHOLE), "br"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_in_pieces", [False, True])
def test_a_body_may_be_packed_and_come_in_pieces(
    taking: Web, kept: psycopg.Connection[Any], packed: bytes, encoding: str, is_in_pieces: bool
) -> None:
    body = in_pieces(packed) if is_in_pieces else packed
    answer = send(taking, body, Content_Encoding=encoding)
    assert (answer.status_code, answer.json()) == (200, {"id": EVENT_ID})
    assert value(kept, _COUNT) == 1


@pytest.mark.parametrize(
    ("body", "encoding", "status", "words"),
    [
        (b"\x1f\x8b", "gzip", 400, "the body ends before it is whole"),
        (gzip.compress(_WHOLE)[:-9], "gzip", 400, "the body ends before it is whole"),
        (_WHOLE, "gzip", 400, "the body cannot be unpacked"),
        (_WHOLE, "deflate", 400, "the body cannot be unpacked"),
        (_WHOLE, "br", 400, "the body cannot be unpacked"),
        (brotli.compress(_WHOLE)[:-1], "br", 400, "the body ends before it is whole"),
        (_WHOLE, "zstd", 415, "Content-Encoding 'zstd' is not known here"),
        (_WHOLE, "gzip, br", 415, "Content-Encoding 'gzip, br' is not known here"),
        (gzip.compress(_BOMB), "gzip", 413, "unpacks to more than 52,428,800"),
        (brotli.compress(_BOMB, quality=3), "br", 413, "unpacks to more than 52,428,800"),
        (b"x" * (21 * 2**20), "", 400, "is longer than 65,536 bytes"),
        (envelope(item("attachment", b"x" * (21 * 2**20))), "", 413, "larger than 20,971,520"),
    ],
)  # fmt: skip
def test_what_cannot_be_unpacked_or_is_too_large_is_refused(
    taking: Web, kept: psycopg.Connection[Any], body: bytes, encoding: str, status: int, words: str
) -> None:
    answer = send(taking, in_pieces(body), Content_Encoding=encoding)
    assert words in assert_problem(answer, status)["detail"]
    assert words in answer.headers["x-sentry-error"]
    assert value(kept, _COUNT) == 0


def test_large_attachments_cost_no_event(taking: Web, kept: psycopg.Connection[Any]) -> None:
    core = item("attachment", random.Random(7).randbytes(10_000_000))
    body = gzip.compress(envelope(core, item("event", MESSAGE), core), 1)
    assert send(taking, body, Content_Encoding="gzip").status_code == 200
    assert value(kept, _COUNT) == 1


def test_what_is_of_no_use_is_dropped(taking: Web, kept: psycopg.Connection[Any]) -> None:
    kinds = (
        "transaction", "session", "sessions", "profile", "profile_chunk", "replay_event",
        "replay_recording", "client_report", "attachment", "statsd", "metric_buckets", "span",
        "log", "trace_metric", "user_report", "feedback", "raw_security", "of_tomorrow",
    )  # fmt: skip
    answer = send(taking, envelope(*(item(kind, b"{}") for kind in kinds)))
    assert (answer.status_code, answer.json()) == (200, {})
    assert value(kept, _COUNT) == 0


_DSN = f"http://{KEY}@localhost/1"


@pytest.mark.parametrize(
    ("headers", "path", "header"),
    [
        (AUTH, "", {}),
        ({"X-Sentry-Auth": f"sentry sentry_key={KEY}"}, "", {}),
        ({"Authorization": AUTH["X-Sentry-Auth"]}, "", {}),
        ({}, f"?sentry_key={KEY}&sentry_version=7", {}),
        ({}, "", {"dsn": _DSN}),
        ({}, "", {"dsn": _DSN.replace("@", ":old-secret@")}),
    ],
)  # fmt: skip
def test_the_key_may_stand_where_sdks_put_it(
    taking: Web, kept: psycopg.Connection[Any], headers: dict[str, str], path: str, header: Any
) -> None:
    body = envelope(item("event", MESSAGE), **header)
    answer = taking.client.post(f"/api/1/envelope/{path}", content=body, headers=headers)
    assert answer.status_code == 200
    assert value(kept, _COUNT) == 1


@pytest.mark.parametrize(
    ("headers", "path", "header", "status"),
    [
        ({}, "", {}, 401),
        ({}, "", {"dsn": 7}, 401),
        ({}, "", {"dsn": "http://[x@y"}, 401),
        ({"Authorization": f"Bearer {KEY}"}, "", {}, 401),
        ({"X-Sentry-Auth": f"Sentry sentry_key={KEY}x"}, "", {"dsn": _DSN}, 403),
        ({"X-Sentry-Auth": f"Sentry sentry_key={TOKEN}"}, "", {}, 403),
        ({"X-Sentry-Auth": "Sentry sentry_key="}, "", {}, 403),
        ({}, "?sentry_key=%ED%A0%80%00", {}, 403),
        ({}, "", {"dsn": "http://\ud800@localhost/1"}, 403),
        ({**AUTH, "Origin": "https://shop.example.com"}, "", {}, 403),
    ],
)  # fmt: skip
def test_without_the_key_nothing_is_taken(
    taking: Web, kept: psycopg.Connection[Any], headers: dict[str, str], path: str, header: Any,
    status: int,
) -> None:  # fmt: skip
    body = envelope(item("event", MESSAGE), **header)
    for packed in (body, b"".join([body, b"\n", item("attachment", b"x" * 1000)])):
        answer = taking.client.post(f"/api/1/envelope/{path}", content=packed, headers=headers)
        assert_problem(answer, status)
        assert "x-sentry-error" in answer.headers
    assert value(kept, _COUNT) == 0


def test_a_service_without_a_key_takes_none(filled_web: Web) -> None:
    paths = ("/api/1/envelope/", "/api/1/store/", "/in/shop/api/1/envelope/", "/api/1/cron/a/b/")
    for path in paths:
        assert_problem(send(filled_web, _WHOLE, path), 404)
    assert_problem(filled_web.client.options("/api/1/envelope/"), 405)
    assert_problem(filled_web.client.get("/api/1/envelope/"), 405)


def test_older_sdks_send_an_event_alone(taking: Web, kept: psycopg.Connection[Any]) -> None:
    body = json.dumps(MESSAGE).encode()
    answer = send(taking, gzip.compress(body), "/api/1/store/", Content_Encoding="gzip")
    assert (answer.status_code, answer.json()) == (200, {"id": EVENT_ID})
    assert value(kept, _COUNT) == 1
    assert_problem(send(taking, b"[]", "/api/1/store/"), 400)
    assert_problem(send(taking, b" " * (MOST_KEPT + 1), "/api/1/store/"), 413)


def test_the_key_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with Web("postgresql://nobody@127.0.0.1:1/nowhere", ping_key=KEY) as web:
        answer = send(web, _WHOLE)
        assert_problem(answer, 503)
        assert answer.headers["retry-after"]
        assert_problem(web.client.get(f"/api/1/cron/nightly/{KEY}/?status=ok"), 503)
    assert "/api/1/cron/..." in caplog.text
    assert KEY not in caplog.text
