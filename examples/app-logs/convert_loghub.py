"""Turn structured application logs (CSV as Loghub has them) into lines for ``pgvigil backfill``.

    python convert_loghub.py IN.csv[.gz] OUT.jsonl[.gz] [UTC-OFFSET, such as +02:00]

Needs nothing but Python. Every line becomes a log line; those of level WARN and worse become
errors as well. `README.md` beside this file says which column goes where.
"""

import csv
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import IO, Any, cast

LEVELS = {
    "trace": "DEBUG",
    "debug": "DEBUG",
    "info": "INFO",
    "notice": "INFO",
    "warn": "WARNING",
    "warning": "WARNING",
    "error": "ERROR",
    "crit": "CRITICAL",
    "critical": "CRITICAL",
    "alert": "CRITICAL",
    "emerg": "CRITICAL",
    "fatal": "CRITICAL",
}
SEVERITIES = {"WARNING": "low", "ERROR": "high", "CRITICAL": "critical"}
TIME_FORMATS = (
    "%Y-%m-%d %H:%M:%S,%f",  # Hadoop
    "%Y-%m-%d %H:%M:%S.%f",  # OpenStack
    "%y/%m/%d %H:%M:%S",  # Spark
    "%a %b %d %H:%M:%S %Y",  # Apache
    "%Y-%m-%d %H:%M:%S",
)
KEPT = ("Process", "Pid", "ADDR", "Logrecord", "EventId")


class SkippedLineError(Exception):
    """A line that cannot become a record; the message says why."""


def main(arguments: list[str]) -> int:
    """Convert a file; return 0, or 2 when called wrongly."""
    if len(arguments) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    source, target = map(Path, arguments[:2])
    zone = datetime.strptime(arguments[2], "%z").tzinfo if len(arguments) == 3 else UTC
    skipped: Counter[str] = Counter()
    written: Counter[str] = Counter()
    application = source.name.split("_")[0].split(".")[0].lower()
    with open_text(source, "rt") as lines, open_text(target, "wt") as out:
        for record in convert(lines, application, zone or UTC, skipped):
            out.write(json.dumps(record) + "\n")
            written[record["kind"]] += 1
    print(
        f"{written['logs']:,} log lines and {written['errors']:,} errors written to {target}, "
        f"{skipped.total():,} lines skipped",
        file=sys.stderr,
    )
    for reason, count in skipped.most_common():
        print(f"  {count:,} skipped: {reason}", file=sys.stderr)
    return 0


def convert(
    lines: Iterable[str], application: str, zone: tzinfo, skipped: Counter[str]
) -> Iterator[dict[str, Any]]:
    """Yield one or two records for each line; count the reasons of those that cannot be one.

    Args:
        lines: the file, with its header.
        application: component of lines that name none.
        zone: where the clock stood that wrote the times.
        skipped: where to count.
    """
    for row in csv.DictReader(lines):
        try:
            log = log_line(row, application, zone)
        except SkippedLineError as reason:
            skipped[str(reason)] += 1
            continue
        yield {"kind": "logs", **log}
        if log["level"] in SEVERITIES:
            yield {"kind": "errors", **error_of(log)}


def log_line(row: dict[str, str], application: str, zone: tzinfo) -> dict[str, Any]:
    """Return a line as a row of ``v_application_logs``.

    Raises:
        SkippedLineError: its level or time is not known.
    """
    level = LEVELS.get((row.get("Level") or "").lower())
    if level is None:
        raise SkippedLineError(f"level {row.get('Level')!r} is not known")
    details = {name.lower(): row[name] for name in KEPT if row.get(name)}
    return {
        "logged_at": time_of(row).replace(tzinfo=zone).isoformat(),
        "component": row.get("Component") or application,
        "level": level,
        "message": row.get("Content") or "",
        "details": {"application": application, **details},
    }


def error_of(log: dict[str, Any]) -> dict[str, Any]:
    """Return a log line as a row of ``error_tracking``.

    A log line names no exception class; its component is what tells kinds of trouble apart.
    """
    return {
        "occurred_at": log["logged_at"],
        "error_type": log["component"],
        "severity": SEVERITIES[log["level"]],
        "message": log["message"],
        "component": log["component"],
        "details": log["details"],
    }


def time_of(row: dict[str, str]) -> datetime:
    """Return the time of a line, without a zone.

    Raises:
        SkippedLineError: it is written in none of the known forms.
    """
    text = f"{row.get('Date') or ''} {row.get('Time') or ''}".strip()
    for form in TIME_FORMATS:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    raise SkippedLineError("the time is written in none of the known forms")


def open_text(path: Path, mode: str) -> IO[str]:
    """Open a text file, zipped if its name ends in ``.gz``."""
    if path.suffix == ".gz":
        return cast(IO[str], gzip.open(path, mode, encoding="utf-8", newline=""))
    return cast(IO[str], path.open(mode, encoding="utf-8", newline=""))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
