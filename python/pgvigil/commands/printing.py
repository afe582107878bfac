"""Printing what commands show: for people on a terminal, or a line a row for programs."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import click
from rich.console import Console

from pgvigil.faces.plain import plain
from pgvigil.faces.terminal.lists import Column, Row, below, facts, known, lines, table


@dataclass(frozen=True)
class Part:
    """A list that belongs to a thing."""

    title: str
    rows: Sequence[Row]
    columns: Sequence[Column]


def terminal() -> Console:
    """Return a console that prints what the terminal's encoding lacks as question marks."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
    return Console(highlight=False)


def print_list(rows: Sequence[Row], columns: Sequence[Column], now: datetime, noun: str) -> None:
    """Print a list; that it is empty is said where programs do not read it."""
    if not rows:
        click.echo(f"No {noun}.", err=True)
    elif (console := terminal()).is_terminal:
        console.print(table(rows, columns, now))
    else:
        for line in lines(rows, columns, now):
            click.echo(line)


def print_thing(
    headline: str, values: Mapping[str, object], parts: Sequence[Part], now: datetime
) -> None:
    """Print what is known of one thing, and the lists that belong to it unless they are empty."""
    shown = [part for part in parts if part.rows]
    console = terminal()
    if console.is_terminal:
        console.print(plain(headline), style="bold", markup=False)
        console.print(facts(values))
        for part in shown:
            console.print(below(part.title, table(part.rows, part.columns, now)))
        return
    click.echo(plain(headline))
    said = known(values)
    for fact, value in said.items():
        click.echo(f"{fact.ljust(max(map(len, said)))}  {value}")
    for part in shown:
        click.echo(f"\n{part.title}")
        for line in lines(part.rows, part.columns, now):
            click.echo(line)
