"""What the web service refuses, and what it never tells."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from click.testing import CliRunner
from psycopg import sql

from pgvigil.cli import main
from pgvigil.web.token import TokenError, read_token
from tests.python.asking import value
from tests.python.web_running import TOKEN, Web

# Whatever would give away what is behind: statements, places, programs, addresses.
TELLTALES = re.compile(
    r"select |from monitoring|Traceback|File \"|psycopg|\.py\b|postgres(ql)?:|password|port \d",
    re.IGNORECASE,
)


def assert_problem(answer: Any, status: int) -> dict[str, Any]:
    """Return a refusal once it is known to have the right form and to tell nothing."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    problem: dict[str, Any] = answer.json()
    assert problem.keys() == {"error", "hint", "details"}
    assert problem["error"]
    assert TELLTALES.search(answer.text) is None, answer.text
    return problem


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/api/tasks?limit=0", "query.limit"),
        ("/api/tasks?limit=1001", "query.limit"),
        ("/api/tasks?limit=many", "query.limit"),
        ("/api/tasks?state=asleep", "query.state"),
        ("/api/tasks?status=running", "query.status"),
        ("/api/tasks?from=yesterday", "query.from"),
        ("/api/tasks?from=2026-01-01T00:00:00", "query.from"),
        ("/api/tasks?from=1767225600", "query.from"),
        ("/api/tasks?type=", "query.type"),
        ("/api/tasks?type=a%00b", "query.type"),
        (f"/api/tasks?type={'a' * 256}", "query.type"),
        ("/api/errors?severity=fatal", "query.severity"),
        ("/api/active-alerts?severity=HIGH", "query.severity"),
        ("/api/batch-timeline?business_date=2026-02-30", "query.business_date"),
        ("/api/batch-timeline?business_date=20", "query.business_date"),
        ("/api/trends", "query.what"),
        ("/api/trends?what=everything", "query.what"),
        ("/api/trends?what=tasks&hours=0", "query.hours"),
        ("/api/alerts/none", "path.alert_id"),
        ("/api/alerts/0", "path.alert_id"),
        (f"/api/alerts/{2**63}", "path.alert_id"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(filled_web: Web, path: str, where: str) -> None:
    problem = assert_problem(filled_web.client.get(path), 422)
    assert [each["where"] for each in problem["details"]] == [where]
    assert all(each["message"] for each in problem["details"])


def test_a_refusal_does_not_repeat_what_was_sent(filled_web: Web) -> None:
    answer = filled_web.client.get("/api/tasks?limit=<script>")
    assert_problem(answer, 422)
    assert "script" not in answer.text


@pytest.mark.parametrize(
    "after",
    [
        "x", "!!", "W10", "WzBd", "WzksMV0", "WzAsMSwyXQ", "e30", "bnVsbA", "/" * 8,
        "WyJhIl0", "WzAsIjIwMjYtMDEtMDFUMDA6MDA6MDBaIiwiYSIsMSwyXQ", "A" * 2000,
    ],
)  # fmt: skip
def test_what_is_no_place_in_a_list_is_refused(filled_web: Web, after: str) -> None:
    for path in ("/api/tasks", "/api/errors", "/api/batch-logs", "/api/active-alerts"):
        assert_problem(filled_web.client.get(path, params={"after": after}), 400)


def test_a_place_with_what_no_text_can_hold_is_refused(filled_web: Web) -> None:
    # [0, "2026-01-01T00:00:00Z", "\u0000"]
    after = "WzAsIjIwMjYtMDEtMDFUMDA6MDA6MDBaIiwiXHUwMDAwIl0"
    assert_problem(filled_web.client.get("/api/errors", params={"after": after}), 400)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/api/active-alerts", f'[0,"low",null,"2026-01-01T00:00:00Z",{10**30}]'),
        ("/api/record-changes", f'[0,"2026-01-01T00:00:00Z",{2**63}]'),
        ("/api/tasks?state=ended", f'[0,"2026-01-01T00:00:00Z","a",{2**31}]'),
        ("/api/batch-logs", f'[1,"2026-01-01T00:00:00Z","a",{2**31},"w"]'),
        ("/api/errors", "[" * 1400),
    ],
)
def test_a_place_that_no_column_can_hold_is_refused(filled_web: Web, path: str, place: str) -> None:
    after = base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")
    url = httpx.URL(path).copy_merge_params({"after": after})
    problem = assert_problem(filled_web.client.get(url), 400)
    assert problem["error"] == "after is no place in this list"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/alerts/987654", 404),
        ("/api/batch-timeline?workflow=none", 404),
        ("/api/batch-timeline?business_date=1900-01-01", 400),
        ("/api", 404),
        ("/api/", 404),
        ("/api/nothing", 404),
        ("/nothing", 404),
        ("/docs", 404),
        ("/redoc", 404),
        ("/../settings.py", 404),
        ("/%2e%2e%2fsettings.py", 404),
        ("/..%5csettings.py", 404),
        ("/app.py", 404),
    ],
)
def test_what_is_not_there_is_refused(filled_web: Web, path: str, status: int) -> None:
    assert_problem(filled_web.client.get(path), status)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_what_is_for_reading_takes_no_other_method(filled_web: Web, method: str) -> None:
    answer = filled_web.client.request(method, "/api/tasks")
    assert_problem(answer, 405)
    assert answer.headers["allow"] == "GET"


def test_what_is_for_writing_is_not_for_reading(filled_web: Web) -> None:
    assert_problem(filled_web.client.get("/api/acknowledge-alert/1"), 405)


def test_a_page_that_is_missing_is_said_to_be(dsn: str, tmp_path: Path) -> None:
    with Web(dsn, page=tmp_path / "nothing") as web:
        problem = assert_problem(web.client.get("/"), 404)
        assert problem["error"] == "this installation has no page"


def test_a_page_is_served_as_it_is_and_nothing_beside_it(dsn: str, tmp_path: Path) -> None:
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text("<!doctype html><title>ü</title>")
    (page / "page.js").write_text("1")
    (page / "inner").mkdir()
    (tmp_path / "secret").write_text("secret")
    with Web(dsn, page=page) as web:
        answer = web.client.get("/")
        assert answer.text == "<!doctype html><title>ü</title>"
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert web.client.get("/page.js").headers["content-type"].startswith("text/javascript")
        for path in ("/inner", "/..%2fsecret", "/%2e%2e/secret", "/secret"):
            assert_problem(web.client.get(path), 404)


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics", "/api/tasks", "/api/nothing"])
def test_every_answer_says_what_browsers_may_do_with_it(filled_web: Web, path: str) -> None:
    headers = filled_web.client.get(path).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy
    assert "*" not in policy
    assert "server" not in headers
    assert "access-control-allow-origin" not in headers


# Writing


def acknowledge(web: Web, **headers: str) -> Any:
    return web.client.post("/api/acknowledge-alert/1", headers=headers)


@pytest.mark.parametrize(
    "shown",
    [
        None, "", "Bearer", "Bearer wrong", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}",
        f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN.upper()}", "Bearer ü",
    ],
)  # fmt: skip
def test_without_the_token_nothing_is_written(
    web: Web, connection: psycopg.Connection[Any], shown: str | None
) -> None:
    firing = _fire(connection)
    headers = [] if shown is None else [(b"Authorization", shown.encode())]
    answer = web.client.post(f"/api/acknowledge-alert/{firing}", headers=headers)
    assert_problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"
    query = "select count(acknowledged_at) from monitoring.alerts"
    assert value(connection, query) == 0


def test_a_service_without_a_token_only_reads(
    dsn: str, connection: psycopg.Connection[Any]
) -> None:
    firing = _fire(connection)
    with Web(dsn, token=None) as web:
        for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Bearer None"}):
            answer = web.client.post(f"/api/acknowledge-alert/{firing}", headers=headers)
            assert_problem(answer, 403)
        assert web.rows("/api/active-alerts")
    assert value(connection, "select count(acknowledged_at) from monitoring.alerts") == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 422),
        (b"[]", 422),
        (b'{"who": "me"}', 422),
        (b'{"by": ""}', 422),
        (b'{"by": " "}', 422),
        (b'{"note": "\\u0000"}', 422),
        (b'{"note": "\\ud800"}', 422),
        (b'{"note": 7}', 422),
        (b'{"note": "' + b"x" * 8001 + b'"}', 422),
        (b'"' + b"x" * 40_000 + b'"', 413),
    ],
)
def test_words_that_make_no_sense_are_refused(filled_web: Web, body: bytes, status: int) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    answer = filled_web.client.post("/api/acknowledge-alert/1", content=body, headers=headers)
    assert_problem(answer, status)


def test_a_body_without_a_length_is_refused(filled_web: Web) -> None:
    def endless() -> Iterator[bytes]:
        yield b"x"

    answer = filled_web.client.post("/api/acknowledge-alert/1", content=endless())
    assert_problem(answer, 411)


def test_an_alert_that_never_was_cannot_be_acknowledged(filled_web: Web) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = filled_web.client.post("/api/acknowledge-alert/987654", headers=headers)
    assert assert_problem(answer, 404)["error"] == "there is no alert 987654"


# Names


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8080", "10.1.2.3"],
)
def test_bare_addresses_and_localhost_are_ours(filled_web: Web, host: str) -> None:
    assert filled_web.client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "1.2.3.4.5", "[x]"])
def test_other_names_are_refused(filled_web: Web, host: str) -> None:
    answer = filled_web.client.get("/api/tasks", headers={"Host": host})
    assert_problem(answer, 421)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_name_that_was_given_is_ours(dsn: str) -> None:
    with Web(dsn, names=("Watch.example",)) as web:
        for host in ("watch.example", "WATCH.example:8080"):
            assert web.client.get("/healthz", headers={"Host": host}).status_code == 200


# Rights


def test_whatever_the_login_may_the_service_only_reads(
    dsn: str, connection: psycopg.Connection[Any]
) -> None:
    connection.execute(
        """
        create or replace view monitoring.v_queue_performance as
        select queue_name, pending, processing, completed, failed, oldest_ready_seconds,
            recorded_at, 1::bigint as samples, 0::numeric as avg_pending, 0::bigint as max_pending,
            0::bigint as pending_change,
            length(current_user || current_setting('transaction_read_only'))::double precision
                as completed_per_minute,
            0::numeric as failed_percent
        from monitoring.queue_monitoring
        """
    )
    connection.execute("select monitoring.record_queue_metrics('q', 1)")
    with Web(dsn) as web:
        (row,) = web.rows("/api/queues")
    assert row["completed_per_minute"] == len("monitoring_reader" + "on")


def test_a_login_without_rights_is_told_what_it_lacks(
    dsn: str, connection: psycopg.Connection[Any]
) -> None:
    with Web(_as_role(connection, dsn, "web_nobody")) as web:
        problem = assert_problem(web.client.get("/api/tasks"), 503)
        assert problem["error"] == "the service lacks rights in the database"
    connection.execute("drop role web_nobody")


def test_a_reader_reads_and_does_not_acknowledge(
    dsn: str, connection: psycopg.Connection[Any]
) -> None:
    firing = _fire(connection)
    with Web(_as_role(connection, dsn, "web_reader", "monitoring_reader")) as web:
        assert web.rows("/api/active-alerts")
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = web.client.post(f"/api/acknowledge-alert/{firing}", headers=headers)
        assert_problem(answer, 503)
    connection.execute("drop role web_reader")


def test_an_operator_reads_and_acknowledges(dsn: str, connection: psycopg.Connection[Any]) -> None:
    firing = _fire(connection)
    with Web(_as_role(connection, dsn, "web_operator", "monitoring_operator")) as web:
        assert web.rows("/api/active-alerts")
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = web.client.post(f"/api/acknowledge-alert/{firing}", headers=headers)
        assert answer.json()["alert"]["acknowledged_by"] == "web_operator"
    connection.execute("drop role web_operator")


def _as_role(
    connection: psycopg.Connection[Any], dsn: str, name: str, member_of: str | None = None
) -> str:
    """Make a login and return the DSN for it; the caller drops it."""
    connection.execute(
        sql.SQL("create role {} login password 'for-a-test'").format(sql.Identifier(name))
    )
    if member_of is not None:
        connection.execute(
            sql.SQL("grant {} to {}").format(sql.Identifier(member_of), sql.Identifier(name))
        )
    return psycopg.conninfo.make_conninfo(dsn, user=name, password="for-a-test")


def _fire(connection: psycopg.Connection[Any]) -> int:
    """Have an alert fire and return its number."""
    connection.execute("select monitoring.update_system_health('service', 'mail', 'unhealthy')")
    connection.execute("select monitoring.evaluate_alerts()")
    number: int = value(connection, "select min(alert_id) from monitoring.v_active_alerts")
    return number


# The token


def test_a_token_comes_from_a_file_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGVIGIL_WEB_TOKEN", raising=False)
    assert read_token(None) is None
    monkeypatch.setenv("PGVIGIL_WEB_TOKEN", "from-the-environment\n")
    assert read_token(None) == "from-the-environment"
    file = tmp_path / "token"
    file.write_text("from-the-file-alone\n")
    file.chmod(0o600)
    assert read_token(file) == "from-the-file-alone"


@pytest.mark.parametrize("token", ["short", "with a space in it", "ümlaut-ümlaut-ümlaut", ""])
def test_a_token_that_is_none_is_refused_and_not_shown(tmp_path: Path, token: str) -> None:
    file = tmp_path / "token"
    file.write_text(token)
    file.chmod(0o600)
    with pytest.raises(TokenError) as refused:
        read_token(file)
    assert not token or token not in str(refused.value)


def test_a_token_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("a-token-for-all-to-see")
    file.chmod(0o644)
    with pytest.raises(TokenError, match="others may read"):
        read_token(file)
    with pytest.raises(TokenError, match="cannot read"):
        read_token(tmp_path / "none")


# The command


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_it_listens_to_this_machine_alone_unless_told(host: str) -> None:
    result = CliRunner().invoke(main, ["serve", "--host", host, "--port", "0"])
    assert result.exit_code == 1
    assert f"others would reach {host}" in result.output
    assert "--allow-remote" in result.output


@pytest.mark.parametrize(
    "options",
    [
        ["--host", "no-such-name.invalid"],
        ["--host", "192.0.2.1", "--allow-remote"],
        ["--dsn", "postgresql://u:secret@word@h/db"],
        ["--token-file", "/nonexistent"],
    ],
)
def test_what_it_cannot_do_it_says_and_shows_no_secret(options: list[str]) -> None:
    result = CliRunner().invoke(main, ["serve", "--port", "0", *options])
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert "secret" not in result.output
