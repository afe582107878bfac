"""A day at a utility: what the page is shown with in tests and in the documentation."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from tests import ROOT

NOW = datetime(2026, 3, 3, 21, 50, tzinfo=UTC)
"""The moment shown: ten to eleven in the evening in Berlin, while bill segments are made."""

_BILLING = ROOT / "examples/batch/billing.json"
_MIDNIGHT = NOW.replace(hour=0, minute=0)
# Step, minutes after midnight at which it begins (UTC), minutes it takes, records.
_USUAL_DAY = (
    ("CM-DMRU", 1020, 19, 86_000),
    ("D1-IMD", 1041, 27, 71_500),
    ("D1-IMD", 1085, 12, 14_500),
    ("C1-PPBTR", 1099, 31, 18_200),
    ("F1-FLUSH", 1146, 2, 40),
    ("CM_BSGGN", 1260, 112, 72_000),
    ("BILLRESTSMS", 1375, 14, 68_900),
)
_DAYS = 15


def fill(connection: psycopg.Connection[Any]) -> None:
    """Record two weeks of work up to NOW, and what of it is wrong at present.

    What runs does so in this session: it is alive for as long as that is open.
    """
    set_clock(connection, NOW)
    connection.execute("select monitoring.apply_workflow(%s)", [_BILLING.read_text()])
    chance = random.Random(17)
    _record(connection, "tasks", [*_earlier_days(chance), *_today(), *_small_tasks(chance)])
    _record(connection, "errors", [*_errors(chance)])
    _run_now(connection)
    _queues(connection, chance)
    _health(connection, chance)
    _invalid_records(connection)
    _evaluate_as_time_went_by(connection)


def _evaluate_as_time_went_by(connection: psycopg.Connection[Any]) -> None:
    for minutes in (85, 60, 35, 12, 0):
        set_clock(connection, NOW - timedelta(minutes=minutes))
        # What is rolled up while the clock is behind counts as told by clocks that are ahead.
        connection.execute("select monitoring.evaluate_alerts()")
    evaluate(connection)
    connection.execute(
        "select monitoring.acknowledge_alert(a.alert_id, 'the printer is being serviced', 'ann') "
        "from monitoring.v_active_alerts as a where a.fingerprint = 'service/letter-printer'"
    )


def set_clock(connection: psycopg.Connection[Any], now: datetime) -> None:
    """Let the database take this moment for the present."""
    connection.execute("select set_config('monitoring.now', %s, false)", [now.isoformat()])


def evaluate(connection: psycopg.Connection[Any]) -> None:
    """Do what the jobs do, as of the clock, at which they have just been due."""
    connection.execute("update monitoring.jobs set next_run_at = monitoring.clock()")
    connection.execute("select monitoring.ensure_partitions()")
    connection.execute("select monitoring.roll_up()")
    connection.execute("select monitoring.evaluate_alerts()")


def _record(connection: psycopg.Connection[Any], what: str, rows: list[dict[str, Any]]) -> None:
    function = {"tasks": "record_finished_tasks", "errors": "record_errors"}[what]
    connection.execute(f"select monitoring.{function}(%s)", [json.dumps(rows, default=str)])


def _ended(
    name: str, kind: str, began: datetime, minutes: float, status: str = "completed", **more: Any
) -> dict[str, Any]:
    ended = began + timedelta(minutes=minutes)
    return {
        "task_id": name,
        "task_type": kind,
        "status": status,
        "start_time": began,
        "end_time": ended,
        **more,
    }


def _earlier_days(chance: random.Random) -> Iterator[dict[str, Any]]:
    for back in range(1, _DAYS):
        midnight = _MIDNIGHT - timedelta(days=back)
        for place, (step, begin, minutes, records) in enumerate(_USUAL_DAY):
            yield _ended(
                f"{step}-{midnight:%m%d}-{place}",
                step,
                midnight + timedelta(minutes=begin + chance.uniform(0, 3)),
                minutes * chance.uniform(0.85, 1.2),
                items_done=int(records * chance.uniform(0.9, 1.1)),
                counters={"remaining": 0},
                metadata={"threads": 8},
            )


def _today() -> Iterator[dict[str, Any]]:
    for place, (step, begin, minutes, records) in enumerate(_USUAL_DAY[:5]):
        began = _MIDNIGHT + timedelta(minutes=begin)
        name = f"{step}-{_MIDNIGHT:%m%d}-{place}"
        more: dict[str, Any] = {
            "counters": {"remaining": 14_500 if place == 1 else 0},
            "metadata": {"threads": 8},
        }
        if step == "C1-PPBTR":
            failed = {"error_message": "deadlock detected on bill_segment; gave up after 5 tries"}
            yield _ended(
                name,
                step,
                began,
                9,
                "failed",
                items_done=5_100,
                metadata={"threads": 8} | failed,
            )
            began, minutes = began + timedelta(minutes=12), 33
            more["attempt"] = 2
        yield _ended(name, step, began, minutes, items_done=records, **more)


def _small_tasks(chance: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(2_600):
        # More by day than by night.
        ago = chance.uniform(0, 7 * 24)
        if chance.random() > 0.35 + 0.65 * (8 <= (NOW - timedelta(hours=ago)).hour < 19):
            continue
        kind, seconds, risk = chance.choice(
            (("invoice", 4, 0.012), ("meter-import", 21, 0.03), ("archive", 9, 0.004))
        )
        yield _ended(
            f"{kind}-{number}",
            kind,
            NOW - timedelta(hours=ago, seconds=seconds * 3),
            seconds / 60 * chance.lognormvariate(0, 0.5),
            "failed" if chance.random() < risk * (4 if ago < 3 else 1) else "completed",
            items_done=chance.randrange(5, 400),
        )


def _errors(chance: random.Random) -> Iterator[dict[str, Any]]:
    kinds = (
        ("DeadlockDetected", "high", "C1-PPBTR", "deadlock detected on bill_segment {n}", 14, 5),
        ("TimeoutError", "medium", "meter-import", "no answer from 10.3.0.{n} in 30 s", 61, 24),
        ("ValidationError", "low", "meter-import", "meter {n}: reading below the last", 134, 24),
        ("SmtpError", "medium", "BILLRESTSMS", "451 try again later (id {n})", 22, 60),
        ("DiskFull", "critical", "archive", "no space left on /archive/{n}", 3, 2),
    )
    for kind, severity, component, message, count, hours in kinds:
        for _ in range(count):
            yield {
                "error_type": kind,
                "severity": severity,
                "component": component,
                "message": message.format(n=chance.randrange(100, 250)),
                "occurred_at": NOW - timedelta(hours=chance.uniform(0, hours)),
            }


def _run_now(connection: psycopg.Connection[Any]) -> None:
    _begin(connection, "CM_BSGGN-0303", "CM_BSGGN", 50, 31_480, 72_000, {"threads": 8})
    _begin(connection, "invoice-2601", "invoice", 0.4, 3, 12, {})
    _begin(connection, "meter-import-2602", "meter-import", 2.1, 410, 1_300, {})
    _begin(connection, "archive-2603", "archive", 74, 12, None, {})


def _begin(
    connection: psycopg.Connection[Any],
    name: str,
    kind: str,
    minutes: float,
    done: int,
    total: int | None,
    metadata: dict[str, Any],
) -> None:
    connection.execute(
        "select monitoring.start_task_tracking(%s, %s, p_worker_id => 'worker-2', "
        "p_items_total => %s, p_metadata => %s, p_started_at => %s)",
        [name, kind, total, json.dumps(metadata), NOW - timedelta(minutes=minutes)],
    )
    connection.execute(
        "select monitoring.update_task_progress(%s, %s, p_at => %s)",
        [name, done, NOW - timedelta(minutes=minutes * 0.01)],
    )


def _queues(connection: psycopg.Connection[Any], chance: random.Random) -> None:
    depths = {"invoices": 38.0, "letters": 140.0, "meter-readings": 24.0}
    worked = dict.fromkeys(depths, 0)
    for minute in range(24 * 60, -1, -5):
        at = NOW - timedelta(minutes=minute)
        for name, depth in depths.items():
            wave = 1.6 if 8 <= at.hour < 19 else 0.6
            rise = 3.2 * max(0, 120 - minute) if name == "letters" else 0
            pending = max(0, int(depth * wave * chance.uniform(0.8, 1.2) + rise))
            worked[name] += chance.randrange(10, 60)
            connection.execute(
                "select monitoring.record_queue_metrics(%s, %s, %s, %s, %s, %s, %s)",
                [name, pending, 4, worked[name], worked[name] // 90, pending / 3, at],
            )


def _health(connection: psycopg.Connection[Any], chance: random.Random) -> None:
    components = (
        ("database", "billing", "healthy", 3, None),
        ("service", "tariffs", "healthy", 41, None),
        ("service", "letter-printer", "degraded", 1_840, "answers slowly"),
        ("service", "sms-gateway", "healthy", 120, None),
        ("storage", "archive", "unhealthy", None, "no space left on device"),
    )
    for kind, name, status, milliseconds, reason in components:
        for minute in range(24 * 60, -1, -20):
            is_now = minute < (90 if status == "unhealthy" else 45)
            connection.execute(
                "select monitoring.update_system_health(%s, %s, %s, %s, %s, p_checked_at => %s)",
                [
                    kind,
                    name,
                    status if is_now else "healthy",
                    milliseconds and milliseconds * chance.uniform(0.8, 1.3),
                    reason if is_now else None,
                    NOW - timedelta(minutes=minute),
                ],
            )


def _invalid_records(connection: psycopg.Connection[Any]) -> None:
    kinds = (
        ("bills", "amount_missing", "prepaid", 42, 6),
        ("bills", "duplicate_number", "postpaid", 7, 30),
        ("meters", "reading_below_last", "north", 118, 3),
    )
    for dataset, failed, group, number, hours in kinds:
        records = [{"record_key": f"{group}-{each:04}", "group": group} for each in range(number)]
        connection.execute(
            "select monitoring.log_invalid_records(%s, %s, %s, p_detected_at => %s)",
            [dataset, json.dumps(records), failed, NOW - timedelta(hours=hours)],
        )


def fill_with_alerts(connection: psycopg.Connection[Any], count: int) -> None:
    """Let so many queues be too deep, by all degrees."""
    set_clock(connection, NOW)
    for number in range(count):
        connection.execute(
            "select monitoring.record_queue_metrics(%s, %s, 1, 0, 0, null, %s)",
            [f"queue-{number:03}", (60, 150, 300, 900)[number % 4], NOW],
        )
    evaluate(connection)


def fill_with_names(connection: psycopg.Connection[Any], name: str) -> None:
    """Record one of everything under a name that a page may stumble over."""
    set_clock(connection, NOW)
    connection.execute("select monitoring.apply_workflow(%s)", [_workflow(name)])
    ended = [
        _ended(
            name, name, NOW - timedelta(minutes=50), 10, "failed", metadata={"error_message": name}
        ),
    ]
    _record(connection, "tasks", ended)
    _record(
        connection,
        "errors",
        [
            {
                "error_type": name,
                "severity": "critical",
                "component": name,
                "message": name,
                "occurred_at": NOW,
            }
        ],
    )
    _begin(connection, f"{name[:-1]}.", name, 5, 3, 12, {})
    connection.execute(
        "select monitoring.record_queue_metrics(%s, 900, 1, 0, 0, null, %s)", [name, NOW]
    )
    connection.execute(
        "select monitoring.update_system_health("
        "'service', %s, 'unhealthy', 5, %s, p_checked_at => %s)",
        [name, name, NOW],
    )
    connection.execute(
        "select monitoring.log_invalid_records(%s, %s, %s, p_detected_at => %s)",
        [name, json.dumps([{"record_key": name, "group": name}]), name, NOW],
    )
    evaluate(connection)


def _workflow(name: str) -> str:
    return json.dumps(
        {"workflow": name, "steps": [{"step": name}, {"step": "next", "after": [name]}]}
    )
