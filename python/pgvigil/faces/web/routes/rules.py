"""Alert rules: how each is set and how it goes, trying a change on the past, and making it."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

import psycopg
from fastapi import APIRouter, Depends, Path
from psycopg.rows import DictRow
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from pgvigil.database.queries import rules as queries
from pgvigil.database.queries.alerts import RULE
from pgvigil.faces.web.common import Db, Json
from pgvigil.faces.web.database import Reader
from pgvigil.faces.web.listing import Filter, Listing, add_listings
from pgvigil.faces.web.paging import Part, Row, Rows
from pgvigil.faces.web.parameters import Severity, Text
from pgvigil.faces.web.problems import TIMEOUT, ProblemError, answers
from pgvigil.faces.web.routes.alerts import Acknowledgement, Alert
from pgvigil.faces.web.security import may_write

router = APIRouter(tags=["rules"])

RuleName = Annotated[
    str,
    Path(min_length=1, max_length=255, pattern=r"^[^\x00]*$", description="rule_name of the rule."),
]
RuleState = Literal["failing", "firing", "on", "off"]
Family = Literal["errors", "processing", "health", "queues", "records", "self", "reported", "own"]
_MOST_ALERTS = 50
_MOST_CHANGES = 100
_LONGEST_DAYS = 30
# What a service can wait for.
_MOST_LOOKS = 750
_Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Override(BaseModel):
    """Thresholds for findings with certain labels."""

    labels: dict[str, str]
    thresholds: dict[Severity, float]


class Rule(Row):
    """An alert rule: how it is set, and how it goes."""

    rule_name: str
    family: Family
    description: str | None
    query: str | None
    """What finds, for a rule of your own."""
    state: RuleState
    """failing: its last evaluation failed; on: nothing fires."""
    is_enabled: bool
    unit: str | None
    comparison: Literal[">", ">=", "<", "<="]
    """How a value passes a threshold."""
    thresholds: dict[Severity, float] | None
    overrides: list[Override]
    parameters: dict[str, Json]
    for_seconds: float
    for_evaluations: int
    keep_firing_seconds: float
    no_data: Literal["ok", "keep", "alert"]
    on_error: Literal["keep", "ok"]
    time_limit_seconds: float
    changed_by: str | None
    """Who changed it or its thresholds last; null: as shipped."""
    changed_at: datetime | None
    evaluated_at: datetime | None
    duration_ms: float | None
    """How long that took."""
    evaluations: int | None
    failures: int | None
    consecutive_failures: int | None
    last_error: str | None
    last_failed_at: datetime | None
    paused_until_at: datetime | None
    """Not evaluated before, since it took longer than its limit."""
    pending: int
    firing: int
    fired_7_days: int
    fired_30_days: int
    last_fired_at: datetime | None
    has_past: bool
    """Whether a change can be tried on the past."""
    unknown_past: str | None
    """What is not known of the past."""


class RuleChange(Row):
    """What somebody changed about a rule."""

    change_id: int
    change: Literal["created", "changed", "removed"]
    old_settings: dict[str, Json] | None
    new_settings: dict[str, Json] | None
    changed_by: str
    login_name: str
    """Whose session that was."""
    changed_at: datetime
    note: str | None


class Inhibition(Row):
    """A rule whose firing alerts make messages of another's superfluous."""

    source_rule: str
    target_rule: str
    equal_labels: list[str]
    """Labels that both alerts have in common."""
    is_enabled: bool
    changed_by: str | None
    changed_at: datetime | None


class WholeRule(BaseModel):
    """A rule, its alerts, who changed it, and which rules keep it or are kept by it quiet."""

    rule: Rule
    alerts: list[Alert]
    """Open ones first, then the newest."""
    changes: list[RuleChange]
    """The newest first."""
    inhibitions: list[Inhibition]
    as_of: datetime


class Change(BaseModel):
    """What is to be other about a rule; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    settings: dict[str, Json] = Field(default_factory=dict, max_length=20)
    """As change_alert_rule() takes them, such as for_seconds; null: as shipped."""
    thresholds: dict[Severity, _Number | None] | None = None
    """All thresholds by severity, {} for none; null, if given: as shipped."""
    labels: dict[str, str] = Field(default_factory=dict, max_length=10)
    """Which findings the thresholds are for; {} for all that no other thresholds are for."""

    def values(self) -> dict[str, Any]:
        """Return it as the database takes it."""
        return queries.change_values(
            self.settings,
            self.thresholds,
            self.labels,
            is_reset="thresholds" in self.model_fields_set,
        )


class Trial(Change):
    """A change that is to be tried on the past."""

    days: float = Field(7, gt=0, le=_LONGEST_DAYS)
    step_seconds: float = Field(1800, ge=60, le=86_400)
    """How often the rule is to look: 750 times in all, at most."""

    @model_validator(mode="after")
    def _has_few_looks(self) -> Self:
        if self.days * 86_400 / self.step_seconds > _MOST_LOOKS:
            raise PydanticCustomError(
                "too_many_looks",
                "the rule would look more than 750 times: take fewer days or longer steps",
            )
        return self


class SaidChange(Change, Acknowledgement):
    """A change, and what somebody says who makes it."""


class TriedAlert(BaseModel):
    """An alert that would have fired."""

    fingerprint: str
    severity: Severity
    """The worst that it would have had."""
    summary: str | None
    labels: dict[str, Json]
    worst_value: float | None
    fired_at: datetime
    resolved_at: datetime | None
    is_in_both: bool
    """Whether one of the same fingerprint fires at some time of it with and without the change."""


class Outcome(BaseModel):
    """What a rule would have done."""

    fired: int
    still_firing: int
    firing_seconds: float
    by_severity: dict[Severity, int]
    alerts: list[TriedAlert]
    """The newest first, 200 at most."""


class Backtest(BaseModel):
    """What a rule would have done over some days, as it is and as a change would make it."""

    as_it_is: Outcome
    as_changed: Outcome | None
    """Null where nothing is to be changed."""
    from_at: datetime
    to_at: datetime
    step_seconds: float
    unknown_past: str | None


class Changed(BaseModel):
    """The rule as it is now."""

    rule: Rule


add_listings(
    router,
    Listing(
        "rules",
        "Alert rules: those that fail, those that fire, others, and those that are off.",
        Rows[Rule],
        (Part(queries.LISTED, {"state": RuleState, "rule_name": str}),),
        (
            Filter("search", Text, words="In the name or description, in any case."),
            Filter("state", RuleState | None),
            Filter("family", Family | None),
        ),
    ),
    Listing(
        "inhibitions",
        "Rules whose firing alerts make messages of another rule's superfluous.",
        Rows[Inhibition],
        (queries.INHIBITIONS,),
        (Filter("rule", Text, words="Either of the two rules."),),
    ),
)


@router.get("/api/rules/{rule_name:path}", responses=answers(404))
async def rule(db: Db, rule_name: RuleName) -> WholeRule:
    """One rule with its alerts, who changed it, and inhibitions that it is part of."""
    async with db.reading() as reader:
        found = await _one(reader, rule_name)
        values = {"rule": rule_name}
        return WholeRule.model_validate(
            {
                "rule": found,
                "alerts": await reader.rows(queries.ALERTS, {**values, "limit": _MOST_ALERTS}),
                "changes": await reader.rows(queries.CHANGES, {**values, "limit": _MOST_CHANGES}),
                "inhibitions": await reader.rows(queries.INHIBITIONS, values),
                "as_of": await reader.now(),
            }
        )


@router.post(
    "/api/backtest-rule/{rule_name:path}",
    responses=answers(401, 403, 404),
    dependencies=[Depends(may_write)],
)
async def backtest_rule(db: Db, rule_name: RuleName, trial: Trial | None = None) -> Backtest:
    """What a rule would have done over some days, as it is and as changed; nothing is changed."""
    wanted = trial or Trial(days=7, step_seconds=1800)
    async with db.writing() as writer:
        found = await _one(writer, rule_name)
        now = await writer.now()
        values = queries.backtest_values(
            rule_name,
            until=now,
            days=wanted.days,
            step_seconds=wanted.step_seconds,
            change=wanted.values(),
        )
        try:
            outcomes = await writer.value(queries.BACKTEST, values)
        except psycopg.errors.QueryCanceled:
            raise ProblemError(
                TIMEOUT,
                "the backtest takes longer than this service waits",
                "Try fewer days, or let the rule look less often.",
            ) from None
        return Backtest.model_validate(
            {
                **outcomes,
                "from_at": values["from"],
                "to_at": now,
                "step_seconds": wanted.step_seconds,
                "unknown_past": found["unknown_past"],
            }
        )


@router.post(
    "/api/change-rule/{rule_name:path}",
    responses=answers(401, 403, 404),
    dependencies=[Depends(may_write)],
)
async def change_rule(db: Db, rule_name: RuleName, said: SaidChange) -> Changed:
    """Change settings of a rule, or its thresholds for all findings or for some."""
    values = {"rule": rule_name, "by": said.by, "note": said.note, **said.values()}
    async with db.writing() as writer:
        await _one(writer, rule_name)
        if values["settings"] is not None:
            await writer.value(queries.CHANGE, values)
        if values["thresholds"] is not None:
            await writer.value(queries.SET_THRESHOLDS, values)
        return Changed.model_validate({"rule": await _one(writer, rule_name)})


@router.post(
    "/api/enable-rule/{rule_name:path}",
    responses=answers(401, 403, 404),
    dependencies=[Depends(may_write)],
)
async def enable_rule(db: Db, rule_name: RuleName, said: Acknowledgement | None = None) -> Changed:
    """Have a rule evaluated."""
    return await _decide(db, queries.ENABLE, rule_name, said)


@router.post(
    "/api/disable-rule/{rule_name:path}",
    responses=answers(401, 403, 404),
    dependencies=[Depends(may_write)],
)
async def disable_rule(db: Db, rule_name: RuleName, said: Acknowledgement | None = None) -> Changed:
    """Have a rule no longer evaluated; its alerts resolve."""
    return await _decide(db, queries.DISABLE, rule_name, said)


@router.post(
    "/api/reset-rule/{rule_name:path}",
    responses=answers(401, 403, 404),
    dependencies=[Depends(may_write)],
)
async def reset_rule(db: Db, rule_name: RuleName, said: Acknowledgement | None = None) -> Changed:
    """Take back all that was decided about a built-in rule, so that it is as shipped."""
    return await _decide(db, queries.RESET, rule_name, said)


async def _decide(db: Db, decision: str, rule_name: str, said: Acknowledgement | None) -> Changed:
    words = said or Acknowledgement(note=None, by=None)
    async with db.writing() as writer:
        await _one(writer, rule_name)
        await writer.value(decision, {"rule": rule_name, **words.model_dump()})
        return Changed.model_validate({"rule": await _one(writer, rule_name)})


async def _one(reader: Reader, rule_name: str) -> DictRow:
    found = await reader.rows(RULE, {"rule": rule_name})
    if not found:
        raise ProblemError(404, f"there is no rule {rule_name}", "Take the name from /api/rules.")
    return found[0]
