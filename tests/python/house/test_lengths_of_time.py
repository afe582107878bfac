"""The database, Python and the page spell a length of time alike."""

import json
import math
import random
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser

from pgvigil.database.words import count_of, length_of_time
from pgvigil.faces.words import duration
from tests.python.support.web_running import Web

EDGES = (
    0, 0.001, 0.9995, 1, 9.95, 10, 59, 60, 61, 119, 120, 599, 600, 3599, 3600, 3660, 7200,
    86_399, 86_400, 90_000, 172_800, 31_536_000, 3e11,
)  # fmt: skip


def lengths() -> list[float]:
    """Return thousands of lengths: about each edge, halves of each digit, and at random."""
    chance = random.Random(20261122)
    around = [
        edge + sign * step for edge in EDGES for sign in (-1, 1) for step in (0, 1e-9, 5e-4, 0.05)
    ]
    halves = [number / 20 for number in range(1, 220)] + [number / 2e6 for number in range(1, 4000)]
    anything = [10 ** chance.uniform(-9, 12) for _ in range(4000)]
    whole = [float(chance.randrange(10**6)) for _ in range(1000)]
    return [*map(float, (*around, *halves, *anything, *whole)), -1.0, -1e300, 1e300, 5e-324]


def test_python_spells_it_as_the_database(connection: psycopg.Connection[Any]) -> None:
    given = [*lengths(), math.inf, -math.inf, math.nan]
    query = """
        select array_agg(monitoring._spell_seconds(l.seconds) order by l.place)
        from unnest(%s::double precision[]) with ordinality as l (seconds, place)
    """
    (known,) = connection.execute(query, [given]).fetchone() or ([],)
    wrong = [
        (seconds, length_of_time(seconds), spelt)
        for seconds, spelt in zip(given, known, strict=True)
        if length_of_time(seconds) != spelt
    ]
    assert wrong == []


def test_the_page_spells_it_as_python(web: Web, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{web.server.url}assets/any/icon.svg")
    script = """
        async (given) => {
            const { duration } = await import("/assets/any/format.js");
            return JSON.parse(given).map(duration);
        }
    """
    given = lengths()
    spelt = page.evaluate(script, json.dumps(given))
    context.close()
    wrong = [
        (seconds, words)
        for seconds, words in zip(given, spelt, strict=True)
        if words != length_of_time(seconds)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("seconds", "spelt"),
    [
        (0, "0 s"), (0.0035, "3.5 ms"), (0.35, "350 ms"), (2.25, "2.3 s"), (59.9, "59 s"),
        (60, "1 min"), (245, "4 min 5 s"), (1805, "30 min"), (14_700, "4 h 5 min"),
        (100_000, "1 d 3 h"),
    ],
)  # fmt: skip
def test_it_has_two_units_at_most(seconds: float, spelt: str) -> None:
    assert length_of_time(seconds) == spelt
    assert duration(1000 * seconds).plain == spelt


def test_things_are_counted_in_the_singular_and_the_plural() -> None:
    assert [count_of(number, "row") for number in (0, 1, 2, 1234)] == [
        "0 rows", "1 row", "2 rows", "1,234 rows",
    ]  # fmt: skip
