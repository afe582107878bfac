"""Addresses of our database: read in one place, so that no message ever quotes one.

libpq says what is wrong with an address by quoting it, password and all.
"""

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgvigil.exceptions import DatabaseNotReadyError

SECONDS_TO_CONNECT = 10
# What a DSN says for itself counts more. A network that is gone tells nobody. The driver reads JSON
# as UTF-8, whatever the encoding of the database.
_PARAMETERS = {
    "client_encoding": "utf8",
    "keepalives": "1",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
_SCHEMES = ("postgresql://", "postgres://")
_LARGEST_PORT = 65535
_WAYS = (
    "Write postgresql://user@host/database or key=value pairs; in the former %25 for a %, %40 for "
    "an @ and %2F for a / in a user or password, in the latter quotes around what has blanks."
)


def complete_dsn(
    dsn: str,
    application_name: str = "pgvigil",
    seconds_to_connect: int = SECONDS_TO_CONNECT,
    **more: Any,
) -> str:
    """Return a DSN with what we want of our connections, as far as it does not say otherwise.

    Args:
        dsn: a URI or key=value pairs; empty for libpq's environment.
        application_name: how sessions show themselves.
        seconds_to_connect: longest time to open one.
        more: what is to hold whatever the DSN says.

    Raises:
        DatabaseNotReadyError: it cannot be parsed. The message does not quote it, as libpq's
            would: it may hold a password.
    """
    given = parse_dsn(dsn)
    wanted = {
        "fallback_application_name": application_name,
        "connect_timeout": str(seconds_to_connect),
        **_PARAMETERS,
    }
    missing = {name: value for name, value in wanted.items() if name not in given}
    return make_conninfo(dsn, **missing | more)


def parse_dsn(dsn: str) -> dict[str, str]:
    """Return the parts of a DSN, by libpq's names.

    Raises:
        DatabaseNotReadyError: it cannot be parsed; the message does not quote it.
    """
    try:
        given = {
            name: str(value) for name, value in conninfo_to_dict(dsn).items() if value is not None
        }
    except (psycopg.Error, UnicodeError, ValueError):
        given = None
    # Outside the handler: what is chained to an error is printed with it.
    fault = "it is neither a URI nor key=value pairs" if given is None else _fault(dsn, given)
    if given is None or fault is not None:
        raise DatabaseNotReadyError(f"cannot parse the DSN: {fault}", hint=_WAYS)
    return given


def _fault(dsn: str, given: dict[str, str]) -> str | None:
    """Return why a part of a password could have become something else, or None.

    Half of one can end up as the port or, after an @ or a / in it, as host or database; libpq
    names these when it cannot use them. The name of an abstract socket begins with an @.
    """
    ports = given.get("port", "").split(",")
    if not all(port.isdecimal() and int(port) <= _LARGEST_PORT for port in ports if port):
        return f"the port is not a number up to {_LARGEST_PORT}"
    if not given.get("connect_timeout", "0").isdecimal():
        return "connect_timeout is not a number"
    if "@" in given.get("host", "")[1:]:
        return "there is an @ within the host"
    path = dsn.partition("://")[2].partition("?")[0].partition("/")[2]
    if dsn.lower().startswith(_SCHEMES) and "@" in path:
        return "there is an @ after the host"
    return None
