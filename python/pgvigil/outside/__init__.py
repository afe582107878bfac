"""What lies outside our database: addresses, other databases, and processes that may hang there."""
