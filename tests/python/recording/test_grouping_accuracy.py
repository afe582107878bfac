"""Fingerprints group the lines of real logs as their true templates do."""

import gzip
from pathlib import Path

import psycopg
import pytest

from bench.grouping_accuracy import (
    SHARED_LOGS,
    group_by_fingerprint,
    grouping_accuracy,
    load_fingerprint,
    read_log,
    shared_log_files,
)

# What Drain reached with settings tuned to each log, as the mean over sixteen logs.
PUBLISHED_MEAN = 0.865
# A rule that is bad for one log must not hide behind the mean.
FLOOR_PER_LOG = 0.98

needs_logs = pytest.mark.skipif(
    not shared_log_files(), reason=f"the labelled logs are not in {SHARED_LOGS}"
)


@pytest.fixture
def accuracies(connection: psycopg.Connection) -> dict[str, float]:
    logs = [read_log(path) for path in shared_log_files()]
    return {
        log.name: grouping_accuracy(
            log.events, group_by_fingerprint(connection, log.messages).groups
        )
        for log in logs
    }


@needs_logs
def test_mean_accuracy_reaches_the_published_one_of_tuned_drain(
    accuracies: dict[str, float],
) -> None:
    assert sum(accuracies.values()) / len(accuracies) >= PUBLISHED_MEAN


@needs_logs
def test_no_log_falls_below_the_floor(accuracies: dict[str, float]) -> None:
    assert {name: share for name, share in accuracies.items() if share < FLOOR_PER_LOG} == {}


@pytest.mark.parametrize(
    ("truth", "predicted", "share"),
    [
        pytest.param("aabb", "xxyy", 1.0, id="names of groups do not matter"),
        pytest.param("aabb", "xxyz", 0.5, id="a split template loses all its lines"),
        pytest.param("aabb", "xxxx", 0.0, id="merged templates lose all their lines"),
        pytest.param("aabbc", "xxyzz", 0.4, id="one stray line costs two templates"),
    ],
)
def test_accuracy_counts_only_groups_that_match_exactly(
    truth: str, predicted: str, share: float
) -> None:
    assert grouping_accuracy(truth, predicted) == pytest.approx(share)


@pytest.mark.parametrize(("truth", "predicted"), [("", ""), ("a", "xy")])
def test_accuracy_refuses_what_cannot_be_compared(truth: str, predicted: str) -> None:
    with pytest.raises(ValueError, match="cannot compare"):
        grouping_accuracy(truth, predicted)


def test_a_log_is_read_plain_or_compressed(tmp_path: Path) -> None:
    table = 'LineId,Content,EventId\n1,"a, b",E1\n2,c,E2\n'
    plain = tmp_path / "Small_2k.log_structured.csv"
    plain.write_text(table, encoding="utf-8")
    compressed = tmp_path / "Small_2k.log_structured.csv.gz"
    compressed.write_bytes(gzip.compress(table.encode()))

    assert read_log(plain) == read_log(compressed)
    assert read_log(plain).messages == ["a, b", "c"]
    assert read_log(plain).events == ["E1", "E2"]


def test_the_benchmark_needs_nothing_but_the_fingerprint(empty_dsn: str) -> None:
    with psycopg.connect(empty_dsn, autocommit=True) as connection:
        load_fingerprint(connection)
        grouping = group_by_fingerprint(connection, ["page 4 is blank", "page 9 is blank", "no"])
    assert grouping.groups[0] == grouping.groups[1] != grouping.groups[2]
