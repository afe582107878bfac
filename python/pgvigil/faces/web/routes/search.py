"""Finding things of all kinds by a part of their name."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from pgvigil.database.queries.search import SEARCH
from pgvigil.faces.web.common import Db
from pgvigil.faces.web.paging import Row
from pgvigil.faces.web.parameters import GivenText
from pgvigil.faces.web.problems import answers

router = APIRouter(tags=["search"])

FoundKind = Literal[
    "alert", "job", "run", "error", "queue", "component", "dataset", "record", "rule"
]
_MOST = 100


class Found(Row):
    """Something that fits what was searched for."""

    kind: FoundKind
    name: str
    """What it is known by: number of an alert, fingerprint of an error group, task_id of a run."""
    title: str
    """What people know it by."""
    place: str | None
    """Severity of an alert, type of a run or component, dataset of a record, component of errors,
    family of a rule."""
    seen_at: datetime | None


class AllFound(BaseModel):
    """What was found, the kinds first of which something fits best."""

    rows: list[Found]
    next: None = None
    as_of: datetime


@router.get("/api/search", responses=answers())
async def search(
    db: Db,
    q: GivenText,
    limit: Annotated[int, Query(ge=1, le=_MOST, description="Most of each kind.")] = 5,
) -> AllFound:
    """Things that have a text in their name, in any case; runs and records that begin with it."""
    async with db.reading() as reader:
        rows = await reader.rows(SEARCH, {"search": q, "limit": limit})
        return AllFound.model_validate({"rows": rows, "as_of": await reader.now()})
