"""Writes the tables of documents that say what is shipped: rules, retention, jobs.

Each stands between two comments, ``<!-- rules queues: by make docs -->`` and ``<!-- end -->``.
"""

import re
from collections.abc import Iterable, Iterator

import psycopg

PAGES = ("alert-rules.md", "retention.md", "scheduler.md")
"""Documents that have such tables."""

SEVERITIES = ("low", "medium", "high", "critical")

_TABLE = re.compile(r"(?ms)^<!-- (rules (\w+)|retention|jobs): by make docs -->\n.*?^<!-- end -->$")
_RULES = """
    select r.rule_name, r.description, r.unit, r.comparison, r.parameters, r.is_enabled,
        r.shipped ->> 'alert_for_each', t.labels, t.low, t.medium, t.high, t.critical
    from monitoring.alert_rules r
    left join monitoring.alert_thresholds t on t.rule_name = r.rule_name
    where r.family = %s
    order by r.rule_name, t.labels
"""
_INHIBITIONS = """
    select i.target_rule, string_agg(format('`%s`', i.source_rule), ', ' order by i.source_rule)
    from monitoring.alert_inhibitions i
    group by i.target_rule
"""
_RETENTION = """
    select p.table_name, p.category, monitoring._written_length(p.keep),
        obj_description(to_regclass('monitoring.' || p.table_name), 'pg_class')
    from monitoring.retention_policies p
    order by p.table_name, p.keep, p.category
"""
_JOBS = """
    select j.job_name, j.description, j.schedule, j.procedure_name,
        monitoring._written_length(make_interval(secs => j.timeout_seconds))
    from monitoring.jobs j
    order by j.job_name
"""


def with_shipped_lists(document: str, connection: psycopg.Connection) -> str:
    """Return a document with its tables written anew."""

    def written(found: re.Match[str]) -> str:
        first, last = found[0].partition("\n")[0], "<!-- end -->"
        family = found[2]
        lines = _rules(connection, family) if family else _OTHERS[found[1]](connection)
        return "\n".join((first, *lines, last))

    return _TABLE.sub(written, document)


def _rules(connection: psycopg.Connection, family: str) -> Iterator[str]:
    inhibited: dict[str, str] = dict(connection.execute(_INHIBITIONS).fetchall())
    yield from _head(
        "rule", "what it finds", "unit", *SEVERITIES, "an alert for each", "parameters"
    )
    named: set[str] = set()
    for row in connection.execute(_RULES, [family]).fetchall():
        name, about, unit, comparison, parameters, is_enabled, each, labels, *thresholds = row
        numbers = ["" if n is None else f"{comparison} {n:g}" for n in thresholds]
        if name in named:
            where = ", ".join(f"`{key}` `{value}`" for key, value in labels.items())
            yield _row("", f"of {where}", unit or "", *numbers, "", "")
            continue
        named.add(name)
        if not is_enabled:
            about += " Disabled."
        if name in inhibited:
            about += f" Inhibited by {inhibited[name]}."
        settings = ", ".join(f"`{key}` {value}" for key, value in parameters.items())
        yield _row(f"`{name}`", about, unit or "", *numbers, each or "", settings)


def _retention(connection: psycopg.Connection) -> Iterator[str]:
    yield from _head("table", "category", "kept for", "what")
    named = ""
    for table, category, keep, about in connection.execute(_RETENTION).fetchall():
        is_named = table == named
        named = table
        what = "" if is_named else about
        yield _row(f"`{table}`", f"`{category}`" if category else "", keep, what)


def _jobs(connection: psycopg.Connection) -> Iterator[str]:
    yield from _head("job", "what it does", "schedule", "calls", "timeout")
    for name, about, schedule, procedure, timeout in connection.execute(_JOBS).fetchall():
        yield _row(f"`{name}`", about, schedule, f"`{procedure}`", timeout)


def _head(*columns: str) -> Iterable[str]:
    return _row(*columns), "|" + "---|" * len(columns)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


_OTHERS = {"retention": _retention, "jobs": _jobs}
