"""``pgvigil jobs``."""

import click

from pgvigil.commands.asking import asking, refuse_unknown
from pgvigil.commands.documents import json_option, print_json
from pgvigil.commands.groups import ListUnlessToldOtherwise
from pgvigil.commands.options import dsn_option, limit_option, search_option
from pgvigil.commands.printing import Part, print_list, print_thing
from pgvigil.database.queries import jobs
from pgvigil.faces.terminal.lists import (
    Column,
    ago,
    count_of,
    length,
    milliseconds,
    moment,
    text_of,
    word_of,
)
from pgvigil.faces.words import percent

_DAYS = 30
_COLUMNS = (
    text_of("job_name", "job", is_long=True),
    word_of("state"),
    text_of("last_status", "last run"),
    ago("last_end_at", "ended"),
    milliseconds("last_duration_ms", "took"),
    moment("next_due_at", "next due"),
    Column("ok", lambda row, now: percent(row["success_percent"]), is_number=True),
    count_of("failed"),
    count_of("alerts"),
)
_RUNS = (
    moment("end_time", "ended"),
    word_of("status"),
    milliseconds("duration_ms", "took"),
    text_of("task_id", "task", is_long=True),
    text_of("error_message", "why", is_long=True),
)


@click.group(cls=ListUnlessToldOtherwise)
def command() -> None:
    """List jobs and show one: task types, steps of workflows, and runs expected by the clock."""


@command.command("list", short_help="List jobs, those in trouble first.")
@click.option("--kind", type=click.Choice(["type", "step", "expected"]), help="Only of one kind.")
@click.option("--workflow", metavar="NAME", help="Only steps of a workflow.")
@click.option("--troubled", is_flag=True, help="Only those in trouble.")
@search_option("their names")
@limit_option
@json_option
@dsn_option
def list_(
    kind: str | None,
    workflow: str | None,
    troubled: bool,
    search: str | None,
    limit: int,
    as_json: bool,
    dsn: str,
) -> None:
    """List jobs with their last run, when they are due, and how they did in 30 days."""
    values = {
        "search": search, "kind": kind, "workflow": workflow, "troubled": troubled or None,
        "days": _DAYS, "limit": limit, "after_trouble": None, "after_job_name": None,
    }  # fmt: skip
    with asking(dsn, "jobs") as questions:
        found = questions.rows(jobs.WATCHED, values)
    if as_json:
        print_json(found)
    else:
        print_list(found, _COLUMNS, questions.now, "job")


@command.command(short_help="Show one job and its newest runs.")
@click.argument("job", metavar="JOB")
@click.option(
    "--rows", type=click.IntRange(1, 1000), default=20, show_default=True, help="Most runs to show."
)
@json_option
@dsn_option
def show(job: str, rows: int, as_json: bool, dsn: str) -> None:
    """Show one job by its name.

    Exits with 1 when there is no job of that name.
    """
    values = {"job": job, "days": _DAYS, "limit": rows}
    nothing = ("from", "to", "status", "after_end_time", "after_task_id", "after_attempt")
    with asking(dsn, "jobs") as questions:
        one = questions.first(jobs.WATCHED_ONE, values)
        if one is None:
            refuse_unknown("job", job, "`pgvigil jobs --search TEXT` finds it by a part.")
        runs = questions.rows(jobs.RUNS, {**dict.fromkeys(nothing), **values})
    if as_json:
        print_json({**one, "latest_runs": runs})
        return
    facts = {
        "state": one["state"], "workflow": one["workflow_name"], "schedule": one["schedule"],
        "time zone": one["time_zone"], "next due": one["next_due_at"],
        "missing since": one["missing_since"], "last run": one["last_status"],
        "took": length(one["last_duration_ms"]),
        f"{_DAYS} days": f"{one['ended'] or 0:,} ended, {one['failed'] or 0:,} failed",
        "half take up to": length(one["p50_duration_ms"]),
        "95 % take up to": length(one["p95_duration_ms"]), "alerts": one["alerts"] or None,
    }  # fmt: skip
    print_thing(f"Job {job}", facts, [Part("Runs, the newest first", runs, _RUNS)], questions.now)
