"""How records get from a program to the database: queue, batches, and a spool on disk."""
