"""Running pgbench scripts in turn, with the CPU that the server spent on each call."""

import os
import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pgvigil.demo.server import PostgresServer

SCRIPTS = Path(__file__).parent / "scripts"


@dataclass(frozen=True)
class Speed:
    """What one script did: calls a second, and microseconds of server CPU a call."""

    calls_per_second: float
    cpu_microseconds: float


@dataclass(frozen=True)
class Load:
    """How a script is run: so many clients, for so many seconds, with these server settings."""

    clients: int
    seconds: int
    settings: str = ""


def run_in_turn(
    server: PostgresServer, binaries: Path, scripts: Sequence[str], load: Load, rounds: int
) -> dict[str, Speed]:
    """Run scripts A B A B …; the median of the rounds is a script's speed."""
    seen: dict[str, list[Speed]] = {script: [] for script in scripts}
    for _ in range(rounds):
        for script in scripts:
            seen[script].append(_run(server, binaries, script, load))
    return {
        script: Speed(
            median(speed.calls_per_second for speed in speeds),
            median(speed.cpu_microseconds for speed in speeds),
        )
        for script, speeds in seen.items()
    }


def _run(server: PostgresServer, binaries: Path, script: str, load: Load) -> Speed:
    before = cpu_seconds(server.pid)
    done = subprocess.run(
        [
            binaries / "pgbench", "--no-vacuum", "--protocol=prepared",
            f"--client={load.clients}", f"--jobs={min(load.clients, 2)}", f"--time={load.seconds}",
            f"--file={SCRIPTS / f'{script}.sql'}", server.dsn("bench", via_socket=True),
        ],
        env=os.environ | {"PGOPTIONS": load.settings},
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    time.sleep(0.3)  # until the server has taken note of its backends' end
    calls = int(_find(r"actually processed: (\d+)", done.stdout))
    return Speed(
        float(_find(r"^tps = ([\d.]+)", done.stdout)),
        (cpu_seconds(server.pid) - before) * 1e6 / calls,
    )


def cpu_seconds(pid: int) -> float:
    """Seconds of CPU that a server and its ended children have spent (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _find(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"pgbench printed nothing like {pattern}:\n{text}")
    return found[1]
