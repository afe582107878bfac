"""What `pgvigil.client` is made of: the connection, the calls, and tasks under watch."""
