"""The subcommands of ``pgvigil``, one module each."""
