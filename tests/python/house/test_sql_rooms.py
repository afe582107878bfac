"""How ``sql/`` is laid out: its rooms, and what is said of private functions."""

import re

from pgvigil.install.files import Code
from pgvigil.resources import sql_directory

# What a room calls of one below it, by caller, callee and name; each with its reason.
EXCEPTIONS = {
    # What recording functions had to repair is recorded as an error itself.
    ("core/repairs.sql", "recording/errors.sql", "_record_error"),
    # Whoever looks after sessions of jobs looks after those of rules as well.
    ("scheduling/supervise.sql", "watching/rules/time_limits.sql", "_cancel_overdue_rules"),
}
_MADE = re.compile(
    r"create (?:or replace )?(?:function|procedure|view|aggregate)\s+monitoring\.(\w+)"
)
_NAMED = re.compile(r"monitoring\.(\w+)")
_COMMENT = re.compile(r"--[^\n]*|\bcomment on .*?;\n", re.DOTALL)


_PRIVATE = re.compile(
    r"(?m)^(.*)\ncreate (?:or replace )?(?:function|procedure|aggregate) monitoring\.(_\w+)"
)


def _sources() -> dict[str, str]:
    code = Code(sql_directory() / "install.sql")
    return {file.name: file.text for file in code.files}


def _without_comments() -> dict[str, str]:
    return {file: re.sub(_COMMENT, "", text) for file, text in _sources().items()}


def _room(file: str) -> str:
    return file.split("/", maxsplit=1)[0]


def test_each_room_stands_together_in_the_list() -> None:
    rooms = [_room(file) for file in _sources() if "/" in file]
    seen = list(dict.fromkeys(rooms))
    assert seen[:7] == [
        "core", "recording", "keeping", "scheduling", "watching", "systems", "reading",
    ]  # fmt: skip
    assert rooms == sorted(rooms, key=seen.index)


def test_calls_go_downwards() -> None:
    """In the order in which install.sql lists the rooms."""
    sources = _without_comments()
    order = list(dict.fromkeys(map(_room, sources)))
    made_in = {name: file for file, text in sources.items() for name in _MADE.findall(text)}
    upwards = {
        (file, made_in[name], name)
        for file, text in sources.items()
        for name in set(_NAMED.findall(text)) & made_in.keys()
        if order.index(_room(file)) < order.index(_room(made_in[name]))
    }
    assert upwards == EXCEPTIONS


def test_a_line_above_each_private_function_says_what_it_does() -> None:
    bare = [
        (file, name)
        for file, text in _sources().items()
        for above, name in _PRIVATE.findall(text)
        if not above.startswith("-- ")
    ]
    assert bare == []


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    assert [file for file, text in _sources().items() if text.count("\n") > 400] == []
