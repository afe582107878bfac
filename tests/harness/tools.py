"""Programs from outside Python that a few tests need, installed when one of these is run."""

import fcntl
import functools
import os
import shutil
import subprocess
from pathlib import Path

from tests.harness.errors import missing_tools

_INSTALLER = Path(__file__).with_name("install-tools.sh")
_NODE = Path(__file__).parent.parent / "node"


@functools.cache
def program(name: str) -> str:
    """Return the path of a program, which is installed first where it is missing.

    Raises:
        HarnessError: it cannot be installed here.
    """
    found = _find(name)
    if found is None:
        subprocess.run([_INSTALLER, name], check=False)
        found = _find(name)
    if found is None:
        raise missing_tools(name)
    return found


@functools.cache
def language(name: str) -> str:
    """Return the path of what runs programs of a language, installed with its driver if need be.

    Raises:
        HarnessError: one of them cannot be installed here.
    """
    # Only the installer knows where a driver would be; it says nothing where all is there.
    installed = subprocess.run([_INSTALLER, name], check=False)
    found = _find(name)
    if found is None or installed.returncode != 0:
        raise missing_tools(name)
    return found


@functools.cache
def node_modules() -> Path:
    """Return where packages for Node are that tests use, fetched first where they are missing."""
    found = _NODE / "node_modules"
    wanted, had = _NODE / "package-lock.json", found / ".package-lock.json"
    # Tests that run side by side may find them missing at the same moment.
    with wanted.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not had.exists() or had.stat().st_mtime < wanted.stat().st_mtime:
            options = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
            subprocess.run([program("npm"), "ci", "--prefix", _NODE, *options], check=True)
    return found


def can_have(name: str) -> bool:
    """Say whether a program is here or could be installed."""
    return (_find(name) or shutil.which("apt-get")) is not None


def _find(name: str) -> str | None:
    # Debian keeps servers where the path of root alone leads.
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
