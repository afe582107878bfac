"""Envelopes as SDKs of Sentry write them."""

import json
from typing import Any

KEY = "0123456789abcdef0123456789abcdef"
AUTH = {"X-Sentry-Auth": f"Sentry sentry_version=7, sentry_client=test/1.0, sentry_key={KEY}"}
EVENT_ID = "fc6d8c0c43fc4630ad850ee518f1b9d0"


def item(kind: str, payload: Any, is_counted: bool = True, **header: Any) -> bytes:
    """Return an item; a payload that is no bytes is JSON."""
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    length = {"length": len(content)} if is_counted else {}
    return json.dumps({"type": kind, **length, **header}).encode() + b"\n" + content


def envelope(*items: bytes, **header: Any) -> bytes:
    """Return an envelope of some items."""
    return b"\n".join([json.dumps(header).encode(), *items])


def exception(kind: str, value: str, *functions: str, **more: Any) -> dict[str, Any]:
    """Return an exception that was raised in a function that others, named before it, called."""
    frames = [
        {"function": name, "filename": "shop.py", "lineno": 10 + number, "vars": {"pin": "1234"}}
        for number, name in enumerate(functions)
    ]
    return {"type": kind, "value": value, "stacktrace": {"frames": frames}, **more}
