"""Making a database ready: waiting for its server, saying what is found there, installing."""

import logging
import time

import psycopg
from psycopg import pq

from pgvigil.database.connections import current_role, own_session
from pgvigil.database.dsn import complete_dsn
from pgvigil.database.log import log, log_of
from pgvigil.database.words import length_of_time
from pgvigil.exceptions import DatabaseNotReadyError, NotInstalledError, PgvigilError, explain
from pgvigil.install import migrate
from pgvigil.install.rights import may_run_jobs
from pgvigil.install.session import check_server
from pgvigil.install.status import Status, read_status

_SECONDS_BETWEEN_ATTEMPTS = 1.0
_SECONDS_TO_ANSWER = 15.0
_AWAY = (pq.Ping.REJECT, pq.Ping.NO_RESPONSE)


class ServerAwayError(PgvigilError):
    """The server did not take connections for as long as it was waited for."""


def prepare(dsn: str, *, seconds_to_wait: float, is_migrating: bool) -> None:
    """Connect, say what is there, and bring it to this version unless that is not wanted.

    Args:
        dsn: the database, as a URI or key=value pairs; empty for libpq's environment.
        seconds_to_wait: longest time to wait for a server that is away.
        is_migrating: whether to install or upgrade; otherwise it is looked at alone.

    Raises:
        ServerAwayError: the server was away for too long.
        InstallError: it cannot be used as it is; the message says why and the hint what to do.
        psycopg.Error: the server refuses us.
    """
    with _connect_patiently(dsn, seconds_to_wait) as connection:
        check_server(connection)
        _say_where(connection)
        status = read_status(connection)
    log(logging.INFO, _what_is_found(status, is_migrating))
    # Where there is nothing to install, whoever may run jobs is enough.
    if is_migrating and not _is_current(status):
        with log_of("migrate"):
            migrate(dsn, report=_report)
    if not is_migrating and not status.installed:
        raise NotInstalledError(hint="Leave out --no-migrate, or run `pgvigil migrate` on it.")
    with own_session(dsn, patience=_SECONDS_TO_ANSWER) as connection:
        if not may_run_jobs(connection):
            user = current_role(connection)
            raise DatabaseNotReadyError(
                f"{user} may not run the jobs of pgvigil here",
                hint="Connect as the role that installed it, or ask for: "
                f"grant monitoring_admin to {user};",
            )


def _connect_patiently(dsn: str, seconds: float) -> psycopg.Connection:
    """Connect as soon as there is a server, which may be starting or on its way."""
    until = time.monotonic() + seconds
    is_told = False
    was_there = False
    while True:
        try:
            return own_session(dsn, patience=_SECONDS_TO_ANSWER)
        except psycopg.OperationalError as error:
            is_there = not _is_away(dsn)
            # It may have come in between the two: what it says itself counts the second time.
            if is_there and was_there:
                raise
            if time.monotonic() > until and not is_there:
                raise ServerAwayError(
                    f"the server did not take a connection within {length_of_time(seconds)}: "
                    f"{_in_one_line(error)}",
                    hint="Check --dsn, server and network; --wait says how long to wait.",
                ) from error
            was_there = is_there
            if not is_there and not is_told:
                wait = f"; waiting up to {length_of_time(seconds)}"
                log(logging.WARNING, f"{_in_one_line(error)}{wait}")
                is_told = True
        time.sleep(_SECONDS_BETWEEN_ATTEMPTS)


def _is_away(dsn: str) -> bool:
    """Tell a server that is not there, or not yet, from one that refuses us."""
    return pq.PGconn.ping(complete_dsn(dsn).encode()) in _AWAY


def _say_where(connection: psycopg.Connection) -> None:
    info = connection.info
    version = info.parameter_status("server_version")
    log(
        logging.INFO,
        f"database {info.dbname} on {info.host or 'this machine'}, port {info.port}, "
        f"PostgreSQL {version}, as {current_role(connection)}",
    )


def _is_current(status: Status) -> bool:
    is_ours = not status.pending and not status.unknown and status.code == "current"
    return is_ours and not status.grants_are_stale


def _what_is_found(status: Status, is_migrating: bool) -> str:
    ours = status.package_version
    if not status.installed:
        return f"pgvigil is not in this database yet; this program is {ours}"
    found = f"pgvigil {status.version or 'of tables alone'} is in this database"
    if _is_current(status):
        return f"{found}: nothing to install"
    if is_migrating:
        return f"{found}: installing what {ours} has and it has not"
    return f"{found} and is left as it is; it differs from what this program ({ours}) installs"


def _report(line: str) -> None:
    level = logging.WARNING if line.startswith("warning") else logging.INFO
    log(level, line.strip())


def _in_one_line(error: psycopg.Error) -> str:
    lines = (explain(error) or str(error)).splitlines()
    return " ".join(line.strip() for line in lines)
