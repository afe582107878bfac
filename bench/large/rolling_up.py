"""What a roll-up costs that finds little or nothing, after a short and after a long history."""

from itertools import count

import psycopg

from bench.large.calls import Times, connect, time_calls

ROLL_UP = "select monitoring.roll_up()"
NEW_ROWS = 1000
UNVACUUMED_ROWS = 54_000
_seeds = count(50_000)


def measure_roll_up(dsn: str, now: str, sessions: int) -> dict[str, Times]:
    """Time roll_up() with nothing new and with a thousand new tasks.

    Nothing new twice: after a vacuum, and with rows of the last hour that none has come to.
    """
    return {
        "nothing new": time_calls(dsn, now, ROLL_UP, sessions, 5),
        f"nothing new, {UNVACUUMED_ROWS:,} tasks and errors not vacuumed": _time_unvacuumed(
            dsn, now, sessions
        ),
        f"{NEW_ROWS:,} new tasks": time_calls(dsn, now, ROLL_UP, sessions, 5, _add_new_rows),
    }


def _time_unvacuumed(dsn: str, now: str, sessions: int) -> Times:
    with connect(dsn, now) as connection:
        for add in ("add_tasks", "add_errors"):
            connection.execute(
                f"select bench.{add}(c.now - interval '1 hour', c.now, %(rows)s, %(seed)s)"
                " from monitoring.clock() c (now)".encode(),
                {"rows": UNVACUUMED_ROWS, "seed": next(_seeds)},
            )
        connection.execute(ROLL_UP)
    times = time_calls(dsn, now, ROLL_UP, sessions, 5)
    with connect(dsn, now) as connection:
        connection.execute("vacuum monitoring.finished_tasks, monitoring.errors")
    return times


def _add_new_rows(connection: psycopg.Connection) -> None:
    connection.execute(
        """
        select bench.add_tasks(c.now - interval '1 minute', c.now, %(rows)s, %(seed)s)
        from monitoring.clock() c (now)
        """,
        {"rows": NEW_ROWS, "seed": next(_seeds)},
    )
    # Autovacuum, which is off, would have let the index know the pages that are full.
    connection.execute("vacuum monitoring.finished_tasks")
