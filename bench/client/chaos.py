"""Programs that record while something is wrong: how long they wait, and what is lost."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.client.counting import Count, count, told_in
from bench.client.program import Plan
from bench.client.troubles import Place

_SECONDS_FOR_HEIRS = 120
_OF_HEIRS = -1  # their number, which is not counted


@dataclass(frozen=True)
class Outcome:
    """What a program went through."""

    said: dict[str, Any]
    """What it printed; nothing when it was killed."""
    told: dict[int, float]
    """Its journal."""
    killed_at: float
    count: Count

    def wait_ms(self, share: float, of: str = "waits") -> float:
        """Return how long a share of its calls took at most, in milliseconds."""
        waits = self.said[of]
        return float(waits[min(int(len(waits) * share), len(waits) - 1)]) * 1000


def go_through(
    place: Place,
    trouble: Callable[[Place], AbstractContextManager[None]],
    plan: Plan,
    *,
    before: float,
    seconds: float,
    kills: bool = False,
) -> Outcome:
    """Run a program, have a trouble for a while, and count when all is well again.

    Args:
        place: where it records.
        trouble: what is wrong.
        plan: what the program does.
        before: seconds until the trouble begins, from the first record on.
        seconds: how long it lasts.
        kills: whether the program is killed, with SIGKILL, while the trouble is there.
    """
    journal = Path(plan.journal)
    with begin(plan) as program:
        wait_for_first_record(journal, program)
        time.sleep(before)
        killed_at = 0.0
        with trouble(place):
            time.sleep(seconds)
            if kills:
                killed_at = time.time()
                program.kill()
        output, _ = program.communicate()
    if not kills and program.returncode:
        raise RuntimeError(f"the program ended with {program.returncode}")
    inherit(plan)
    told = told_in(journal)
    said = {} if kills else json.loads(output)
    return Outcome(said, told, killed_at, count(place.dsn, told))


def begin(plan: Plan) -> "subprocess.Popen[str]":
    """Begin a program."""
    return subprocess.Popen(
        [sys.executable, "-m", "bench.client.program", plan.as_text()],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for_first_record(journal: Path, program: "subprocess.Popen[str]") -> None:
    """Wait until a program has recorded something."""
    while not (journal.exists() and journal.stat().st_size):
        if program.poll() is not None:
            raise RuntimeError(f"the program ended with {program.returncode} before it recorded")
        time.sleep(0.01)


def inherit(plan: Plan) -> None:
    """Have other programs send what one has left behind."""
    deadline = time.monotonic() + _SECONDS_FOR_HEIRS
    heir = replace(
        plan, journal="/dev/null", threads=1, records=1, first=_OF_HEIRS, flush=10.0, options={}
    )
    spool = Path(str(plan.spool))
    while spool.exists() and any(spool.glob("*.spool")):
        if time.monotonic() > deadline:
            raise RuntimeError(f"nobody could send what is in {spool}")
        with begin(heir) as program:
            program.communicate()
