"""An event as an error: what `record_errors()` is told of it, and what is left out.

Left out is what may be about people or is secret: values of variables, headers, cookies, bodies and
queries of requests, and all of a user but the id.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from pgvigil.client.recording.values import to_json
from pgvigil.faces.web.sentry.documents import (
    moment,
    name,
    table,
    tables,
    text,
    trimmed,
    without_empty,
)
from pgvigil.faces.web.sentry.stacks import stack_of

_LONGEST_MESSAGE = 8000
_LONGEST_FINGERPRINT = 150
_MOST_BREADCRUMBS = 20
_LARGEST_DETAILS = 49_152  # bytes; the database keeps 65,536
_VARIABLE = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}", re.ASCII)
_DEFAULT = "default"
# Of a value in the wording of a message, as %s and %(name)d.
_PLACE = re.compile(r"%%|%(?:\((\w+)\))?[-#0 +]*\d*(?:\.\d+)?[hlL]?[a-zA-Z]")
_LEFT_OUT = frozenset({"culture", "device", "react", "redux", "state", "flags", "response"})
_OF_TRACE = ("trace_id", "span_id")
# The command line of a program, which may have passwords in it.
_SECRET_EXTRA = frozenset({"sys.argv"})


@dataclass(frozen=True)
class Error:
    """An error as it is to be recorded."""

    event_id: str
    row: dict[str, Any]
    """As `record_errors()` takes it."""
    parts: tuple[str, ...]
    """Of the fingerprint that the SDK was told; empty: none."""

    @property
    def needs_default(self) -> bool:
        """Whether the fingerprint that it has by itself is a part of the one it is given."""
        return not self.row["fingerprint"] and any(_is_default(part) for part in self.parts)

    def grouped(self, default: str | None) -> dict[str, Any]:
        """Return the row with its fingerprint.

        Args:
            default: the one that it has by itself, where that is needed.
        """
        if not self.parts:
            return self.row
        own = self.row["fingerprint"] or default or ""
        parts = [own if _is_default(part) else part for part in self.parts]
        return {**self.row, "fingerprint": _short(" / ".join(parts))}


def error_of(event: dict[str, Any], component: str, project: str, sent_at: Any = None) -> Error:
    """Return an event as an error.

    Args:
        event: as an SDK sends it.
        component: who speaks; empty: it goes by the release, else by the project.
        project: as in the DSN.
        sent_at: when it was sent, which counts where it does not say when it happened.
    """
    exceptions = tables(event.get("exception"))
    said, template = _said(event)
    # Some give a message the place where it was said as an exception without a type.
    is_raised = bool(exceptions) and bool(exceptions[-1].get("type") or not said)
    raised = exceptions[-1] if is_raised else {}
    level = text(event.get("level")).lower() or "error"
    event_id = id_of(event.get("event_id"))
    row = {
        "error_id": -(int(event_id[:16], 16) >> 1) - 1,
        "task_id": name(_tags(event).get("task_id")) or None,
        "occurred_at": moment(event.get("timestamp")) or moment(sent_at),
        "error_type": (name(raised.get("type")) or "Error") if is_raised else _log_type(level),
        "severity": level,
        "message": text(raised.get("value"), _LONGEST_MESSAGE) if is_raised else said,
        "component": component or _component(event, project),
        "stack": stack_of(exceptions, event),
        "fingerprint": _of_wording(event, template) if template and not is_raised else None,
        "details": _details(event, event_id, raised, said if is_raised else ""),
    }
    return Error(event_id, row, _parts(event, row))


def id_of(value: Any) -> str:
    """Return the id of an event in the form that SDKs have, a new one where there is none."""
    try:
        return UUID(value).hex
    except (AttributeError, TypeError, ValueError):
        return uuid4().hex


def _log_type(level: str) -> str:
    """Return the type of what is said without an exception, which is that of our own handler."""
    return "log.critical" if level == "fatal" else name(f"log.{level}")


def _said(event: dict[str, Any]) -> tuple[str, str]:
    """Return the message of an event, and its wording where values were put into one."""
    entry = event.get("logentry") or event.get("message") or ""
    if not isinstance(entry, dict):
        return text(entry, _LONGEST_MESSAGE), ""
    template = text(entry.get("message"), _LONGEST_MESSAGE)
    params = entry.get("params")
    params = params if isinstance(params, dict | list) else None
    formatted = text(entry.get("formatted"), _LONGEST_MESSAGE) or _formatted(template, params)
    return formatted, template if params or formatted != template else ""


def _formatted(template: str, params: Any) -> str:
    """Return a message with its values put in as they are: widths could be of any length."""
    values = table(params) if isinstance(params, dict) else iter(params or ())

    def value_of(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        if isinstance(values, dict):
            return text(values.get(found[1], found[0]))
        return text(next(values, found[0]))

    return _PLACE.sub(value_of, template)[:_LONGEST_MESSAGE]


def _of_wording(event: dict[str, Any], template: str) -> str:
    """Return the group of a log line, which is the one that our own handler gives it."""
    words = ": ".join(filter(None, (text(event.get("logger")), template)))
    return name(words[:_LONGEST_FINGERPRINT])


def _component(event: dict[str, Any], project: str) -> str:
    """Return who speaks: a package as in the release `shop@1.2`, else the project."""
    package, at, _ = text(event.get("release")).rpartition("@")
    if at and package:
        return name(package)
    return f"project {project}"[:255] if project.isdecimal() else name(project)


def _details(
    event: dict[str, Any], event_id: str, raised: dict[str, Any], said: str
) -> dict[str, Any]:
    words = ("level", "platform", "logger", "transaction", "release", "environment", "dist")
    sdk = table(event.get("sdk"))
    details: dict[str, Any] = {
        "event_id": event_id,
        **{word: text(event.get(word), 200) for word in (*words, "server_name")},
        "logged": said,
        "module": text(raised.get("module"), 200),
        "handled": table(raised.get("mechanism")).get("handled"),
        "user_id": text(table(event.get("user")).get("id"), 200),
        "sdk": "/".join(filter(None, (text(sdk.get(key), 100) for key in ("name", "version")))),
        "request": _request(table(event.get("request"))),
        "tags": trimmed(_tags(event)),
        "contexts": trimmed(_contexts(event)),
        "extra": trimmed(_without(table(event.get("extra")), _SECRET_EXTRA)),
        "breadcrumbs": list(_breadcrumbs(event)),
    }
    return _fitted(without_empty(details))


def _fitted(details: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is least needed where all together would be cut."""
    for word in ("extra", "breadcrumbs", "contexts", "tags"):
        if len(to_json(details).encode()) <= _LARGEST_DETAILS:
            break
        if word in details:
            details[word] = "..."
    return details


def _contexts(event: dict[str, Any]) -> dict[str, Any]:
    contexts = _without(table(event.get("contexts")), _LEFT_OUT)
    if "trace" in contexts:
        trace = table(contexts["trace"])
        contexts["trace"] = {word: trace.get(word) for word in _OF_TRACE}
    return contexts


def _without(members: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in members.items() if key not in names}


def _tags(event: dict[str, Any]) -> dict[str, Any]:
    """Return the tags, which are an object or a list of pairs."""
    tags = event.get("tags")
    if isinstance(tags, list):
        pairs = [each for each in tags if isinstance(each, list) and len(each) == 2]
        return {text(key, 200): value for key, value in pairs}
    return table(tags)


def _request(request: dict[str, Any]) -> dict[str, Any]:
    """Return what was asked for, without what was said with it."""
    try:
        url = urlsplit(text(request.get("url")))
        address = f"{url.scheme}://{url.hostname or ''}{url.path}" if url.scheme else url.path
    except ValueError:
        address = ""
    return without_empty({"method": text(request.get("method"), 20), "url": address})


def _breadcrumbs(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for crumb in tables(event.get("breadcrumbs"))[-_MOST_BREADCRUMBS:]:
        words = {key: text(crumb.get(key), 200) for key in ("level", "category", "message")}
        if words["message"]:
            yield without_empty({"at": moment(crumb.get("timestamp")), **words})


def _parts(event: dict[str, Any], row: dict[str, Any]) -> tuple[str, ...]:
    """Return the parts of a fingerprint with what is known of the event put in."""
    given = event.get("fingerprint")
    parts = [text(part, 500) for part in given] if isinstance(given, list) else []
    if not any(parts) or all(_is_default(part) for part in parts):
        return ()
    known = {
        "type": row["error_type"], "error.type": row["error_type"],
        "value": row["message"], "error.value": row["message"], "message": row["message"],
        "level": row["severity"],
        **{word: text(event.get(word), 200) for word in ("logger", "transaction", "release")},
        **{f"tags.{tag}": text(value, 200) for tag, value in _tags(event).items()},
    }  # fmt: skip
    return tuple(
        _VARIABLE.sub(lambda found: known.get(found[1], found[0]), part) for part in parts[:20]
    )


def _is_default(part: str) -> bool:
    found = _VARIABLE.fullmatch(part.strip())
    return found is not None and found[1] == _DEFAULT


def _short(fingerprint: str) -> str:
    """Return a fingerprint that fits; of a longer one its beginning, and a sum of all of it."""
    if len(fingerprint.encode(errors="replace")) <= 255:
        return name(fingerprint)
    total = blake2b(fingerprint.encode(errors="replace"), digest_size=8).hexdigest()
    return f"{name(fingerprint[:_LONGEST_FINGERPRINT])[:100]} {total}"
