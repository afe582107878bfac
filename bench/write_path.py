"""What recording costs, against a bare insert of the same row."""

from pathlib import Path

from rich.table import Table

from bench.pgbench import Load, run_in_turn
from pgvigil.demo.server import PostgresServer

RECORDINGS = ("task", "error", "metric", "log", "queue")
CONTENDED = ("error", "queue", "metric")
COMMIT_OFF = "-c synchronous_commit=off"


def measure_recording(server: PostgresServer, binaries: Path, seconds: int, rounds: int) -> Table:
    """Compare each recording call with its floor, at four clients."""
    table = Table("recording", "commit", "calls/s", "of bare", "CPU µs", "times bare")
    for commit, settings in (("off", COMMIT_OFF), ("on", "")):
        for name in RECORDINGS:
            scripts = (f"{name}.bare", f"{name}.pgvigil")
            speeds = run_in_turn(server, binaries, scripts, Load(4, seconds, settings), rounds)
            bare, ours = (speeds[script] for script in scripts)
            table.add_row(
                "start + complete" if name == "task" else name,
                commit,
                f"{ours.calls_per_second:,.0f}",
                f"{ours.calls_per_second / bare.calls_per_second:.2f}",
                f"{ours.cpu_microseconds:.1f}",
                f"{ours.cpu_microseconds / bare.cpu_microseconds:.2f}",
            )
    return table


def measure_unchecked_tasks(
    server: PostgresServer, binaries: Path, seconds: int, rounds: int
) -> Table:
    """Compare a start and an end with the same rows written by functions that check nothing."""
    table = Table("start + complete", "commit", "pairs/s of bare", "CPU, times bare")
    scripts = {
        "functions that check nothing": "task.unchecked",
        "pgvigil": "task.pgvigil",
    }
    for commit, settings in (("off", COMMIT_OFF), ("on", "")):
        load = Load(4, seconds, settings)
        speeds = run_in_turn(server, binaries, ("task.bare", *scripts.values()), load, rounds)
        bare = speeds["task.bare"]
        for name, script in scripts.items():
            ours = speeds[script]
            table.add_row(
                name,
                commit,
                f"{ours.calls_per_second / bare.calls_per_second:.2f}",
                f"{ours.cpu_microseconds / bare.cpu_microseconds:.2f}",
            )
    return table


def measure_contention(server: PostgresServer, binaries: Path, seconds: int, rounds: int) -> Table:
    """Compare sixteen callers that record the same thing with sixteen that do not."""
    table = Table("16 callers", "apart/s", "together/s", "together of apart")
    for name in CONTENDED:
        scripts = (f"{name}.apart", f"{name}.together")
        speeds = run_in_turn(server, binaries, scripts, Load(16, seconds, COMMIT_OFF), rounds)
        apart, together = (speeds[script].calls_per_second for script in scripts)
        table.add_row(name, f"{apart:,.0f}", f"{together:,.0f}", f"{together / apart:.2f}")
    return table
