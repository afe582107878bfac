"""Runs the parts of `make test` side by side, and tells how each of them went."""

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from tempfile import TemporaryFile

PARTS = (("test-python",), ("lint",), ("plpgsql-check", "test-matrix"))
"""Targets of the Makefile; those in one group follow each other."""

_WATCHED = "test-python"


@dataclass(frozen=True)
class PartResult:
    """How a part went."""

    part: str
    passed: bool
    seconds: float

    def __str__(self) -> str:
        """Return it as a line."""
        verdict = "passed" if self.passed else "FAILED"
        return f"{self.part:<15} {verdict} in {self.seconds:4.0f} s"


def run_parts(groups: Sequence[Sequence[str]] = PARTS) -> list[PartResult]:
    """Run all parts, whichever of them fail, and return how they went, in their order.

    The longest shows its progress. What the others print comes in one piece when they end.
    """
    with ThreadPoolExecutor(len(groups)) as pool:
        done = pool.map(lambda group: [_run_part(part) for part in group], groups)
        return [result for group in done for result in group]


def _run_part(part: str) -> PartResult:
    is_watched = part == _WATCHED
    # Tests that wait for something go first; the rest takes what they leave of the processors.
    command = ["make", part] if is_watched else ["nice", "make", part]
    began = time.monotonic()
    with TemporaryFile() as output:
        code = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=None if is_watched else output,
            stderr=None if is_watched else subprocess.STDOUT,
        ).returncode
        result = PartResult(part, code == 0, time.monotonic() - began)
        output.seek(0)
        told = output.read().decode(errors="replace")
    # In one piece, so that nothing of another part comes in between.
    sys.stdout.write(f"\n==== {result}\n{told}")
    sys.stdout.flush()
    return result
