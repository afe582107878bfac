"""Who somebody is by the header of a proxy, and what strangers may write into headers."""

from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil.exceptions import PgvigilError
from pgvigil.faces.web.users import networks_of
from tests.python.support.asking import value
from tests.python.support.web_problems import assert_problem
from tests.python.support.web_running import TOKEN, Web

HEADER = "X-Forwarded-User"
ELSEWHERE = networks_of(("10.1.2.3", "192.168.0.0/16", "fd00::/8"))


@pytest.fixture
def alert_id(connection: psycopg.Connection[Any]) -> int:
    """An alert that fires."""
    connection.execute("select monitoring.raise_alert('tests', 'disk', 'critical', 'disk full')")
    connection.execute("select monitoring.evaluate_alerts()")
    found: int = value(
        connection, "select alert_id from monitoring.alerts where summary = 'disk full'"
    )
    return found


def acknowledge(web: Web, alert_id: int, headers: Any, by: str | None = None) -> Any:
    told = {"by": by} if by else {}
    return web.client.post(f"/api/acknowledge-alert/{alert_id}", json=told, headers=headers)


def acknowledged_by(connection: psycopg.Connection[Any], alert_id: int) -> Any:
    return value(
        connection, f"select acknowledged_by from monitoring.alerts where alert_id = {alert_id}"
    )


def test_whom_the_proxy_names_may_decide_and_is_noted_whatever_the_body_says(
    dsn: str, connection: psycopg.Connection[Any], alert_id: int
) -> None:
    with Web(dsn, user_header=HEADER) as web:
        ann = {HEADER.encode(): "Änn Lee".encode()}
        assert web.client.get("/api/whoami", headers=ann).json() == {
            "user": "Änn Lee", "needs_token": False,
        }  # fmt: skip
        assert acknowledge(web, alert_id, ann, by="mallory").status_code == 200
        assert acknowledged_by(connection, alert_id) == "Änn Lee"
        # What is done without that header is nobody's by it.
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        taken_back = web.client.post(
            f"/api/unacknowledge-alert/{alert_id}", json={"by": "bob"}, headers=bearer
        )
        assert taken_back.status_code == 200
        query = (
            "select changed_by from monitoring.alert_history order by transition_id desc limit 1"
        )
        assert value(connection, query) == "bob"


@pytest.mark.parametrize("settings", [{}, {"user_header": HEADER, "proxies": ELSEWHERE}])
def test_a_header_of_strangers_is_no_name_and_opens_nothing(
    dsn: str, connection: psycopg.Connection[Any], alert_id: int, settings: dict[str, Any]
) -> None:
    with Web(dsn, **settings) as web:
        spoofed = {HEADER: "admin", "X-Forwarded-For": "10.1.2.3", "Forwarded": "for=10.1.2.3"}
        assert web.client.get("/api/whoami", headers=spoofed).json() == {
            "user": None, "needs_token": True,
        }  # fmt: skip
        assert_problem(acknowledge(web, alert_id, spoofed), 401)
        bearer = {**spoofed, "Authorization": f"Bearer {TOKEN}"}
        assert acknowledge(web, alert_id, bearer, by="bob").status_code == 200
        assert acknowledged_by(connection, alert_id) == "bob"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 401),
        ([(HEADER, "")], 401),
        # A proxy that adds to what a stranger sent.
        ([(HEADER, "admin"), (HEADER, "ann")], 400),
        ([(HEADER, "admin"), (HEADER.lower(), "ann")], 400),
        ([(HEADER, "admin, ann")], 400),
        ([(HEADER, "a" * 256)], 400),
        ([(HEADER, b"ann\xff")], 400),
        ([(HEADER, "a\tb")], 400),
        # Another page has the browser of somebody who is logged in send it.
        ([(HEADER, "ann"), ("Sec-Fetch-Site", "cross-site")], 403),
        ([(HEADER, "ann"), ("Sec-Fetch-Site", "same-site")], 403),
        ([(HEADER, "ann"), ("Content-Type", "text/plain")], 415),
        ([(HEADER, "ann"), ("Content-Type", "application/x-www-form-urlencoded")], 415),
    ],
)
def test_what_is_not_one_name_from_our_own_page_decides_nothing(
    dsn: str,
    connection: psycopg.Connection[Any],
    alert_id: int,
    headers: list[tuple[str, str | bytes]],
    status: int,
) -> None:
    sent = [
        (name.encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in headers
    ]
    with Web(dsn, user_header=HEADER) as web:
        assert_problem(acknowledge(web, alert_id, sent), status)
    assert acknowledged_by(connection, alert_id) is None


def test_a_name_needs_no_token_to_be_set_but_a_service_without_either_only_reads(
    dsn: str, alert_id: int
) -> None:
    dsn = make_conninfo(dsn, application_name="web")
    with Web(dsn, user_header=HEADER, token=None) as web:
        assert_problem(acknowledge(web, alert_id, {}), 403)
        assert acknowledge(web, alert_id, {HEADER: "ann"}).status_code == 200


def test_an_address_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(PgvigilError, match="no address of a proxy"):
        networks_of(("proxy.example",))
