"""Tables in the shape of the five systems, with believable history and its oddities.

Their statements are such as PostgreSQL and MariaDB take alike; what differs stands in braces.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

Rows = Iterator[Sequence[Any]]


@dataclass(frozen=True)
class Moved:
    """A question to their tables, and the one to our views that has the same answer."""

    theirs: str
    ours: str


@dataclass(frozen=True)
class System:
    """A system: its tables, what is in them, and what is to come of it."""

    mapping: str
    """Name of its document in examples/moving-in."""
    tables: dict[str, str]
    rows: dict[str, Any]
    rejected: int
    """Rows with what cannot be taken for anything."""
    running: int = 0
    compared: list[Moved] = field(default_factory=list)


_DAY = datetime(2026, 10, 20, 5)


def _moments(count: int, hours: float) -> Iterator[datetime]:
    """Yield times that go on, through the night when clocks go back, with and without fractions."""
    for number in range(count):
        at = _DAY + timedelta(hours=hours * number)
        yield at + timedelta(microseconds=123456) if number % 3 else at


def _tasks() -> Rows:
    chosen = random.Random(1)
    words = ["completed", "completed", "success", "failed", "error", "timed_out", "cancelled"]
    for number, at in enumerate(_moments(300, 0.7)):
        status = words[number % len(words)]
        took = timedelta(seconds=chosen.randint(1, 900))
        steps = json.dumps({"read": 12.5, "write": number}) if number % 2 else None
        error = "no answer" if status in ("failed", "error") else None
        yield (
            number + 1, f"task-{number}", "document_processing", status, at, at + took,
            number * 10, None, "worker-01", steps, error,
        )  # fmt: skip
    yield 301, "task-301", "x", "in_progress", _DAY, None, 1, None, None, None, None
    yield 302, "task-302", "x", "exploded", _DAY, _DAY, 1, None, None, None, None
    yield 303, "task-303", "x", "completed", _DAY, None, 1, None, None, None, None


def _errors() -> Rows:
    severities = ["low", "medium", "high", "critical", "warning", "fatal", None]
    for number, at in enumerate(_moments(250, 0.9)):
        severity = severities[number % len(severities)]
        yield (
            number + 1, f"task-{number}" if number % 2 else None, "validation_error", severity,
            f"Invalid input {number % 5} é", "processor", None if number % 3 else "Traceback", at,
        )  # fmt: skip
    # The same twice at the same time, and one that is no error at all.
    for number in (251, 252):
        yield number, None, "twice", "low", "same", "processor", None, _DAY
    yield 253, None, None, "low", "of no type", "processor", None, _DAY


def _metrics() -> Rows:
    for number, at in enumerate(_moments(400, 0.5)):
        yield number + 1, "memory_usage", "memory", 40 + number / 7, "%", "system", at
    yield 401, "memory_usage", "memory", None, "%", "system", _DAY


def _health() -> Rows:
    words = ["healthy", "up", "degraded", "warning", "down", "unhealthy"]
    for number, at in enumerate(_moments(200, 1)):
        status = words[number % len(words)]
        reason = "timeout" if status in ("down", "unhealthy") else None
        yield number + 1, "api", "main_api", status, 50.5 + number, reason, at


def _queues() -> Rows:
    for number, at in enumerate(_moments(200, 1)):
        yield number + 1, "documents", number % 50, number % 3, number, number % 2, at


AUTOMATION = System(
    "automation",
    {
        "processing_metrics": "id bigint, task_id varchar(100), task_type varchar(100),"
        " status varchar(20), start_time {time}, end_time {time}, input_size bigint,"
        " output_size bigint, worker_id varchar(50), step_durations {json}, error_message text",
        "error_tracking": "id bigint, task_id varchar(100), error_type varchar(100),"
        " severity varchar(20), error_message text, component varchar(50), stack_trace text,"
        " occurred_at {time}",
        "performance_monitoring": "id bigint, metric_name varchar(100), metric_type varchar(50),"
        " metric_value double precision, unit varchar(20), component varchar(50),"
        " recorded_at {time}",
        "system_health": "id bigint, component_type varchar(50), component_name varchar(50),"
        " status varchar(20), response_time double precision, failure_reason text,"
        " checked_at {time}",
        "queue_monitoring": "id bigint, queue_name varchar(50), pending_count int,"
        " processing_count int, completed_count int, failed_count int, recorded_at {time}",
    },
    {
        "processing_metrics": _tasks,
        "error_tracking": _errors,
        "performance_monitoring": _metrics,
        "system_health": _health,
        "queue_monitoring": _queues,
    },
    rejected=4,
    running=1,
    compared=[
        Moved(
            "select count(*), sum(input_size), min(start_time), max(end_time)"
            " from processing_metrics where id <= 300",
            "select count(*), sum(input_size), min(start_time) at time zone 'UTC',"
            " max(end_time) at time zone 'UTC' from monitoring.processing_metrics",
        ),
        Moved(
            "select count(*) from processing_metrics where status in ('failed', 'error')",
            "select count(*) from monitoring.processing_metrics where status = 'failed'"
            " and metadata ->> 'error_message' = 'no answer'",
        ),
        Moved(
            "select count(*), count(distinct error_message) from error_tracking where id < 253",
            "select count(*), count(distinct message) from monitoring.error_tracking",
        ),
        Moved(
            "select count(*) from error_tracking where severity in ('critical', 'fatal')",
            "select count(*) from monitoring.error_tracking where severity = 'critical'",
        ),
        Moved(
            "select count(*), sum(metric_value) from performance_monitoring where id <= 400",
            "select count(*), sum(value) from monitoring.performance_monitoring",
        ),
        Moved(
            "select count(*), sum(response_time) from system_health",
            "select count(*), sum(response_time_ms) from monitoring.v_health_history",
        ),
        Moved(
            "select count(*), sum(pending_count), sum(failed_count) from queue_monitoring",
            "select count(*), sum(pending), sum(failed) from monitoring.queue_monitoring",
        ),
    ],
)


def _executions() -> Rows:
    for number, at in enumerate(_moments(60, 4)):
        status = ["COMPLETED", "COMPLETED", "FAILED", "CANCELLED"][number % 4]
        error = "league not found" if status == "FAILED" else None
        yield (
            f"etl_{number:03}", at, at + timedelta(seconds=754), status, 100, 90, 80, 10, 5, 4,
            754.0, error, json.dumps({"leagues": [number]}),
        )  # fmt: skip
    yield "etl_run", _DAY, None, "RUNNING", 1, None, None, None, None, None, None, None, None


def _etl_logs() -> Rows:
    levels = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
    for number, at in enumerate(_moments(300, 0.8)):
        yield (
            number + 1, at, levels[number % 5], "CHUNK_PROCESSOR", f"chunk {number % 7}",
            json.dumps({"n": number}) if number % 2 else None, f"etl_{number % 60:03}",
            f"2451_{number}", None, 12.5,
        )  # fmt: skip
    yield 301, _DAY, "SHOUT", "CHUNK_PROCESSOR", "no such level", None, None, None, None, None


def _etl_metrics() -> Rows:
    for number, at in enumerate(_moments(300, 0.8)):
        tags = json.dumps({"region": "north"}) if number % 2 else None
        yield number + 1, at, f"etl_{number % 60:03}", "chunk_duration", number / 8, "s", tags


ETL = System(
    "etl",
    {
        "etl_executions": "execution_id varchar(100), started_at {time}, finished_at {time},"
        " status varchar(20), total_fixtures int, processed_fixtures int, successful_fixtures int,"
        " failed_fixtures int, total_chunks int, processed_chunks int,"
        " duration_seconds double precision, error_message text, config {json}",
        "etl_logs": 'log_id bigint, "timestamp" {time}, level varchar(10), component varchar(50),'
        " message text, details {json}, execution_id varchar(100), chunk_id varchar(50),"
        " fixture_id varchar(50), duration_ms double precision",
        "etl_metrics": 'metric_id bigint, "timestamp" {time}, execution_id varchar(100),'
        " metric_name varchar(100), metric_value double precision, metric_unit varchar(20),"
        " tags {json}",
    },
    {"etl_executions": _executions, "etl_logs": _etl_logs, "etl_metrics": _etl_metrics},
    rejected=1,
    running=1,
    compared=[
        Moved(
            "select count(*), sum(successful_fixtures), sum(processed_chunks),"
            " sum(duration_seconds), max(finished_at) from etl_executions"
            " where finished_at is not null",
            "select count(*), sum(successful_fixtures), sum(processed_chunks),"
            " sum(duration_seconds), max(finished_at) at time zone 'UTC'"
            " from monitoring.etl_executions",
        ),
        Moved(
            "select status, error_message, count(*) from etl_executions"
            " where finished_at is not null group by 1, 2 order by 1",
            "select status, error_message, count(*) from monitoring.etl_executions"
            " group by 1, 2 order by 1",
        ),
        Moved(
            "select level, count(*), sum(duration_ms), count(distinct chunk_id) from etl_logs"
            " where log_id <= 300 group by 1 order by 1",
            "select level, count(*), sum(duration_ms), count(distinct chunk_id)"
            " from monitoring.etl_logs group by 1 order by 1",
        ),
        Moved(
            "select count(*), sum(metric_value), count(tags), count(distinct execution_id)"
            " from etl_metrics",
            "select count(*), sum(metric_value), count(tags), count(distinct execution_id)"
            " from monitoring.etl_metrics",
        ),
    ],
)

_STEPS = ["CM-DMRU", "D1-IMD", "C1-PPBTR", "F1-FLUSH", "CM_BSGGN", "BILLRESTSMS"]


def _batch_runs() -> Rows:
    # Through the night of 1 November 2026, when clocks in New York go back an hour.
    for number, at in enumerate(_moments(300, 1.1)):
        status = ["CO", "CO", "CO", "ER", "CA"][number % 5]
        error = "ORA-12545: Connection timeout" if status == "ER" else None
        yield (
            number + 1, _STEPS[number % 6], number, 1, at.date(), status, at,
            at + timedelta(minutes=45), 1000 + number, 2000, 4, error,
        )  # fmt: skip
    yield 301, "D1-IMD", 301, 1, _DAY.date(), "IP", _DAY, None, 10, 100, 4, None
    yield 302, "D1-IMD", 302, 1, _DAY.date(), "??", _DAY, _DAY, 10, 100, 4, None


BATCH = System(
    "batch",
    {
        "batch_execution_logs": "id bigint, batch_code varchar(20), batch_number bigint,"
        " run_number int, business_date date, status varchar(2), start_time {time},"
        " end_time {time}, records_processed bigint, total_records bigint, thread_count int,"
        " error_message text",
    },
    {"batch_execution_logs": _batch_runs},
    rejected=1,
    running=1,
    compared=[
        Moved(
            "select batch_code, count(*), sum(records_processed), min(business_date),"
            " max(thread_count) from batch_execution_logs where id <= 300 group by 1 order by 1",
            "select step_name, count(*), sum(records_processed), min(business_date), max(threads)"
            ' from monitoring.batch_execution_logs group by 1 order by step_name collate "C"',
        ),
        Moved(
            "select count(*), max(error_message) from batch_execution_logs where status = 'ER'",
            "select count(*), max(error_message) from monitoring.batch_execution_logs"
            " where status = 'failed'",
        ),
        Moved(
            "select min(start_time), max(end_time) from batch_execution_logs where id <= 300",
            "select min(started_at) at time zone 'America/New_York',"
            " max(finished_at) at time zone 'America/New_York'"
            " from monitoring.batch_execution_logs",
        ),
    ],
)


def _invalid() -> Rows:
    kinds = ["NFECHAVE", "DUPLICATA", "SEUNO"]
    for number, at in enumerate(_moments(300, 0.8)):
        resolved = at + timedelta(hours=3) if number % 3 == 0 else None
        yield (
            number + 1, f"P{number:05}", kinds[number % 3], f"{number}!", f"Cedente {number % 9}",
            at.date(), at, resolved, at if number % 2 else None, "inválido",
        )  # fmt: skip
    yield 301, "P00301", "SEUNO", "x", None, None, _DAY, _DAY - timedelta(days=1), None, None
    yield 302, None, "SEUNO", "x", None, None, _DAY, None, None, None


def _history(*, has_actor: bool) -> Rows:
    chain = [None, "RECEBIDA", "EM ANALISE", "PROCESSADA"]
    for number, at in enumerate(_moments(300, 0.8)):
        step = number // 100
        source = ["SYSTEM", "MONITOR", "BOT"][step]
        row = (number + 1, f"P{number % 100:05}", chain[step], chain[step + 1], source, at)
        yield (*row, "ana" if number % 2 else None) if has_actor else row


def _program_runs() -> Rows:
    for number, at in enumerate(_moments(60, 4)):
        is_bad = number % 10 == 9
        yield (
            number + 1, at.date(), "full" if number % 2 else "partial",
            "ERROR" if is_bad else "SUCCESS", at, 12.5 + number, 1000, 900, 10, 20, 30, 880,
            1, 2, 3, "timeout" if is_bad else None,
        )  # fmt: skip


def _products() -> Rows:
    for number, at in enumerate(_moments(200, 1)):
        yield number + 1, f"P{number // 2:05}", "AB"[number % 2], number, "12.10", at, at


def _summaries() -> Rows:
    for number in range(40):
        day = date(2026, 10, 1) + timedelta(days=number)
        yield number + 1, day, 3, 900 + number, 60, 6, 10, 20, 30, datetime(2026, 11, 20, 3)


APR = System(
    "apr",
    {
        "apr_invalid_records": "id bigint, num_proposta varchar(20), validation_type varchar(20),"
        " field_value varchar(50), cedente varchar(50), target_date date, detected_at {time},"
        " resolved_at {time}, alerted_at {time}, error_message text",
        "apr_status_history": "id bigint, num_proposta varchar(20), old_status varchar(30),"
        " new_status varchar(30), change_source varchar(20), changed_at {time}",
        "apr_processing_log": "id bigint, target_date date, run_mode varchar(20),"
        " status varchar(20), executed_at {time}, execution_time double precision,"
        " total_records_queried int, valid_records int, invalid_nfechave int,"
        " invalid_duplicata int, invalid_seuno int, records_stored int, alerts_sent_nfechave int,"
        " alerts_sent_duplicata int, alerts_sent_seuno int, error_message text",
        "apr_proposal_products": "id bigint, num_proposta varchar(20), product_type varchar(20),"
        " quantity int, total_value decimal(12, 2), first_seen_at {time}, last_seen_at {time}",
        "apr_daily_summary": "id bigint, summary_date date, total_runs int, total_valid int,"
        " total_invalid int, total_alerts int, invalid_nfechave int, invalid_duplicata int,"
        " invalid_seuno int, updated_at {time}",
    },
    {
        "apr_invalid_records": _invalid,
        "apr_status_history": lambda: _history(has_actor=False),
        "apr_processing_log": _program_runs,
        "apr_proposal_products": _products,
        "apr_daily_summary": _summaries,
    },
    rejected=2,
    compared=[
        Moved(
            "select validation_type, count(*), count(resolved_at), count(alerted_at)"
            " from apr_invalid_records where id <= 300 group by 1 order by 1",
            "select validation_type, count(*), count(resolved_at), count(alerted_at)"
            " from monitoring.invalid_records group by 1 order by 1",
        ),
        Moved(
            "select change_source, count(*), max(changed_at) from apr_status_history"
            " group by 1 order by 1",
            "select change_source, count(*), max(effective_at) at time zone 'America/Sao_Paulo'"
            " from monitoring.status_history group by 1 order by 1",
        ),
        Moved(
            "select num_proposta, new_status from apr_status_history where id > 200 order by 1",
            "select record_key, status from monitoring.v_record_status order by 1",
        ),
        Moved(
            "select run_mode, count(*), sum(execution_time), sum(records_stored),"
            " sum(invalid_nfechave + invalid_duplicata + invalid_seuno)"
            " from apr_processing_log group by 1 order by 1",
            "select run_mode, count(*), sum(execution_seconds), sum(records_stored),"
            " sum(invalid_records) from monitoring.processing_log group by 1 order by 1",
        ),
        Moved(
            "select count(*), sum(quantity), sum(total_value) from apr_proposal_products",
            "select count(*), sum(quantity), sum(amount) from monitoring.record_products",
        ),
        Moved(
            "select count(*), sum(total_valid), sum(invalid_seuno) from apr_daily_summary",
            "select count(*), sum(valid_records), sum((invalid_by_type ->> 'SEUNO')::bigint)"
            " from monitoring.daily_summary",
        ),
    ],
)


def _valid() -> Rows:
    for number, at in enumerate(_moments(50, 1)):
        yield f"Q{number:05}", number % 2, at if number % 2 else None


STATUS_TRACKING = System(
    "status-tracking",
    {
        "apr_status_history": "id bigint, num_proposta varchar(20), old_status varchar(30),"
        " new_status varchar(30), change_source varchar(20), changed_at {time},"
        " changed_by varchar(30)",
        "apr_valid_records": "num_proposta varchar(20), is_bot_processed {flag},"
        " bot_processed_at {time}",
    },
    {"apr_status_history": lambda: _history(has_actor=True), "apr_valid_records": _valid},
    rejected=0,
    compared=[
        Moved(
            "select count(*), count(changed_by), min(changed_at) from apr_status_history",
            "select count(*), count(actor), min(effective_at) at time zone 'America/Sao_Paulo'"
            " from monitoring.status_history where record_key like 'P%'",
        ),
        Moved(
            "select num_proposta from apr_valid_records where bot_processed_at is not null"
            " order by 1",
            "select record_key from monitoring.v_record_status"
            " where status = 'PROCESSADA' and change_source = 'BOT' and record_key like 'Q%'"
            " order by 1",
        ),
    ],
)

SYSTEMS = [AUTOMATION, ETL, BATCH, APR, STATUS_TRACKING]
