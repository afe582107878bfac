"""The overview: a little of everything."""

from functools import partial
from typing import Any

import psycopg

from pgvigil.faces.terminal.known import fresh
from pgvigil.faces.terminal.picture import Picture
from pgvigil.faces.terminal.render import render
from pgvigil.faces.terminal.state import read_state


@fresh
def overview(connection: psycopg.Connection[Any]) -> Picture:
    """Read the present state of everything."""
    return partial(render, read_state(connection))
