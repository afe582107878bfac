"""``python -m bench.wrapping``: what it costs to run a command under watch."""

import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console
from rich.table import Table

from bench.scratch import scratch_server
from pgvigil.demo.server_binaries import find_binaries
from pgvigil.wrapping.shell import shell_function

# When it starts is what the command says.
_JOB = ("date", "+%s.%N")
_BY_HAND = """
psql -Xq -d "$PGVIGIL_DSN" -c "select monitoring.start_task_tracking('by hand', 'job')" > /dev/null
date +%s.%N
psql -Xq -d "$PGVIGIL_DSN" -c "select monitoring.complete_task_tracking('by hand')" > /dev/null
"""
_FLOOR = "psql twice, by hand"


@click.command(help=__doc__)
@click.option("--pg", type=int, default=None, help="Major version; the newest by default.")
@click.option("--rounds", default=15, show_default=True, help="Times that each way is run.")
def main(pg: int | None, rounds: int) -> None:
    """Run a command that does next to nothing in each way, in turn."""
    with scratch_server(find_binaries(pg)) as server, TemporaryDirectory() as directory:
        file = Path(directory) / "pgvigil-exec.sh"
        file.write_text(shell_function())
        pgvigil = str(Path(sys.executable).parent / "pgvigil")
        ways = {
            "sh -c": ("sh", "-c", '"$@"', "sh", *_JOB),
            _FLOOR: ("sh", "-c", _BY_HAND),
            "the shell function": ("sh", str(file), "--", *_JOB),
            "pgvigil exec": (pgvigil, "exec", "--", *_JOB),
        }
        environment = {
            **os.environ,
            "PGVIGIL_DSN": server.dsn("bench"),
            "XDG_STATE_HOME": directory,
        }
        measured = defaultdict(list)
        for _ in range(rounds + 1):
            for name, words in ways.items():
                measured[name].append(_measure(words, environment))
    Console(width=100).print(_table({name: found[1:] for name, found in measured.items()}))


def _measure(words: tuple[str, ...], environment: dict[str, str]) -> tuple[float, float, float]:
    """Return milliseconds until the command starts, until all has ended, and of the processor."""
    began = time.time()
    process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    started = float(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    seconds = (started - began, time.time() - began, usage.ru_utime + usage.ru_stime)
    return seconds[0] * 1000, seconds[1] * 1000, seconds[2] * 1000


def _table(measured: dict[str, list[tuple[float, float, float]]]) -> Table:
    table = Table("way", "ms to start", "ms to end", "ms of CPU", f"CPU, times {_FLOOR}")
    medians = {
        name: [statistics.median(column) for column in zip(*found, strict=True)]
        for name, found in measured.items()
    }
    for name, (start, end, cpu) in medians.items():
        ratio = cpu / medians[_FLOOR][2]
        table.add_row(name, f"{start:.0f}", f"{end:.0f}", f"{cpu:.0f}", f"{ratio:.2f}")
    return table


if __name__ == "__main__":
    main()
