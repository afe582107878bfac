"""Match data to try ETL with: made by chance, some of it broken, and what is to be made of it."""

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

COLUMNS = ("fixture_id", "played_on", "home", "away", "home_goals", "away_goals")
TEAMS = ("Ashford", "Brookton", "Carlow", "Denby", "Elmford", "Farleigh", "Granby", "Hexley")
_FIRST_DAY = date(2026, 1, 3)
_MOST_GOALS = 30


@dataclass
class Standing:
    """What a team has reached."""

    played: int = 0
    points: int = 0
    goals_for: int = 0
    goals_against: int = 0


@dataclass(frozen=True)
class Match:
    """One match that was played."""

    fixture_id: str
    played_on: date
    home: str
    away: str
    home_goals: int
    away_goals: int


def generate(path: Path, matches: int, bad_percent: float, seed: int) -> None:
    """Write a file of matches, of which so many percent are broken in one way or another."""
    chance = random.Random(seed)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(1, matches + 1):
            home, away = chance.sample(TEAMS, 2)
            row = [
                f"match-{number}",
                (_FIRST_DAY + timedelta(days=number // len(TEAMS))).isoformat(),
                home,
                away,
                str(min(int(chance.expovariate(0.7)), 9)),
                str(min(int(chance.expovariate(0.9)), 9)),
            ]
            if chance.random() * 100 < bad_percent:
                row = _broken(row, chance)
            writer.writerow(row)


def _broken(row: list[str], chance: random.Random) -> list[str]:
    column, value = chance.choice([(1, "someday"), (3, row[2]), (4, "-1"), (5, "three"), (2, "")])
    return [*row[:column], value, *row[column + 1 :]]


def read_chunks(path: Path, size: int) -> Iterator[list[dict[str, str]]]:
    """Yield the rows of a file, so many at a time."""
    with path.open(newline="", encoding="utf-8") as file:
        chunk: list[dict[str, str]] = []
        for row in csv.DictReader(file):
            chunk.append(row)
            if len(chunk) == size:
                yield chunk
                chunk = []
        if chunk:
            yield chunk


def parse(row: dict[str, str]) -> Match:
    """Return the match of a row.

    Raises:
        ValueError: the row cannot be right.
    """
    match = Match(
        row["fixture_id"],
        date.fromisoformat(row["played_on"]),
        row["home"],
        row["away"],
        int(row["home_goals"]),
        int(row["away_goals"]),
    )
    for team in (match.home, match.away):
        if team not in TEAMS:
            raise ValueError(f"no such team: {team!r}")
    if match.home == match.away:
        raise ValueError("a team cannot play against itself")
    for goals in (match.home_goals, match.away_goals):
        if not 0 <= goals <= _MOST_GOALS:
            raise ValueError(f"goals are out of range: {goals}")
    return match


def add_up(table: dict[str, Standing], match: Match) -> None:
    """Add a match to the table: three points for a win, one for a draw."""
    sides = (
        (match.home, match.home_goals, match.away_goals),
        (match.away, match.away_goals, match.home_goals),
    )
    for team, scored, conceded in sides:
        standing = table.setdefault(team, Standing())
        standing.played += 1
        standing.goals_for += scored
        standing.goals_against += conceded
        standing.points += 3 if scored > conceded else 1 if scored == conceded else 0


def write_table(path: Path, table: dict[str, Standing]) -> None:
    """Write the table, best team first."""
    ranked = sorted(
        table.items(),
        key=lambda item: (-item[1].points, item[1].goals_against - item[1].goals_for, item[0]),
    )
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["team", "played", "points", "goals_for", "goals_against"])
        for team, each in ranked:
            writer.writerow([team, each.played, each.points, each.goals_for, each.goals_against])
