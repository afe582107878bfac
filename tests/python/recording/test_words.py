"""The words that recording functions understand are those that docs/words.md shows."""

import re

import psycopg

from tests import ROOT

DOCUMENT = ROOT / "docs" / "words.md"
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \|$", re.MULTILINE)


def test_the_document_shows_the_words_that_are_known(connection: psycopg.Connection) -> None:
    known = connection.execute("select meaning, words from monitoring._known_words()").fetchall()
    assert ROW.findall(DOCUMENT.read_text(encoding="utf-8")) == known


def test_each_word_has_one_meaning_and_is_written_as_it_is_looked_for(
    connection: psycopg.Connection,
) -> None:
    rows = connection.execute("select kind, meaning, words from monitoring._known_words()")
    meanings: dict[tuple[str, str], str] = {}
    for kind, meaning, words in rows.fetchall():
        assert meaning.lower() in words.split(" ")
        for word in words.split(" "):
            assert re.fullmatch("[a-z0-9]+", word)
            assert meanings.setdefault((kind, word), meaning) == meaning
            found = connection.execute("select monitoring._meaning(%s, %s)", (kind, word.upper()))
            assert found.fetchone() == (meaning,)
    for kind, meaning in set(
        connection.execute("select kind, meaning from monitoring._known_words()")
    ):
        assert meanings[kind, meaning.lower()] == meaning
