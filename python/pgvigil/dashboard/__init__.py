"""The state of everything in a terminal, once or refreshed in place."""

from pgvigil.dashboard.overview import overview
from pgvigil.dashboard.render import render
from pgvigil.dashboard.state import State, open_connection, read_state
from pgvigil.dashboard.watch import watch

__all__ = ["State", "open_connection", "overview", "read_state", "render", "watch"]
