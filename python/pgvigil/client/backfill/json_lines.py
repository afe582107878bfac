"""Records of a JSON file: an object a line, or an array of objects."""

import re
from collections.abc import Iterator, Sequence
from typing import IO, Any

from pgvigil.client.backfill import exact_json
from pgvigil.client.backfill.forms import NAMES, NOT_LOADED, Form
from pgvigil.client.backfill.kinds import KINDS
from pgvigil.client.backfill.lines import BadLineError, Line, row_of
from pgvigil.client.backfill.recognition import UnknownFormError, form_of, known_name

_PIECE = 256 * 1024
_LARGEST = 64 * 1024 * 1024
_BETWEEN = re.compile(r"[\s,]*")


class JsonLines:
    """The records of a file that has an object a line, one by one."""

    def __init__(self, text: IO[str], forms: Sequence[Form] | None) -> None:
        """Read a file whose records are in one of these forms, unless they say so themselves."""
        self._text = text
        self._forms = forms
        self._found: dict[frozenset[str], Form] = {}

    def __iter__(self) -> Iterator[Line]:
        """Yield the records; those that are none carry their fault."""
        for number, text in enumerate(self._text, start=1):
            if not text.isspace():
                yield self._line(number, text)

    def _line(self, number: int, text: str) -> Line:
        try:
            return self._record(number, text, exact_json.loads(text, "the line"))
        except exact_json.NotJsonError as fault:
            return Line(number, text, fault=str(fault))

    def _record(self, number: int, text: str, value: Any) -> Line:
        try:
            form, values = self._read(value)
            return Line(number, text, form.kind, row_of(form, values, values.keys()))
        except BadLineError as fault:
            return Line(number, text, fault=str(fault))

    def _read(self, value: Any) -> tuple[Form, dict[str, Any]]:
        if not isinstance(value, dict):
            raise BadLineError("the line is not a JSON object")
        values = {known_name(name): cell for name, cell in value.items()}
        kind = values.pop("kind", None)
        if kind is not None:
            return self._form(forms_of(str(kind)), values), values
        names = frozenset(values)
        form = self._found.get(names)
        if form is None:
            form = self._form(self._forms, values)
            if len(self._found) < len(NAMES):
                self._found[names] = form
        return form, values

    def _form(self, forms: Sequence[Form] | None, values: dict[str, Any]) -> Form:
        try:
            return form_of(values, forms)
        except UnknownFormError as error:
            raise BadLineError(str(error).rstrip(".")) from None


def forms_of(name: str) -> Sequence[Form]:
    """Return the forms that go by a name.

    Raises:
        BadLineError: there are none; the message says why.
    """
    if name in NOT_LOADED:
        raise BadLineError(f"{name} cannot be loaded: {NOT_LOADED[name]}")
    if name not in NAMES:
        raise BadLineError(f'kind is not known: "{name}" (one of {", ".join(KINDS)})')
    return NAMES[name]


class JsonArray(JsonLines):
    """The records of a file that is an array, one by one."""

    def __iter__(self) -> Iterator[Line]:
        """Yield the records; those that are none carry their fault.

        Raises:
            EOFError: the array breaks off, or is none.
        """
        rest, place, number = self._text.read(_PIECE), 0, 1
        # What stands before the first value is the bracket, and maybe spaces.
        place = rest.index("[") + 1
        while True:
            between = _BETWEEN.match(rest, place)
            start = between.end() if between else place
            if rest.startswith("]", start):
                return
            try:
                value, end = exact_json.DECODER.raw_decode(rest, start)
                is_whole = end < len(rest)
            except (ValueError, RecursionError) as error:
                is_whole, fault = False, str(error)
            else:
                fault = "it ends before its array does"
            if not is_whole:
                rest = self._longer(rest[place:], number, fault)
                place = 0
                continue
            number += rest.count("\n", place, start)
            yield self._record(number, rest[start:end].replace("\n", " ") + "\n", value)
            number += rest.count("\n", start, end)
            place = end

    def _longer(self, rest: str, number: int, fault: str) -> str:
        """Return what is left to be read with more of the file behind it."""
        piece = self._text.read(max(_PIECE, len(rest)))
        if not piece or len(rest) > _LARGEST:
            raise EOFError(f"what begins in line {number} is not JSON: {fault}")
        return rest + piece
