"""Numbers of backfilled lines, and the memory that a backfill takes."""

import subprocess
import sys
from pathlib import Path

from pgvigil.client.backfill import KINDS
from pgvigil.client.backfill.numbering import Numbering
from tests.python.support.backfilling import log, write_jsonl


def test_numbers_are_negative_different_and_the_same_every_time() -> None:
    numbers = [
        [numbering.number(kind, log("x")) for kind in KINDS for _ in range(3)]
        for numbering in (Numbering(), Numbering())
    ]
    assert numbers[0] == numbers[1]
    assert len(set(numbers[0])) == 3 * len(KINDS)
    assert all(-(2**63) <= number < 0 for number in numbers[0])


def test_the_memory_of_occurrences_is_bounded() -> None:
    numbering = Numbering(remembered=100)
    first = numbering.number("logs", log("again"))
    for number in range(1000):
        numbering.number("logs", log(str(number)))
    assert len(numbering._seen) == 100
    assert numbering.number("logs", log("again")) == first
    assert numbering.number("logs", log("again")) != first


def test_memory_does_not_grow_with_the_file(dsn: str, tmp_path: Path) -> None:
    """Measured in a process of its own, which loads a small file and one fifty times as big."""
    small = write_jsonl(tmp_path / "small.jsonl", [log("x" * 200)] * 2000)
    large = write_jsonl(tmp_path / "large.jsonl", [log("y" * 200)] * 100_000)
    peaks = [peak_memory_of("backfill", str(path), "--kind", "logs", "--dry-run", "--dsn", dsn)
             for path in (small, large)]  # fmt: skip
    assert peaks[1] - peaks[0] < 20_000  # KiB; the large file has 30,000


def peak_memory_of(*arguments: str) -> int:
    program = (
        "import resource, sys\n"
        "from pgvigil.commands.cli import main\n"
        "try: main()\n"
        "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
    )
    return int(result.stderr.split()[-1])
