"""The command ``pgvigil``; each subcommand lives in ``pgvigil.commands.<name>`` as ``command``."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from pgvigil import __version__
from pgvigil.commands.examples import show_examples
from pgvigil.commands.groups import SuggestingGroup

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Subcommand(NamedTuple):
    """Where a subcommand lives, and the line that the overview shows for it."""

    module: str
    summary: str


SERVER_MODULES = (
    "apprise", "fastapi", "fpdf", "prometheus_client", "requests", "rich", "sqlalchemy", "sqlparse",
    "uvicorn", "xlsxwriter", "yoyo",
)  # fmt: skip
"""What the extra ``server`` brings."""
WITHOUT_SERVER = {
    "exec", "check", "adapter", "dbt", "export", "config", "workflow", "grafana", "sql",
}  # fmt: skip
"""What psycopg and click are enough for."""

# The overview is printed from here, so that `pgvigil --help` imports none of them.
SUBCOMMANDS: Mapping[str, Subcommand] = {
    "demo": Subcommand("pgvigil.commands.demo", "Try it on real work, with its own PostgreSQL."),
    "up": Subcommand("pgvigil.commands.up", "Install, run jobs and serve the page, all in one."),
    "migrate": Subcommand("pgvigil.commands.migrate", "Install or upgrade pgvigil in a database."),
    "status": Subcommand("pgvigil.commands.status", "Show what is installed and what is missing."),
    "doctor": Subcommand("pgvigil.commands.doctor", "Check everything and suggest remedies."),
    "exec": Subcommand("pgvigil.commands.exec", "Run a command and record how it goes."),
    "run": Subcommand("pgvigil.commands.run", "Run jobs: the scheduler."),
    "serve": Subcommand("pgvigil.commands.serve", "Serve the web page, its data and metrics."),
    "dashboard": Subcommand("pgvigil.commands.dashboard", "Show the present state."),
    "alerts": Subcommand("pgvigil.commands.alerts", "List, acknowledge and silence alerts."),
    "tasks": Subcommand("pgvigil.commands.tasks", "List tasks and show one."),
    "jobs": Subcommand("pgvigil.commands.jobs", "List task types, steps and expected runs."),
    "errors": Subcommand(
        "pgvigil.commands.errors", "List groups of errors, show, merge and split them."
    ),
    "logs": Subcommand("pgvigil.commands.logs", "Show log lines, and follow them."),
    "queues": Subcommand("pgvigil.commands.queues", "List queues and show one."),
    "records": Subcommand("pgvigil.commands.records", "List invalid records and show one."),
    "rules": Subcommand("pgvigil.commands.rules", "List, show, try and change alert rules."),
    "check": Subcommand("pgvigil.commands.check", "Report OK or not, as a monitoring plugin."),
    "fleet": Subcommand("pgvigil.commands.fleet", "List databases that this one reads and shows."),
    "sync": Subcommand("pgvigil.commands.sync", "Read sources, here and in other databases."),
    "adapter": Subcommand("pgvigil.commands.adapter", "Print what adopt() is to know of a queue."),
    "backfill": Subcommand("pgvigil.commands.backfill", "Load history from CSV or JSON."),
    "import": Subcommand("pgvigil.commands.import_", "Load history from tables of your own."),
    "dbt": Subcommand("pgvigil.commands.dbt", "Record the last run of dbt and its failing rows."),
    "export": Subcommand("pgvigil.commands.export", "Write rows as CSV, JSON, xlsx or PDF."),
    "report": Subcommand(
        "pgvigil.commands.report", "Write the daily report: a page, a PDF, text or a mail."
    ),
    "config": Subcommand("pgvigil.commands.config", "Show, compare and apply the configuration."),
    "workflow": Subcommand("pgvigil.commands.workflow", "Apply, show and remove workflows."),
    "grafana": Subcommand("pgvigil.commands.grafana", "Write the dashboards for Grafana."),
    "sql": Subcommand("pgvigil.commands.sql", "Print the single-file install for psql."),
}


class _Unusable(click.ClickException):
    """A command cannot be used as it is installed, which is as if it were called wrongly."""

    exit_code = 2


class LazyGroup(SuggestingGroup):
    """A group that imports a subcommand only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the overview."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a subcommand, or None for an unknown name."""
        if cmd_name not in SUBCOMMANDS:
            return None
        # Asked first, as most are imported only when they are used: a runner that cannot send
        # should not find that out at the first alert.
        if cmd_name not in WITHOUT_SERVER and not all(map(find_spec, SERVER_MODULES)):
            from pgvigil.exceptions import MissingExtraError

            raise MissingExtraError(f"pgvigil {cmd_name}")
        command: click.Command = import_module(SUBCOMMANDS[cmd_name].module).command
        show_examples(cmd_name, command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Complete from the table above: to import all commands takes longer than one types."""
        from click.shell_completion import CompletionItem

        alike = [
            CompletionItem(name, help=entry.summary)
            for name, entry in SUBCOMMANDS.items()
            if name.startswith(incomplete)
        ]
        # Of a group, which this is, the options; its commands come from the table.
        return [*alike, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the overview from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in SUBCOMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; an expected error is a message, not a traceback."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            from pgvigil.exceptions import MissingExtraError, explain

            message = explain(error)
            if message is None:
                raise
            if isinstance(error, MissingExtraError):
                raise _Unusable(message) from error
            raise click.ClickException(message) from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pgvigil")
def main() -> None:
    """Watch the work that programs do, from inside PostgreSQL."""
