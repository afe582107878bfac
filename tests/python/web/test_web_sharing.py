"""Answers that tabs share: never the same twice, never older than asked for or than a decision."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from tests.python.support.web_running import TOKEN, Web

SHARED = {"Cache-Control": "max-age=7"}
PATH = "/api/active-alerts"


class Tab:
    """Asks as the page does."""

    def __init__(self, web: Web, path: str = PATH) -> None:
        """Be opened."""
        self._web, self._path = web, path
        self.tag: str | None = None

    def ask(self) -> Any:
        """Return the answer."""
        had = {"If-None-Match": self.tag} if self.tag else {}
        answer = self._web.client.get(self._path, headers={**SHARED, **had})
        self.tag = answer.headers["etag"]
        return answer.json()


def test_a_tab_that_refreshes_is_told_what_another_was_told_and_nothing_twice(web: Web) -> None:
    first, second = Tab(web), Tab(web)
    assert first.ask()["as_of"] < second.ask()["as_of"], "a tab that is opened is answered anew"
    told = second.tag
    first.ask()
    assert first.tag == told, "and one that was there is told the same"
    assert first.ask()["as_of"], "and next time something new"
    assert first.tag != told
    second.ask()
    assert second.tag == first.tag


def test_whoever_names_no_age_is_answered_anew(web: Web) -> None:
    Tab(web).ask()
    answers = [web.client.get(PATH, headers={"If-None-Match": '"0"'}) for _ in range(2)]
    assert answers[0].json()["as_of"] < answers[1].json()["as_of"]
    assert all("etag" not in answer.headers for answer in answers)


def test_what_was_decided_is_seen_by_all_at_once(
    web: Web, connection: psycopg.Connection[Any]
) -> None:
    connection.execute("select monitoring.raise_alert('tests', 'disk', 'critical', 'disk full')")
    connection.execute("select monitoring.evaluate_alerts()")
    first, second = Tab(web), Tab(web)
    first.ask()
    (row,) = [row for row in second.ask()["rows"] if row["summary"] == "disk full"]
    done = web.client.post(
        f"/api/acknowledge-alert/{row['alert_id']}",
        json={"by": "ann"},
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    assert done.status_code == 200
    (row,) = [row for row in first.ask()["rows"] if row["summary"] == "disk full"]
    assert row["acknowledged_by"] == "ann"


@pytest.mark.parametrize("path", [PATH, "/api/trends?what=tasks&hours=24"])
def test_twenty_tabs_cost_the_database_little_more_than_one(
    web: Web, connection: psycopg.Connection[Any], path: str
) -> None:
    tabs = [Tab(web, path) for _ in range(20)]
    for tab in tabs:
        tab.ask()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(Tab.ask, tabs))
    # The newest of those that were opened, and perhaps one more that had that already.
    assert len({tab.tag for tab in tabs}) <= 2


def test_a_refusal_is_nobody_elses(web: Web) -> None:
    path = "/api/trends?what=nothing"
    for _ in range(2):
        answer = web.client.get(path, headers={**SHARED, "If-None-Match": '"0"'})
        assert (answer.status_code, "etag" in answer.headers) == (422, False)
