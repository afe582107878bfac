"""Lets ``python -m pgvigil`` do what the command ``pgvigil`` does."""

from pgvigil.commands.cli import main

main(prog_name="pgvigil")
