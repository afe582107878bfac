"""Datasets and records as data: what is invalid, for how long, day by day, and one record."""

from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from tests.python.support.web_running import Web

ODD = "a/b ü?#%../c"
PATH = f"/api/datasets/{quote(ODD, safe='')}"


@pytest.fixture
def found(connection: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """A database with invalid records of many ages, in a dataset that is hard to write."""
    connection.execute("set search_path = monitoring, public")
    connection.execute(
        """
        select load_invalid_records(jsonb_agg(jsonb_build_object(
            'dataset', %(odd)s::text, 'record_key', 'r' || n, 'validation_type', 'V' || n %% 2,
            'message', 'wrong ' || n, 'opened_at', now() - make_interval(days => n, mins => 1)
        )))
        from generate_series(0, 39) n
        """,
        {"odd": ODD},
    )
    connection.execute(
        "select resolve_invalid_records(%s::text, array['r3'], p_reason => 'typed', p_by => 'ann')",
        [ODD],
    )
    connection.execute(
        'select track_status_changes(\'bills\', \'[{"record_key": "1", "status": "NEW"}]\')'
    )
    return connection


def test_dataset_has_what_is_invalid_by_type_age_and_day(
    web: Web, found: psycopg.Connection[Any]
) -> None:
    whole = web.get(PATH)
    ages = ("open_below_1_day", "open_1_to_7_days", "open_7_to_30_days", "open_above_30_days")
    assert [whole["dataset"][age] for age in ages] == [1, 5, 23, 10]
    assert {row["validation_type"]: row["open_records"] for row in whole["types"]} == {
        "V0": 20,
        "V1": 19,
    }
    assert len(whole["days"]) == 30
    assert whole["days"][-1]["open_records"] == whole["dataset"]["open_records"] == 39
    assert sum(day["resolved"] for day in whole["days"]) == 1
    assert "invalid_records_many" in {rule["rule_name"] for rule in whole["rules"]}
    listed = web.get("/api/datasets")["rows"]
    assert [(row["dataset"], row["open_records"]) for row in listed] == [(ODD, 39), ("bills", 0)]
    first = web.get("/api/datasets?limit=1")
    assert web.get(f"/api/datasets?limit=1&after={first['next']}")["rows"] == listed[1:]
    missing = web.client.get("/api/datasets/none")
    assert (missing.status_code, missing.json()["detail"]) == (404, "there is no dataset none")


def test_records_are_found_by_age_and_text(web: Web, found: psycopg.Connection[Any]) -> None:
    path = f"/api/records?dataset={quote(ODD, safe='')}&status=open"
    week = web.get(f"{path}&open_days=1&open_days_below=7")["rows"]
    assert {row["record_key"] for row in week} == {"r1", "r2", "r4", "r5", "r6"}
    assert {row["record_key"] for row in web.get(f"{path}&open_days=39")["rows"]} == {"r39"}
    assert {row["record_key"] for row in web.get(f"{path}&search=WRONG%201")["rows"]} == {
        "r1", *(f"r{n}" for n in range(10, 20)),
    }  # fmt: skip


def test_record_is_told_with_who_resolved_it(web: Web, found: psycopg.Connection[Any]) -> None:
    record = web.get(f"/api/record-state?dataset={quote(ODD, safe='')}&record_key=r3")
    (validation,) = record["validations"]
    assert (validation["status"], validation["resolved_by"]) == ("resolved", "ann")
    assert record["status"] is None
    bill = web.get("/api/record-state?dataset=bills&record_key=1")
    assert (bill["status"]["status"], bill["validations"]) == ("NEW", [])
    nobody = web.get("/api/record-state?dataset=bills&record_key=2")
    assert (nobody["status"], nobody["validations"], nobody["products"]) == (None, [], [])
