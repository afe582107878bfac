"""What the web service refuses, and what it never tells."""

import base64
import re
from pathlib import Path

import httpx
import pytest

from tests.python.support.web_problems import assert_problem
from tests.python.support.web_running import Web


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
def test_what_is_invalid_is_refused_by_name(filled_web: Web, path: str, where: str) -> None:
    problem = assert_problem(filled_web.client.get(path), 422)
    assert [each["where"] for each in problem["errors"]] == [where]
    assert all(each["detail"] for each in problem["errors"])


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
def test_a_cursor_of_no_list_is_refused(filled_web: Web, after: str) -> None:
    for path in ("/api/tasks", "/api/errors", "/api/batch-logs", "/api/active-alerts"):
        assert_problem(filled_web.client.get(path, params={"after": after}), 400)


def test_a_cursor_with_what_no_text_can_hold_is_refused(filled_web: Web) -> None:
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
def test_a_cursor_that_no_column_can_hold_is_refused(
    filled_web: Web, path: str, place: str
) -> None:
    after = base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")
    url = httpx.URL(path).copy_merge_params({"after": after})
    problem = assert_problem(filled_web.client.get(url), 400)
    assert problem["type"] == "urn:pgvigil:invalid-cursor"


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
        assert problem["detail"] == "this installation has no page"


def test_a_page_is_served_with_its_files_and_nothing_beside_them(dsn: str, tmp_path: Path) -> None:
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text('<!doctype html><title>ü</title><a href="assets/page.js">')
    (page / "page.js").write_text("1")
    (page / "inner").mkdir()
    (tmp_path / "secret").write_text("secret")
    with Web(dsn, page=page) as web:
        answer = web.client.get("/")
        (place,) = re.findall(r'^<!doctype html><title>ü</title><a href="(.*)">$', answer.text)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert web.client.get(f"/{place}").headers["content-type"].startswith("text/javascript")
        for path in ("inner", "..%2fsecret", "%2e%2e/secret", "secret", "index.html"):
            assert_problem(web.client.get(f"/assets/1/{path}"), 404)
            assert_problem(web.client.get(f"/{path}"), 404)


@pytest.mark.parametrize(
    ("path", "caching"),
    [("/", "no-cache"), ("/jobs/a", "no-cache")]
    + [(path, "no-store") for path in ("/healthz", "/metrics", "/api/tasks", "/api/nothing")],
)
def test_every_answer_says_what_browsers_may_do_with_it(
    filled_web: Web, path: str, caching: str
) -> None:
    headers = filled_web.client.get(path).headers
    assert headers["cache-control"] == caching
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
