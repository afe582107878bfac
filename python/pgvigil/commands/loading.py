"""What commands that load history have in common: what they say meanwhile and afterwards."""

from collections.abc import Callable

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from pgvigil.client.backfill import Outcome, Policy
from pgvigil.client.backfill.lines import Line
from pgvigil.database.words import count_of

SOME_REJECTED = 3
"""Exit code when some lines were rejected, and all others loaded."""
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


def bar(console: Console) -> Progress:
    """Return a progress bar, which shows nothing where there is no terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


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
