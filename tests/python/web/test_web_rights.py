"""Who may read and write through the web service, with which token and which login."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from psycopg import sql

from pgvigil.commands.cli import main
from pgvigil.database.secret_file import SecretFileError
from pgvigil.faces.web.token import TokenError, read_token
from tests.python.support.asking import value
from tests.python.support.web_problems import assert_problem
from tests.python.support.web_running import TOKEN, Web

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
    assert assert_problem(answer, 404)["detail"] == "there is no alert 987654"


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
        assert problem["detail"] == "the service lacks rights in the database"
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
    with pytest.raises(SecretFileError, match="others may read"):
        read_token(file)
    with pytest.raises(SecretFileError, match="cannot read"):
        read_token(tmp_path / "none")


# The command


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_it_listens_to_this_machine_alone_unless_told(host: str) -> None:
    result = CliRunner().invoke(main, ["serve", "--host", host, "--port", "0"])
    assert result.exit_code == 1
    assert f"other machines can reach {host}" in result.output
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
