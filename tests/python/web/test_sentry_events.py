"""Events of SDKs as errors: what is kept, what is left out, and whatever they hold."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from pgvigil.faces.web.sentry.events import error_of
from tests.python.support.asking import one, rows, value
from tests.python.support.envelopes import AUTH, EVENT_ID, KEY, envelope, exception, item
from tests.python.support.web_running import Web

_FOUND = "select * from monitoring.error_tracking where component <> 'pgvigil'"
_REPAIRS = "select fingerprint from monitoring.error_tracking where component = 'pgvigil'"


@pytest.fixture
def taking(dsn: str) -> Iterator[Web]:
    """A web service that takes what SDKs send."""
    with Web(dsn, ping_key=KEY) as web:
        yield web


def send(web: Web, *events: dict[str, Any], path: str = "/api/1", **header: Any) -> None:
    body = envelope(*(item("event", event) for event in events), **header)
    answer = web.client.post(f"{path}/envelope/", content=body, headers=AUTH)
    assert answer.status_code == 200, answer.text


def row(event: Any, component: str = "", project: str = "1") -> dict[str, Any]:
    return error_of(event, component, project).row


def details(event: Any) -> dict[str, Any]:
    found: dict[str, Any] = row(event)["details"]
    found.pop("event_id")
    return found


def test_the_exception_that_was_raised_last_counts_and_the_others_are_its_causes() -> None:
    causes = [
        exception("KeyError", "'price'", "load", "read"),
        exception("ValueError", "bad order", "main", "buy", module="shop"),
    ]
    for values in (causes, {"values": causes}):
        found = row({"exception": values})
        assert (found["error_type"], found["message"]) == ("ValueError", "bad order")
        assert found["stack"] == (
            "shop.ValueError: bad order\n"
            "  at buy (shop.py:11)\n"
            "  at main (shop.py:10)\n"
            "\n"
            "caused by KeyError: 'price'\n"
            "  at read (shop.py:11)\n"
            "  at load (shop.py:10)"
        )
        assert found["details"]["module"] == "shop"


def test_members_of_a_group_are_no_causes() -> None:
    leaf = exception("KeyError", "a", mechanism={"source": "exceptions[0]", "parent_id": 0})
    found = row({"exception": [leaf, exception("ExceptionGroup", "two things")]})
    assert found["stack"] == "ExceptionGroup: two things\n\nwith KeyError: a"


_FRAME = {"function": "Buy", "lineno": 7}
# As the SDKs of other languages write it, by their documents.
_OF_LANGUAGES: dict[str, tuple[dict[str, Any], str]] = {
    "go": (
        {"exception": [{
            "type": "*errors.errorString", "value": "no stock",
            "stacktrace": {"frames": [{
                **_FRAME, "module": "main", "abs_path": "/src/main.go", "in_app": True,
            }]},
        }], "level": "error", "platform": "go", "user": {}, "modules": {"x": "v1"}},
        "*errors.errorString: no stock\n  at main.Buy (/src/main.go:7)",
    ),
    "java": (
        {"exception": {"values": [{
            "type": "IllegalStateException", "value": "no stock", "module": "java.lang",
            "thread_id": 1, "mechanism": {"type": "UncaughtExceptionHandler", "handled": False},
            "stacktrace": {"frames": [{
                **_FRAME, "module": "com.acme.Shop", "filename": "Shop.java",
            }]},
        }]}, "threads": {"values": [{"id": 1, "crashed": True}]}, "level": "fatal"},
        "java.lang.IllegalStateException: no stock\n  at com.acme.Shop.Buy (Shop.java:7)",
    ),
    "php": (
        {"exception": {"values": [{
            "type": "RuntimeException", "value": "no stock",
            "stacktrace": {"frames": [{
                **_FRAME, "filename": "/shop.php", "pre_context": ["<?php"], "vars": {"pin": 1234},
                "context_line": "    throw new RuntimeException();", "post_context": [],
            }]},
        }]}, "tags": {}, "extra": [], "contexts": {"os": {"name": "Linux"}}},
        "RuntimeException: no stock\n  at Buy (/shop.php:7)\n      throw new RuntimeException();",
    ),
    "native": (
        {"exception": {"values": [{
            "type": "SIGSEGV", "value": None,
            "stacktrace": {"frames": [{"instruction_addr": "0x1000", "package": "/bin/shop"}]},
        }]}, "debug_meta": {"images": [{"type": "elf"}]}},
        "SIGSEGV\n  at ? (?)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", _OF_LANGUAGES)
def test_stacks_of_all_languages_are_read(language: str) -> None:
    event, stack = _OF_LANGUAGES[language]
    found = row(event)
    assert found["stack"] == stack
    assert found["error_type"] == event_type(event)
    assert "1234" not in str(found)


def event_type(event: dict[str, Any]) -> str:
    exceptions = event["exception"]
    values = exceptions["values"] if isinstance(exceptions, dict) else exceptions
    return str(values[-1]["type"])


def test_a_long_stack_keeps_both_ends() -> None:
    found = row({"exception": [exception("RecursionError", "", *(f"f{n}" for n in range(500)))]})
    lines = found["stack"].splitlines()
    assert len(lines) == 102
    assert lines[1].startswith("  at f499 ")
    assert lines[51] == "  ... 400 more"
    assert lines[101].startswith("  at f0 ")


@pytest.mark.parametrize(
    ("event", "message", "fingerprint"),
    [
        ({"message": "no tills"}, "no tills", None),
        ({"message": {"formatted": "no tills"}}, "no tills", None),
        ({"logentry": {"message": "no tills"}}, "no tills", None),
        ({"logentry": {"message": "%s of %d", "params": ["a", 3]}}, "a of 3", "%s of %d"),
        ({"logentry": {"message": "%(a)s %%", "params": {"a": 1}}}, "1 %", "%(a)s %%"),
        ({"logentry": {"message": "%999999999d", "params": [1]}}, "1", "%999999999d"),
        ({"logentry": {"message": "%s and %s", "params": ["a"]}}, "a and %s", "%s and %s"),
        (
            {"logentry": {"message": "x %s", "formatted": "x 1", "params": [2]}, "logger": "shop"},
            "x 1", "shop: x %s",
        ),
        ({}, "", None),
    ],
)  # fmt: skip
def test_what_is_logged_is_grouped_by_its_wording(
    event: dict[str, Any], message: str, fingerprint: str | None
) -> None:
    found = row(event)
    assert (found["error_type"], found["message"]) == ("log.error", message)
    assert found["fingerprint"] == (fingerprint or None)


def test_a_message_with_the_place_where_it_was_said_is_no_exception() -> None:
    place = {"value": "cold", "stacktrace": {"frames": [{"function": "warm"}]}}
    found = row({"message": "cold", "level": "warning", "exception": {"values": [place]}})
    assert (found["error_type"], found["message"]) == ("log.warning", "cold")
    assert found["stack"] == "cold\n  at warm (?)"
    threads = {"values": [{}, {"current": True, "stacktrace": {"frames": [{"function": "f"}]}}]}
    assert row({"message": "cold", "threads": threads})["stack"] == "  at f (?)"


@pytest.mark.parametrize(
    ("path", "project", "event", "component"),
    [
        ("shop", "1", {"release": "front@2.0"}, "shop"),
        ("", "1", {"release": "@acme/front@2.0+3"}, "@acme/front"),
        ("", "billing", {}, "billing"),
        ("", "7", {"release": "2.0"}, "project 7"),
        ("", "7", {"release": "@2.0"}, "project 7"),
    ],
)
def test_who_speaks_is_in_the_dsn_or_the_release(
    path: str, project: str, event: dict[str, Any], component: str
) -> None:
    assert row(event, path, project)["component"] == component


def test_what_may_be_about_people_or_secret_is_left_out() -> None:
    event = {
        "exception": [exception("E", "x", "f")],
        "user": {"id": 7, "email": "ann@example.com", "ip_address": "192.0.2.1", "name": "Ann"},
        "request": {
            "method": "POST",
            "url": "https://ann:pw@shop.example.com/buy?card=4111",
            "query_string": "card=4111",
            "data": {"card": "4111"},
            "headers": {"Authorization": "Bearer t0k3n"},
            "cookies": "session=t0k3n",
            "env": {"REMOTE_ADDR": "192.0.2.1"},
        },
        "extra": {"sys.argv": ["shop", "--password=pw"], "order": 12},
        "modules": {"django": "5.2"},
        "breadcrumbs": {"values": [
            {"category": "http", "data": {"url": "https://x/?card=4111"}},
            {"category": "log", "message": "paid", "timestamp": 1_700_000_000.5},
        ]},
        "tags": [["till", "7"], ["odd"], None],
        "contexts": {
            "trace": {"trace_id": "a" * 32, "span_id": "b" * 16, "data": {"card": "4111"}},
            "runtime": {"name": "CPython", "version": "3.11.2", "build": None},
            "culture": {"timezone": "UTC"},
        },
        "sdk": {"name": "sentry.go", "version": "0.30.0", "packages": []},
        "dist": "3", "environment": "staging", "transaction": "/buy", "platform": "go",
    }  # fmt: skip
    assert details(event) == {
        "platform": "go",
        "transaction": "/buy",
        "environment": "staging",
        "dist": "3",
        "user_id": "7",
        "sdk": "sentry.go/0.30.0",
        "request": {"method": "POST", "url": "https://shop.example.com/buy"},
        "tags": {"till": "7"},
        "contexts": {
            "trace": {"trace_id": "a" * 32, "span_id": "b" * 16},
            "runtime": {"name": "CPython", "version": "3.11.2"},
        },
        "extra": {"order": 12},
        "breadcrumbs": [
            {"at": "2023-11-14T22:13:20.500000+00:00", "category": "log", "message": "paid"}
        ],
    }
    assert "1234" not in str(row(event)), "values of variables"


def test_severities_and_times_are_those_of_the_event(
    taking: Web, connection: psycopg.Connection[Any]
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    levels = ("fatal", "error", "warning", "info", "debug", None)
    times = (
        now.timestamp(), now.isoformat(), f"{now:%Y-%m-%dT%H:%M:%S}.250Z",
        f"{now:%Y-%m-%dT%H:%M:%S}", str(now.timestamp()), (now - timedelta(days=9)).timestamp(),
    )  # fmt: skip
    for level, at in zip(levels, times, strict=True):
        send(taking, {"message": f"{level}", "level": level, "timestamp": at})
    found = {each["message"]: each for each in rows(connection, _FOUND)}
    assert {message: each["severity"] for message, each in found.items()} == {
        "fatal": "critical", "error": "high", "warning": "medium", "info": "low", "debug": "low",
        "None": "high",
    }  # fmt: skip
    assert found["fatal"]["error_type"] == "log.critical"
    assert {message: each["occurred_at"] for message, each in found.items()} == {
        "fatal": now, "error": now, "warning": now + timedelta(milliseconds=250), "info": now,
        "debug": now, "None": now - timedelta(days=9),
    }  # fmt: skip
    assert rows(connection, _REPAIRS) == []


def test_an_event_that_is_sent_again_is_known(
    taking: Web, connection: psycopg.Connection[Any]
) -> None:
    day = timedelta(days=1)
    for at in (datetime.now(UTC), datetime.now(UTC) - 5 * day):
        event = {"message": "no tills", "event_id": EVENT_ID, "timestamp": at.timestamp()}
        for again in (event, {**event, "event_id": EVENT_ID.upper()}):
            send(taking, again)
    # The header says what the event does not.
    bare = {"message": "no tills"}
    for _ in range(2):
        send(taking, bare, event_id="a" * 32, sent_at=datetime.now(UTC).isoformat()[:10])
    assert value(connection, f"select count(*) from ({_FOUND}) as found") == 3
    assert value(connection, "select count(*) from monitoring.error_tracking") == 3
    # Another event at the same time is another error.
    send(taking, {**event, "event_id": "b" * 32}, {**event, "event_id": "c" * 32})
    assert value(connection, f"select count(*) from ({_FOUND}) as found") == 5


_FINGERPRINTS: tuple[tuple[Any, str], ...] = (
    (["{{ default }}"], "DEFAULT"),
    (["checkout"], "checkout"),
    (["checkout", "{{ default }}"], "checkout / DEFAULT"),
    (["{{default}}", 7, None], "DEFAULT / 7 /"),
    (["{{ type }}", "{{ error.value }}", "{{ tags.till }}"], "ValueError / bad order 12 / 7"),
    (["{{ transaction }}", "{{ logger }} {{ level }}"], "/buy / shop error"),
    (["{{ unknown }}"], "{{ unknown }}"),
    ([], "DEFAULT"),
    ("checkout", "DEFAULT"),
    ([None, {}], "DEFAULT"),
)


def test_fingerprints_of_the_sdk_are_honoured(
    taking: Web, connection: psycopg.Connection[Any]
) -> None:
    event = {
        "exception": [exception("ValueError", "bad order 12")],
        "tags": {"till": 7}, "transaction": "/buy", "logger": "shop",
    }  # fmt: skip
    at = datetime.now(UTC).timestamp() - 100
    events = [
        {**event, "fingerprint": given, "timestamp": at + number}
        for number, (given, _) in enumerate(_FINGERPRINTS)
    ]
    send(taking, *events)
    default = value(connection, "select monitoring.error_fingerprint('ValueError', 'bad order 7')")
    found = [each["fingerprint"] for each in rows(connection, f"{_FOUND} order by occurred_at")]
    assert found == [wanted.replace("DEFAULT", default) for _, wanted in _FINGERPRINTS]


def test_a_long_fingerprint_is_told_from_others_that_begin_so() -> None:
    first, second = (
        error_of({"message": "x", "fingerprint": ["a" * 400, end]}, "", "1").grouped(None)
        for end in "xy"
    )
    assert first["fingerprint"] != second["fingerprint"]
    assert first["fingerprint"].startswith("a" * 100)
    assert len(first["fingerprint"]) < 150


def test_an_event_may_belong_to_a_task(taking: Web, connection: psycopg.Connection[Any]) -> None:
    send(taking, {"message": "x", "tags": {"task_id": "nightly"}}, path="/in/Büro 7/api/1")
    found = one(connection, _FOUND)
    assert (found["task_id"], found["component"]) == ("nightly", "Büro 7")


ODD: tuple[Any, ...] = (
    None, True, 7, -1, 1e300, float("inf"), 10**4000, "", " ", "\0", "\ud800", "x" * 9000,
    "\u00e9" * 9000, "\u200b\u202e\x7f", [], {}, [[]], [None], [{}], {"values": None},
    {"values": [None, {}]}, {"frames": [{"lineno": "x", "function": ["f"]}]},
    {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}, {"x" * 9000: "y"},
    {str(n): "z" * 900 for n in range(60)}, [["a"], ["b", "c"], 7],
    {"message": 7, "params": {"a": []}}, {"id": {}}, {"name": "n" * 5000, "version": None},
    "2026-01-01T00:00:00Z", "0001-01-01", "9999-12-31T23:59:59+00:00", "infinity", "-1e9",
)  # fmt: skip
_PLACES = (
    "event_id", "timestamp", "level", "logger", "platform", "transaction", "server_name", "release",
    "dist", "environment", "message", "logentry", "exception", "stacktrace", "threads", "tags",
    "extra", "user", "request", "contexts", "breadcrumbs", "fingerprint", "sdk", "modules",
)  # fmt: skip
_WITHIN = ("type", "value", "module", "mechanism", "stacktrace")


def test_whatever_an_event_holds_it_is_an_error(
    taking: Web, connection: psycopg.Connection[Any]
) -> None:
    chance = random.Random(7)
    events = [{place: odd} for place in _PLACES for odd in ODD]
    events += [{"exception": [{place: odd}]} for place in _WITHIN for odd in ODD]
    events += [{place: chance.choice(ODD) for place in _PLACES} for _ in range(200)]
    for event in events:
        assert error_of(event, "", "1").row["component"]
    sent = chance.sample(events, 300)
    for start in range(0, len(sent), 15):
        send(taking, *sent[start : start + 15])
    # All else is in order when the database gets it.
    repairs = rows(connection, _REPAIRS)
    assert {each["fingerprint"] for each in repairs} == {
        "pgvigil.repaired:time", "pgvigil.repaired:severity"
    }  # fmt: skip
    assert value(connection, f"select count(*) from ({_FOUND}) as found") == len(sent)
