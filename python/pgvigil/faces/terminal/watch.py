"""The dashboard that refreshes itself, and outlives the server it looks at."""

import threading
from collections.abc import Callable
from datetime import datetime

import psycopg
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from pgvigil.database.connections import open_connection
from pgvigil.database.patience import ImpatientConnection
from pgvigil.faces.terminal.overview import overview
from pgvigil.faces.terminal.picture import Face, Picture, draw_within


def watch(
    console: Console,
    dsn: str,
    seconds: float,
    heading: str = "",
    stopped: threading.Event | None = None,
    face: Face = overview,
) -> None:
    """Show a dashboard until Ctrl-C, read anew every so many seconds.

    Where the output is no terminal, one state is printed below the other.

    Args:
        console: where to.
        dsn: database to look at.
        seconds: pause between two looks.
        heading: lines to show above the dashboard, not wrapped.
        stopped: ends the watching when set.
        face: what to look at.

    Raises:
        NotInstalledError: the database has no pgvigil.
    """
    view = _View(console, dsn, heading, face)
    try:
        if not console.is_terminal:
            _repeat(seconds, stopped, lambda: console.print(view.look(), Text()))
            return
        with Live(console=console, screen=True, auto_refresh=False) as live:
            _repeat(seconds, stopped, lambda: live.update(view.look(), refresh=True))
    except KeyboardInterrupt:
        return
    finally:
        view.close()


def _repeat(seconds: float, stopped: threading.Event | None, act: Callable[[], None]) -> None:
    stopped = stopped or threading.Event()
    act()
    while not stopped.wait(seconds):
        act()


class _View:
    """The last state seen, and a connection for the next."""

    def __init__(self, console: Console, dsn: str, heading: str, face: Face) -> None:
        self._console = console
        self._dsn = dsn
        self._heading = heading
        self._face = face
        self._connection: ImpatientConnection | None = None
        self._picture: Picture | None = None
        self._away_since: datetime | None = None

    def look(self) -> RenderableType:
        """Return what is to be seen now; when the server is away, that and the last state."""
        seen = self._look_at_server()
        return Group(Text(self._heading, no_wrap=True), seen) if self._heading else seen

    def _look_at_server(self) -> RenderableType:
        try:
            if self._connection is None:
                self._connection = open_connection(self._dsn)
            self._picture = self._face(self._connection)
            self._away_since = None
            return self._render(self._picture)
        except psycopg.OperationalError as error:
            self.close()
            return self._look_at_nothing(error)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _look_at_nothing(self, error: Exception) -> RenderableType:
        self._away_since = self._away_since or datetime.now()
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        notice = Text.assemble(
            (f"No answer from the server since {self._away_since:%H:%M:%S}; retrying.", "bold red"),
            f"\n{reason}",
        )
        if self._picture is None:
            return notice
        last = Text("\nBelow is the last known state.\n", "dim")
        return Group(notice, last, self._render(self._picture, lines_taken=5))

    def _render(self, picture: Picture, lines_taken: int = 0) -> RenderableType:
        if not self._console.is_terminal:
            return picture()
        return draw_within(self._console, picture, self._height() - lines_taken)

    def _height(self) -> int:
        heading = self._heading.count("\n") + 1 if self._heading else 0
        return self._console.height - heading
