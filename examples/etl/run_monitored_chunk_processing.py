"""Load match data chunk by chunk, under watch.

A file of matches is made (or given), read in chunks by several threads, each match is parsed and
checked, and the table of all teams is written. pgvigil sees the execution, its chunks, every match
that is broken, and with --track-performance how long each step takes.
"""

import argparse
import json
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path

from matches import Match, Standing, add_up, generate, parse, read_chunks, write_table

from pgvigil import MonitoringClient
from pgvigil.client.etl import (
    ETLAlertManager,
    ETLExecution,
    ETLLogger,
    ETLMonitor,
    PerformanceTracker,
)


class Load:
    """Everything that the chunks of one load share."""

    def __init__(
        self,
        execution: ETLExecution,
        logger: ETLLogger,
        tracker: PerformanceTracker | None,
        chunks: int,
    ) -> None:
        """Begin with an empty table."""
        self.execution = execution
        self.logger = logger
        self.tracker = tracker
        self.chunks = chunks
        self.table: dict[str, Standing] = {}
        self._done = 0
        self._lock = threading.Lock()

    @contextmanager
    def tracked(self, operation: str, items: int) -> Iterator[None]:
        """Measure a step, if steps are measured."""
        with self.tracker.track_operation(operation, items) if self.tracker else nullcontext():
            yield

    def process(self, numbered: tuple[int, list[dict[str, str]]]) -> None:
        """Parse a chunk and add it up."""
        number, rows = numbered
        chunk = self.execution.chunk(number, total_fixtures=len(rows))
        with chunk, self.tracked("chunk", len(rows)):
            with chunk.step("parse"), self.tracked("parse", len(rows)):
                matches = [match for match in map(self._parsed, rows) if match is not None]
            with chunk.step("aggregate"), self.tracked("aggregate", len(matches)), self._lock:
                for match in matches:
                    add_up(self.table, match)
            chunk.count_fixtures(successful=len(matches), failed=len(rows) - len(matches))
            self.logger.info("chunk loaded", {"rows": len(rows), "matches": len(matches)})
        self._tell_progress()

    def _parsed(self, row: dict[str, str]) -> Match | None:
        try:
            return parse(row)
        except ValueError as error:
            self.logger.warning(f"match passed over: {error}", {"fixture_id": row["fixture_id"]})
            if self.tracker:
                self.tracker.increment_counter("broken_matches")
            return None

    def _tell_progress(self) -> None:
        with self._lock:
            self._done += 1
            if self.tracker:
                self.tracker.set_gauge("progress", 100 * self._done / self.chunks, "%")
            print(f"{self._done} of {self.chunks} chunks", flush=True)


def main() -> int:
    """Run the load and say how it went; 1 when an alert about it is open."""
    options = read_arguments()
    client = MonitoringClient(options.dsn, component="match-loader")
    tracker = None
    with client, tempfile.TemporaryDirectory() as scratch:
        source = options.input or Path(scratch) / "matches.csv"
        if options.input is None:
            generate(source, options.matches, options.bad_percent, options.seed)
        chunks = list(islice(read_chunks(source, options.chunk_size), options.max_chunks))
        execution = ETLMonitor(client).execution(
            options.execution_id,
            config={"source": source.name, "chunk_size": options.chunk_size},
            total_fixtures=sum(map(len, chunks)),
            total_chunks=len(chunks),
        )
        with execution:
            if options.track_performance or options.export_metrics:
                tracker = PerformanceTracker(client)
            load = Load(execution, ETLLogger(client, console=True), tracker, len(chunks))
            with ThreadPoolExecutor(options.workers) as pool:
                list(pool.map(load.process, enumerate(chunks, 1)))
            with execution.step("write"):
                write_table(options.output, load.table)
    if options.export_metrics and tracker:
        options.export_metrics.write_text(json.dumps(tracker.statistics(), indent=2) + "\n")
    return report(options, execution)


def report(options: argparse.Namespace, execution: ETLExecution) -> int:
    """Print how an execution went and what is wrong about it."""
    counts = execution.counters
    print(
        f"{execution.execution_id}: {counts.get('successful_fixtures', 0):,.0f} matches loaded, "
        f"{counts.get('failed_fixtures', 0):,.0f} passed over; table in {options.output}"
    )
    alerts = ETLAlertManager(options.dsn).check_execution_alerts(execution.execution_id)
    for alert in alerts:
        print(f"{alert.severity}: {alert.summary}", file=sys.stderr)
    # That alerts cannot be known is told, but no reason to take the load for a bad one.
    return 1 if any(alert.status != "unknown" for alert in alerts) else 0


def read_arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dsn", help="database; default: PGVIGIL_DSN, else libpq's environment")
    parser.add_argument("--execution-id", help="name of this run; default: a unique one")
    parser.add_argument("--input", type=Path, help="file of matches; default: one is made")
    parser.add_argument("--output", type=Path, default=Path("table.csv"), help="file to write")
    parser.add_argument("--matches", type=positive, default=5000, help="how many to make")
    parser.add_argument("--bad-percent", type=float, default=1.0, help="how many are broken")
    parser.add_argument("--seed", type=int, default=1, help="the same makes the same matches")
    parser.add_argument("--chunk-size", type=positive, default=500, help="matches in a chunk")
    parser.add_argument("--max-chunks", type=positive, help="stop after so many")
    parser.add_argument("--workers", type=positive, default=2, help="chunks at a time")
    parser.add_argument("--track-performance", action="store_true", help="measure each step")
    parser.add_argument(
        "--export-metrics", type=Path, metavar="FILE", help="write the measurements as JSON, too"
    )
    return parser.parse_args()


def positive(text: str) -> int:
    """Return a number from 1 up."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
