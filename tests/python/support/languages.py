"""The programs of examples/languages, run as their users would run them."""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import ROOT
from tests.harness.clients import clean_environment
from tests.harness.errors import HarnessError
from tests.harness.tools import language, program

EXAMPLES = ROOT / "examples/languages"
PROGRAMS = (
    "bash",
    "node",
    "node-postgres.js",
    "java",
    "go",
    "php",
    "ruby",
    "python",
    "python-sqlalchemy",
    "perl",
)
_DRIVER_OF_JAVA = "/usr/share/java/postgresql.jar"


class Programs:
    """How each is run; what has to be compiled or fetched is so once."""

    def __init__(self, directory: Path) -> None:
        """Keep what is compiled and fetched in that directory."""
        self._directory = directory
        self.command = functools.cache(self._command)
        self._packages_of_node = functools.cache(self._fetch_packages_of_node)

    def _command(self, name: str) -> list[str]:
        """Return the words that run a program; the test is skipped where it cannot be had."""
        try:
            match name:
                case "bash":
                    return [program("bash"), str(EXAMPLES / "bash/import-orders.sh")]
                case "node":
                    return [_node(), str(self._packages_of_node() / "import-orders.mjs")]
                case "node-postgres.js":
                    return [_node(), str(self._packages_of_node() / "import-orders-postgres.mjs")]
                case "java":
                    return self._compiled_java()
                case "go":
                    return [self._compiled_go()]
                case "python":
                    return [sys.executable, str(EXAMPLES / "python/import_orders.py")]
                case "python-sqlalchemy":
                    return [sys.executable, str(EXAMPLES / "python/import_orders_sqlalchemy.py")]
            file = {
                "php": "import-orders.php",
                "ruby": "import_orders.rb",
                "perl": "import-orders.pl",
            }
            return [language(name), str(EXAMPLES / name / file[name])]
        except HarnessError as error:
            pytest.skip(str(error))

    def _fetch_packages_of_node(self) -> Path:
        place = self._directory / "node"
        shutil.copytree(
            EXAMPLES / "node",
            place,
            ignore=shutil.ignore_patterns("node_modules"),
            dirs_exist_ok=True,
        )
        fetched = subprocess.run(
            [program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=place, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if fetched.returncode != 0:
            pytest.skip(f"npm cannot install the drivers: {fetched.stderr}")
        return place

    def _compiled_java(self) -> list[str]:
        java, classes = language("java"), self._directory / "java"
        _compile(
            program("javac"),
            "-cp",
            _DRIVER_OF_JAVA,
            "-d",
            classes,
            EXAMPLES / "java/ImportOrders.java",
        )
        # Takes half the time to be there, and what it runs is short.
        return [
            java,
            "-XX:TieredStopAtLevel=1",
            "-cp",
            f"{_DRIVER_OF_JAVA}:{classes}",
            "ImportOrders",
        ]

    def _compiled_go(self) -> str:
        go, compiled = language("go"), self._directory / "import-orders"
        environment = {
            "GO111MODULE": "off",
            "GOPATH": "/usr/share/gocode",
            "GOCACHE": str(self._directory / "go-cache"),
        }
        _compile(
            go, "build", "-o", compiled, EXAMPLES / "go/import_orders.go", environment=environment
        )
        return str(compiled)


def begin(
    command: list[str], file: Path, environment: Mapping[str, str]
) -> "subprocess.Popen[str]":
    """Begin to import a file."""
    return subprocess.Popen(
        [*command, str(file)],
        # Names of files are read by the locale.
        env={**clean_environment(), "LC_ALL": "C.UTF-8", "PGSSLMODE": "disable", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _node() -> str:
    program("npm")  # comes with it, and brings it
    return program("node")


def _compile(*words: str | Path, environment: Mapping[str, str] = {}) -> None:
    compiled = subprocess.run(
        words, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert compiled.returncode == 0, compiled.stderr
