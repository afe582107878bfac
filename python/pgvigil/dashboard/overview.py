"""The overview: a little of everything."""

from functools import partial
from typing import Any

import psycopg

from pgvigil.dashboard.known import fresh
from pgvigil.dashboard.picture import Picture
from pgvigil.dashboard.render import render
from pgvigil.dashboard.state import read_state


@fresh
def overview(connection: psycopg.Connection[Any]) -> Picture:
    """Read the present state of everything."""
    return partial(render, read_state(connection))
