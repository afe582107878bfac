"""What evaluating the built-in alert rules costs, after half of the history and after all of it."""

from itertools import count

import psycopg

from bench.large.calls import Times, connect, time_calls

TOGETHER = "evaluate_alerts(), all rules"
LOOKING = "all rules, only looking"
TARGET_MS = 150
# An ordinary moment: most tasks run as they should, some do not get on, and a minute of what was
# recorded has not been rolled up.
RUNNING_TASKS = 1000
STUCK_TASKS = 10
NEW_ROWS = 700
_seeds = count(60_000)


def measure_alert_rules(dsn: str, now: str, sessions: int) -> dict[str, Times]:
    """Time each built-in rule's finder, all of them in one session, and whole evaluations.

    Leaves no running tasks, no alerts and nothing to be rolled up behind.
    """
    with connect(dsn, now) as connection:
        _start_tasks(connection, now)
        _add_last_minute(connection)
        finders: dict[str, str] = dict(
            connection.execute(
                "select rule_name, finder_name from monitoring.alert_rules"
                " where query is null and is_enabled order by rule_name"
            ).fetchall()
        )
    times = {
        rule: time_calls(dsn, now, _look(rule, finder), sessions, 5)
        for rule, finder in finders.items()
    }
    everything = " union all ".join(_look(rule, finder) for rule, finder in finders.items())
    times[LOOKING] = time_calls(dsn, now, everything, sessions, 5)
    times[TOGETHER] = time_calls(dsn, now, "select monitoring.evaluate_alerts()", sessions, 5)
    with connect(dsn, now) as connection:
        connection.execute(
            "truncate monitoring.active_tasks, monitoring.raised_alerts,"
            " monitoring.alert_transitions, monitoring.alert_rule_states"
        )
        connection.execute("select monitoring.roll_up()")
    return times


def _look(rule: str, finder: str) -> str:
    """Return what asks a rule's finder as an evaluation does."""
    return f"""
        select '{rule}', count(f.fingerprint)
        from monitoring.alert_rules r
        cross join lateral monitoring.{finder}(r, monitoring.clock()) f
        where r.rule_name = '{rule}'
    """


def _start_tasks(connection: psycopg.Connection, now: str) -> None:
    """Start tasks a few minutes ago, and some two hours ago that have not got on since."""
    for tasks, ago in ((RUNNING_TASKS - STUCK_TASKS, "2 minutes"), (STUCK_TASKS, "2 hours")):
        connection.execute(
            "select set_config('monitoring.now', (%s::timestamptz - %s::interval)::text, false)",
            (now, ago),
        )
        connection.execute(
            "select monitoring.start_task_tracking('running-' || n || %(ago)s, 'type-' || n %% 8)"
            " from generate_series(1, %(tasks)s) n",
            {"ago": ago, "tasks": tasks},
        )
    connection.execute("select set_config('monitoring.now', %s, false)", (now,))
    connection.execute("vacuum analyze monitoring.active_tasks")


def _add_last_minute(connection: psycopg.Connection) -> None:
    """Record what no roll-up has seen yet."""
    for add in ("add_tasks", "add_errors"):
        connection.execute(
            f"select bench.{add}(c.now - interval '1 minute', c.now, %(rows)s, %(seed)s)"
            " from monitoring.clock() c (now)".encode(),
            {"rows": NEW_ROWS, "seed": next(_seeds)},
        )
    connection.execute("vacuum monitoring.finished_tasks, monitoring.errors")
