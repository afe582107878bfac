"""Every public function, with values at the ends of each type in the place of each argument."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

FUNCTIONS = """
    select p.oid::int8, p.proname, p.prokind,
        coalesce(p.proargnames, '{}'), p.proargtypes::oid[]::regtype[]::text[],
        p.pronargs - p.pronargdefaults
    from pg_proc p
    where p.pronamespace = 'monitoring'::regnamespace
        and p.proname !~ '^_'
        -- It commits, and what it does has tests of its own.
        and p.prokind = 'f'
        and p.provariadic = 0
        and has_function_privilege(p.oid, 'execute')
    order by p.oid::regprocedure::text
"""
LONG = "x" * 300
EXTREMES: dict[str, tuple[str | None, ...]] = {
    "timestamp with time zone": (
        None,
        "infinity",
        "-infinity",
        "294276-12-31 23:59:59.999999+00",
        "4713-01-01 00:00+00 BC",
        "20000-01-01 00:00+00",
        "1969-12-31 23:59:59+00",
        "1970-01-01 00:00+00",
    ),
    "date": (
        None,
        "infinity",
        "-infinity",
        "5874897-12-31",
        "4713-01-01 BC",
        "20000-01-01",
        "1969-12-31",
        "1970-01-01",
    ),
    "interval": (
        None,
        "178000000 years",
        "-178000000 years",
        "106751991 days",
        "-1 second",
        "0",
        "1 month -30 days",
        "9223372036854 seconds",
        "1 microsecond",
    ),
    "double precision": (
        None,
        "NaN",
        "Infinity",
        "-Infinity",
        "1e308",
        "-1e308",
        "0",
        "1e-300",
        "-1",
    ),
    "integer": (None, "2147483647", "-2147483648", "0", "-1"),
    "bigint": (None, "9223372036854775807", "-9223372036854775808", "0", "-1"),
    "smallint": (None, "32767", "-32768", "0"),
    "boolean": (None,),
    "text": (None, "", " ", LONG, "x", "a\nb", "%s %I", "infinity", "-1", "99:99", "1e400"),
    "text[]": (None, "{}", "{NULL}", '{""}', "{x,x}"),
    "jsonb": (
        None,
        "null",
        "[]",
        "{}",
        '"x"',
        "1",
        "[1]",
        "[null]",
        "[{}]",
        '{"x": null}',
        '{"x": 1e400}',
        '[{"x": [1, {"y": "z"}]}]',
        '[{"record_key": "1", "status": 1e400}]',
    ),
}  # fmt: skip
"""What is thrown at an argument, by its type."""

USUAL: dict[str, str] = {
    "timestamp with time zone": "2026-01-15 11:00+00",
    "date": "2026-01-15",
    "interval": "1 hour",
    "double precision": "1",
    "integer": "1",
    "bigint": "1",
    "smallint": "1",
    "boolean": "true",
    "text": "x",
    "text[]": "{x}",
    "jsonb": "{}",
}
"""What stands in the place of the others, by type; below, what makes calls go further, by name."""

NAMED: dict[str, str] = {
    "p_rule_name": "queue_backlog", "p_severity": "high", "p_status": "completed",
    "p_level": "INFO", "p_metric_type": "gauge", "p_schedule": "5 minutes",
    "p_workflow_name": "billing",
    "p_procedure_name": "monitoring.clock", "p_time_zone": "UTC", "p_source": "tasks",
    "p_what": "tasks", "p_resolution": "hour", "p_dataset": "orders",
    "p_table_name": "log_lines", "p_category": "", "p_job_name": "roll_up",
    "p_expression": "30 2 * * *", "p_fingerprint": "known", "p_matchers": '{"rule": "x"}',
    "p_from": "2026-01-15 09:00+00", "p_to": "2026-01-15 11:00+00", "p_comparison": ">",
    "p_validation_type": "V", "p_change_source": "MONITOR",
    "p_query": "select 'x' as fingerprint, 1 as value", "p_no_data": "ok", "p_on_error": "keep",
    "p_summary_time": "07:30", "p_minimum_severity": "low", "p_kind": "apprise",
    "p_run_mode": "full", "p_thresholds": '{"high": 1}', "p_task_type": "nightly",
    "p_step": "1 hour",
}  # fmt: skip
IN_CALL: dict[tuple[str, str], str] = {
    ("update_system_health", "p_status"): "healthy",
    ("backtest_alert_rule", "p_step"): "1 hour",
    ("backtest_rule_change", "p_step"): "1 hour",
    ("get_ended_batch_runs", "p_step"): "x",
    ("track_status_changes", "p_records"): '[{"record_key": "1", "status": "A"}]',
    ("log_invalid_records", "p_records"): '[{"record_key": "1"}]',
    ("track_record_products", "p_records"): '[{"record_key": "1"}]',
    ("sync_invalid_records", "p_failing_keys"): '["1"]',
    ("sync_invalid_records", "p_scope"): "{}",
    ("register_source_query", "p_query"): "select 1",
    ("register_source_query", "p_every"): "1 hour",
    ("finish_etl_execution", "p_status"): "COMPLETED",
    ("get_batch_performance", "p_from"): "2026-01-01",
    ("get_batch_performance", "p_to"): "2026-01-15",
    ("claim_notifications", "p_at_most"): "10",
    ("acknowledge_alert", "p_alert_id"): "-2",
    ("unacknowledge_alert", "p_alert_id"): "-2",
    ("resolve_alert", "p_alert_id"): "-2",
    ("explain_alert", "p_alert_id"): "-2",
}


@dataclass(frozen=True)
class Call:
    """One call: a function, the names and types of its arguments, and their values."""

    name: str
    arguments: tuple[tuple[str, str, str | None], ...]

    def __str__(self) -> str:
        """Return it as one would write it, long values cut."""
        given = ", ".join(
            f"{name} => {'null' if value is None else repr(value[:60])}"
            for name, _, value in self.arguments
        )
        return f"{self.name}({given})"

    def statement(self) -> sql.Composed:
        """Return it as a statement."""
        given = [
            sql.SQL("{} => {}::{}").format(sql.Identifier(name), sql.Literal(value), sql.SQL(kind))
            for name, kind, value in self.arguments
        ]
        return sql.SQL("select * from monitoring.{}({})").format(
            sql.Identifier(self.name), sql.SQL(", ").join(given)
        )


def usual_value(function: str, argument: str, kind: str) -> str | None:
    """Return what an argument is when it is another one's turn."""
    return IN_CALL.get((function, argument)) or NAMED.get(argument) or USUAL.get(kind)


def extreme_calls(
    connection: psycopg.Connection[Any], kinds: set[str], at_most: int = 99
) -> Iterator[Call]:
    """Yield the calls that this session may make, with one extreme value of these types in each.

    Args:
        connection: of whoever is to make them.
        kinds: types of the arguments whose turn it is.
        at_most: how many values of each type are tried.
    """
    for _, name, _, names, types, required in connection.execute(FUNCTIONS).fetchall():
        inputs = list(zip(names, types, strict=False))
        for place, (argument, kind) in enumerate(inputs):
            if kind not in kinds:
                continue
            for value in EXTREMES[kind][:at_most]:
                yield Call(
                    name,
                    tuple(
                        (other, of, value if other == argument else usual_value(name, other, of))
                        for number, (other, of) in enumerate(inputs)
                        if number < required or number == place
                    ),
                )


def outcome(connection: psycopg.Connection[Any], call: Call) -> tuple[str, str]:
    """Make a call that leaves nothing behind; return its SQLSTATE, empty for none, and message."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(call.statement()).fetchall()
    except psycopg.Error as error:
        return error.sqlstate or "lost", str(error)
    return "", ""


def fill(connection: psycopg.Connection[Any]) -> None:
    """Have something of every kind that calls may be about."""
    for statement in (
        "select monitoring.ensure_partitions()",
        """select monitoring.apply_workflow('{"workflow": "billing", "cutover": "06:00",
            "time_zone": "Europe/Berlin",
            "steps": [{"step": "nightly"}, {"step": "print", "after": ["nightly"]}]}')""",
        "select monitoring.start_task_tracking('t', 'nightly')",
        "select monitoring.complete_task_tracking('t', 'failed')",
        "select monitoring.start_task_tracking('x', 'nightly')",
        "select monitoring.record_error('t', 'E', 'critical', 'm', p_fingerprint => 'known')",
        "select monitoring.record_queue_metrics('q', 100000)",
        "select monitoring.record_performance_metric('m', 'gauge', 1)",
        "select monitoring.record_log('c', 'ERROR', 'm')",
        "select monitoring.update_system_health('service', 'api', 'unhealthy')",
        """select monitoring.change_dataset('orders', '{"time_zone": "Europe/Berlin"}')""",
        """select monitoring.track_status_changes(
            'orders', '[{"record_key": "1", "status": "A"}]')""",
        """select monitoring.log_invalid_records('orders', '[{"record_key": "1"}]', 'V')""",
        "select monitoring.log_program_execution('orders', '2026-01-15', '{}', '1 minute')",
        "select monitoring.define_expected_runs('nightly', '02:30')",
        "select monitoring.define_notification_channel('x', '{MAIL}')",
        "select monitoring.evaluate_alerts()",
        "select monitoring.roll_up()",
    ):
        connection.execute(statement.encode())
