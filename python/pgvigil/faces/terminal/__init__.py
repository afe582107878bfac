"""The state of everything in a terminal, once or refreshed in place."""

from pgvigil.database.connections import open_connection
from pgvigil.faces.terminal.overview import overview
from pgvigil.faces.terminal.render import render
from pgvigil.faces.terminal.state import State, read_state
from pgvigil.faces.terminal.watch import watch

__all__ = ["State", "open_connection", "overview", "read_state", "render", "watch"]
