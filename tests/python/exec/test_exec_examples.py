"""What documents and examples show of `pgvigil exec` is what it takes."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from pgvigil.commands.exec import command
from tests import ROOT

FILES = [
    "README.md", "docs/exec.md", "examples/exec/README.md", "examples/exec/crontab",
    "examples/exec/backup.service", "examples/exec/cronjob.yaml",
]  # fmt: skip
SHOWN = re.compile(r"(?:/\S*/)?pgvigil exec (?!--print-sh|COMMAND)(--\S.*)$", re.M)


def shown() -> Iterator[list[str]]:
    """Yield the arguments of every call that is shown."""
    for name in FILES:
        text = (ROOT / name).read_text()
        for match in SHOWN.finditer(text):
            if "`" not in match[1]:
                yield shlex.split(match[1])
        # As lists, in YAML and in a Dockerfile.
        for items in re.findall(r"pgvigil\"?, \"?exec\"?, ?(.*?)\]\n(?:CMD|args:) \[(.*?)\]", text):
            words = ", ".join(items).replace('"', "").split(",")
            yield [word.strip() for word in words if word.strip()]
    lines = (ROOT / "examples/exec/cronjob.yaml").read_text().partition("args:\n")[2]
    items = re.findall(r"^ {16}- (.*)$", lines.partition("env:")[0], re.M)
    yield items


def test_every_call_that_is_shown_is_understood() -> None:
    calls = list(shown())
    assert len(calls) >= 9
    for arguments in calls:
        parameters = command.make_context("exec", list(arguments)).params
        assert parameters["task_type"] in ("backup", "import")
        assert parameters["command"][0].rpartition("/")[2] in ("backup", "import")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd to ask")
def test_systemd_understands_the_units(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("units")
    unit = (ROOT / "examples/exec/backup.service").read_text()
    (directory / "backup.service").write_text(unit.replace("/opt/pgvigil/bin/pgvigil", "/bin/true"))
    shutil.copy(ROOT / "examples/exec/backup.timer", directory)
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", directory / "backup.timer"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.stderr == ""


def test_the_cron_job_is_yaml() -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    document = yaml.safe_load((ROOT / "examples/exec/cronjob.yaml").read_text())
    assert document["kind"] == "CronJob"
    assert json.dumps(document)
