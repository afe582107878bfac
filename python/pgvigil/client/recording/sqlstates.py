"""What an error says about the session it came in: the one table of SQLSTATEs and remedies."""

from enum import Enum, auto

import psycopg


class Remedy(Enum):
    """What to do after a call that failed."""

    REPEAT_UNPREPARED = auto()
    """Nothing was done, since the statement was prepared elsewhere: repeat it as plain text."""
    REPEAT_IN_ASCII = auto()
    """The encoding of the database lacks a character: repeat it with question marks."""
    GIVE_UP_SESSION = auto()
    """The session is of no use any more, or harms: close it, and open another after a rest."""
    REST = auto()
    """The server or the network has a trouble of the moment: leave it alone for a while."""
    REFUSE = auto()
    """The call was wrong, or may not be made; the session is as good as before."""


# A longer beginning counts before a shorter one.
_REMEDIES = {
    # A pooler in transaction mode (PgBouncer before 1.21) runs each statement in any session:
    # what we prepared is not known there,
    "26000": Remedy.REPEAT_UNPREPARED,
    # or somebody else's bears its name already,
    "42P05": Remedy.REPEAT_UNPREPARED,
    # or bears it and takes other parameters.
    "08P01": Remedy.REPEAT_UNPREPARED,
    "22P05": Remedy.REPEAT_IN_ASCII,
    "08": Remedy.GIVE_UP_SESSION,
    # Read-only: a standby now, or a role or pool that is; another session may reach the primary.
    "25006": Remedy.GIVE_UP_SESSION,
    # Somebody else's transaction, which a pooler handed on.
    "25P": Remedy.GIVE_UP_SESSION,
    # The server lacks memory, disk or connections; one the fewer is what we can do.
    "53": Remedy.GIVE_UP_SESSION,
    # Shut down, crashed, starting, dropped, idle for too long.
    "57P": Remedy.GIVE_UP_SESSION,
    "58": Remedy.GIVE_UP_SESSION,
}


def remedy(error: Exception) -> Remedy:
    """Return what to do after an error of a call."""
    code = getattr(error, "sqlstate", None) or ""
    for length in range(len(code), 1, -1):
        found = _REMEDIES.get(code[:length])
        if found is not None:
            return found
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Remedy.REST
    return Remedy.REFUSE
