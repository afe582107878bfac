"""What all paths use."""

from typing import Annotated, Any

from fastapi import Depends, Request

from pgvigil.faces.web.database import Database

# JSON that the database has as such.
Json = Any


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


Db = Annotated[Database, Depends(_database)]
