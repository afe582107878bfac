"""Programs with an SDK of Sentry, which are real here, and send to the web service."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests import ROOT
from tests.harness.tools import node_modules, program
from tests.python.support.asking import one, rows, value
from tests.python.support.envelopes import KEY
from tests.python.support.web_running import Web

_ERRORS = """
    select error_type, severity, message, component, fingerprint, stack, details
    from monitoring.error_tracking where details ? 'event_id' order by occurred_at
"""
_RUNS = """
    select task_type, status from monitoring.processing_metrics order by start_time, task_id
"""
_EXPECTED = """
    select task_type, schedule, time_zone, grace_seconds, counts, changed_by
    from monitoring.v_expected_runs
"""


@pytest.fixture
def taking(dsn: str) -> Iterator[Web]:
    """A web service that takes what SDKs send."""
    with Web(dsn, ping_key=KEY) as web:
        yield web


def dsn_of(web: Web, path: str = "") -> str:
    return f"{web.server.url.replace('://', f'://{KEY}@')}{path}1"


def run(*command: str) -> str:
    """Run a program, and return what it said as it ended."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.stderr


@pytest.mark.parametrize("packed", ["gzip", "br"])
def test_python(taking: Web, connection: psycopg.Connection[Any], packed: str) -> None:
    shop = str(ROOT / "tests" / "python" / "support" / "sentry_shop.py")
    said = run(sys.executable, shop, dsn_of(taking, "in/tills/"), packed)
    assert "LookupError: no such till: 12" in said
    errors = rows(connection, _ERRORS)
    assert [(each["error_type"], each["severity"], each["message"]) for each in errors] == [
        ("log.error", "high", "shelf A-17 lacks 3 boxes"),
        ("log.warning", "medium", "the cache is cold"),
        ("ValueError", "high", "no rate for 2 prices"),
        ("RuntimeError", "high", "the printer is on fire"),
        ("LookupError", "high", "no such till: 12"),
    ]
    for each in errors:
        assert each["component"] == "tills"
        assert each["details"]["release"] == "shop@1.4.2"
        assert each["details"]["environment"] == "staging"
        assert each["details"]["server_name"] == "till-7"
        assert each["details"]["sdk"].startswith("sentry.python")
        assert KEY not in str(each)
        assert "ann@example.com" not in str(each)
    shelf, _, rate, printer, till = errors
    assert shelf["fingerprint"] == "shop.stock: shelf %s lacks %d boxes"
    default = value(
        connection, "select monitoring.error_fingerprint('ValueError', 'no rate for 2 prices')"
    )
    assert rate["fingerprint"] == f"checkout / {default}"
    assert rate["details"]["tags"] == {"till": "7"}
    assert rate["details"]["user_id"] == "u-1"
    raised, cause = rate["stack"].split("\n\n")
    assert raised.startswith(
        "ValueError: no rate for 2 prices\n  at __main__.total (sentry_shop.py:"
    )
    assert "\n      total([4, 2], 0)" in raised
    assert cause.startswith("caused by ZeroDivisionError: division by zero\n")
    assert printer["details"]["logged"] == "no invoices for monday"
    assert till["details"]["handled"] is False
    assert till["details"]["breadcrumbs"][0]["message"] == "shelf A-17 lacks 3 boxes"
    assert [tuple(each.values()) for each in rows(connection, _RUNS)] == [
        ("invoices@staging", "completed"), ("invoices@staging", "failed")
    ]  # fmt: skip
    assert tuple(one(connection, _EXPECTED).values()) == (
        "invoices@staging", "30 2 * * *", "Europe/Berlin", 600, "successes", "its program"
    )  # fmt: skip
    failed = "select component from monitoring.error_tracking where error_type = 'PingFailed'"
    assert value(connection, failed) == "invoices@staging"


def test_node(taking: Web, connection: psycopg.Connection[Any]) -> None:
    node_modules()
    said = run(program("node"), str(ROOT / "tests" / "node" / "shop.js"), dsn_of(taking))
    assert "TypeError: Cannot read properties of undefined" in said
    errors = rows(connection, _ERRORS)
    assert [(each["error_type"], each["severity"], each["message"]) for each in errors] == [
        ("log.info", "low", "the cache is cold"),
        ("Error", "high", "no tills"),
        ("TypeError", "high", "Cannot read properties of undefined (reading 'length')"),
    ]
    for each in errors:
        assert each["component"] == "shop-front"
        assert each["details"]["release"] == "shop-front@2.0.0"
        assert each["details"]["tags"] == {"region": "north"}
        assert each["details"]["sdk"].startswith("sentry.javascript.node/")
    assert errors[1]["fingerprint"] == "tills / Error"
    assert "\n  at shop.count (" in errors[2]["stack"]
    assert [tuple(each.values()) for each in rows(connection, _RUNS)] == [("sitemap", "completed")]
    assert tuple(one(connection, _EXPECTED).values()) == (
        "sitemap", "2 hour", "Etc/UTC", 300, "successes", "its program"
    )  # fmt: skip
