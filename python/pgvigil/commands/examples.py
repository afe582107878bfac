"""Examples at the end of each help: one table for all commands, by their full name."""

from collections.abc import Mapping

import click

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "demo": ("pgvigil demo", "pgvigil demo --once"),
    "up": ("pgvigil up --dsn postgresql:///app",),
    "migrate": ("pgvigil migrate --dsn postgresql:///app", "pgvigil migrate --rollback"),
    "status": ("pgvigil status", "pgvigil status --json"),
    "doctor": ("pgvigil doctor", "pgvigil doctor --json"),
    "exec": (
        "pgvigil exec --type backup --timeout 2h -- pg_dump -Fc app",
        "pgvigil exec --expect '30 2 * * *' --time-zone Europe/Berlin -- ./nightly.sh",
    ),
    "run": ("pgvigil run", "pgvigil run --secrets .env --workers 4", "pgvigil run --once"),
    "serve": ("pgvigil serve", "pgvigil serve --port 9000 --name watch.example.org"),
    "dashboard": (
        "pgvigil dashboard --watch",
        "pgvigil dashboard --json",
        "pgvigil dashboard batch --watch 30",
    ),
    "dashboard overview": ("pgvigil dashboard overview --watch 5",),
    "dashboard tasks": ("pgvigil dashboard tasks --watch",),
    "dashboard alerts": ("pgvigil dashboard alerts --watch 10",),
    "dashboard records": ("pgvigil dashboard records",),
    "dashboard batch": (
        "pgvigil dashboard batch --watch",
        "pgvigil dashboard batch --date 2026-03-02 --workflow billing",
    ),
    "dashboard etl": (
        "pgvigil dashboard etl --logs",
        "pgvigil dashboard etl --execution-id nightly-7 --export nightly-7.json",
    ),
    "alerts": ("pgvigil alerts --severity high", "pgvigil alerts ack 17 -m 'looking at it'"),
    "alerts list": (
        "pgvigil alerts list --severity high --rule queue_backlog",
        "pgvigil alerts list --label queue=billing --json",
    ),
    "alerts show": ("pgvigil alerts show 17", "pgvigil alerts show 17 --rows 100 --json"),
    "alerts ack": ("pgvigil alerts ack 17 18 -m 'looking at it'",),
    "alerts unack": ("pgvigil alerts unack 17",),
    "alerts resolve": ("pgvigil alerts resolve 17 -m 'disk replaced'",),
    "alerts silence": (
        "pgvigil alerts silence 17 --for 2h -m 'known until the release'",
        "pgvigil alerts silence --match rule=queue_backlog --match queue=~bill.* --until-resolved",
    ),
    "alerts unsilence": ("pgvigil alerts unsilence 3",),
    "alerts silences": ("pgvigil alerts silences", "pgvigil alerts silences --all --json"),
    "alerts history": ("pgvigil alerts history --since 7d --rule queue_backlog",),
    "tasks": ("pgvigil tasks --status failed", "pgvigil tasks show invoice-4711"),
    "tasks list": (
        "pgvigil tasks list --status failed --since 2h",
        "pgvigil tasks list --type ocr --search scan --json",
    ),
    "tasks show": ("pgvigil tasks show invoice-4711", "pgvigil tasks show invoice-4711 --json"),
    "jobs": ("pgvigil jobs --troubled", "pgvigil jobs show nightly-load"),
    "jobs list": ("pgvigil jobs list --kind step --workflow billing",),
    "jobs show": ("pgvigil jobs show nightly-load --rows 50",),
    "errors": ("pgvigil errors --severity high", "pgvigil errors show 3f9a"),
    "errors list": (
        "pgvigil errors list --component api --since 7d",
        "pgvigil errors list --type Timeout --status open --json",
    ),
    "errors merge": ("pgvigil errors merge 3f9a 77d1 c04e --note 'one switch'",),
    "errors split": ("pgvigil errors split v2:77d1a90b8c3e5f21",),
    "errors show": ("pgvigil errors show 3f9a --rows 50",),
    "logs": (
        "pgvigil logs --follow --level warning",
        "pgvigil logs --component api --task invoice-4711 --since 2h --limit 500",
    ),
    "queues": ("pgvigil queues", "pgvigil queues show billing"),
    "queues list": ("pgvigil queues list --search mail --json",),
    "queues show": ("pgvigil queues show billing --since 2h",),
    "records": ("pgvigil records --status open", "pgvigil records show orders 4711"),
    "records list": (
        "pgvigil records list --dataset orders --type not_null --status open",
        "pgvigil records list --since 30d --json",
    ),
    "records show": ("pgvigil records show orders 4711",),
    "rules": ("pgvigil rules --troubled", "pgvigil rules show queue_backlog"),
    "rules list": ("pgvigil rules list --family tasks", "pgvigil rules list --search backlog"),
    "rules backtest": (
        "pgvigil rules backtest queue_backlog --threshold high=500 --for 10m --days 14",
    ),
    "rules set": (
        "pgvigil rules set queue_backlog --threshold high=500 --label queue=mail -m 'big batches'",
        "pgvigil rules set queue_backlog --threshold shipped",
    ),
    "rules enable": ("pgvigil rules enable backend_gone",),
    "rules disable": ("pgvigil rules disable error_group_new -m 'until the release is out'",),
    "rules reset": ("pgvigil rules reset queue_backlog",),
    "rules show": ("pgvigil rules show queue_backlog", "pgvigil rules show task_failed --json"),
    "check": (
        "pgvigil check",
        "pgvigil check --warning-from high --ignore-acknowledged --timeout 5s",
    ),
    "fleet": ("pgvigil fleet", "pgvigil fleet show north"),
    "fleet list": ("pgvigil fleet list --json",),
    "fleet show": ("pgvigil fleet show north", "pgvigil fleet show north --json"),
    "fleet add": ("pgvigil fleet add north NORTH_DSN --page-url https://north.example/pgvigil",),
    "fleet remove": ("pgvigil fleet remove north",),
    "fleet ack": ("pgvigil fleet ack north 17 -m 'looking at it'",),
    "fleet read": ("pgvigil fleet read", "pgvigil fleet read north --secrets .env"),
    "sync": ("pgvigil sync", "pgvigil sync billing --dry-run"),
    "adapter": ("pgvigil adapter river",),
    "backfill": (
        "pgvigil backfill tasks history.csv --dry-run",
        "pgvigil backfill errors.jsonl --kind errors --rejected rejected.jsonl",
    ),
    "import": ("pgvigil import mapping.json --dry-run", "pgvigil import mapping.json"),
    "dbt": ("pgvigil dbt target/", "pgvigil dbt target/ --dry-run"),
    "export": (
        "pgvigil export tasks --from 2026-03-01 --to 2026-03-31 --out march.xlsx",
        "pgvigil export alerts --format json",
    ),
    "report": (
        "pgvigil report --format txt",
        "pgvigil report --date 2026-03-02 --out report.pdf",
        "pgvigil report --format eml | msmtp ops@example.org",
    ),
    "config": ("pgvigil config show", "pgvigil config apply monitoring_config.json"),
    "config show": ("pgvigil config show", "pgvigil config show --complete"),
    "config diff": ("pgvigil config diff monitoring_config.json",),
    "config apply": ("pgvigil config apply monitoring_config.json",),
    "config schema": ("pgvigil config schema",),
    "workflow": ("pgvigil workflow apply billing.json", "pgvigil workflow show billing"),
    "workflow apply": ("pgvigil workflow apply billing.json",),
    "workflow show": ("pgvigil workflow show billing",),
    "workflow remove": ("pgvigil workflow remove billing",),
    "workflow schema": ("pgvigil workflow schema",),
    "grafana": ("pgvigil grafana --out /var/lib/grafana/dashboards",),
    "sql": ("pgvigil sql",),
}


def show_examples(name: str, command: click.Command) -> None:
    """Put the examples of a command, and of all below it, at the end of their help."""
    lines = "\n".join(f"  {example}" for example in EXAMPLES.get(name, ()))
    if lines:
        # \b keeps the lines apart.
        command.epilog = f"\b\nExamples:\n{lines}"
    if isinstance(command, click.Group):
        for called, below in command.commands.items():
            show_examples(f"{name} {called}", below)
