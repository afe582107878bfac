"""The address of a mail server and its receivers, by the variables that many programs share."""

import re
from collections.abc import Callable
from urllib.parse import quote, urlencode

RECEIVERS = "ALERT_EMAILS"
_MAIL_ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+")
_PORT, _PORT_OF_TLS = 587, 465
_MODES = {"tls": "ssl", "starttls": "starttls", "none": "insecure"}


class MailSettingError(Exception):
    """A variable is missing or makes no sense; the message names it, and never quotes it."""


def mail_address(setting: Callable[[str], str | None]) -> str:
    """Return the address that SMTP_HOST, SMTP_PORT, SMTP_USER, … and ALERT_EMAILS describe.

    Args:
        setting: returns the value of a variable; None when it is not set.

    Raises:
        MailSettingError: they describe none.
    """
    host = _needed(setting, "SMTP_HOST", "the name of the mail server")
    port = _port(setting("SMTP_PORT"))
    user, password = setting("SMTP_USER"), setting("SMTP_PASS")
    if user and password is None:
        raise MailSettingError("SMTP_USER is set, and SMTP_PASS is not: set it to the password")
    sender = setting("SMTP_FROM") or user
    if not sender or not _MAIL_ADDRESS.fullmatch(sender):
        raise MailSettingError("set SMTP_FROM to the mail address of the sender")
    mode = _mode(setting("SMTP_SECURITY"), port, bool(user))
    login = f"{quote(user, safe='')}:{quote(password or '', safe='')}@" if user else ""
    asked = {"smtp": host, "from": sender, "to": ",".join(_receivers(setting)), "mode": mode}
    scheme = "mailto" if mode == "insecure" else "mailtos"
    return f"{scheme}://{login}{host}:{port}?{urlencode(asked, quote_via=quote)}"


def _needed(setting: Callable[[str], str | None], name: str, meaning: str) -> str:
    value = (setting(name) or "").strip()
    if not value:
        raise MailSettingError(f"{name} is not set: set it to {meaning}")
    if re.search(r"[\s/@?#]", value):
        raise MailSettingError(f"{name} is not {meaning}")
    return value


def _port(text: str | None) -> int:
    if not text:
        return _PORT
    if not re.fullmatch("[0-9]{1,5}", text.strip()) or not 1 <= int(text) <= 65535:
        raise MailSettingError("SMTP_PORT is not a port: set it to a number such as 587 or 465")
    return int(text)


def _mode(wanted: str | None, port: int, has_login: bool) -> str:
    """Return how the connection is made safe: by its port, unless that is said."""
    if wanted:
        if wanted.strip().lower() not in _MODES:
            raise MailSettingError(f"SMTP_SECURITY is one of {', '.join(_MODES)}")
        return _MODES[wanted.strip().lower()]
    if port == _PORT_OF_TLS:
        return "ssl"
    # A password goes nowhere unencrypted unless somebody says so.
    return "starttls" if port == _PORT or has_login else "insecure"


def _receivers(setting: Callable[[str], str | None]) -> list[str]:
    listed = (setting(RECEIVERS) or "").replace(";", ",").split(",")
    receivers = [each.strip() for each in listed if each.strip()]
    if not receivers:
        raise MailSettingError(f"{RECEIVERS} is not set: set it to mail addresses, with commas")
    for number, receiver in enumerate(receivers, start=1):
        if not _MAIL_ADDRESS.fullmatch(receiver):
            raise MailSettingError(f"receiver {number} in {RECEIVERS} is not a mail address")
    return receivers
