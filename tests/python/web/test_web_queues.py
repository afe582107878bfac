"""Queues as data: as they are, one over time, and its samples."""

from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from tests.python.support.web_running import Web

ODD = "a/b ü?#%../c"
PATH = f"/api/queues/{quote(ODD, safe='')}"


@pytest.fixture
def queued(connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """A database with a queue that drains, under a name that is hard to write, and two others."""
    connection.execute("set search_path = monitoring, public")
    connection.execute(
        """
        select record_queue_metrics(
            %(queue)s, 600 + 2 * n, 1, 1000 - 3 * n, 0, n, now() - make_interval(mins => n)
        )
        from generate_series(0, 50) n
        """,
        {"queue": ODD},
    )
    connection.execute("select record_queue_metrics('mails', 3), record_queue_metrics('fax', 0)")
    connection.execute("select ensure_partitions(), roll_up(), evaluate_alerts()")
    return connection


def test_queue_says_how_fast_it_moves_and_when_it_is_empty(
    web: Web, queued: psycopg.Connection[Any]
) -> None:
    whole = web.get(PATH)
    queue = whole["queue"]
    assert queue["seconds_to_empty"] == pytest.approx(300 * 60, rel=0.01)
    assert queue["completed_per_minute"] == pytest.approx(3, rel=0.01)
    assert queue["arrived_per_minute"] == pytest.approx(1, rel=0.01)
    assert [alert["rule_name"] for alert in whole["alerts"]] == ["queue_backlog"]
    assert "queue_stalled" in {rule["rule_name"] for rule in whole["rules"]}
    assert sum(bucket["samples"] for bucket in whole["buckets"]) == 51
    assert whole["resolution"] == "hour"
    assert web.get(f"{PATH}?hours=2160")["resolution"] == "day"
    assert len(web.get(f"{PATH}?hours=1")["buckets"]) == 51


def test_queues_are_listed_by_trouble_and_length_in_pages(
    web: Web, queued: psycopg.Connection[Any]
) -> None:
    first = web.get("/api/queue-states?limit=2")
    rest = web.get(f"/api/queue-states?limit=2&after={first['next']}")
    names = [row["queue_name"] for row in first["rows"] + rest["rows"]]
    assert names == [ODD, "mails", "fax"]
    assert rest["next"] is None
    assert first["rows"][0] == web.get(PATH)["queue"]
    (troubled,) = web.get("/api/queue-states?troubled=true&search=%C3%BC")["rows"]
    assert (troubled["queue_name"], troubled["alerts"]) == (ODD, 1)


def test_samples_of_a_queue_come_in_pages(web: Web, queued: psycopg.Connection[Any]) -> None:
    path = f"/api/queue-samples?queue={quote(ODD, safe='')}&limit=30"
    first = web.get(path)
    rest = web.get(f"{path}&after={first['next']}")
    waited = [row["pending"] for row in first["rows"] + rest["rows"]]
    assert waited == [600 + 2 * n for n in range(51)]
    assert web.get(f"{path}&to=2026-01-01")["rows"] == []


def test_queue_that_nobody_sampled_is_not_there(web: Web) -> None:
    answer = web.client.get("/api/queues/none")
    assert (answer.status_code, answer.json()["detail"]) == (404, "there is no queue none")
