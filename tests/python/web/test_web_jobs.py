"""Jobs, runs and groups of errors as data, and what people decide about them and about alerts."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from tests.python.support.page_data import fill_with_alerts
from tests.python.support.web_running import TOKEN, Web

BEARER = {"Authorization": f"Bearer {TOKEN}"}
ODD = "a/b ü?#%../c"


@pytest.fixture
def worked(connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """A database in which a job ran, failed, and runs, under a name that is hard to write."""
    connection.execute("set search_path = monitoring, public")
    connection.execute(
        """
        select record_finished_tasks(jsonb_agg(jsonb_build_object(
            'task_id', %(job)s || n, 'task_type', %(job)s, 'parent_task_id', 'whole',
            'status', case when n = 3 then 'failed' else 'completed' end,
            'start_time', now() - make_interval(mins => 10 * n),
            'end_time', now() - make_interval(mins => 10 * n - 5)
        )))
        from generate_series(1, 6) n
        """,
        {"job": ODD},
    )
    connection.execute(
        "select start_task_tracking('whole', 'night', p_items_total => 8,"
        " p_started_at => now() - interval '2 hours')"
    )
    connection.execute("select update_task_progress('whole', 2)")
    for number in range(3):
        connection.execute("select record_log('night', 'info', %s, null, 'whole')", [f"l{number}"])
    connection.execute(
        "select record_error('whole', 'Timeout', 'high', 'no answer in 3 s', 'net',"
        " '{\"release\": \"1.4\"}', 'in send()', %s)",
        [ODD],
    )
    connection.execute("select roll_up()")
    return connection


def test_job_is_found_by_whatever_name_it_has(web: Web, worked: psycopg.Connection[Any]) -> None:
    job = web.get(f"/api/jobs/{quote(ODD, safe='')}")
    assert job["job"] | {"ended": 6, "failed": 1, "state": "ok"} == job["job"]
    assert job["job"]["days"][-1]["completed"] + job["job"]["days"][0]["completed"] >= 5
    assert "task_stuck" in {rule["rule_name"] for rule in job["rules"]}
    assert (job["expected"], job["step"], job["alerts"]) == (None, None, [])
    (listed,) = web.get(f"/api/jobs?search={quote(ODD)}")["rows"]
    assert listed == job["job"]


def test_runs_of_a_job_say_why_they_failed(web: Web, worked: psycopg.Connection[Any]) -> None:
    path = f"/api/job-runs?job={quote(ODD, safe='')}"
    first = web.get(f"{path}&limit=4")
    rest = web.get(f"{path}&limit=4&after={first['next']}")
    assert [row["task_id"] for row in first["rows"] + rest["rows"]] == [
        f"{ODD}{n}" for n in range(1, 7)
    ]
    assert rest["next"] is None
    assert [row["task_id"] for row in web.get(f"{path}&status=failed")["rows"]] == [f"{ODD}3"]


def test_run_has_its_parts_errors_and_log(web: Web, worked: psycopg.Connection[Any]) -> None:
    run = web.get("/api/runs/whole")
    (attempt,) = run["attempts"]
    assert attempt | {"status": "running", "progress_percent": 25.0} == attempt
    assert attempt["is_backend_alive"] is True
    assert len(run["children"]) == 6
    (error,) = run["errors"]
    assert (error["stack"], error["fingerprint"]) == ("in send()", ODD)
    lines = web.get("/api/run-logs?task_id=whole&limit=2")
    assert [line["message"] for line in lines["rows"]] == ["l2", "l1"]
    (last,) = web.get(f"/api/run-logs?task_id=whole&limit=2&after={lines['next']}")["rows"]
    assert last["message"] == "l0"


def test_run_that_failed_says_why_and_attempts_are_told_apart(
    web: Web, worked: psycopg.Connection[Any]
) -> None:
    worked.execute("select start_task_tracking('again', 'night')")
    worked.execute(
        "select complete_task_tracking('again', 'failed',"
        ' p_metadata => \'{"error_message": "disk full"}\')'
    )
    worked.execute("select start_task_tracking('again', 'night')")
    run = web.get("/api/runs/again")
    assert [(row["attempt"], row["error_message"]) for row in run["attempts"]] == [
        (2, None),
        (1, "disk full"),
    ]
    assert run["shown"] == 2
    assert web.get("/api/runs/again?attempt=1")["shown"] == 1
    missing = web.client.get("/api/runs/again?attempt=3")
    assert (missing.status_code, missing.json()["detail"]) == (
        404,
        "there is no run again, attempt 3",
    )


def test_group_of_errors_has_occurrences_and_points(
    web: Web, worked: psycopg.Connection[Any]
) -> None:
    group = web.get(f"/api/errors/{quote(ODD, safe='')}")
    assert group["group"]["status"] == "open"
    assert sum(point["value"] for point in group["points"]) == 1
    (newest,) = group["occurrences"]
    assert newest | {"task_type": "night", "stack": "in send()"} == newest
    assert web.get(f"/api/error-occurrences?fingerprint={quote(ODD, safe='')}")["rows"] == [newest]
    assert len(web.get("/api/errors?search=NO%20ANSWER&component=net")["rows"]) == 1
    assert web.get("/api/errors?search=something%20else")["rows"] == []


def test_people_decide_about_groups_with_the_token_alone(
    web: Web, worked: psycopg.Connection[Any]
) -> None:
    name = quote(ODD, safe="")
    assert web.client.post(f"/api/resolve-error-group/{name}").status_code == 401
    said = {"note": "mended", "by": "ann"}
    resolved = web.client.post(f"/api/resolve-error-group/{name}", json=said, headers=BEARER)
    group = resolved.json()["group"]
    assert group | {"status": "resolved", "changed_by": "ann", "note": "mended"} == group
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    muted = web.client.post(f"/api/mute-error-group/{name}", json={"until": until}, headers=BEARER)
    group = muted.json()["group"]
    assert group["status"] == "muted"
    assert datetime.fromisoformat(group["muted_until"]) == datetime.fromisoformat(until)
    reopened = web.client.post(f"/api/reopen-error-group/{name}", headers=BEARER).json()
    assert reopened["group"]["status"] == "open"
    worked.execute("select monitoring.record_error('t', 'E', 'low', 'm', p_fingerprint => 'part')")
    refused = web.client.post("/api/merge-error-group/part", json={"into": ODD})
    assert refused.status_code == 401
    said = {"into": ODD, "by": "ann"}
    merged = web.client.post("/api/merge-error-group/part", json=said, headers=BEARER).json()
    assert (merged["group"]["fingerprint"], merged["group"]["merged_from"]) == (ODD, ["part"])
    assert len(web.get("/api/errors/part")["occurrences"]) == 2
    split = web.client.post("/api/split-error-group/part", headers=BEARER).json()
    assert split["group"]["fingerprint"] == "part"
    unknown = web.client.post("/api/reopen-error-group/unknown", headers=BEARER)
    assert (unknown.status_code, unknown.json()["detail"]) == (
        404,
        "there is no error group unknown",
    )
    past = {"until": "2001-01-01T00:00:00Z"}
    refused = web.client.post(f"/api/mute-error-group/{name}", json=past, headers=BEARER)
    assert refused.status_code == 400


def test_people_decide_about_alerts(web: Web, connection: psycopg.Connection[Any]) -> None:
    fill_with_alerts(connection, 4)
    listed = web.get("/api/active-alerts")["rows"]
    number = listed[0]["alert_id"]

    def decide(what: str, **said: Any) -> Any:
        answer = web.client.post(f"/api/{what}-alert/{number}", json=said, headers=BEARER)
        return answer.json().get("alert") or (answer.status_code, answer.json()["detail"])

    assert decide("unacknowledge") == (409, f"alert {number} is not acknowledged")
    assert decide("acknowledge", by="ann")["status"] == "acknowledged"
    # What somebody looks after comes after what nobody does, however bad it is.
    assert web.get("/api/active-alerts")["rows"][-1]["alert_id"] == number
    assert decide("unacknowledge", by="ann")["status"] == "firing"
    assert decide("silence", hours=2, note="known", by="ann")["suppressed_by"].startswith("silence")
    assert decide("resolve", by="ann")["status"] == "resolved"
    assert decide("resolve", by="ann") == (409, f"alert {number} does not fire")
    gone = web.client.post("/api/silence-alert/987654", headers=BEARER)
    assert (gone.status_code, gone.json()["detail"]) == (404, "there is no alert 987654")


def test_job_that_has_not_come_is_missed_and_has_its_alert(
    web: Web, connection: psycopg.Connection[Any]
) -> None:
    connection.execute("set search_path = monitoring, public")
    connection.execute("select define_expected_runs('backup', '* * * * *', p_grace => '0')")
    connection.execute(
        "update monitoring.expected_runs set expected_since_at = now() - interval '3 hours'"
    )
    connection.execute("delete from monitoring.expected_run_states")
    connection.execute("select evaluate_alerts()")
    job = web.get("/api/jobs/backup")
    assert job["job"] | {"state": "missed", "alerts": 1, "kind": "expected"} == job["job"]
    assert [alert["rule_name"] for alert in job["alerts"]] == ["missed_run"]
    assert job["expected"]["schedule"] == "* * * * *"
    assert [row["job_name"] for row in web.get("/api/jobs?troubled=true")["rows"]] == ["backup"]
