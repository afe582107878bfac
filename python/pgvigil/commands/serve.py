"""``pgvigil serve``."""

import asyncio
import logging
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pgvigil.commands.options import Duration, dsn_option, log_format_option, option_group
from pgvigil.database.log import LogFormat, log, set_up_logging
from pgvigil.exceptions import PgvigilError
from pgvigil.faces.web.settings import WebSettings
from pgvigil.faces.web.token import PING_KEY, read_token
from pgvigil.faces.web.users import networks_of

if TYPE_CHECKING:
    from pgvigil.faces.web.serving import WebServer


def _checked_header(
    context: click.Context, parameter: click.Parameter, name: str | None
) -> str | None:
    if name is not None and not re.fullmatch(r"[A-Za-z0-9-]+", name):
        raise click.BadParameter(f"{name!r} is not the name of a header")
    return name


serving_options = option_group(
    click.option(
        "--host",
        default="127.0.0.1",
        show_default=True,
        help="Address to listen on. One that others reach needs --allow-remote.",
    ),
    click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=8080,
        show_default=True,
        help="0: any free.",
    ),
    click.option(
        "--allow-remote",
        is_flag=True,
        help="Listen where other machines reach it: all of them may read everything recorded.",
    ),
    click.option(
        "--name",
        "names",
        multiple=True,
        metavar="NAME",
        help="Host name to answer to, besides localhost and bare addresses; repeatable.",
    ),
    click.option(
        "--api-path",
        "api_paths",
        multiple=True,
        metavar="PATH",
        help="Path under which the API is found as well, such as /api/ami-operational, for "
        "programs that know it by that; repeatable.",
    ),
    click.option(
        "--token-file",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="File with the token of those who may write. Default: PGVIGIL_WEB_TOKEN; without "
        "either nobody may.",
    ),
    click.option(
        "--user-header",
        metavar="NAME",
        callback=_checked_header,
        help="Header in which a reverse proxy says who somebody is, such as X-Forwarded-User: they "
        "may write without the token, and what they decide is noted as theirs. The proxy must "
        "replace the header in all that it passes on.",
    ),
    click.option(
        "--trusted-proxy",
        "trusted_proxies",
        multiple=True,
        metavar="ADDRESS",
        help="Address, or range of addresses, of which that header is believed; repeatable. "
        "Default: this machine.",
    ),
    click.option(
        "--ping-key-file",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="File with the key of those who may send pings, events of Sentry's SDKs and alerts of "
        "other systems. Default: PGVIGIL_PING_KEY; without either nobody may.",
    ),
    click.option(
        "--connections",
        type=click.IntRange(1, 32),
        default=WebSettings.connections,
        show_default=True,
        help="Most connections to the database at once.",
    ),
    click.option(
        "--patience",
        "seconds_to_answer",
        type=Duration(least=0.1),
        default="10s",
        show_default=True,
        help="Longest time that the database may take for one statement.",
    ),
)
"""Those of a web service, as `listening_server` takes them."""


@click.command()
@dsn_option
@serving_options
@log_format_option
def command(dsn: str, log_format: LogFormat, **how: Any) -> None:
    """Serve a page, its data as JSON, and figures for Prometheus.

    Everybody who reaches it may read; acknowledging an alert takes the token, or a name from a
    trusted proxy, and sending pings the key for them. It goes on while the database is away, and
    says so. The log goes to standard error. SIGTERM and Ctrl-C end it.
    """
    set_up_logging(log_format, "info")
    server = listening_server(dsn, **how)
    log(logging.INFO, f"serving {server.url}")
    asyncio.run(_serve(server))
    log(logging.INFO, "stopped")


def listening_server(
    dsn: str,
    host: str,
    port: int,
    allow_remote: bool,
    token_file: Path | None,
    ping_key_file: Path | None,
    trusted_proxies: tuple[str, ...] = (),
    **how: Any,
) -> "WebServer":
    """Return a web service that has its address already, made as the options say.

    Raises:
        PgvigilError: others reach the address and that is not allowed, the address cannot be
            had, or a token or key cannot be used.
    """
    from pgvigil.faces.web.serving import WebServer, is_loopback

    settings = WebSettings(
        dsn,
        token=read_token(token_file),
        ping_key=read_token(ping_key_file, PING_KEY),
        proxies=networks_of(trusted_proxies) or WebSettings.proxies,
        **how,
    )
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
