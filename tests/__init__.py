"""Everything that proves pgvigil: pgTAP files, Python tests, and the harness that runs them."""
