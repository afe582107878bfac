"""What a run of dbt leaves behind, as tasks, errors and invalid records."""

from pgvigil.integrations.dbt.artifacts import ArtifactError, Run, read_run
from pgvigil.integrations.dbt.loading import Loaded, load

__all__ = ["ArtifactError", "Loaded", "Run", "load", "read_run"]
