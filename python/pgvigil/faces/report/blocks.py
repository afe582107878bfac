"""What a report is made of, whatever it is then written as."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_LONGEST_SUBJECT = 120


@dataclass(frozen=True)
class Section:
    """A heading with lines and a table below it."""

    heading: str
    lines: Sequence[str] = ()
    columns: Mapping[str, int] = field(default_factory=dict)
    """Heading of each column, and its share of the width; numeric ones end in ``>``."""
    rows: Sequence[Sequence[str]] = ()
    links: Sequence[str | None] = ()
    """Where the widest cell of each row leads to."""
    is_detail: bool = False
    """Whether it comes after the first page."""


@dataclass(frozen=True)
class Day:
    """A day of a strip."""

    name: str
    """Such as Tue 13."""
    verdict: str


@dataclass(frozen=True)
class Verdict:
    """How something went, in a line."""

    name: str
    verdict: str
    """One word, such as done or failed."""
    text: str
    days: Sequence[Day]
    """The week up to it."""


@dataclass(frozen=True)
class Verdicts:
    """How everything went that is expected."""

    verdicts: Sequence[Verdict]
    lines: Sequence[str]
    """What is folded to a count."""


@dataclass(frozen=True)
class Bar:
    """An hour or a day of a chart."""

    name: str
    good: float
    bad: float
    """Both as counts; one stands upon the other."""


@dataclass(frozen=True)
class Chart:
    """A row of bars."""

    title: str
    bars: Sequence[Bar]

    @property
    def highest(self) -> float:
        """The height of the highest bar; 1 where all are empty."""
        return max((bar.good + bar.bad for bar in self.bars), default=0) or 1


@dataclass(frozen=True)
class Charts:
    """Charts that stand side by side where there is room."""

    charts: Sequence[Chart]


Block = Section | Verdicts | Charts


@dataclass(frozen=True)
class Content:
    """A report, ready to be laid out."""

    title: str
    state: str
    """In two words, such as In trouble; empty where the headline begins with it."""
    tone: str
    """trouble, unknown, running, well or nothing."""
    headline: str
    line: str
    """What it covers, and the time zone of all times."""
    warnings: Sequence[str]
    """What is not known."""
    blocks: Sequence[Block]
    link: str | None
    """Address of the page."""
    database: str

    @property
    def subject(self) -> str:
        """The verdict as one line, as the subject of a mail."""
        text = f"[{self.database}] {self.headline}"
        return text if len(text) <= _LONGEST_SUBJECT else text[: _LONGEST_SUBJECT - 1] + "…"
