"""Lists as data: what each reads, what its rows may be chosen by, and in which order they come."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from keyword import iskeyword
from typing import Annotated, Any

from fastapi import APIRouter, Query

from pgvigil.faces.web.common import Db
from pgvigil.faces.web.paging import After, Limit, Part, Rows, read_page
from pgvigil.faces.web.problems import answers

REQUIRED = inspect.Parameter.empty


@dataclass(frozen=True)
class Filter:
    """A parameter of a list."""

    name: str
    kind: Any
    column: str = ""
    """What it is compared with in views, such as `start_time >=`; else equal to its namesake.

    A `{}` is where it stands, if that is not the end.
    """
    words: str | None = None
    default: Any = None

    @property
    def condition(self) -> str:
        """What holds of the rows of a view; all rows where it is not asked for."""
        compared = self.column or f"{self.name} ="
        if "{}" not in compared:
            compared += " {}"
        return f"({compared.format(f'%({self.name})s')} or %({self.name})s is null)"


@dataclass(frozen=True)
class View:
    """A view that is read page by page, with all filters of its list."""

    name: str
    place: Mapping[str, Any]
    """Columns that say where a row stands, with their types; the last is never null."""
    is_descending: bool = False
    counting: Mapping[str, str] = field(default_factory=dict)
    """How a column of `place` counts that does not count as it is."""
    always: tuple[str, ...] = ()
    """Conditions that hold whatever is asked for."""
    without: tuple[str, ...] = ()
    """Filters that it does not know."""
    more: str = ""
    """Further columns."""
    is_kept: bool = False
    is_asked_for: Callable[[Mapping[str, Any]], bool] = lambda asked: True

    def part(self, filters: tuple[Filter, ...]) -> Part:
        """Return it as a part of a list."""
        counting = [(column, self.counting.get(column, "{}")) for column in self.place]
        here = [count.format(column) for column, count in counting]
        there = [count.format(f"%(after_{column})s") for column, count in counting]
        sign, direction = ("<", " desc") if self.is_descending else (">", "")
        conditions = [
            *self.always,
            *(each.condition for each in filters if each.name not in self.without),
            # With the comparison first, which tells the types of what it compares with.
            f"(({', '.join(here)}) {sign} ({', '.join(there)}) or {there[-1]} is null)",
        ]
        query = (
            f"select *{self.more} from monitoring.{self.name} where {' and '.join(conditions)}"
            f" order by {', '.join(each + direction for each in here)} limit %(limit)s"
        )
        return Part(query, self.place, self.is_kept, self.is_asked_for)


@dataclass(frozen=True)
class Listing:
    """A path that answers with rows."""

    name: str
    words: str
    """What it lists, and in which order."""
    model: type[Rows[Any]]
    reads: tuple[View | Part | str, ...]
    """Views, and what else is asked, one after the other."""
    filters: tuple[Filter, ...] = ()
    path: str | None = None
    """None: where its name says."""
    refusals: tuple[int, ...] = ()
    """Statuses that it may answer with besides those of all paths."""
    besides: Mapping[str, str] = field(default_factory=dict)
    """What stands beside the rows, each by a query for one row."""
    meaning: Callable[[dict[str, Any]], dict[str, Any]] = lambda asked: asked
    """Makes the values of queries of what is asked for."""

    @property
    def parts(self) -> list[Part]:
        """What it reads."""
        return [
            each.part(self.filters) if isinstance(each, View)
            else Part(each) if isinstance(each, str) else each
            for each in self.reads
        ]  # fmt: skip


def add_listings(router: APIRouter, *listings: Listing) -> None:
    """Let a router answer with lists."""
    for listing in listings:
        router.add_api_route(
            listing.path or f"/api/{listing.name.replace('_', '-')}",
            _reading(listing),
            response_model=listing.model,
            responses=answers(*listing.refusals),
        )


def _reading(listing: Listing) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Return the function that answers, with the signature that describes the path."""
    parts = listing.parts

    async def read(
        db: Db, limit: int | None = None, after: str | None = None, **asked: Any
    ) -> dict[str, Any]:
        values = listing.meaning({name.rstrip("_"): value for name, value in asked.items()})
        async with db.reading() as reader:
            rows, cursor = await read_page(reader, parts, values, after, limit)
            page: dict[str, Any] = {"rows": rows, "next": cursor, "as_of": await reader.now()}
            for name, query in listing.besides.items():
                (page[name],) = await reader.rows(query)
            return page

    read.__name__ = listing.name
    read.__doc__ = listing.words
    read.__signature__ = _signature(parts, listing.filters)  # type: ignore[attr-defined]
    return read


def _signature(parts: list[Part], filters: tuple[Filter, ...]) -> inspect.Signature:
    parameters = [("db", Db, REQUIRED), *map(_as_parameter, filters)]
    if any("%(limit)s" in part.query for part in parts):
        parameters.append(("limit", Limit, 100))
    if any(part.place for part in parts):
        parameters.append(("after", After, None))
    return inspect.Signature(
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=value)
            for name, kind, value in parameters
        ]
    )


def _as_parameter(asked: Filter) -> tuple[str, Any, Any]:
    kind = Annotated[asked.kind, Query(description=asked.words)] if asked.words else asked.kind
    if iskeyword(asked.name):
        return f"{asked.name}_", Annotated[kind, Query(alias=asked.name)], asked.default
    return asked.name, kind, asked.default
