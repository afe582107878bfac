"""Whatever can be tried first: a dry run writes nothing, and what it tries would write."""

import sqlite3
from pathlib import Path

import psycopg
import pytest

from tests.harness.clients import run_pgvigil
from tests.python.support.asking import rows
from tests.python.support.backfilling import EXAMPLES, write_jsonl

_RELATIONS = """
    select relname, relkind, relispartition from pg_class
    where relnamespace = 'monitoring'::regnamespace and relkind in ('r', 'p')
        -- Its rows are there to be locked, and say nothing.
        and relname <> 'guards'
    order by relname
"""
_CONTENT = """
    select count(*) as rows, md5(string_agg(t::text, '|' order by t::text)) as content
    from monitoring.{} t
"""
_DRY_FUNCTIONS = """
    select replace(p.oid::regprocedure::text, 'monitoring.', '') as signature from pg_proc p
    where p.pronamespace = 'monitoring'::regnamespace
        and 'p_is_dry_run' = any (p.proargnames) and not starts_with(p.proname, '_')
"""
# Each writes something when it is called on what `_prepare` has left.
_CALLS = {
    "adopt(": "'line_up', p_is_dry_run => {}",
    "cleanup_old_monitoring_data(boolean": "{}",
    "cleanup_old_monitoring_data(bigint": "10, p_is_dry_run => {}",
    "log_invalid_records(": """'apr', '["1", "2"]', 'SEUNO', p_is_dry_run => {}""",
    "sync_invalid_records(": """'apr', 'SEUNO', '{{"all": true}}', '["3"]', p_is_dry_run => {}""",
    "auto_resolve_invalid_records(": "'apr', '2026-01-15', now(), p_is_dry_run => {}",
    "resolve_invalid_records(": "'apr', '{{1}}', p_is_dry_run => {}",
    "track_record_products(": """
        'apr', '[{{"record_key": "1", "products": ["tea"]}}]', p_is_dry_run => {}""",
    "track_all_status_changes_from_source(": "'orders', p_is_dry_run => {}",
    "track_status_changes(text,jsonb": """
        'apr', '[{{"record_key": "1", "status": "NEW"}}]'::jsonb, p_is_dry_run => {}""",
    "track_status_changes(text,date": "'apr', '2026-01-15'::date, p_is_dry_run => {}",
    "track_status_changes(text,text": "'apr', '2026-01-15'::text, p_is_dry_run => {}",
    "log_program_execution(text,date,jsonb,interval": """
        'apr', '2026-01-15', '{{}}', interval '1 s', p_is_dry_run => {}""",
    "log_program_execution(text,date,jsonb,double": """
        'apr', '2026-01-15', '{{}}', 1.5, p_status => 'failed', p_error_message => 'm',
        p_is_dry_run => {}""",
    "log_program_execution(text,date,jsonb,text": """
        'apr', '2026-01-15', '{{}}', '1 s', 'full', 'running', p_is_dry_run => {}""",
    "update_daily_summary(": "'apr', '2026-01-15', {}",
}


def content(connection: psycopg.Connection) -> dict[str, object]:
    """Return what every table holds, and which partitions there are."""
    found: dict[str, object] = {}
    for relation in rows(connection, _RELATIONS):
        name = relation["relname"]
        found[name] = not relation["relispartition"] and rows(connection, _CONTENT.format(name))
    return found


@pytest.fixture
def prepared(connection: psycopg.Connection, tmp_path: Path) -> psycopg.Connection:
    """A connection to a database where every call and command has something to do."""
    connection.execute(
        "create table orders as select '1' as id, 'OPEN' as state, date '2026-01-15' as day,"
        " now() - interval '1 hour' as begun, now() as ended"
    )
    connection.execute("create table line_up as select 1 as id")
    connection.execute("grant select on orders, line_up to monitoring_reader")
    with sqlite3.connect(tmp_path / "elsewhere.db") as elsewhere:
        elsewhere.execute("create table orders as select '7' as id, 'OPEN' as state")
    for call in (
        "start_task_tracking('running', 'monitor')",
        "record_performance_metric('m', 'gauge', 1, p_recorded_at => now() - interval '20 days')",
        """log_program_execution('apr', '2026-01-15', '{}', 1,
            p_finished_at => now() - interval '20 days')""",
        """log_invalid_records('apr', '["1"]', 'SEUNO', p_target_date => '2026-01-15',
            p_detected_at => now() - interval '1 hour')""",
        """register_record_source('orders', 'apr', 'public.orders',
            '{"record_key": "id", "status": "state", "target_date": "day"}')""",
        """register_run_source('runs', 'public.orders', '{"run_id": "id", "status": "state",
            "started_at": "begun", "finished_at": "ended"}', '{"OPEN": "completed"}', 'night')""",
        "register_source_query('far', 'FAR', 'select id, state from orders', '{id,state}')",
        """register_record_source('far_orders', 'far', 'query:far',
            '{"record_key": "id", "status": "state"}')""",
        """define_adapter('line_up', 'Line up', '{"line_up": ["id"]}', p_depths =>
            'select ''one'' as queue, count(*) as pending, 0 as processing, 0 as completed,
                0 as failed, null::timestamptz as oldest_ready_at
            from {schema}.line_up')""",
    ):
        connection.execute(f"select monitoring.{call}".encode())
    return connection


def test_all_functions_with_a_dry_run_are_tried(connection: psycopg.Connection) -> None:
    found = [row["signature"] for row in rows(connection, _DRY_FUNCTIONS)]
    assert len(found) == len(_CALLS)
    for call in _CALLS:
        assert [name for name in found if name.startswith(call)]


@pytest.mark.parametrize("call", _CALLS, ids=lambda call: call.replace("(", " ").strip())
def test_a_dry_run_of_a_function_writes_nothing_where_the_call_would_write(
    call: str, prepared: psycopg.Connection
) -> None:
    statement = f"select monitoring.{call.partition('(')[0]}({_CALLS[call]})"
    before = content(prepared)
    assert prepared.execute(statement.format("true").encode()).fetchall()
    assert content(prepared) == before
    prepared.execute(statement.format("false").encode())
    assert content(prepared) != before


@pytest.mark.parametrize(
    "name", [f"backfill {kind}" for kind in EXAMPLES] + ["sync orders", "sync runs", "sync far"]
)
def test_a_dry_run_of_a_command_writes_nothing_where_the_command_would_write(
    name: str,
    prepared: psycopg.Connection,
    dsn: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FAR", f"sqlite:///{tmp_path / 'elsewhere.db'}")
    words = name.split()
    if words[0] == "backfill":
        # What it brings is old, and is to stay.
        prepared.execute(
            "select monitoring.set_retention(r.table_name, null, r.category)"
            " from monitoring.v_retention r where r.table_name !~ 'rollups'"
        )
        words.append(str(write_jsonl(tmp_path / "lines.jsonl", [EXAMPLES[words[1]]])))
    before = content(prepared)
    tried = run_pgvigil(dsn, *words, "--dry-run")
    assert (tried.returncode, tried.stderr) == (0, "")
    assert "othing was written" in tried.stdout
    assert content(prepared) == before
    done = run_pgvigil(dsn, *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert content(prepared) != before
