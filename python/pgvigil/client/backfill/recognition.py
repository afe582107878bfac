"""Telling by the columns which form records are in."""

from collections.abc import Collection, Sequence

from pgvigil.client.backfill.forms import FORMS, Form
from pgvigil.client.backfill.kinds import KINDS

_KNOWN = frozenset().union(*(form.columns for form in FORMS))


class UnknownFormError(Exception):
    """Columns fit no form; the message says why."""

    def __init__(self, message: str, hint: str) -> None:
        """Say what is wrong and, in the hint, what would be right."""
        super().__init__(message)
        self.hint = hint


def form_of(names: Collection[str], forms: Sequence[Form] | None) -> Form:
    """Return the form that has these columns.

    Args:
        names: columns that the records have.
        forms: the forms of what they are said to be; None when nothing is said.

    Raises:
        UnknownFormError: there is none, or more than one.
    """
    given = set(names)
    fitting = [
        form
        for form in (FORMS if forms is None else forms)
        if form.required <= given <= form.columns
    ]
    kinds = {form.kind.name for form in fitting}
    if len(kinds) > 1:
        raise UnknownFormError(
            f"These columns are those of {' and of '.join(sorted(kinds))} alike.",
            "Say which they are, before the file or by --kind.",
        )
    if fitting:
        return fitting[0]
    if forms is None:
        return _nearest(given)
    return _despite(given, forms)


def _despite(given: set[str], forms: Sequence[Form]) -> Form:
    """Return the form that was named, for lines that lack what the database will ask for."""
    form = max(forms, key=lambda form: len(given & form.columns))
    unknown = sorted(given - form.columns)
    if unknown:
        raise UnknownFormError(
            f"{form.kind.name} have no column {', '.join(map(repr, unknown))}.",
            f"The columns are: {', '.join(sorted(form.columns))}.",
        )
    return form


def _nearest(given: set[str]) -> Form:
    nearest = max(FORMS, key=lambda form: len(given & form.columns) - len(given - form.columns))
    unknown, missing = sorted(given - nearest.columns), sorted(nearest.required - given)
    kinds = ", ".join(KINDS)
    if not given & nearest.required:
        raise UnknownFormError(
            "It does not say what its records are, and no kind has these columns.",
            f"Say what they are, before the file or by --kind: one of {kinds}.",
        )
    wrong = [
        *([f"there is {', '.join(map(repr, unknown))} too much"] if unknown else []),
        *([f"{', '.join(map(repr, missing))} is missing"] if missing else []),
    ]
    raise UnknownFormError(
        f"No kind has these columns. To be {nearest.kind.name} like those of {nearest.name}, "
        f"{' and '.join(wrong)}.",
        f"Say what they are, before the file or by --kind: one of {kinds}.",
    )


def known_name(name: str) -> str:
    """Return the name of a column as kinds have it, where only case makes the difference."""
    name = name.strip()
    return name.lower() if name not in _KNOWN and name.lower() in _KNOWN else name
