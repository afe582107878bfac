"""Alerts of other systems, as Alertmanager and Grafana send them to a webhook.

They are raised and cleared by `raise_alert()` and `clear_alert()`.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from psycopg.types.json import Jsonb
from pydantic import AfterValidator, BaseModel, Field

from pgvigil.client.recording.values import clean_text
from pgvigil.database.queries import incoming as queries
from pgvigil.faces.web.common import Db
from pgvigil.faces.web.problems import answers
from pgvigil.faces.web.security import may_send

router = APIRouter(tags=["incoming"])

_MOST_ALERTS = 1000
_UNCLEAR_SEVERITY = "high"


Words = Annotated[str, AfterValidator(clean_text)]


class ForeignAlert(BaseModel):
    """An alert, as Alertmanager and Grafana write it; what else they write is passed over."""

    status: str = Field(pattern="^(firing|resolved)$")
    labels: dict[Words, Words] = {}
    annotations: dict[Words, Words] = {}
    fingerprint: Words = Field("", max_length=255)
    startsAt: Words | None = None
    generatorURL: Words | None = None

    @property
    def identity(self) -> str:
        """What it is about: its fingerprint, else its labels."""
        return self.fingerprint or ", ".join(f"{k}={v}" for k, v in sorted(self.labels.items()))

    @property
    def summary(self) -> str:
        """What is wrong, in the first words that say so."""
        said = (self.annotations.get(name) for name in ("summary", "description", "message"))
        return next(filter(None, said), None) or self.labels.get("alertname", "")

    def raised(self, source: str) -> dict[str, Any]:
        """Return what the database is to be told."""
        details = {
            "annotations": self.annotations,
            "startsAt": self.startsAt,
            "generatorURL": self.generatorURL,
        }
        return {
            "source": source,
            "fingerprint": self.identity,
            "severity": self.labels.get("severity", _UNCLEAR_SEVERITY),
            "summary": self.summary,
            "labels": Jsonb(self.labels),
            "details": Jsonb({name: value for name, value in details.items() if value}),
        }


class Webhook(BaseModel):
    """A message to a webhook."""

    alerts: list[ForeignAlert] = Field(max_length=_MOST_ALERTS)


class Taken(BaseModel):
    """What became of the alerts."""

    raised: int
    """How many fire."""
    cleared: int
    """How many were raised here and fire no longer."""


@router.post("/in/alertmanager", responses=answers(401, 403, 413), dependencies=[Depends(may_send)])
async def take_alerts(
    db: Db,
    message: Webhook,
    source: Annotated[str, Query(min_length=1, max_length=200, pattern=r"^[^\x00]*$")] = (
        "alertmanager"
    ),
) -> Taken:
    """Take alerts of an Alertmanager or a Grafana, which is to send those that are resolved too."""
    raised = cleared = 0
    async with db.recording() as writer:
        for each in message.alerts:
            if each.status == "firing":
                await writer.value(queries.RAISE, each.raised(source))
                raised += 1
            else:
                values = {"source": source, "fingerprint": each.identity}
                cleared += bool(await writer.value(queries.CLEAR, values))
    return Taken(raised=raised, cleared=cleared)
