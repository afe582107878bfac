"""pgvigil: SQL-first monitoring of tasks, errors, metrics, queues and health in PostgreSQL."""

__version__ = "0.1.0"
