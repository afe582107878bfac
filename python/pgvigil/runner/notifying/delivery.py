"""Talking to receivers: what the sending process does with an order."""

import base64
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pgvigil.outside.redaction import redacted
from pgvigil.runner.notifying.orders import Order, Outcome

# Each is loaded when it is needed: a ping has no use for Apprise.
if TYPE_CHECKING:
    import requests

_KEY_HEADER = "Idempotency-Key"
# To connect, and between two pieces of an answer.
_TIMEOUTS = (5.0, 15.0)
_SUCCESS = range(200, 300)
_CALLERS_FAULT = range(400, 500)
# Request timeout, too many requests.
_LATER = (408, 429)
_LONGEST_ANSWER = 500


def deliver(order: Order) -> Outcome:
    """Send something and return how that went; nothing is raised."""
    try:
        return _DELIVERIES[order.kind](order)
    except Exception as error:  # what a library may raise is not to be foreseen
        return _failed(order, f"{type(error).__name__}: {error}")


def _failed(order: Order, reason: str, *, is_permanent: bool = False) -> Outcome:
    return Outcome(redacted(reason, order.address) or "it failed", is_permanent)


# Apprise


def _deliver_by_apprise(order: Order) -> Outcome:
    import apprise

    reasons = _Reasons()
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(reasons)
    try:
        # A redirected POST becomes a GET, whose success says nothing.
        asset = apprise.AppriseAsset(http_redirects=False)
        service = apprise.Apprise.instantiate(order.address, asset=asset)
        if service is None:
            return _failed(order, f"Apprise cannot use the address: {reasons}")
        _add_for_programs(service, order)
        post = apprise.Apprise(asset=asset)
        post.add(service)
        has_page = _takes_page(service, order)
        with _files(order.attachments) as files, _own_words(order.body if has_page else None):
            is_sent = post.notify(
                title=order.subject,
                body=order.page if has_page else order.body,
                body_format=(apprise.NotifyFormat.HTML if has_page else apprise.NotifyFormat.TEXT),
                attach=files or None,
            )
    finally:
        logger.removeHandler(reasons)
    return Outcome() if is_sent else _failed(order, str(reasons))


def _takes_page(service: Any, order: Order) -> bool:
    """Return whether what is sent is a mail that may be a page, as most addresses say."""
    from apprise import NotifyFormat, OverflowMode
    from apprise.plugins.email.base import NotifyEmail

    if not order.page or not isinstance(service, NotifyEmail):
        return False
    # A page that is cut in two is none.
    service.overflow_mode = OverflowMode.UPSTREAM
    return service.resolve_format(NotifyFormat.HTML) == NotifyFormat.HTML


@contextmanager
def _own_words(text: str | None) -> Iterator[None]:
    """Have mails with a page say this in their plain part, not the page without its tags."""
    # Apprise has no way to give both parts of a mail; orders are carried out one by one.
    base: Any = import_module("apprise.plugins.email.base")
    convert = base.convert_between
    if text is not None:
        base.convert_between = lambda *_: text
    try:
        yield
    finally:
        base.convert_between = convert


@contextmanager
def _files(attachments: Mapping[str, str]) -> Iterator[list[str]]:
    """Put what is to be attached into files for a while."""
    with TemporaryDirectory(prefix="pgvigil-") as directory:
        paths = []
        for name, content in attachments.items():
            path = Path(directory) / name
            path.write_bytes(base64.b64decode(content))
            paths.append(str(path))
        yield paths


def _add_for_programs(service: Any, order: Order) -> None:
    """Give key and payload to those receivers that have a place for them, and let long ones pass.

    What the address sets for itself counts more.
    """
    import apprise

    extras = service.template_kwargs
    if "headers" in extras:
        service.headers.setdefault(_KEY_HEADER, order.key)
    if service.service_name == "JSON" and "payload" in extras:
        service.payload_extras.setdefault("notification", order.payload)
    if "overflow=" not in order.address:
        service.overflow_mode = apprise.OverflowMode.SPLIT


class _Reasons(logging.Handler):
    """Keeps what Apprise says about a failure: its warnings, and the errors behind them."""

    def __init__(self) -> None:
        super().__init__()
        self._found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        _, is_cause, cause = text.partition("Socket Exception: ")
        if record.levelno >= logging.WARNING or is_cause:
            self._found.append(cause or text)

    def __str__(self) -> str:
        return "; ".join(dict.fromkeys(self._found))


# HTTP


def _deliver_to_alertmanager(order: Order) -> Outcome:
    import requests

    answer = requests.post(
        order.address.rstrip("/") + "/api/v2/alerts",
        data=json.dumps(order.payload).encode(),
        headers={"Content-Type": "application/json", _KEY_HEADER: order.key},
        timeout=_TIMEOUTS,
        allow_redirects=False,
    )
    return _judged(order, answer)


def _ping(order: Order) -> Outcome:
    import requests

    return _judged(order, requests.get(order.address, timeout=_TIMEOUTS))


def _judged(order: Order, answer: "requests.Response") -> Outcome:
    code = answer.status_code
    if code in _SUCCESS:
        return Outcome()
    is_permanent = code in _CALLERS_FAULT and code not in _LATER
    reason = f"HTTP {code} {answer.reason}: {answer.text[:_LONGEST_ANSWER]}"
    return _failed(order, reason, is_permanent=is_permanent)


_DELIVERIES = {
    "apprise": _deliver_by_apprise,
    "alertmanager": _deliver_to_alertmanager,
    "ping": _ping,
}
