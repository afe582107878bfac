"""The hourly monitor: validates the proposals of a day and tells what it found."""

import time
from datetime import date
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row
from validations import faults

from pgvigil import MonitoringClient

_ALERTED_AT_ONCE = 3
_OF_A_DAY: LiteralString = """
    select proposal, branch, client, status, nfechave, duplicata, seuno
    from apr.proposals
    where received_on = %(day)s
    order by proposal
"""
_PRODUCTS: LiteralString = """
    select p.proposal as record_key, jsonb_agg(jsonb_build_object(
        'product', p.product, 'quantity', p.quantity, 'amount', p.amount
    )) as products
    from apr.products p inner join apr.proposals b using (proposal)
    where b.received_on = %(day)s
    group by p.proposal
"""
_STILL_INVALID: LiteralString = """
    select distinct target_date, record_key
    from apr.apr_invalid_records
    where resolved_at is null and target_date < %(day)s
    order by target_date, record_key
"""


class ProposalMonitor:
    """Looks at proposals over one connection, and tells of them over another."""

    def __init__(self, dsn: str) -> None:
        """Begin a run; call `look`, then `close`."""
        self._connection = psycopg.connect(dsn, autocommit=True, row_factory=dict_row)
        self._client = MonitoringClient(dsn, component="apr.monitor", on_error="raise")

    def close(self) -> None:
        """Close both connections."""
        self._connection.close()
        self._client.close()

    def look(self, today: date) -> None:
        """Look at all proposals of today, and again at those of other days that are invalid."""
        # First of all: what became of proposals, whatever day they are of.
        self._client.track_all_status_changes_from_source("apr_proposals")
        self.validate_day(today)
        left: dict[date, list[str]] = {}
        for row in self._connection.execute(_STILL_INVALID, {"day": today}):
            left.setdefault(row["target_date"], []).append(row["record_key"])
        for day, keys in left.items():
            self.validate_again(day, keys)

    def validate_day(self, day: date) -> None:
        """Validate all proposals of a day; those that are in order now are resolved."""
        began_at = time.perf_counter()
        rows = self._of(day)
        found = faults(rows)
        for validation, records in found.items():
            self._client.log_invalid_records(
                "apr", records, validation, _told(records), target_date=day
            )
        products = self._connection.execute(_PRODUCTS, {"day": day}).fetchall()
        self._client.track_record_products("apr", products)
        self._tell("full", day, len(rows), found, len(products), began_at)
        self._client.auto_resolve_invalid_records("apr", day)
        self._client.update_daily_summary("apr", day)

    def validate_again(self, day: date, keys: list[str]) -> None:
        """Validate some proposals of a day; only these are resolved when they are in order."""
        began_at = time.perf_counter()
        rows = self._of(day)
        cancelled = [row["proposal"] for row in rows if row["status"] == "CANCELLED"]
        if given_up := [key for key in keys if key in cancelled]:
            self._client.resolve_invalid_records(
                "apr", given_up, "superseded", "the proposal was cancelled"
            )
        keys = [key for key in keys if key not in cancelled]
        # Whether a number is taken shows only among all of a day.
        found = {
            validation: [record for record in records if record["record_key"] in keys]
            for validation, records in faults(rows).items()
        }
        for validation, records in found.items():
            self._client.sync_invalid_records(
                "apr", validation, {"keys": keys, "target_date": day}, records
            )
        self._tell("partial", day, len(keys), found, 0, began_at)
        self._client.update_daily_summary("apr", day)

    def _of(self, day: date) -> list[dict[str, Any]]:
        return self._connection.execute(_OF_A_DAY, {"day": day}).fetchall()

    def _tell(
        self,
        run_mode: str,
        day: date,
        queried: int,
        found: dict[str, list[dict[str, Any]]],
        stored: int,
        began_at: float,
    ) -> None:
        wrong = {record["record_key"] for records in found.values() for record in records}
        told = run_mode == "full"
        self._client.log_program_execution(
            "apr",
            day,
            {
                "total_records_queried": queried,
                "valid_records": queried - len(wrong),
                "invalid_records": len(wrong),
                **{f"invalid_{name.lower()}": len(each) for name, each in found.items()},
                "records_stored": stored,
                **{
                    f"alerts_sent_{name.lower()}": _told(each) if told else 0
                    for name, each in found.items()
                },
            },
            time.perf_counter() - began_at,
            run_mode,
        )


def _told(records: list[dict[str, Any]]) -> int:
    """Return of how many records people are told at once; the rest is in the report."""
    return min(len(records), _ALERTED_AT_ONCE)
