"""Moving in: the tables that another system kept become history here, by a mapping document."""

from pgvigil.runner.importing.mapping import Mapping, MappingError, Table, read_mapping
from pgvigil.runner.importing.moving import Moved, move, plans_of
from pgvigil.runner.importing.schema import schema_text
from pgvigil.runner.importing.tables import TableError

__all__ = [
    "Mapping",
    "MappingError",
    "Moved",
    "Table",
    "TableError",
    "move",
    "plans_of",
    "read_mapping",
    "schema_text",
]
