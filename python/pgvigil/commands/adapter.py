"""``pgvigil adapter``."""

from pathlib import Path

import click

from pgvigil.resources import adapters_directory


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "is_all", is_flag=True, help="Print those of all systems.")
def command(names: tuple[str, ...], is_all: bool) -> None:
    """Print the SQL that lets adopt() know queues and schedulers that live in PostgreSQL.

    Without a name, list those that there are. Load one with `pgvigil adapter river | psql`, then
    call `select monitoring.adopt('river')`.
    """
    files = {file.stem: file for file in sorted(adapters_directory().glob("*.sql"))}
    if not names and not is_all:
        click.echo("\n".join(files))
        return
    for name in files if is_all else names:
        click.echo(_text(name, files), nl=False)


def _text(name: str, files: dict[str, Path]) -> str:
    """Return an adapter's file; refuse a name that none has."""
    if name not in files:
        raise click.BadParameter(
            f"there is no adapter {name!r}; there are: {', '.join(files)}", param_hint="NAME"
        )
    return files[name].read_text(encoding="utf-8")
