"""What all paths use."""

from typing import Annotated, Any

from fastapi import Depends, Request

from pgvigil.faces.web.database import Database

# JSON that the database has as such.
Json = Any


# Not a plain function: FastAPI would call it in a thread, which costs more than it does.
async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


Db = Annotated[Database, Depends(_database)]
