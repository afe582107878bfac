"""``pgvigil sql``."""

import click

from pgvigil.install import extension_script, single_file


@click.command()
@click.option(
    "--extension",
    is_flag=True,
    help="Print the script of an extension instead, whose one function installs the same.",
)
def command(extension: bool) -> None:
    """Print the whole installation as one SQL file.

    Run the file with `psql -v ON_ERROR_STOP=1 -1 -f`; it installs, upgrades and needs no Python.
    """
    click.echo(extension_script() if extension else single_file(), nl=False)
