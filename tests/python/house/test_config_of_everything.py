"""All that people decide is in the configuration: it makes an empty database the same."""

from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from pgvigil.demo.server import PostgresServer
from tests.harness.databases import create_database, drop_database

# A call, or several, of each function by which people decide something that holds from then on.
DECISIONS = {
    "set_alert_thresholds": """
        set_alert_thresholds('errors_per_hour', '{"low": 1}'),
        set_alert_thresholds('task_failed', '{"high": 9}', '{"task_type": "etl"}')
    """,
    "change_alert_rule": """change_alert_rule('task_failed', '{"for_seconds": 30}')""",
    "disable_alert_rule": "disable_alert_rule('task_stuck')",
    "create_alert_rule": """
        create_alert_rule('mine', 'select 1 as fingerprint, 2 as value', '{"low": 1}')
    """,
    "define_inhibition": "define_inhibition('mine', 'task_failed', array['task_type'])",
    "silence_alerts": """
        silence_alerts('{"queue": "mail"}', '2 days', 'works'),
        silence_alerts('{"queue": "fax"}', null, p_until_resolved => true)
    """,
    "define_notification_channel": "define_notification_channel('ops', array['OPS_MAIL'])",
    "disable_notification_channel": "disable_notification_channel('ops')",
    "set_alert_owner": """set_alert_owner('Ann', '{"task_type": "etl"}')""",
    "set_page_url": "set_page_url('https://monitor.example/pgvigil')",
    "define_expected_runs": "define_expected_runs('etl', '02:30', 'Europe/Berlin')",
    "apply_workflow": """
        apply_workflow('{"workflow": "nightly", "cutover": "06:00", "steps": [
            {"step": "load", "schedule": "22:00", "late_after": "15 minutes"},
            {"step": "count", "after": ["load"], "expected": "20 minutes"}
        ]}')
    """,
    "set_retention": """
        set_retention('log_lines', '3 days', 'DEBUG'), set_retention('errors', null, 'critical')
    """,
    "set_partitions_ahead": "set_partitions_ahead(9, 'errors')",
    "set_name_limit": "set_name_limit('tasks', 5000)",
    "define_job": """
        define_job('roll_up', '2 minutes', 'monitoring.roll_up'),
        define_job('mine', '3 hours', 'monitoring.evaluate_alerts', p_description => 'Again.')
    """,
    "disable_job": "disable_job('clean_up')",
    "resolve_error_group": "resolve_error_group('aaa', 'mended')",
    "mute_error_group": "mute_error_group('bbb', clock() + interval '3 days', 'known', 'ann')",
    "merge_error_groups": "merge_error_groups('aaa', array['bbb', 'ccc'], 'known', 'ann')",
    "split_error_group": "split_error_group('ccc', 'another cause')",
    "change_dataset": """
        change_dataset('orders', '{"pending_statuses": ["OPEN"], "time_zone": "Asia/Tokyo"}')
    """,
    "set_allowed_transitions": """set_allowed_transitions('bills', '{"": ["NEW"]}')""",
    "define_change_source": "define_change_source('ROBOT', 'The robot.')",
    "register_source_query": """
        register_source_query('runs', 'OTHER_DB', 'select id, state from runs',
            array['id', 'state'], 'id', '2 hours')
    """,
    "register_run_source": """
        register_run_source('billing', 'app.runs',
            '{"run_id": "id", "status": "state", "started_at": "begun", "updated_at": "changed"}',
            '{"R": "running", "C": "completed"}', 'billing')
    """,
    "register_record_source": """
        register_record_source('orders', 'orders', 'query:runs',
            '{"record_key": ["id"], "status": "state"}', p_change_source => 'ROBOT')
    """,
    "register_queue_source": """
        register_queue_source('mails', 'app.mails',
            '{"queue": "queue", "status": "state"}', '{"W": "pending"}')
    """,
    "disable_source": "disable_source('mails')",
    "disable_source_query": "disable_source_query('runs')",
}

# What programs have that sources read.
PROGRAMS = """
    create schema app;
    create table app.runs (id text, state text, begun timestamptz, changed timestamptz);
    create table app.mails (queue text, state text);
    grant usage on schema app to monitoring_reader, monitoring_admin;
    grant select on all tables in schema app to monitoring_reader, monitoring_admin;
"""

# What else operators and admins may call, which says nothing for another database.
OTHERS = {
    # what takes a decision back
    "remove_alert_rule", "remove_expected_runs", "remove_dataset", "remove_notification_channel",
    "remove_source", "remove_source_query", "remove_workflow",
    "reopen_error_group", "reset_alert_rule", "reset_inhibition", "reset_job", "reset_retention",
    "remove_inhibition", "remove_job", "unsilence_alerts",
    # what is said of something that happened here
    "acknowledge_alert", "unacknowledge_alert", "resolve_alert", "resolve_invalid_records",
    "resolve_resolved_alerts", "retry_notification", "send_test_notification", "confirm_clock",
    # what is done now
    "apply_config", "backtest_alert_rule", "backtest_rule_change", "check_error_rate_alerts",
    "check_processing_performance_alerts", "check_queue_backlog_alerts",
    "check_system_health_alerts", "cleanup_old_monitoring_data", "ensure_partitions",
    "evaluate_alerts", "import_pg_cron_runs", "learn_error_groups", "load_history",
    "place_late_rows", "prepare_backfill",
    "prepare_history",
    "purge_pg_cron_history", "rebuild_rollups", "request_job", "request_urgent_evaluation",
    "roll_up", "run_due_jobs",
    "sync_source", "sync_sources",
    # what is there in this database of others' tables, and is asked of it again
    "define_adapter", "adopt", "remove_adoption",
    # what the runner and installers tell
    "begin_source_load", "cancel_overdue_jobs", "claim_notifications",
    "fail_source_load", "finish_source_load", "next_notification_at", "note_code_checksum",
    "note_notification_failed", "note_notification_sent", "note_source_progress",
    "release_notification",
    # the opposite of what is decided above
    "enable_alert_rule", "enable_notification_channel", "enable_job", "enable_source",
    "enable_source_query",
    # what belongs to tables of programs, and to pg_cron
    "attach_status_trigger", "remove_status_trigger", "enable_pg_cron",
    "disable_pg_cron",
    # which databases a hub shows, by names that its runner alone knows, and what it tells of them
    "register_fleet_member", "remove_fleet_member", "enable_fleet_member", "disable_fleet_member",
    "acknowledge_fleet_alert", "begin_fleet_pull", "note_fleet_changes", "note_fleet_rollups",
    "note_fleet_decision", "fail_fleet_pull",
    # names that come with pings, and their ids, which are secret
    "define_ping", "remove_ping",
}  # fmt: skip

# Who may read the state of a lock, of the installation or of the clock decides nothing with it.
STATE = r"^(guards|installed_.*|clock_.*|alert_rule_states)$"


def test_every_function_of_operators_is_known_to_decide_something_or_not(
    connection: psycopg.Connection,
) -> None:
    rows = connection.execute(
        """
        select distinct proname from pg_proc
        where pronamespace = 'monitoring'::regnamespace
            and not starts_with(proname, '_')
            and not has_function_privilege('monitoring_reader', oid, 'execute')
            and not has_function_privilege('monitoring_writer', oid, 'execute')
        """
    )
    assert {name for (name,) in rows} == DECISIONS.keys() | OTHERS


@pytest.mark.parametrize("is_complete", [False, True])
def test_all_that_people_decide_is_carried_over(
    server: PostgresServer, template: str, connection: psycopg.Connection, is_complete: bool
) -> None:
    fresh = _tables(connection)
    connection.execute(PROGRAMS)
    sections = _configuration(connection, is_complete)
    connection.execute("set search_path = monitoring")
    for letter in "abc":
        connection.execute(
            "select record_error('t', 'E', 'low', 'x', p_fingerprint => %s)", [letter * 3]
        )
    for calls in DECISIONS.values():
        connection.execute(f"select {calls}".encode())
    connection.execute("reset search_path")
    decided = _tables(connection)
    document = _configuration(connection, is_complete)
    unchanged = {name for name in document if document[name] == sections[name]}
    assert unchanged == ({"is_complete"} if is_complete else set())
    create_database(server, "empty_config", template)
    try:
        with psycopg.connect(server.dsn("empty_config"), autocommit=True) as other:
            other.execute(PROGRAMS)
            other.execute("select monitoring.apply_config(%s)", [Jsonb(document)])
            assert _configuration(other, is_complete) == document
            carried = _tables(other)
    finally:
        drop_database(server, "empty_config")
    if is_complete:
        # What is replaced as a whole is decided as a whole, so that this may be more.
        for tables in (decided, carried):
            tables |= {name: [_without(row, "decided") for row in tables[name]] for name in tables}
    # What happened here is not carried over.
    happened = {"errors", "alert_rule_changes"}
    changed = {name for name in fresh if decided[name] != fresh[name]} - happened
    assert {name: decided[name] for name in changed} == {name: carried[name] for name in changed}


def _without(row: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != key}


def _configuration(connection: psycopg.Connection, is_complete: bool) -> dict[str, Any]:
    row = connection.execute("select monitoring.get_config(%s)", [is_complete]).fetchone()
    assert row is not None
    document: dict[str, Any] = row[0]
    return document


def _tables(connection: psycopg.Connection) -> dict[str, Any]:
    """Return the rows of all tables, but for who wrote them when."""
    names = connection.execute(
        """
        select relname from pg_class
        where relnamespace = 'monitoring'::regnamespace and relkind in ('r', 'p')
            and not relispartition and relname !~ %s
        """,
        [STATE],
    )
    return {name: _rows(connection, name) for (name,) in names.fetchall()}


def _rows(connection: psycopg.Connection, table: str) -> list[Any]:
    rows = connection.execute(
        sql.SQL(
            """
            select (
                select jsonb_object_agg(c.key, c.value) from jsonb_each(to_jsonb(t)) c
                where c.key !~ '_(at|by)$' and c.key not in ('login_name', 'silence_id')
            )
            from monitoring.{} t
            """
        ).format(sql.Identifier(table))
    )
    return sorted((row for (row,) in rows), key=str)
