"""``pgvigil grafana``."""

import shutil
from pathlib import Path

import click

from pgvigil.database.words import count_of
from pgvigil.resources import grafana_directory

_PARTS = {"dashboards": "*.json", "provisioning": "*/*.yaml*"}


@click.command()
@click.option(
    "--out",
    required=True,
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to write; created if missing.",
)
def command(out: Path) -> None:
    """Write the dashboards for Grafana, and the files that make Grafana find them.

    Files of the same names are replaced, all others are left alone.
    """
    written = {part: _copy(part, pattern, out) for part, pattern in _PARTS.items()}
    click.echo(
        f"Wrote {count_of(written['dashboards'], 'dashboard')} and"
        f" {count_of(written['provisioning'], 'file')} for"
        f" provisioning into {out}.\n"
        "Run Grafana with these in its environment, where it sees this directory:\n"
        f"  GF_PATHS_PROVISIONING={out.resolve() / 'provisioning'}\n"
        f"  PGVIGIL_DASHBOARDS={out.resolve() / 'dashboards'}\n"
        "  PGVIGIL_HOST, PGVIGIL_DATABASE, PGVIGIL_USER, PGVIGIL_PASSWORD, PGVIGIL_SSLMODE"
    )


def _copy(part: str, pattern: str, out: Path) -> int:
    """Copy the files of a part, and return how many there are."""
    directory = grafana_directory()
    files = sorted((directory / part).glob(pattern))
    for file in files:
        target = out / file.relative_to(directory)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return len(files)
