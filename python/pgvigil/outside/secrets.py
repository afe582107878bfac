"""Addresses, of targets and databases: in the runner's environment, or in a file of its own."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pgvigil.database.secret_file import SecretFileError, read_secret_file
from pgvigil.outside.env_file import EnvFileError, is_env_file, read_variables
from pgvigil.outside.mail_settings import RECEIVERS, MailSettingError, mail_address

_TABLES = ("targets", "connections")


class SecretError(Exception):
    """An address could not be had; the message names the target and never its address."""


class Secrets:
    """Looks addresses up by name, anew each time, so that a correction counts at once."""

    def __init__(self, path: Path | None = None, table: str = "targets") -> None:
        """Describe where they are.

        Args:
            path: TOML file with tables of addresses; None to have the environment alone.
            table: which of them, ``targets`` or ``connections``.
        """
        self._path = path
        self._table = table
        self._kind = table.removesuffix("s")

    def find(self, name: str) -> str:
        """Return an address.

        Args:
            name: name of an environment variable or, when that is not set, of a key in the file;
                case does not count, nor whether words are joined by ``_``, ``-`` or ``.``, but
                what is written just so comes first.

        Raises:
            SecretError: there is none, or the file cannot be used.
        """
        if self._table == "targets" and _variable(name) == RECEIVERS:
            return self._mail_address(name)
        address: object = os.environ.get(name)
        if not address:
            kept = self._addresses()
            # What is written just so comes first; of the rest only what looks like an address, for
            # a target may be called path or home.
            address = kept.get(name) or _alike(os.environ, name) or _alike(kept, name)
            address = kept.get(name) if address is None else address
        if address is None:
            places = "the environment" if self._path is None else f"the environment or {self._path}"
            raise SecretError(
                f"{self._kind} {name} is not in {places} of the runner: set {_variable(name)}"
            )
        if not isinstance(address, str) or not address.strip():
            raise SecretError(
                f'{self._kind} {name} in {self._path} is not an address: write {name} = "…"'
            )
        return address.strip()

    def _mail_address(self, target: str) -> str:
        """Return the address that variables describe, unless there is one under this name."""
        kept = self._addresses()

        def setting(variable: str) -> str | None:
            value = os.environ.get(variable) or kept.get(variable)
            return value if isinstance(value, str) else None

        for known in (setting(RECEIVERS), kept.get(target)):
            if isinstance(known, str) and "://" in known:
                return known.strip()
        try:
            return mail_address(setting)
        except MailSettingError as error:
            raise SecretError(f"target {target}: {error}") from None

    def check(self) -> None:
        """See whether the file can be used.

        Raises:
            SecretError: it cannot.
        """
        self._addresses()

    def _addresses(self) -> dict[str, Any]:
        if self._path is None:
            return {}
        try:
            text = read_secret_file(self._path)
            if is_env_file(self._path):
                return dict(read_variables(text))
            document = tomllib.loads(text)
        except EnvFileError as error:
            raise SecretError(f"{self._path}: {error}") from None
        except SecretFileError as error:
            raise SecretError(str(error)) from None
        except tomllib.TOMLDecodeError as error:
            # What it says beside the place may quote the line.
            place = re.search(r"\((at [\w ,]+)\)$", str(error))
            raise SecretError(
                f"{self._path} is not valid TOML{': ' + place[1] if place else ''}"
            ) from None
        addresses = document.get(self._table)
        # Who has the one kind need not have the other.
        if addresses is None and any(table in document for table in _TABLES):
            return {}
        if not isinstance(addresses, dict):
            raise SecretError(f"{self._path} has no table [{self._table}]")
        return addresses


def _variable(name: str) -> str:
    """Return the name that a variable of the environment usually has."""
    return re.sub(r"[-.]", "_", name).upper()


def _alike(addresses: Mapping[str, Any], name: str) -> Any:
    """Return an address whose name differs in case or joints alone; None when there is none."""
    wanted = _variable(name)
    names = sorted(
        (key for key in addresses if _variable(key) == wanted), key=lambda key: (key != wanted, key)
    )
    found = (addresses[key] for key in names)
    return next((value for value in found if isinstance(value, str) and "://" in value), None)
