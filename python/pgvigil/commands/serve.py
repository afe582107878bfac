"""``pgvigil serve``."""

import asyncio
import logging
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pgvigil.commands.options import Duration, dsn_option
from pgvigil.database.log import LogFormat, log, set_up_logging
from pgvigil.exceptions import PgvigilError
from pgvigil.faces.web.settings import WebSettings
from pgvigil.faces.web.token import PING_KEY, read_token

if TYPE_CHECKING:
    from pgvigil.faces.web.serving import WebServer


@click.command()
@dsn_option
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on. One that others reach needs --allow-remote.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0: any free."
)
@click.option(
    "--allow-remote",
    is_flag=True,
    help="Listen where other machines reach it: all of them may read everything recorded.",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="NAME",
    help="Host name to answer to, besides localhost and bare addresses; repeatable.",
)
@click.option(
    "--api-path",
    "api_paths",
    multiple=True,
    metavar="PATH",
    help="Path under which the API is found as well, such as /api/ami-operational, for programs "
    "that know it by that; repeatable.",
)
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="File with the token of those who may write. Default: PGVIGIL_WEB_TOKEN; without either "
    "nobody may.",
)
@click.option(
    "--ping-key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="File with the key of those who may send pings and alerts of other systems. Default: "
    "PGVIGIL_PING_KEY; without either nobody may.",
)
@click.option(
    "--connections",
    type=click.IntRange(1, 32),
    default=WebSettings.connections,
    show_default=True,
    help="Most connections to the database at once.",
)
@click.option(
    "--patience",
    type=Duration(least=0.1),
    default="10s",
    show_default=True,
    help="Longest time that the database may take for one statement.",
)
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def command(
    dsn: str,
    host: str,
    port: int,
    allow_remote: bool,
    names: tuple[str, ...],
    api_paths: tuple[str, ...],
    token_file: Path | None,
    ping_key_file: Path | None,
    connections: int,
    patience: float,
    log_format: LogFormat,
) -> None:
    """Serve a page, its data as JSON, and figures for Prometheus.

    Everybody who reaches it may read; acknowledging an alert takes the token, and sending pings
    the key for them. It goes on while the database is away, and says so. The log goes to standard
    error. SIGTERM and Ctrl-C end it.
    """
    set_up_logging(log_format, "info")
    server = _server(
        WebSettings(
            dsn,
            token=read_token(token_file),
            ping_key=read_token(ping_key_file, PING_KEY),
            names=names,
            connections=connections,
            seconds_to_answer=patience,
            api_paths=api_paths,
        ),
        host,
        port,
        allow_remote,
    )
    log(logging.INFO, f"serving {server.url}")
    asyncio.run(_serve(server))
    log(logging.INFO, "stopped")


def _server(settings: WebSettings, host: str, port: int, allow_remote: bool) -> "WebServer":
    from pgvigil.faces.web.serving import WebServer, is_loopback

    if not allow_remote and not is_loopback(host):
        raise PgvigilError(
            f"other machines can reach {host}, and could read everything recorded",
            hint="Add --allow-remote if that is intended; a proxy that authenticates is better.",
        )
    return WebServer(settings, host, port)


async def _serve(server: "WebServer") -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, server.stop)
    await server.serve_until_stopped()
