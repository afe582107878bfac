"""pgvigil as an extension: its description for PostgreSQL and PGXN, and what makes its files."""
