"""Queues: how deep, how old, how quick."""

from grafana.description.board import Board, Row, choice, resolution
from grafana.description.panels import Panel, graph, listing

CHOSEN = "queue_name in ($queue_name)"


def _graph_of(title: str, about: str, column: str, unit: str = "short") -> Panel:
    return graph(
        title,
        about,
        f"""
        select bucket_at as time, queue_name as metric, {column}
        from monitoring.get_queue_trends($__timeFrom(), $__timeTo(), '$resolution')
        where {CHOSEN}
        order by bucket_at
        """,
        unit=unit,
    )


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
                        queue_name, pending, processing, oldest_ready_seconds, pending_change,
                        completed_per_minute, failed_percent, recorded_at
                    from monitoring.v_queue_performance
                    where {CHOSEN}
                    order by pending desc
                    """,
                )
            ],
        ),
        Row(
            "Over time",
            [
                _graph_of("Items waiting", "Most items that waited at once.", "max_pending"),
                _graph_of(
                    "Oldest item",
                    "Longest that an oldest waiting item had been ready.",
                    "max_oldest_ready_seconds",
                    "s",
                ),
                _graph_of("Items in work", "Mean of the items worked on.", "avg_processing"),
                _graph_of("Items done", "Items done, by span.", "completed"),
                _graph_of("Items failed", "Items that failed, by span.", "failed"),
                _graph_of(
                    "Items waiting, 95th percentile",
                    "In 95 % of the samples no more items waited than this.",
                    "p95_pending",
                ),
            ],
        ),
    ],
)
