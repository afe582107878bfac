"""What passes between the runner and the process that sends: an order, and how it went."""

from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["apprise", "alertmanager", "ping"]


@dataclass(frozen=True)
class Order:
    """Something to be sent, and where to; it holds a secret and is never logged."""

    kind: Kind
    address: str = field(repr=False)
    """URL, with user and password if need be."""
    seconds: float
    """Longest time that it may take."""
    key: str = ""
    """The same at every attempt, so that a receiver can tell a duplicate."""
    subject: str = ""
    body: str = ""
    page: str = ""
    """The same as HTML, for receivers of mail; empty for none."""
    payload: Any = None
    """The message for programs."""
    attachments: dict[str, str] = field(default_factory=dict)
    """Files by name, in base64; receivers that know no files get the rest."""


@dataclass(frozen=True)
class Outcome:
    """How an attempt went."""

    error: str | None = None
    """Why it failed, without any secret; None when it was sent."""
    is_permanent: bool = False
    """Whether it would fail again, however often it is tried."""
    was_silent: bool = False
    """Whether the receiver did not answer in time."""
    was_tried: bool = True
    """Whether the receiver was asked at all."""

    @property
    def is_sent(self) -> bool:
        """Whether it was sent."""
        return self.error is None
