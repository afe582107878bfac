"""Label matchers as they are typed, in the notation of Prometheus, made into those of SQL."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import click

_MATCHER = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(=~|!~|!=|=)(.*)", re.DOTALL)


def matchers(typed: Sequence[str]) -> dict[str, Any]:
    """Return the matchers object of several words such as ``queue=billing``.

    Args:
        typed: ``label=text`` (equal), ``label!=text`` (other), ``label=~regex`` or
            ``label!~regex`` (the whole label matches, or does not).

    Raises:
        click.UsageError: a word has another form, or two speak of the same label.
    """
    found: dict[str, Any] = {}
    for word in typed:
        parts = _MATCHER.fullmatch(word)
        if parts is None:
            raise click.UsageError(
                f"{word!r} matches no label; write label=text, label!=text, label=~regex or "
                "label!~regex"
            )
        label, operator, text = parts.groups()
        if label in found:
            raise click.UsageError(f"two matchers for {label}; write {label}=~'one|another'")
        plain = {"regex": text} if operator.endswith("~") else text
        found[label] = {"not": plain} if operator.startswith("!") else plain
    return found


def spell(found: Mapping[str, Any]) -> str:
    """Return matchers in the notation that `matchers` reads."""
    return " ".join(f"{label}{_spell(matcher)}" for label, matcher in sorted(found.items()))


def _spell(matcher: Any, *, is_negated: bool = False) -> str:
    if isinstance(matcher, dict) and "not" in matcher:
        return _spell(matcher["not"], is_negated=not is_negated)
    if isinstance(matcher, dict):
        return ("!~" if is_negated else "=~") + str(matcher["regex"])
    if isinstance(matcher, list):
        return ("!~" if is_negated else "=~") + "|".join(map(str, matcher))
    return ("!=" if is_negated else "=") + str(matcher)


def labels(typed: Sequence[str]) -> dict[str, str]:
    """Return the labels object of several words such as ``queue=billing``.

    Raises:
        click.UsageError: a word has another form.
    """
    found = {}
    for word in typed:
        label, sign, text = word.partition("=")
        if not (label and sign):
            raise click.UsageError(f"{word!r} is not a label; write label=text")
        found[label] = text
    return found
