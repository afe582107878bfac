"""What a record costs the server, and what the client costs the program, beside their floors."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from psycopg.conninfo import make_conninfo
from rich.table import Table

from bench.pgbench import Load, cpu_seconds, run_in_turn
from bench.write_path import COMMIT_OFF
from pgvigil.client import MonitoringClient
from pgvigil.demo.server import PostgresServer

_BATCHES = 40
_SECONDS_UNTIL_COUNTED = 0.5  # until the server has taken note of its backend's end
_IMPORTS = ("import psycopg", "import pgvigil.client")
_FULL = """
from pgvigil.client import MonitoringClient

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

monitor = MonitoringClient("postgresql://nobody@127.0.0.1:1/nowhere", spool=False)
monitor.record_log("info", "so that everything is loaded")
before = peak()
while not monitor.dropped:
    {call}
print(peak() - before)
"""
_FILLING = {
    "metrics": 'monitor.record_performance_metric("m", "gauge", 1, tags={"region": "north"})',
    "errors": 'monitor.record_error(None, "E", "low", "\\N{GRINNING FACE} " * 100, "c")',
    "tasks": 'monitor.complete_task(monitor.start_task("t"))',
}


def measure_server(server: PostgresServer, binaries: Path, rounds: int, seconds: int) -> Table:
    """Compare the server's work for a record in batches of 500 with a bare insert of the same."""
    table = Table("record", "commit", "bare CPU µs", "in batches, CPU µs", "times bare", "target")
    for commit, settings in (("on", ""), ("off", COMMIT_OFF)):
        dsn = make_conninfo(server.dsn("bench", via_socket=True), options=settings)
        for name, call, target in (("task", _task, 0.35), ("metric", _metric, 0.3)):
            bare, ours = [], []
            for _ in range(rounds):
                script = f"{name}.bare"
                speeds = run_in_turn(server, binaries, (script,), Load(4, seconds, settings), 1)
                bare.append(speeds[script].cpu_microseconds)
                ours.append(_cpu_of(server, dsn, call))
            ratio = median(ours) / median(bare)
            table.add_row(
                "short task" if name == "task" else name, commit,
                f"{median(bare):.1f}", f"{median(ours):.1f}", f"{ratio:.2f}", f"≤ {target}",
            )  # fmt: skip
    return table


def _cpu_of(server: PostgresServer, dsn: str, call: Callable[[MonitoringClient], object]) -> float:
    """Return the microseconds of the server's CPU for one call, less what a session costs once."""
    once, all_of_it = (_seconds_for(server, dsn, call, batches) for batches in (1, _BATCHES + 1))
    return (all_of_it - once) * 1e6 / (_BATCHES * 500)


def _seconds_for(
    server: PostgresServer, dsn: str, call: Callable[[MonitoringClient], object], batches: int
) -> float:
    before = cpu_seconds(server.pid)
    with MonitoringClient(dsn, spool=False) as monitor:
        for _ in range(batches):
            for _ in range(500):
                call(monitor)
            monitor.flush(30)
        lost = monitor.dropped
    if lost:
        raise RuntimeError(f"{lost} records were lost")
    time.sleep(_SECONDS_UNTIL_COUNTED)
    return cpu_seconds(server.pid) - before


def _task(monitor: MonitoringClient) -> None:
    task_id = monitor.start_task("ocr", 1024, "w1")
    monitor.complete_task(task_id, output_size=2048)


def _metric(monitor: MonitoringClient) -> None:
    monitor.record_performance_metric(
        "rows_per_second", "gauge", 12.5, "rows/s", "loader", tags={"region": "north"}
    )


def measure_program(rounds: int) -> Table:
    """Measure what importing the client takes, and how much memory a full queue of 16 MiB."""
    table = Table("of the program", "floor", "with the client", "times", "target")
    with TemporaryDirectory() as compiled:
        environment = _environment(compiled)
        seen: dict[str, list[float]] = {code: [] for code in _IMPORTS}
        for number in range(rounds * 3 + 1):
            for code in _IMPORTS:
                took = _cpu_of_code(code, environment)
                if number:  # the first one compiles
                    seen[code].append(took)
    floor, ours = (median(times) * 1000 for times in seen.values())
    table.add_row("import, CPU ms", f"{floor:.0f}", f"{ours:.0f}", f"{ours / floor:.2f}", "≤ 1.3")
    for name, call in _FILLING.items():
        done = subprocess.run(
            [sys.executable, "-c", _FULL.format(call=call)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        peak = float(done.stdout)
        table.add_row(f"queue full of {name}, MiB", "16", f"{peak:.1f}", f"{peak / 16:.2f}", "")
    return table


def _environment(compiled: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": compiled}


def _cpu_of_code(code: str, environment: dict[str, str]) -> float:
    before = os.times()
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    after = os.times()
    return (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
