"""What the monitor of the APR example must have found, counted from the journal of its business.

Nothing of pgvigil and nothing of the example is used: every hour's state is put together from the
journal, validated by rules written anew, and followed in plain dictionaries.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

State = dict[str, Any]
Entry = tuple[datetime, str, State]
Found = dict[str, set[str]]
_WEIGHTS = [4, 3, 2, *[9, 8, 7, 6, 5, 4, 3, 2] * 5]
VALIDATIONS = ("DUPLICATA", "NFECHAVE", "SEUNO")


@dataclass
class Spell:
    """A time during which a proposal was invalid."""

    opened_at: datetime
    last_at: datetime
    times: int = 1
    resolved_at: datetime | None = None
    resolution: str | None = None


@dataclass
class Run:
    """What a run of the monitor came to."""

    day: date
    mode: str
    at: datetime
    queried: int
    invalid: int
    by_validation: dict[str, int]
    alerts: int


@dataclass
class Count:
    """Follows the hours of some days."""

    entries: list[Entry]
    spells: dict[tuple[str, str], list[Spell]] = field(default_factory=lambda: defaultdict(list))
    runs: list[Run] = field(default_factory=list)
    _now: dict[str, State] = field(default_factory=dict)
    _read: int = 0

    def follow(self, days: list[date]) -> None:
        """Count what every hour from nine to eighteen brings."""
        for today in days:
            for hour in range(9, 19):
                at = datetime.combine(today, time(hour), tzinfo=UTC)
                self._read_until(at)
                self._look_at_all(today, at)
                for day in days:
                    if day < today and (left := self._invalid_of(day)):
                        self._look_again(day, left, at)

    def open_spells(self, day: date | None = None) -> dict[tuple[str, str], Spell]:
        """Return what is invalid now, of a day or altogether."""
        return {
            name: spells[-1]
            for name, spells in self.spells.items()
            if spells[-1].resolved_at is None and (day is None or self._day_of(name[0]) == day)
        }

    def _day_of(self, proposal: str) -> date:
        return date.fromisoformat(self._now[proposal]["received_on"])

    def _read_until(self, at: datetime) -> None:
        while self._read < len(self.entries) and self.entries[self._read][0] <= at:
            _, proposal, state = self.entries[self._read]
            self._now[proposal] = state
            self._read += 1

    def _invalid_of(self, day: date) -> set[str]:
        return {proposal for proposal, _ in self.open_spells(day)}

    def _look_at_all(self, day: date, at: datetime) -> None:
        of_day = {key: state for key, state in self._now.items() if self._day_of(key) == day}
        found = failing(of_day)
        self._note(found, set(of_day), at)
        alerts = sum(min(len(keys), 3) for keys in found.values())
        self._tell(day, "full", at, len(of_day), found, alerts)

    def _look_again(self, day: date, left: set[str], at: datetime) -> None:
        of_day = {key: state for key, state in self._now.items() if self._day_of(key) == day}
        cancelled = {key for key in left if of_day[key]["status"] == "CANCELLED"}
        for (proposal, _), spell in self.open_spells(day).items():
            if proposal in cancelled:
                spell.resolved_at, spell.resolution = at, "superseded"
        left -= cancelled
        found = {name: keys & left for name, keys in failing(of_day).items()}
        self._note(found, left, at)
        self._tell(day, "partial", at, len(left), found, 0)

    def _note(self, found: Found, examined: set[str], at: datetime) -> None:
        for validation in VALIDATIONS:
            for proposal in examined:
                spells = self.spells[proposal, validation]
                is_open = bool(spells) and spells[-1].resolved_at is None
                if proposal in found[validation]:
                    if is_open:
                        spells[-1].times += 1
                        spells[-1].last_at = at
                    else:
                        spells.append(Spell(at, at))
                elif is_open:
                    spells[-1].resolved_at, spells[-1].resolution = at, "auto"
                if not spells:
                    del self.spells[proposal, validation]

    def _tell(
        self, day: date, mode: str, at: datetime, queried: int, found: Found, alerts: int
    ) -> None:
        invalid = len(set().union(*found.values()))
        by_validation = {name: len(keys) for name, keys in found.items()}
        self.runs.append(Run(day, mode, at, queried, invalid, by_validation, alerts))


def failing(states: dict[str, State]) -> Found:
    """Return the proposals that fail, by validation."""
    numbers = Counter((state["client"], state["seuno"]) for state in states.values())
    return {
        "NFECHAVE": {key for key, state in states.items() if not is_key(state["nfechave"])},
        "DUPLICATA": {key for key, state in states.items() if not _is_bill(state)},
        "SEUNO": {
            key
            for key, state in states.items()
            if not (number := state["seuno"] or "").isalnum()
            or len(number) > 25
            or numbers[state["client"], number] > 1
        },
    }


def is_key(key: str | None) -> bool:
    """Tell whether this is the key of an invoice; the check digit as the handbook has it."""
    if key is None or len(key) != 44 or set(key) - set("0123456789"):
        return False
    rest = sum(int(digit) * weight for digit, weight in zip(key, _WEIGHTS, strict=False)) % 11
    return int(key[4:6]) in range(1, 13) and int(key[43]) == (0 if rest in (0, 1) else 11 - rest)


def _is_bill(state: State) -> bool:
    number, slash, instalment = (state["duplicata"] or "").partition("/")
    if not (
        slash and len(number) == 9 and len(instalment) == 2 and (number + instalment).isdigit()
    ):
        return False
    return not is_key(state["nfechave"]) or state["nfechave"][25:34] == number


def status_changes(entries: list[Entry]) -> list[tuple[Any, ...]]:
    """Return what changed status, from what to what, through what, by whom and when."""
    known: dict[str, str] = {}
    changes = []
    for at, proposal, state in entries:
        before, known[proposal] = known.get(proposal), state["status"]
        if before != state["status"]:
            how, who = state["changed_through"], state["changed_by"]
            changes.append((proposal, before, state["status"], how, who, at))
    return changes
