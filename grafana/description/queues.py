"""Queues: how deep, how old, how quick."""

from grafana.description.board import Board, Row, choice, link_to, resolution
from grafana.description.panels import Panel, counts, lines, listing
from grafana.description.queries import BUCKET, greatest, unbroken

CHOSEN = "queue_name in ($queue_name)"


def _trend(column: str) -> str:
    """Return a query for a column of the trends."""
    return f"""
    select {BUCKET} as time, queue_name as name, {column} as value
    from monitoring.get_queue_trends($__timeFrom(), $__timeTo(), '$resolution')
    where {CHOSEN}
    """


def _lines_of(title: str, about: str, column: str, unit: str = "short") -> Panel:
    return lines(title, about, unbroken(_trend(column)), unit=unit)


BOARD = Board(
    name="queues",
    title="Queues",
    about="How deep queues are, how long the oldest item waits, and how much is done.",
    variables=[
        choice(
            "queue_name",
            "Queue",
            """
            select distinct queue_name from monitoring.v_queue_trends
            where resolution = 'day' and bucket_at >= $__timeFrom()::timestamptz - interval '1 day'
            order by queue_name
            """,
        ),
        resolution(),
    ],
    rows=[
        Row(
            "Now",
            [
                listing(
                    "Queues",
                    "Each queue seen in the last 24 hours as it is now, with its last hour.",
                    f"""
                    select
                        queue_name, pending, pending_change, oldest_ready_seconds, processing,
                        completed_per_minute, failed_percent, recorded_at
                    from monitoring.v_queue_performance
                    where {CHOSEN}
                    order by pending desc
                    limit 100
                    """,
                    links={"queue_name": link_to("queues", "queue_name", "queue_name")},
                    empty="No queue was seen in 24 hours",
                )
            ],
        ),
        Row(
            "Over time",
            [
                _lines_of(
                    "Items waiting",
                    "Most items that waited at once, in the eight deepest queues.",
                    "max_pending",
                ),
                _lines_of(
                    "Oldest item",
                    "Longest that an oldest waiting item had been ready, of the eight queues in "
                    "which one waited for longest.",
                    "max_oldest_ready_seconds",
                    "dthms",
                ),
                counts(
                    "Items done",
                    "Items done in each span, by queue: the eight with most by name.",
                    greatest(_trend("completed")),
                ),
                counts(
                    "Items failed",
                    "Items that failed in each span, by queue: the eight with most by name.",
                    greatest(_trend("failed")),
                ),
                _lines_of(
                    "Items in work",
                    "Mean of the items worked on, of the eight queues with most.",
                    "avg_processing",
                ),
                _lines_of(
                    "Items waiting, 95th percentile",
                    "In 95 % of the samples no more items waited than this, in the eight deepest "
                    "queues.",
                    "p95_pending",
                ),
            ],
        ),
    ],
)
