"""What we ship is code, what people decide is state: two versions deployed one after the other."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgvigil.database.connections import connect
from pgvigil.install.files import Code
from pgvigil.install.loader import load_code
from pgvigil.resources import sql_directory

# Tables that hold what is shipped.
_TABLES = (
    "alert_rules", "alert_thresholds", "alert_inhibitions", "jobs", "retention_policies",
    "partitioned_tables", "rollup_progress", "name_limits", "change_sources",
)  # fmt: skip


class Versions:
    """A database with today's code, and copies of that code that differ from it."""

    def __init__(self, dsn: str, directory: Path) -> None:
        """Open the database; `directory` takes the code of the next version."""
        self.session = psycopg.connect(dsn, autocommit=True)
        self.told: list[tuple[str, str]] = []
        self.session.add_notice_handler(self._hear)
        self.dsn = dsn
        self._next = directory / "sql"
        shutil.copytree(sql_directory(), self._next)

    def _hear(self, told: psycopg.errors.Diagnostic) -> None:
        if "pgvigil" in (told.message_primary or ""):
            self.told.append((told.severity or "", told.message_primary or ""))

    def change(self, file: str, old: str, new: str) -> None:
        """Let the next version have another text in one of its files."""
        path = self._next / file
        text = path.read_text()
        assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times"
        path.write_text(text.replace(old, new))

    def withdraw(self, file: str, beginning: str) -> None:
        """Let the next version lack the statements of a file that begin like that."""
        path = self._next / file
        text = path.read_text()
        assert beginning in text
        while beginning in text:
            start = text.index(beginning)
            text = text[:start] + text[text.index(");\n", start) + 3 :]
        path.write_text(text)

    def add(self, file: str, text: str) -> None:
        """Let the next version have more at the end of one of its files."""
        with (self._next / file).open("a") as opened:
            opened.write(f"\n{text}\n")

    def migrate_next(self) -> list[str]:
        """Deploy the next version as `pgvigil migrate` does; return the lines that it says."""
        lines: list[str] = []
        with connect(self.dsn, lines.append) as connection:
            load_code(connection, Code(self._next / "install.sql"))
        return lines

    def deploy_next(self) -> None:
        """Deploy the next version, and remember what it told."""
        self.told.clear()
        load_code(self.session, Code(self._next / "install.sql"))

    def deploy_again(self) -> None:
        """Deploy today's version once more."""
        self.told.clear()
        load_code(self.session, Code())

    def run(self, statement: str, *parameters: object) -> None:
        """Run a statement as the owner."""
        self.session.execute(statement.encode(), parameters or None)

    def row(self, query: str, *parameters: object) -> Any:
        """Return the values of the only row; a value when it has one column."""
        rows = self.session.execute(query.encode(), parameters or None).fetchall()
        assert len(rows) == 1, rows
        return rows[0][0] if len(rows[0]) == 1 else rows[0]


@pytest.fixture
def versions(dsn: str, tmp_path: Path) -> Iterator[Versions]:
    """A fresh database and the code of its next version, which is the same so far."""
    made = Versions(dsn, tmp_path)
    with made.session:
        yield made


def rule(versions: Versions, name: str) -> tuple[Any, ...]:
    """Return thresholds, window and who changed it last of a rule."""
    return tuple(
        versions.row(
            "select thresholds, parameters ->> 'window_minutes', changed_by"
            " from monitoring.v_alert_rules where rule_name = %s",
            name,
        )
    )


def test_a_deployment_that_changes_nothing_writes_and_locks_no_row(versions: Versions) -> None:
    def rows() -> list[Any]:
        # Whoever locks a row or writes it leaves that in its xmin or xmax.
        return [
            versions.session.execute(
                f"select ctid, xmin, xmax from monitoring.{table} order by ctid".encode()
            ).fetchall()
            for table in _TABLES
        ]

    versions.run("select monitoring.set_retention('log_lines', '3 days')")
    before = rows()
    assert all(before)
    versions.deploy_again()
    assert rows() == before
    assert versions.told == []


def test_a_changed_default_reaches_who_decided_nothing(versions: Versions) -> None:
    queues = "watching/rules/queue_rules.sql"
    versions.change(queues, '"low": 50, "medium": 100', '"low": 60, "medium": 110')
    versions.change(
        "watching/rules/task_rules.sql",
        '"window_minutes": 60, "min_tasks": 1',
        '"window_minutes": 90, "min_tasks": 1',
    )
    versions.change("recording/logs.sql", "'log_lines', '30 days'", "'log_lines', '20 days'")
    versions.change("core/partitions.sql", "'1 hour'", "'2 hours'")
    versions.change(
        "recording/metrics.sql", "'metric_name', 'recorded_at'", "'metric_name', 'recorded_at', 9"
    )
    versions.change("core/names.sql", "'task types', 2000", "'task types', 3000")
    versions.change("watching/rules/running_task_rules.sql", "'{task_id}'", "'{task_id,worker_id}'")
    versions.change("systems/records/datasets.sql", "'A person.'", "'Somebody.'")
    versions.deploy_next()
    assert rule(versions, "queue_backlog") == (
        {"low": 60, "medium": 110, "high": 200, "critical": 500}, "60", None,
    )  # fmt: skip
    assert rule(versions, "slow_processing")[1:] == ("90", None)
    retention = "select keep::text, changed_by from monitoring.v_retention where table_name = %s"
    assert versions.row(retention, "log_lines") == ("20 days", None)
    job = "select schedule, changed_by from monitoring.v_jobs where job_name = %s"
    assert versions.row(job, "make_partitions") == ("2 hours", None)
    ahead = "select days_ahead from monitoring.partitioned_tables where table_name = %s"
    assert versions.row(ahead, "metric_samples") == 9
    assert versions.row("select at_most from monitoring.v_name_limits where kind = 'tasks'") == 3000
    assert versions.row(
        "select equal_labels, changed_by from monitoring.v_inhibitions"
        " where source_rule = 'task_stuck'"
    ) == (["task_id", "worker_id"], None)
    assert (
        versions.row(
            "select description from monitoring.v_change_sources where change_source = 'MANUAL'"
        )
        == "Somebody."
    )
    assert versions.told == []


def test_a_changed_default_reaches_nobody_who_decided(versions: Versions) -> None:
    for call in (
        "set_alert_thresholds('queue_backlog', '{\"high\": 5}')",
        "set_alert_thresholds('queue_backlog', '{\"high\": 7}', '{\"queue\": \"mail\"}')",
        "set_alert_thresholds('slow_processing', '{\"low\": 1}', '{\"task_type\": \"etl\"}')",
        "change_alert_rule('slow_processing', '{\"parameters\": {\"window_minutes\": 15}}')",
        "disable_job('make_partitions')",
        "set_retention('log_lines', '3 days')",
        "set_partitions_ahead(3, 'metric_samples')",
        "set_name_limit('tasks', 100)",
        "define_inhibition('task_stuck', 'long_running_task', '{task_type}')",
        "remove_inhibition('success_rate_low', 'error_rate_high')",
        "define_change_source('MANUAL', 'The desk.')",
    ):
        versions.run(f"select monitoring.{call}")
    versions.change("watching/rules/queue_rules.sql", '"low": 50, "medium"', '"low": 60, "medium"')
    versions.change(
        "watching/rules/task_rules.sql",
        '"window_minutes": 60, "min_tasks": 1',
        '"window_minutes": 90, "min_tasks": 2',
    )
    versions.change("systems/etl/record.sql", '"medium": 3600', '"medium": 3601')
    versions.change("recording/logs.sql", "'log_lines', '30 days'", "'log_lines', '20 days'")
    versions.change("core/partitions.sql", "'1 hour'", "'2 hours'")
    versions.change(
        "recording/metrics.sql", "'metric_name', 'recorded_at'", "'metric_name', 'recorded_at', 9"
    )
    versions.change("core/names.sql", "'task types', 2000", "'task types', 3000")
    versions.change("watching/rules/running_task_rules.sql", "'{task_id}'", "'{task_id,worker_id}'")
    versions.change("watching/rules/task_outcome_rules.sql", "'{task_type}'", "'{task_type,x}'")
    versions.change("systems/records/datasets.sql", "'A person.'", "'Somebody.'")
    versions.deploy_next()
    me = versions.row("select session_user::text")
    assert rule(versions, "queue_backlog") == ({"high": 5}, "60", me)
    assert versions.row(
        "select overrides from monitoring.v_alert_rules where rule_name = 'queue_backlog'"
    ) == [{"labels": {"queue": "mail"}, "thresholds": {"high": 7}}]
    assert rule(versions, "slow_processing")[1:] == ("15", me)
    assert versions.row(
        "select parameters ->> 'min_tasks', overrides from monitoring.v_alert_rules"
        " where rule_name = 'slow_processing'"
    ) == ("2", [{"labels": {"task_type": "etl"}, "thresholds": {"low": 1}}])
    # Of a job, only what was decided is kept: it stays off, by the new schedule.
    assert versions.row(
        "select is_enabled, schedule, changed_by from monitoring.v_jobs"
        " where job_name = 'make_partitions'"
    ) == (False, "2 hours", me)
    assert versions.row(
        "select keep::text, changed_by from monitoring.v_retention where table_name = 'log_lines'"
    ) == ("3 days", me)
    assert versions.row(
        "select days_ahead, changed_by from monitoring.partitioned_tables"
        " where table_name = 'metric_samples'"
    ) == (3, me)
    assert versions.row("select at_most from monitoring.v_name_limits where kind = 'tasks'") == 100
    assert versions.session.execute(
        "select equal_labels, is_enabled, changed_by from monitoring.v_inhibitions"
        " where source_rule in ('task_stuck', 'success_rate_low') order by source_rule desc"
    ).fetchall() == [
        (["task_type"], True, me),
        (["task_type", "x"], False, me),
    ]
    assert versions.row(
        "select description, changed_by from monitoring.v_change_sources"
        " where change_source = 'MANUAL'"
    ) == ("The desk.", me)
    # Taken back, they are as the new version ships them.
    versions.run("select monitoring.reset_alert_rule('queue_backlog')")
    versions.run("select monitoring.reset_retention('log_lines')")
    versions.run("select monitoring.reset_job('make_partitions')")
    versions.run("select monitoring.reset_inhibition('task_stuck', 'long_running_task')")
    assert rule(versions, "queue_backlog") == (
        {"low": 60, "medium": 100, "high": 200, "critical": 500}, "60", None,
    )  # fmt: skip
    assert versions.row(
        "select keep::text, changed_by from monitoring.v_retention where table_name = 'log_lines'"
    ) == ("20 days", None)
    assert versions.row(
        "select is_enabled, changed_by from monitoring.v_jobs where job_name = 'make_partitions'"
    ) == (True, None)
    assert versions.row(
        "select equal_labels from monitoring.v_inhibitions where source_rule = 'task_stuck'"
    ) == ["task_id", "worker_id"]


def test_a_withdrawn_rule_goes_with_its_alerts_and_tells_what_was_decided(
    versions: Versions,
) -> None:
    versions.run("select monitoring.record_queue_metrics('mail', 900)")
    versions.run("select monitoring.evaluate_alerts()")
    assert (
        versions.row(
            "select count(*) from monitoring.v_active_alerts where rule_name = 'queue_backlog'"
        )
        == 1
    )
    versions.run("select monitoring.change_alert_rule('queue_backlog', '{\"for_seconds\": 60}')")
    versions.run(
        "select monitoring.set_alert_thresholds('queue_backlog', '{\"high\": 7}',"
        ' \'{"queue": "mail"}\')'
    )
    versions.run("select monitoring.define_inhibition('scheduler_late', 'queue_backlog')")
    file = "watching/rules/queue_rules.sql"
    versions.withdraw(file, "call monitoring._ship_rule(\n    'queue_backlog'")
    versions.withdraw(file, "call monitoring._ship_rule(\n    'queue_oldest_ready_age'")
    versions.deploy_next()
    assert versions.told == [
        ("WARNING", 'pgvigil has no alert rule "queue_backlog" any more'),
        ("NOTICE", 'pgvigil has no alert rule "queue_oldest_ready_age" any more'),
    ]
    assert versions.row(
        "select status, resolution from monitoring.alerts where rule_name = 'queue_backlog'"
    ) == ("resolved", "the rule is off")
    for table in ("alert_rules", "alert_thresholds", "alert_rule_states"):
        assert (
            versions.row(
                f"select count(*) from monitoring.{table}"
                " where rule_name in ('queue_backlog', 'queue_oldest_ready_age')"
            )
            == 0
        )
    assert versions.row(
        "select error_type, severity, component, details - 'kind'"
        " from monitoring.error_tracking where task_id = 'pgvigil.deploy'"
    ) == (
        "decision_withdrawn", "medium", "pgvigil",
        {
            "name": "queue_backlog",
            "decided": {
                "settings": {"for_seconds": 60},
                "thresholds": [{"labels": {"queue": "mail"}, "thresholds": {"high": 7}}],
                "inhibitions": [
                    {"source_rule": "scheduler_late", "target_rule": "queue_backlog"}
                ],
            },
        },
    )  # fmt: skip
    # It may come back, and is as shipped.
    versions.deploy_again()
    assert rule(versions, "queue_backlog") == (
        {"low": 50, "medium": 100, "high": 200, "critical": 500}, "60", None,
    )  # fmt: skip


def test_a_withdrawn_default_leaves_what_people_decided(versions: Versions) -> None:
    versions.run("select monitoring.set_retention('errors', '10 days', 'low')")
    versions.run("select monitoring.define_inhibition('scheduler_late', 'job_late', '{x}')")
    versions.run("select monitoring.remove_inhibition('scheduler_late', 'rollups_late')")
    versions.run(
        "select monitoring.set_alert_thresholds('source_trouble', '{\"low\": 1}',"
        ' \'{"trouble": "vanished"}\')'
    )
    versions.run("select monitoring.disable_job('place_late_rows')")
    versions.withdraw("recording/errors.sql", "call monitoring._ship_retention('errors', '30 days'")
    versions.withdraw("recording/errors.sql", "call monitoring._ship_retention('errors', '45 days'")
    versions.withdraw(
        "watching/rules/self_rules.sql", "call monitoring._ship_inhibition('scheduler_late'"
    )
    versions.withdraw(
        "systems/sources/troubles.sql",
        "call monitoring._ship_thresholds(\n    'source_trouble', '{\"high\": 1}'",
    )
    versions.withdraw("keeping/retention/late_rows.sql", "call monitoring._ship_job(")
    versions.withdraw("recording/queues.sql", "call monitoring._ship_retention(")
    versions.deploy_next()
    assert versions.session.execute(
        "select category, keep::text, changed_by is not null as is_decided"
        " from monitoring.v_retention where table_name = 'errors' order by 1"
    ).fetchall() == [
        ("critical", "90 days", False),
        ("high", "60 days", False),
        ("low", "10 days", True),
    ]
    assert versions.session.execute(
        "select target_rule, is_enabled from monitoring.v_inhibitions"
        " where source_rule = 'scheduler_late'"
    ).fetchall() == [("job_late", True)]
    assert versions.row(
        "select overrides from monitoring.v_alert_rules where rule_name = 'source_trouble'"
    ) == [{"labels": {"trouble": "vanished"}, "thresholds": {"low": 1}}]
    assert versions.row("select count(*) from monitoring.jobs where job_name ~ 'late'") == 0
    assert versions.told == [("WARNING", 'pgvigil has no job "place_late_rows" any more')]
    # What is theirs alone goes as they added it.
    versions.run("select monitoring.reset_retention('errors', 'low')")
    versions.run("select monitoring.reset_inhibition('scheduler_late', 'job_late')")
    assert versions.row("select count(*) from monitoring.v_retention where category = 'low'") == 0
    assert (
        versions.row(
            "select count(*) from monitoring.v_inhibitions where source_rule = 'scheduler_late'"
        )
        == 0
    )


def test_a_new_job_comes_with_its_code_and_is_due_at_once(versions: Versions) -> None:
    versions.add(
        "scheduling/self_check.sql",
        "create or replace function monitoring._come() returns void language sql"
        " begin atomic select; end;\n"
        "call monitoring._ship_job('come', 'Comes.', '1 hour', 'monitoring._come');",
    )
    with psycopg.connect(versions.dsn, autocommit=True) as other:
        with versions.session.transaction():
            versions.deploy_next()
            assert (
                other.execute("select from monitoring.jobs where job_name = 'come'").fetchall()
                == []
            )
        other.execute("call monitoring.run_due_jobs()")
    assert versions.row("select last_status from monitoring.v_jobs where job_name = 'come'") == (
        "completed"
    )


def test_a_name_that_people_took_stays_theirs(versions: Versions) -> None:
    versions.run(
        "select monitoring.create_alert_rule("
        "'disk_full', 'select ''a'' as fingerprint, 1 as value', '{\"high\": 5}')"
    )
    versions.run("select monitoring.define_job('tidy', '1 day', 'monitoring.roll_up')")
    versions.add(
        "watching/rules/queue_rules.sql",
        "call monitoring._ship_rule('disk_full', 'health', 'Full.', p_finder => '_find_x',"
        " p_explainer => null, p_comparison => '>', p_thresholds => '{\"high\": 90}');\n"
        "call monitoring._ship_job('tidy', 'Tidies.', '1 hour', 'monitoring.roll_up');",
    )
    versions.deploy_next()
    taken = "pgvigil ships a {}, but there is one of yours with that name"
    assert versions.told == [
        ("WARNING", taken.format('rule "disk_full"')),
        ("WARNING", taken.format('job "tidy"')),
    ]
    assert rule(versions, "disk_full")[0] == {"high": 5}
    assert versions.row("select schedule from monitoring.v_jobs where job_name = 'tidy'") == "1 day"


def test_a_file_that_is_loaded_by_itself_withdraws_nothing(versions: Versions) -> None:
    text = {file.name: file.text for file in Code().files}
    for name in ("watching/rules/queue_rules.sql", "withdraw.sql"):
        versions.session.execute(text[name].encode())
    assert versions.row("select count(*) > 30 from monitoring.alert_rules")
    assert versions.told == []


def test_whoever_migrates_reads_what_goes_and_what_had_been_decided(versions: Versions) -> None:
    versions.run("select monitoring.disable_job('place_late_rows')")
    versions.withdraw("keeping/retention/late_rows.sql", "call monitoring._ship_job(")
    assert versions.migrate_next() == [
        'warning: pgvigil has no job "place_late_rows" any more',
        '  hint: What had been decided about it goes with it: {"is_enabled": false}',
    ]
