"""Records are found by whatever names they have, also such as mean something in an address."""

from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from tests.python.support.web_running import Web

NAMES = (
    "plain", "a/b", "/", "//", "/a", "a/", "a/b/timeline", "timeline", "a%2Fb", "%", "%zz", "%00",
    "?", "a?b=c&d", "#", "a#b", "..", ".", "../../x", "a+b", "a b", " a", "a;b", "a\\b", "a\nb",
    "<i>'\"", "'; drop schema monitoring; --", "Überweisung 漢字 🚚", "e\u0301", "\u202eabc",
    "\u00a0", "\u3000", "\x7f", "x" * 255, "漢" * 255,
)  # fmt: skip


@pytest.fixture
def named(web: Web, connection: psycopg.Connection[Any]) -> Web:
    """The service, with a record for each name in a dataset of the name opposite to it."""
    for number, (dataset, key) in enumerate(zip(reversed(NAMES), NAMES, strict=True)):
        connection.execute(
            "select monitoring.log_invalid_records(%s, jsonb_build_array(%s::text), %s)",
            [dataset, key, f"check {number}"],
        )
        connection.execute(
            "select monitoring.log_invalid_records('orders', jsonb_build_array(%s::text), %s)",
            [key, f"check {number}"],
        )
    return web


def test_a_record_is_found_by_any_name_in_any_dataset(named: Web) -> None:
    for number, (dataset, key) in enumerate(zip(reversed(NAMES), NAMES, strict=True)):
        (event,) = named.rows("/api/record-timeline", dataset=dataset, record_key=key)
        assert event["details"]["validation_type"] == f"check {number}", (dataset, key)


def test_a_path_finds_what_has_slashes_in_its_key_alone(named: Web) -> None:
    # Left out: what clients take for a place relative to another, and what is more than one line.
    for number, key in enumerate(NAMES):
        if key in (".", "..", "../../x", "a\nb"):
            continue
        for encoded in {quote(key), quote(key, safe="")}:
            (event,) = named.rows(f"/api/records/orders/{encoded}/timeline")
            assert event["details"]["validation_type"] == f"check {number}", key


def test_lists_can_be_filtered_by_any_name(named: Web) -> None:
    for dataset, key in zip(reversed(NAMES), NAMES, strict=True):
        found = named.rows("/api/records", dataset=dataset)
        assert [row["record_key"] for row in found] == [key]


def test_lists_of_any_names_come_in_pages(named: Web) -> None:
    found = named.all_rows("/api/records", dataset="orders", limit=4)
    assert sorted(row["record_key"] for row in found) == sorted(NAMES)


@pytest.mark.parametrize(
    ("names", "where"),
    [
        ({"dataset": "orders"}, "query.record_key"),
        ({"record_key": "o-1"}, "query.dataset"),
        ({"dataset": "orders", "record_key": ""}, "query.record_key"),
        ({"dataset": "orders", "record_key": " \t\r\n"}, "query.record_key"),
        ({"dataset": "orders", "record_key": "a\0b"}, "query.record_key"),
        ({"dataset": "x" * 256, "record_key": "o-1"}, "query.dataset"),
    ],
)
def test_what_is_no_name_is_refused(web: Web, names: dict[str, str], where: str) -> None:
    answer = web.client.get("/api/record-timeline", params=names)
    assert answer.status_code == 422, answer.text
    assert [each["where"] for each in answer.json()["errors"]] == [where]
