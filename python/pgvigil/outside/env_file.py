"""Files of variables, as programs have them beside their code: ``NAME=value``, a line each."""

import re
from pathlib import Path

_LINE = re.compile(
    r"""\s* (?:export\s+)? (?P<name>[A-Za-z_]\w*) \s*=\s*
        (?: '(?P<single>[^']*)' | "(?P<double>(?:[^"\\]|\\.)*)" | (?P<plain>.*?) )
        (?:\s+\#.*)? \s*""",
    re.VERBOSE | re.ASCII,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


class EnvFileError(Exception):
    """A line is none; the message has its number, and never quotes it."""


def is_env_file(path: Path) -> bool:
    """Return whether a file is one of variables, by its name: .env, .env.production, app.env."""
    return path.suffix == ".env" or path.name == ".env" or path.name.startswith(".env.")


def read_variables(text: str) -> dict[str, str]:
    """Return the variables of a file.

    Raises:
        EnvFileError: a line is neither a variable, a comment nor blank.
    """
    found = {}
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise EnvFileError(f"line {number} is not NAME=value")
        found[match["name"]] = _value(match)
    return found


def _value(match: re.Match[str]) -> str:
    if match["double"] is not None:
        return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), match["double"])
    return match["single"] if match["single"] is not None else match["plain"]
