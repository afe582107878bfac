"""What commands that load history have in common: what they say meanwhile and afterwards."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from time import monotonic

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from pgvigil.client.backfill import Outcome, Policy
from pgvigil.client.backfill.lines import Line
from pgvigil.database.words import count_of

SOME_REJECTED = 3
"""Exit code when some lines were rejected, and all others loaded."""
_STOPPED = 130
_SECONDS_BETWEEN_LINES = 60
_COMPLAINTS_SHOWN = 20
_CHARACTERS_SHOWN = 160


class Complaints:
    """Shows the first bad lines and counts the rest, which are in the reject file anyway."""

    def __init__(self, console: Console, what: str = "line") -> None:
        """Show them on a console, numbered as so many lines, or rows."""
        self._console = console
        self._what = what
        self._count = 0

    def add(self, number: int, why: str) -> None:
        """Take a bad line and what is wrong with it."""
        self._count += 1
        if self._count <= _COMPLAINTS_SHOWN:
            self._console.print(f"{self._what} {number}: {why}", markup=False, soft_wrap=True)

    def finish(self) -> None:
        """Say how many more there were."""
        hidden = self._count - _COMPLAINTS_SHOWN
        if hidden > 0:
            self._console.print(f"… and {count_of(hidden, f'more bad {self._what}')}")


def warner(console: Console) -> Callable[[Policy], None]:
    """Return what tells, before they are loaded, that lines will not stay."""

    def warn(policy: Policy) -> None:
        table, category = policy
        what, more = (f"{table} of {category}", f", '{category}'") if category else (table, "")
        console.print(
            f"Some are older than {what} are kept, and the next clean-up removes them. To keep "
            f"them: select monitoring.set_retention('{table}', null{more});",
            markup=False,
            soft_wrap=True,
        )

    return warn


def show(line: Line) -> None:
    """Print a line that a dry run found to be new."""
    text = line.text.rstrip()
    if len(text) > _CHARACTERS_SHOWN:
        text = text[:_CHARACTERS_SHOWN] + "…"
    click.echo(f"new: line {line.number}: {text}")


class Course:
    """Tells how far loading has come, and what was loaded when it was stopped."""

    def __init__(
        self,
        console: Console,
        what: str,
        *,
        size: int | None = None,
        position: Callable[[], int] = lambda: 0,
    ) -> None:
        """Begin.

        Args:
            console: where it is told; on a terminal by a bar, elsewhere by a line a minute.
            what: what is loaded, such as line.
            size: all that is to be read, in whatever unit; None when unknown.
            position: tells how much of it has been read.
        """
        self._console = console
        self._what = what
        self._position = position
        self._latest = Outcome()
        self._told_at = monotonic()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=size)

    def report(self, outcome: Outcome) -> None:
        """Take how it has gone so far."""
        self._latest = outcome
        read = count_of(outcome.read, self._what)
        self._bar.update(self._task, completed=self._position(), description=read)
        if not self._console.is_terminal and monotonic() - self._told_at > _SECONDS_BETWEEN_LINES:
            self._told_at = monotonic()
            self._console.print(f"{read} so far, {outcome.new:,} new", markup=False)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Show it while something is loaded; who stops that is told what was loaded by then."""
        with self._bar, _ended_like_interrupted():
            try:
                yield
            except KeyboardInterrupt:
                self._bar.stop()
                so_far = summary(self._latest, self._what, is_dry_run=False)
                click.echo(f"Stopped. {so_far}. Run it again to go on.")
                sys.exit(_STOPPED)


@contextmanager
def _ended_like_interrupted() -> Iterator[None]:
    """Take a request to end for an interruption, where signals come."""
    if current_thread() is not main_thread():
        yield
        return
    former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def summary(outcome: Outcome, what: str, *, is_dry_run: bool) -> str:
    """Return how a backfill went, without a full stop."""
    tense = "would be new" if is_dry_run else "new"
    text = (
        f"{count_of(outcome.read, what)} read: {outcome.new:,} {tense}, "
        f"{outcome.known:,} already there, {outcome.rejected:,} rejected"
    )
    return f"{text}, {outcome.running:,} still running and left out" if outcome.running else text


def what_goes(outcome: Outcome, what: str, *, is_dry_run: bool) -> list[str]:
    """Return how many lines will not stay, a sentence for each policy."""
    verb = "would be" if is_dry_run else "will be"
    return [
        f"{count_of(count, what)} of {' '.join(filter(None, policy))} {verb} removed by the next "
        "clean-up, by age."
        for policy, count in sorted(outcome.expired.items())
    ]
