"""Records: which are invalid, what changed their status, and all that happened to one."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from pgvigil.database.queries import alerts
from pgvigil.database.queries import records as queries
from pgvigil.faces.web.common import Db, Json
from pgvigil.faces.web.listing import REQUIRED, Filter, Listing, View, add_listings
from pgvigil.faces.web.paging import Attempt, Part, Row, RowNumber, Rows
from pgvigil.faces.web.parameters import From, Severity, Text, To
from pgvigil.faces.web.problems import ProblemError, answers
from pgvigil.faces.web.routes.alerts import ActiveAlert, WatchingRule
from pgvigil.faces.web.routes.tasks import Ended

router = APIRouter(tags=["records"])

_LAST_FOUND = {
    "last_detected_at": datetime,
    "dataset": str,
    "record_key": str,
    "validation_type": str,
}
_CHANGES = Part(
    queries.CHANGES,
    {"recorded_at": datetime, "change_id": RowNumber},
)
# Blank is what the database takes for blank: other spaces make a name.
_NAMES = {"min_length": 1, "max_length": 255, "pattern": r"^[^\x00]*[^\x00 \t\r\n][^\x00]*$"}
_MOST_TYPES = 200
_RUNS = 20
Days = Annotated[int, Query(ge=1, le=366, description="How many days are told.")]
OpenDays = Annotated[int | None, Query(ge=0, le=100_000)]
InPath = Annotated[str, Path(**_NAMES)]
InQuery = Annotated[str, Query(**_NAMES)]


class InvalidRecord(Row):
    """A record that failed a validation."""

    dataset: str
    record_key: str
    validation_type: str
    status: Literal["open", "resolved"]
    group_name: str | None
    reported_value: str | None
    message: str | None
    details: Json
    target_date: date | None
    first_detected_at: datetime
    opened_at: datetime
    last_detected_at: datetime
    times_detected: int
    times_reopened: int
    is_alerted: bool
    alerted_at: datetime | None
    task_id: str | None
    resolved_at: datetime | None
    resolution: str | None
    resolved_by: str | None
    resolution_reason: str | None
    seconds_open: float


class Issue(Row):
    """Open records of one dataset, type and group."""

    dataset: str
    validation_type: str
    group_name: str | None
    open_records: int
    alerted_records: int
    oldest_opened_at: datetime
    last_detected_at: datetime


class DatasetState(Row):
    """A dataset, and how many of its records are invalid."""

    dataset: str
    description: str | None
    time_zone: str
    bot_task_type: str | None
    open_records: int
    """Records that failed a validation, once for each type."""
    open_below_1_day: int
    open_1_to_7_days: int
    open_7_to_30_days: int
    open_above_30_days: int
    alerted_records: int
    """Of those, people were notified."""
    oldest_opened_at: datetime | None
    last_detected_at: datetime | None
    alerts: int
    worst_severity: Severity | None
    trouble: int
    """Rank of that severity, 4 is critical; 0: no alert fires."""


class InvalidAges(Row):
    """Open records of one type of validation, by how long they have been open."""

    validation_type: str
    open_records: int
    open_below_1_day: int
    open_1_to_7_days: int
    open_7_to_30_days: int
    open_above_30_days: int
    alerted_records: int
    oldest_opened_at: datetime
    last_detected_at: datetime


class InvalidDay(Row):
    """What became of the records of a dataset on a UTC day."""

    day: date
    opened: int
    resolved: int
    open_records: int
    """When the day ended, or now."""


class DatasetRun(Row):
    """A run of a program over a day of a dataset."""

    target_date: date
    run_mode: str
    status: Ended
    finished_at: datetime
    execution_seconds: float | None
    total_records_queried: int | None
    invalid_records: int | None
    task_id: str


class WholeDataset(BaseModel):
    """A dataset, what is invalid in it, and what looked at it."""

    dataset: DatasetState
    types: list[InvalidAges]
    """Those with the most invalid records first, at most 200."""
    days: list[InvalidDay]
    runs: list[DatasetRun]
    """The newest days first."""
    alerts: list[ActiveAlert]
    rules: list[WatchingRule]
    as_of: datetime


class RecordStatus(Row):
    """The status that a record has."""

    status: str | None
    """Null: the record is gone."""
    previous_status: str | None
    effective_at: datetime
    recorded_at: datetime
    change_source: str
    actor: str | None


class Product(Row):
    """A product that a record has."""

    product: str
    quantity: float | None
    amount: float | None
    details: Json
    first_seen_at: datetime
    changed_at: datetime
    task_id: str | None


class WholeRecord(BaseModel):
    """A record as it is now."""

    status: RecordStatus | None
    """Null: nobody has told of any."""
    validations: list[InvalidRecord]
    """Those that it failed, the open ones first."""
    products: list[Product]
    as_of: datetime


class Change(Row):
    """A status that a record got."""

    change_id: int
    dataset: str
    record_key: str
    recorded_at: datetime
    effective_at: datetime
    validation_type: str | None
    from_status: str | None
    to_status: str | None
    change_source: str
    actor: str | None
    login_name: str | None
    """Whose session told of it."""
    source_name: str | None
    task_id: str | None
    details: Json


class Event(Row):
    """Something that happened to a record."""

    happened_at: datetime | None
    kind: str
    summary: str | None
    details: Json


add_listings(
    router,
    Listing(
        "records",
        "Invalid records, those found last first.",
        Rows[InvalidRecord],
        (View("invalid_records", _LAST_FOUND, is_descending=True),),
        (
            Filter("dataset", Text),
            Filter("type", Text, "validation_type =", "Validation that they failed."),
            Filter("status", Literal["open", "resolved"] | None),
            Filter("group", Text, "group_name ="),
            Filter(
                "search", Text, queries.SEARCHED, "In key, group, value or message, in any case."
            ),
            Filter(
                "open_days", OpenDays, queries.OPENED_BEFORE, "Opened so many days ago or earlier."
            ),
            Filter("open_days_below", OpenDays, queries.OPENED_AFTER, "Opened later than that."),
        ),
    ),
    Listing(
        "datasets",
        "Datasets: those first about which alerts fire, then those with the most invalid records.",
        Rows[DatasetState],
        (
            Part(
                queries.DATASETS,
                {"trouble": Attempt, "open_records": RowNumber, "dataset": str},
            ),
        ),
        (Filter("search", Text, words="In name or description, in any case."),),
    ),
    Listing(
        "record_issues",
        "Open records by dataset, type and group, the most first.",
        Rows[Issue],
        (queries.ISSUES,),
    ),
    Listing(
        "record_changes",
        "Changes of status, the newest first; without `from`, those recorded in the last 24 hours.",
        Rows[Change],
        (_CHANGES,),
        (
            Filter("dataset", Text),
            Filter("change_source", Text),
            Filter("from", From),
            Filter("to", To),
        ),
    ),
    Listing(
        "record_timeline",
        "All that happened to a record, the newest first, whatever characters are in its names.",
        Rows[Event],
        (queries.TIMELINE,),
        tuple(Filter(name, InQuery, default=REQUIRED) for name in ("dataset", "record_key")),
        refusals=(404,),
    ),
    Listing(
        "record_timeline_by_path",
        "The same by path, for names without slashes: `/api/record-timeline` takes them all.",
        Rows[Event],
        (queries.TIMELINE,),
        tuple(Filter(name, InPath, default=REQUIRED) for name in ("dataset", "record_key")),
        path="/api/records/{dataset}/{record_key:path}/timeline",
        refusals=(404,),
    ),
)


@router.get("/api/datasets/{dataset:path}", responses=answers(404))
async def dataset(db: Db, dataset: InPath, days: Days = 30) -> WholeDataset:
    """One dataset: what is invalid by type, age and day, its alerts, rules and runs."""
    values = {
        "dataset": dataset, "about": dataset, "days": days, "limit": _MOST_TYPES, "runs": _RUNS,
    }  # fmt: skip
    async with db.reading() as reader:
        found = await reader.rows(queries.DATASET, values)
        if not found:
            raise ProblemError(
                404, f"there is no dataset {dataset}", "Take the name from /api/datasets."
            )
        return WholeDataset.model_validate(
            {
                "dataset": found[0],
                "types": await reader.rows(queries.TYPES, values),
                "days": await reader.rows(queries.DAYS, values),
                "runs": await reader.rows(queries.RUNS_OF_DATASET, values),
                "alerts": await reader.rows(alerts.ABOUT_DATASET, values),
                "rules": await reader.rows(alerts.RULES_OF_DATASET, values),
                "as_of": await reader.now(),
            }
        )


@router.get("/api/record-state", responses=answers())
async def record_state(db: Db, dataset: InQuery, record_key: InQuery) -> WholeRecord:
    """One record as it is now; one that nobody has told of has neither status nor anything else."""
    values: dict[str, Any] = {"dataset": dataset, "record_key": record_key}
    async with db.reading() as reader:
        status = await reader.rows(queries.STATUS, values)
        return WholeRecord.model_validate(
            {
                "status": status[0] if status else None,
                "validations": await reader.rows(queries.VALIDATIONS, values),
                "products": await reader.rows(queries.PRODUCTS, values),
                "as_of": await reader.now(),
            }
        )
