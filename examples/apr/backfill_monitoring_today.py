"""Begin with the records of today: reads those that are valid, and makes of them the first history.

The status that each has becomes the first entry of its history, and the summary of the day is
counted. Where something is known already only what differs is added, so that it may run again.
"""

import argparse
import os
from datetime import date

import psycopg
from monitoring_helpers import bind, track_proposal_products, track_status_changes
from monitoring_helpers import update_daily_summary as update_summary
from sqlalchemy import Engine, create_engine, text

from pgvigil import MonitoringClient

# Of the tables as they have always been; in the example's schema it is a view of that name.
QUERY = "select * from apr.apr_valid_records where target_date = :day"


def backfill(monitor: MonitoringClient, records: Engine, query: str, day: date) -> None:
    """Read the valid records of a day, and record what they are.

    Args:
        monitor: records.
        records: the database that has them.
        query: reads them; ``:day`` is the day.
        day: which one.
    """
    with records.connect() as connection:
        found = connection.execute(text(query), {"day": day}).mappings().all()
    changes = track_status_changes(monitor, found, change_source="SYSTEM")
    products = track_proposal_products(monitor, found)
    summary = update_summary(monitor, day)
    print(f"{day}: {len(found)} valid records, {changes} entries of history, {products} products")
    print(f"apr_daily_summary: {summary.get('status_changes')} changes of status")


def main() -> None:
    """Begin with the day that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--dsn",
        default=os.environ.get("PGVIGIL_DSN", ""),
        help="database that has pgvigil; default: PGVIGIL_DSN",
    )
    parser.add_argument("--records", help="URL of the database with the records; default: that one")
    parser.add_argument("--query", default=QUERY, help="reads the valid records of :day")
    parser.add_argument("--day", type=date.fromisoformat, default=date.today(), help="YYYY-MM-DD")
    parser.add_argument("--key", default="proposal", help="column that names a record")
    parser.add_argument("--status", default="status", help="column with the status")
    parser.add_argument("--dry-run", action="store_true", help="count, and keep nothing")
    options = parser.parse_args()
    bind(key=options.key, status=options.status, is_dry_run=options.dry_run)
    records = (
        create_engine(options.records)
        if options.records
        else create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(options.dsn))
    )
    with MonitoringClient(options.dsn, component="apr.backfill", on_error="raise") as monitor:
        backfill(monitor, records, options.query, options.day)


if __name__ == "__main__":
    main()
