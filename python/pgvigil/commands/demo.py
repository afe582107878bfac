"""``pgvigil demo``."""

import shutil
import sys
from pathlib import Path

import click

from pgvigil.client.sending.backlog import state_directory
from pgvigil.commands.dashboard import end_tidily_when_terminated
from pgvigil.commands.printing import terminal
from pgvigil.database.connections import open_connection
from pgvigil.demo.control import DemoStopped
from pgvigil.demo.server_binaries import ServerError
from pgvigil.demo.stage import Demo
from pgvigil.faces.terminal import read_state, render, watch

_REFRESH_SECONDS = 1.0
_PACE_LIVE = 1.0
_PACE_ONCE = 0.1


@click.command()
@click.option("--once", is_flag=True, help="Do one round, show the result and exit.")
@click.option("--rounds", type=click.IntRange(min=1), help="Exit after so many rounds.")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where its data are kept. Default: ~/.local/state/pgvigil/demo (or XDG_STATE_HOME).",
)
@click.option("--port", type=click.IntRange(1, 65535), help="Port of PostgreSQL. Default: any.")
@click.option(
    "--web-port", type=click.IntRange(0, 65535), default=0, help="Port of the page. Default: any."
)
def command(
    once: bool, rounds: int | None, data_dir: Path | None, port: int | None, web_port: int
) -> None:
    """Try pgvigil on real work, with its own PostgreSQL.

    It starts a server that ends with this command, installs pgvigil in it, and lets a small
    business go to work: files are imported, some of them damaged; invoices are written from a
    queue; a service goes down at times; a scheduler keeps pgvigil itself tidy. A page shows it,
    unless it is to do a round --once. Its data are kept and used again; to be rid of them, remove
    the directory.
    """
    end_tidily_when_terminated()
    home = data_dir or _default_home()
    click.echo(f"Starting PostgreSQL in {home}")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with Demo(home, port, _PACE_ONCE if once else _PACE_LIVE) as demo:
            if not once:
                demo.serve(web_port)
            hints = _hints(demo)
            if once:
                _run_once(demo, rounds or 1)
            else:
                demo.keep_importing(rounds)
                watch(terminal(), demo.dsn, _REFRESH_SECONDS, hints, demo.control.stopped)
            demo.stop_work()
            _show(demo)
            click.echo(f"\n{hints}" if once else "")
    except (KeyboardInterrupt, DemoStopped):
        click.echo("Stopped.")
    except ServerError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"The server has ended; its data are in {home}.")


def _run_once(demo: Demo, rounds: int) -> None:
    for number in range(1, rounds + 1):
        click.echo(f"Importing a file of each of six shops (round {number} of {rounds})")
        demo.run_round()
    click.echo("Waiting for the last invoices")
    demo.wait_for_invoices()
    click.echo()


def _show(demo: Demo) -> None:
    with open_connection(demo.dsn) as connection:
        terminal().print(render(read_state(connection)))


def _hints(demo: Demo) -> str:
    pgvigil = _called("pgvigil", Path(sys.executable).parent)
    psql = _called("psql", demo.server.binaries)
    page = f"Page: {demo.url}\nToken to acknowledge alerts there: {demo.token}\n\n"
    return (
        (page if demo.url else "")
        + "While `pgvigil demo` runs (Ctrl-C ends it), try in another terminal:\n"
        # On a line of its own, so that a narrow terminal does not cut it off.
        f"export PGVIGIL_DSN=\\\n{demo.dsn}\n"
        f"{pgvigil} dashboard --watch\n"
        f"{pgvigil} alerts\n"
        f"{psql} $PGVIGIL_DSN -c 'select * from monitoring.v_task_statistics'\n"
        f"{psql} $PGVIGIL_DSN -c "
        "\"select monitoring.record_error(null, 'Mine', 'low', 'Hi')\"\n"
    )


def _called(program: str, directory: Path) -> str:
    """Return how another terminal calls a program: by its path where its name is not found."""
    return program if shutil.which(program) else str(directory / program)


def _default_home() -> Path:
    return state_directory() / "demo"
