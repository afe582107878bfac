"""The APR example: what pgvigil holds at its end is what an independent count comes to."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from pgvigil.demo.server import PostgresServer
from tests import ROOT
from tests.harness.clients import clean_environment
from tests.harness.databases import create_database, drop_database
from tests.python.support.apr_count import VALIDATIONS, Count, is_key, status_changes
from tests.python.support.grafana_files import panels, queries, sent, shown_by

EXAMPLE = ROOT / "examples" / "apr"
DAYS = [date(2026, 1, 12) + timedelta(days=number) for number in range(3)]


def watch(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, EXAMPLE / "watch_proposals.py", *options],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def finished(server: PostgresServer, template: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """A database in which the example has run."""
    create_database(server, "apr_example", template)
    dsn = server.dsn("apr_example")
    result = watch("--dsn", dsn, "--proposals", "60", "--wrong-percent", "25", "--seed", "7")
    assert result.returncode == 0, result.stderr
    with psycopg.connect(
        dsn, autocommit=True, row_factory=dict_row, options="-c search_path=apr"
    ) as connection:
        yield connection
    drop_database(server, "apr_example")


@pytest.fixture(scope="module")
def counted(finished: psycopg.Connection[dict[str, Any]]) -> Count:
    """What must have been found."""
    rows = finished.execute("select changed_at, proposal, state from journal order by entry")
    count = Count([(row["changed_at"], row["proposal"], row["state"]) for row in rows])
    count.follow(DAYS)
    return count


def test_there_is_something_to_count(counted: Count) -> None:
    spells = [spell for each in counted.spells.values() for spell in each]
    assert Counter(spell.resolution for spell in spells).keys() == {"auto", "superseded", None}
    assert {validation for _, validation in counted.spells} == set(VALIDATIONS)
    assert {run.mode for run in counted.runs} == {"full", "partial"}
    assert is_key("35200114200166000187550010000000046550000046") is False
    assert is_key("43171207364617000135550000000120141000120146") is True


def test_invalid_records_are_those_that_an_independent_check_finds(
    finished: psycopg.Connection[dict[str, Any]], counted: Count
) -> None:
    rows = finished.execute("select * from apr_invalid_records").fetchall()
    assert {(row["record_key"], row["validation_type"]) for row in rows} == counted.spells.keys()
    for row in rows:
        spells = counted.spells[row["record_key"], row["validation_type"]]
        assert row["first_detected_at"] == spells[0].opened_at
        assert row["last_detected_at"] == spells[-1].last_at
        assert row["opened_at"] == spells[-1].opened_at
        assert row["resolved_at"] == spells[-1].resolved_at
        assert row["resolution"] == spells[-1].resolution
        assert row["times_detected"] == sum(spell.times for spell in spells)
        assert row["times_reopened"] == len(spells) - 1


def test_times_until_resolution_are_those_of_the_spells(
    finished: psycopg.Connection[dict[str, Any]], counted: Count
) -> None:
    rows = finished.execute("select * from monitoring.v_resolution_times where dataset = 'apr'")
    found = {
        (row["validation_type"], row["resolution"]): (row["resolved_records"], row["avg_seconds"])
        for row in rows
    }
    expected: dict[tuple[str, str], list[float]] = {}
    for (_, validation), spells in counted.spells.items():
        for spell in spells:
            if spell.resolved_at and spell.resolution:
                seconds = (spell.resolved_at - spell.opened_at).total_seconds()
                expected.setdefault((validation, spell.resolution), []).append(seconds)
    assert found.keys() == expected.keys()
    for name, lengths in expected.items():
        assert found[name] == (len(lengths), pytest.approx(sum(lengths) / len(lengths)))


def test_every_change_of_status_of_the_business_is_history_once(
    finished: psycopg.Connection[dict[str, Any]], counted: Count
) -> None:
    rows = finished.execute(
        "select record_key, from_status, to_status, change_source, actor, effective_at"
        " from apr_status_history where validation_type = ''"
    )
    expected = status_changes(counted.entries)
    assert sorted(map(_key, (tuple(row.values()) for row in rows))) == sorted(map(_key, expected))
    assert {change[3] for change in expected} == {"SYSTEM", "BOT", "MANUAL"}


def _key(change: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(
        value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
        for value in change
    )


def test_each_resolution_has_a_change_of_its_own(
    finished: psycopg.Connection[dict[str, Any]], counted: Count
) -> None:
    rows = finished.execute(
        "select record_key, validation_type, to_status, change_source, effective_at"
        " from apr_status_history where validation_type <> ''"
    )
    ends = {"auto": ("valid", "AUTO_RESOLVE"), "superseded": ("superseded", "MANUAL")}
    expected = [
        (*name, *ends[spell.resolution], spell.resolved_at)
        for name, spells in counted.spells.items()
        for spell in spells
        if spell.resolution
    ]
    assert sorted(map(_key, (tuple(row.values()) for row in rows))) == sorted(map(_key, expected))


def test_every_run_of_the_monitor_is_in_the_log(
    finished: psycopg.Connection[dict[str, Any]], counted: Count
) -> None:
    rows = finished.execute("select * from apr_processing_log").fetchall()
    found = {(row["target_date"], row["run_mode"], row["finished_at"]): row for row in rows}
    assert len(rows) == len(found) == len(counted.runs)
    for run in counted.runs:
        row = found[run.day, run.mode, run.at]
        assert row["status"] == "completed"
        assert row["execution_seconds"] > 0
        assert row["total_records_queried"] == run.queried
        assert row["valid_records"] == run.queried - run.invalid
        assert row["invalid_records"] == run.invalid
        assert row["alerts_sent"] == run.alerts
        for name, number in run.by_validation.items():
            assert row["statistics"][f"invalid_{name.lower()}"] == number


def test_products_are_those_that_proposals_brought(
    finished: psycopg.Connection[dict[str, Any]],
) -> None:
    query = "select {} as key, product, quantity::integer, amount from {} order by 1, 2"
    told = finished.execute(query.format("record_key", "apr_proposal_products").encode())
    brought = finished.execute(query.format("proposal", "products").encode())
    expected = brought.fetchall()
    assert len(expected) > 100
    assert told.fetchall() == expected


def test_days_are_summed_up_from_all_of_that(
    finished: psycopg.Connection[dict[str, Any]], counted: Count
) -> None:
    changes = status_changes(counted.entries)
    products = {
        row["day"]: row["products"]
        for row in finished.execute(
            "select received_on as day, count(*) as products"
            " from products inner join proposals using (proposal) group by 1"
        )
    }
    summaries = finished.execute("select * from apr_daily_summary order by target_date").fetchall()
    assert [row["target_date"] for row in summaries] == DAYS
    for row in summaries:
        day = row["target_date"]
        runs = [run for run in counted.runs if run.day == day]
        complete = [run for run in runs if run.mode == "full"][-1]
        spells = [(n[1], spell) for n, each in counted.spells.items() for spell in each]
        opened = Counter(name for name, spell in spells if spell.opened_at.date() == day)
        ended = [s for _, s in spells if s.resolved_at and s.resolved_at.date() == day]
        left = [s for _, s in spells if s.opened_at.date() <= day and s not in ended]
        left = [s for s in left if s.resolved_at is None or s.resolved_at.date() > day]
        sources = Counter(change[3] for change in changes if change[5].date() == day)
        sources["AUTO_RESOLVE"] += sum(spell.resolution == "auto" for spell in ended)
        sources["MANUAL"] += sum(spell.resolution == "superseded" for spell in ended)
        assert row["runs"] == len(runs)
        assert row["records_queried"] == complete.queried == 60
        assert row["invalid_records"] == complete.invalid
        assert row["valid_records"] == 60 - complete.invalid
        assert row["alerts_sent"] == sum(run.alerts for run in runs)
        assert row["invalid_opened"] == opened.total()
        assert row["invalid_by_type"] == dict(opened)
        assert row["invalid_resolved"] == len(ended)
        assert row["invalid_open"] == len(left)
        assert row["status_changes_by_source"] == dict(+sources)
        assert row["products"] == products[day]


def test_people_are_alerted_to_what_is_not_allowed_and_what_stays_invalid(
    finished: psycopg.Connection[dict[str, Any]], counted: Count
) -> None:
    rows = finished.execute(
        "select rule_name, labels from monitoring.alerts where family = 'records'"
    ).fetchall()
    against_the_rules = {
        (before, after)
        for _, before, after, *_ in status_changes(counted.entries)
        if (before, after) == ("REJECTED", "ANALYSIS")
    }
    told = {
        (row["labels"]["from_status"], row["labels"]["to_status"])
        for row in rows
        if row["rule_name"] == "status_change_unexpected"
    }
    assert told == against_the_rules != set()
    old = {
        row["labels"]["validation_type"]
        for row in rows
        if row["rule_name"] == "invalid_records_old"
    }
    evening = datetime(2026, 1, 14, 18, tzinfo=UTC)
    assert old >= {
        validation
        for (_, validation), spell in counted.open_spells().items()
        if evening - spell.opened_at >= timedelta(hours=24)
    }


PANELS = {
    "Current status overview": "piechart",
    "Invalid records by type": "barchart",
    "Processing trend": "timeseries",
    "Alert volume": "timeseries",
    "Average resolution time": "stat",
    "Recent status changes": "table",
    "Top issues by group": "barchart",
    "Execution performance": "timeseries",
}
EVENING = datetime(2026, 1, 14, 18, tzinfo=UTC)


@pytest.mark.parametrize("title", PANELS)
def test_a_panel_is_of_its_kind_and_shows_what_was_counted(
    title: str, finished: psycopg.Connection[dict[str, Any]], counted: Count
) -> None:
    (asked,) = (each for each in queries() if (each.board, each.title) == ("records", title))
    (panel,) = (each for each in panels("records") if each["title"] == title)
    assert panel["type"] == asked.kind == PANELS[title]
    drawn = panel["fieldConfig"]["defaults"].get("custom", {})
    assert drawn.get("drawStyle", "line") == "line"
    is_area = drawn.get("stacking", {}).get("mode") == "normal" and drawn["fillOpacity"] > 20
    assert is_area == (title == "Alert volume")
    found = finished.execute(sent(asked, shown_by("records", EVENING)).encode()).fetchall()
    runs = [run for run in counted.runs if run.mode == "full"]
    left = counted.open_spells()
    ended = [
        (spell.resolved_at - spell.opened_at).total_seconds()
        for each in counted.spells.values()
        for spell in each
        if spell.resolved_at
    ]
    match title:
        case "Current status overview":
            assert sum(row["records"] for row in found) == 60 * len(DAYS)
        case "Invalid records by type":
            by_type = {row["validation_type"]: row["records"] for row in found}
            assert by_type == dict(Counter(validation for _, validation in left))
        case "Processing trend":
            assert [(row["time"].date(), row["queried"]) for row in found] == [
                (day, 60) for day in DAYS
            ]
        case "Alert volume":
            assert sum(row["alerts"] for row in found) == sum(run.alerts for run in runs) > 0
            assert {row["metric"] for row in found} == set(VALIDATIONS)
        case "Average resolution time":
            assert found[0]["average_seconds"] == pytest.approx(sum(ended) / len(ended))
        case "Recent status changes":
            assert {row["recorded_at"].date() for row in found} == {DAYS[-1]}
        case "Top issues by group":
            assert sum(row["records"] for row in found) == len(left)
        case "Execution performance":
            assert len(found) == len(counted.runs)


def test_it_runs_with_one_command_in_a_database_of_its_own(tmp_path: Path) -> None:
    result = watch("--data-dir", str(tmp_path / "apr"), "--days", "1", "--proposals", "20")
    assert (result.returncode, result.stderr) == (0, "")
    assert "2026-01-12 has gone by" in result.stdout
    assert "apr_daily_summary" in result.stdout
    again = watch("--data-dir", str(tmp_path / "apr"), "--days", "1", "--proposals", "20")
    assert again.stdout == result.stdout, "the same seed makes the same day"


def test_it_leaves_a_schema_of_the_same_name_alone(
    dsn: str, connection: psycopg.Connection
) -> None:
    connection.execute("create schema apr")
    result = watch("--dsn", dsn, "--days", "1")
    assert result.returncode == 1
    assert "has a schema apr already" in result.stderr
