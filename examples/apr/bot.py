"""The bot: takes what has arrived and is in order, approves what is small, and tells of it."""

from datetime import datetime
from typing import Any, LiteralString

import psycopg

from pgvigil import MonitoringClient

# Only what the monitor has seen, which looks every hour, and found nothing wrong with.
_READY: LiteralString = """
    select p.proposal, p.amount
    from apr.proposals p
    where p.status = 'RECEIVED'
        and exists (
            select from monitoring.v_record_status s
            where s.dataset = 'apr' and s.record_key = p.proposal
        )
        and not exists (
            select from apr.apr_invalid_records i
            where i.record_key = p.proposal and i.resolved_at is null
        )
    order by p.proposal
    limit %(at_most)s
"""
_PROCESS: LiteralString = """
    update apr.proposals
    set status = %(status)s, changed_at = %(at)s, changed_by = 'bot', changed_through = 'BOT'
    where proposal = %(proposal)s
"""
_AT_MOST = 25
_SMALL = 5000


def run_bot(dsn: str, now: datetime) -> int:
    """Process what is ready and return how many that were."""
    name = f"apr.bot-{now:%Y-%m-%dT%H}"
    with MonitoringClient(dsn, component="apr.bot", on_error="raise") as monitor:
        with monitor.task("apr.bot", task_id=name) as task, psycopg.connect(dsn) as connection:
            found = connection.execute(_READY, {"at_most": _AT_MOST}).fetchall()
            changes: list[dict[str, Any]] = []
            for proposal, amount in found:
                status = "APPROVED" if amount < _SMALL else "ANALYSIS"
                values = {"proposal": proposal, "status": status, "at": now}
                connection.execute(_PROCESS, values)
                changes.append({"record_key": proposal, "status": status, "effective_at": now})
            connection.commit()
            monitor.track_status_changes("apr", changes, "BOT", actor="bot", task_id=name)
            task.progress(len(found), len(found))
        return len(found)
