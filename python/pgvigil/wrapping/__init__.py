"""Commands under watch: `pgvigil exec` runs one as if it ran alone, and records how it went.

Nothing in here but `recording` loads the client, which takes longer than many commands do.
"""
