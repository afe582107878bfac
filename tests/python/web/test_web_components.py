"""Components as data: as they are, one over time, and its checks."""

from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from tests.python.support.web_running import Web

ODD = "a/b ü?#%../c"
PATH = f"/api/components/{quote(ODD, safe='')}"


@pytest.fixture
def checked(connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """A database with a component that fails, another of its name, and one that is silent."""
    connection.execute("set search_path = monitoring, public")
    connection.execute(
        """
        select update_system_health(
            c.type, c.name, case when n = 0 then c.status else 'healthy' end, 10 * n,
            p_checked_at => now() - make_interval(mins => n, days => c.days)
        )
        from (
            values ('service', %(odd)s, 'unhealthy', 0), ('queue', %(odd)s, 'healthy', 0),
                ('service', 'silent', 'healthy', 3)
        ) c (type, name, status, days)
        cross join generate_series(0, 50) n
        """,
        {"odd": ODD},
    )
    connection.execute("select ensure_partitions(), roll_up(), evaluate_alerts()")
    return connection


def test_component_has_days_answers_alerts_and_rules(
    web: Web, checked: psycopg.Connection[Any]
) -> None:
    whole = web.get(PATH)
    component = whole["component"]
    assert component | {"status": "unhealthy", "checks": 51, "trouble": 4} == component
    assert component["p50_response_time_ms"] == pytest.approx(250, rel=0.05)
    assert sum(day["checks"] for day in component["days"]) == 51
    assert whole["other_types"] == ["queue"]
    assert [alert["rule_name"] for alert in whole["alerts"]] == ["component_unhealthy"]
    assert "component_silent" in {rule["rule_name"] for rule in whole["rules"]}
    assert sum(bucket["healthy_checks"] for bucket in whole["buckets"]) == 50
    other = web.get(f"{PATH}?type=queue")
    assert (other["component"]["status"], other["alerts"]) == ("healthy", [])
    missing = web.client.get(f"{PATH}?type=none")
    assert missing.status_code == 404
    assert missing.json()["detail"] == f"there is no component {ODD} of type none"


def test_components_are_listed_by_trouble_in_pages(
    web: Web, checked: psycopg.Connection[Any]
) -> None:
    first = web.get("/api/component-states?limit=2")
    rest = web.get(f"/api/component-states?limit=2&after={first['next']}")
    rows = first["rows"] + rest["rows"]
    assert [(row["component_name"], row["status"]) for row in rows] == [
        (ODD, "unhealthy"),
        ("silent", "unknown"),
        (ODD, "healthy"),
    ]
    assert rest["next"] is None
    assert rows[1]["last_status"] == "healthy"
    # The clock goes on, and with it the seconds of today.
    told = {"uptime_percent": None, "days": None}
    assert rows[0] | told == web.get(PATH)["component"] | told
    (queue,) = web.get("/api/component-states?type=queue&search=%C3%BC")["rows"]
    assert queue["component_type"] == "queue"


def test_checks_of_a_component_come_in_pages(web: Web, checked: psycopg.Connection[Any]) -> None:
    path = f"/api/component-checks?component={quote(ODD, safe='')}&type=service&limit=30"
    first = web.get(path)
    rest = web.get(f"{path}&after={first['next']}")
    assert [row["response_time_ms"] for row in first["rows"] + rest["rows"]] == [
        10 * n for n in range(51)
    ]
    (found,) = web.get(f"{path}&status=unhealthy")["rows"]
    assert found["response_time_ms"] == 0
