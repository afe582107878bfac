"""Everything that proves pgvigil: pgTAP files, Python tests, and the harness that runs them."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The checkout."""
