"""The addresses of targets: in the runner's environment, or in a file of its own."""

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

_TOO_OPEN = 0o077


class SecretError(Exception):
    """An address could not be had; the message names the target and never its address."""


class Secrets:
    """Looks addresses up by name, anew each time, so that a correction counts at once."""

    def __init__(self, path: Path | None = None) -> None:
        """Describe where they are.

        Args:
            path: TOML file with a table ``[targets]``; None to have the environment alone.
        """
        self._path = path

    def find(self, name: str) -> str:
        """Return an address.

        Args:
            name: name of an environment variable or, when that is not set, of a key in the file.

        Raises:
            SecretError: there is none, or the file cannot be used.
        """
        address: object = os.environ.get(name) or self._targets().get(name)
        if address is None:
            places = "the environment" if self._path is None else f"the environment or {self._path}"
            raise SecretError(f"target {name} is not in {places} of the runner")
        if not isinstance(address, str) or not address.strip():
            raise SecretError(f'target {name} in {self._path} is no address: write {name} = "…"')
        return address.strip()

    def check(self) -> None:
        """See whether the file can be used.

        Raises:
            SecretError: it cannot.
        """
        self._targets()

    def _targets(self) -> dict[str, Any]:
        if self._path is None:
            return {}
        try:
            with self._path.open("rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                if mode & _TOO_OPEN:
                    raise SecretError(
                        f"others may read {self._path}, which holds secrets (mode {mode:04o}):"
                        " chmod 600"
                    )
                document = tomllib.loads(file.read().decode())
        except OSError as error:
            raise SecretError(f"cannot read {self._path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise SecretError(f"{self._path} is no TOML: not in UTF-8") from None
        except tomllib.TOMLDecodeError as error:
            # What it says beside the place may quote the line.
            place = re.search(r"\((at [\w ,]+)\)$", str(error))
            raise SecretError(
                f"{self._path} is no TOML{': ' + place[1] if place else ''}"
            ) from None
        targets = document.get("targets")
        if not isinstance(targets, dict):
            raise SecretError(f"{self._path} has no table [targets]")
        return targets
