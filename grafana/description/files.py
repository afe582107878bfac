"""The dashboards as files."""

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.description import (
    alerts,
    batch,
    errors,
    etl,
    health,
    overview,
    performance,
    queues,
    records,
    self_monitoring,
    tasks,
)

BOARDS = [
    module.BOARD
    for module in (
        overview,
        tasks,
        errors,
        performance,
        queues,
        health,
        alerts,
        batch,
        etl,
        records,
        self_monitoring,
    )
]


def dashboards() -> dict[str, str]:
    """Return the text of each file by its name."""
    encoder = JSONEncoder(indent=2, sort_keys=True, ensure_ascii=False)
    return {f"{board.name}.json": encoder.encode(board.build()) + "\n" for board in BOARDS}


def write_dashboards(directory: Path) -> None:
    """Write all dashboards into a directory, and remove those that are no more."""
    written = dashboards()
    directory.mkdir(parents=True, exist_ok=True)
    for stale in {path.name for path in directory.glob("*.json")} - written.keys():
        (directory / stale).unlink()
    for name, text in written.items():
        (directory / name).write_text(text, encoding="utf-8")
