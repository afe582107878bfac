"""The files for containers, as far as they can be tried where there is no engine.

The steps of the image are run in a directory that stands for its file system, with packages of
this environment in the place of those that pip would fetch: the lists of both agree.
"""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from psycopg.conninfo import conninfo_to_dict

from pgvigil import __version__
from pgvigil.commands.cli import main
from pgvigil.demo.server import PostgresServer
from tests import ROOT
from tests.harness.clients import clean_environment, dsn_of, rows, run

IMAGE = f"pgvigil:{__version__}"
LOGINS = ("pgvigil_runner", "pgvigil_watcher", "grafana")


class Step(NamedTuple):
    """An instruction of the Containerfile."""

    word: str
    text: str

    @property
    def words(self) -> list[str]:
        """What an instruction in the form of JSON runs."""
        return list(json.loads(self.text[self.text.index("[") :]))


def stages() -> list[list[Step]]:
    text = re.sub(r"(?m)^#.*\n", "", (ROOT / "Containerfile").read_text()).replace("\\\n", " ")
    steps = [Step(*line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]
    begins = [number for number, step in enumerate(steps) if step.word == "FROM"]
    return [steps[begin:end] for begin, end in zip(begins, [*begins[1:], None], strict=True)]


def last(word: str) -> Step:
    return [step for step in stages()[-1] if step.word == word][-1]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What stands for the file system of the image, after the steps of its first stage."""
    root = tmp_path_factory.mktemp("image")
    place, environment = root, dict(clean_environment())
    for word, text in stages()[0][1:]:
        if word == "WORKDIR":
            place = root / text.strip("/")
            place.mkdir(parents=True)
        elif word == "ENV":
            environment |= dict(each.split("=") for each in shlex.split(text))
        elif word == "COPY":
            *sources, target = shlex.split(text)
            (place / target).mkdir(parents=True, exist_ok=True)
            for source in sources:
                content = f"{ROOT / source}/." if source.endswith("/") else f"{ROOT / source}"
                subprocess.run(["cp", "-r", content, place / target], check=True)
        else:
            assert word == "RUN"
            command = re.sub(r"(?<![\w.])/(opt|source)/", rf"{root}/\1/", text)
            fetched = re.fullmatch(
                r"(\S+)/bin/python -m pip install --require-hashes -r (\S+)", text
            )
            if fetched:
                command = f"test -s {fetched[2]} && {ours_for(root, fetched[1])}"
            # With pip it takes half a minute.
            made = f"{sys.executable} -m venv --without-pip"
            command = command.replace("python -m venv", made)
            subprocess.run(["sh", "-ec", command], cwd=place, env=environment, check=True)
    return root


def ours_for(root: Path, environment: str) -> str:
    """Return what lets an environment of the image have the packages of ours."""
    (found,) = (root / environment.strip("/")).glob("lib/python*/site-packages")
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    # Without following what makes our checkout importable: the wheel is to be.
    return f"echo {packages} > {found}/ours.pth"


def in_image(image: Path, command: list[str], dsn: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [image / "opt/pgvigil/bin" / command[0], *command[1:]],
        cwd=image,
        env={**clean_environment(), "PGVIGIL_DSN": dsn},
        capture_output=True,
        text=True,
    )


def test_its_steps_make_what_it_starts(image: Path, empty_dsn: str) -> None:
    entry, check = last("ENTRYPOINT").words, last("HEALTHCHECK").words
    assert in_image(image, [*entry, *last("CMD").words], "").returncode == 0
    told = in_image(image, [*entry, "--version"], "")
    assert told.stdout == f"pgvigil, version {__version__}\n"
    assert in_image(image, check, empty_dsn).returncode == 1
    told = in_image(image, [*entry, "migrate"], empty_dsn)
    assert (told.returncode, told.stderr) == (0, "")
    assert in_image(image, check, empty_dsn).returncode == 0
    place = "import pgvigil.resources as r; print(r.sql_directory())"
    told = in_image(image, ["python", "-P", "-c", place], "")
    assert told.stdout.startswith(f"{image}/opt/pgvigil/lib/")


def test_it_does_not_run_as_root_and_knows_no_password() -> None:
    assert last("USER").text == "10001:10001"
    made = " ".join(step.text for step in stages()[-1] if step.word == "RUN")
    assert "--uid 10001" in made
    assert "--gid 10001" in made
    words = " ".join(step.text for stage in stages() for step in stage if step.word == "ENV")
    assert not re.search("PASSWORD|TOKEN|DSN|SECRET", words)


def test_what_it_copies_is_not_kept_from_it() -> None:
    rules = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert rules[0] == "*"
    for step in stages()[0]:
        if step.word == "COPY":
            for source in step.text.split()[:-1]:
                top = source.split("/")[0]
                assert any(fnmatch(top, rule.strip("!/")) for rule in rules[1:]), source
                assert (ROOT / source).exists()


# compose.yaml


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return document


def check_command(words: list[str]) -> None:
    """Let our command parse its arguments, which is to refuse none."""
    name, *options = words
    with main.make_context("pgvigil", list(words)) as context:
        command = main.get_command(context, name)
        assert command is not None
        command.make_context(name, options, parent=context)


def test_its_services_start_what_there_is() -> None:
    ours = {name: service for name, service in compose()["services"].items() if "build" in service}
    assert ours.keys() == {"migrate", "run", "serve"}
    for name, service in ours.items():
        assert (service["image"], service["command"][0]) == (IMAGE, name)
        check_command(service["command"])


def test_secrets_are_asked_for_and_only_this_machine_reaches_it() -> None:
    text = (ROOT / "compose.yaml").read_text()
    asked = re.findall(r"\$\{(\w+)(:[?-])", text)
    named = re.findall(r"(?m)^(\w+)=$", (ROOT / ".env.example").read_text())
    assert {name for name, _ in asked} == set(named)
    assert {name for name, how in asked if how != ":?"} == {"PGVIGIL_WEB_TOKEN"}
    for service in compose()["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name or value.startswith("${"), name
    ignored = subprocess.run(["git", "check-ignore", "-q", ".env"], cwd=ROOT, check=False)
    assert ignored.returncode == 0 or not (ROOT / ".git").exists()


def test_grafana_has_what_our_provisioning_asks_for() -> None:
    asked = {
        name
        for path in (ROOT / "grafana" / "provisioning").rglob("*.yaml")
        for name in re.findall(r"\$__env\{(\w+)\}", path.read_text())
    }
    assert asked <= compose()["services"]["grafana"]["environment"].keys()


@pytest.fixture
def logins(server: PostgresServer, dsn: str) -> Iterator[str]:
    """A database, and the logins that are to be made there, gone afterwards."""
    yield dsn
    for role in LOGINS:
        run(dsn, f"drop owned by {role}", f"drop role {role}")


def test_its_logins_have_the_rights_they_need(server: PostgresServer, logins: str) -> None:
    service = compose()["services"]["logins"]
    environment = clean_environment() | {
        name: f"secret of '{name}'" for name in service["environment"]
    }
    psql, *options = service["entrypoint"]
    file = (ROOT / "examples/container/logins.sql").as_posix()
    options = [option.replace("/logins.sql", file) for option in options]
    for _ in range(2):
        subprocess.run(
            [server.binaries / psql, *options, "--dbname", logins],
            env=environment | {"PGPASSWORD": ""},
            check=True,
        )
    name = str(conninfo_to_dict(logins)["dbname"])
    for role in LOGINS:
        dsn = dsn_of(server, name, role)
        assert rows(dsn, "select count(*) from monitoring.v_active_alerts") == [(0,)]
    assert rows(dsn_of(server, name, "pgvigil_runner"), "select monitoring.roll_up() is not null")
    query = (
        "select rolname::text, rolpassword like 'SCRAM%' from pg_authid where rolname = any(array"
    )
    found = rows(logins, f"{query}{list(LOGINS)!r}) order by 1")
    assert found == [(role, True) for role in sorted(LOGINS)]


# examples/kubernetes


def manifests() -> dict[str, dict[str, Any]]:
    files = sorted((ROOT / "examples" / "kubernetes").glob("*.yaml"))
    documents = [each for file in files for each in yaml.safe_load_all(file.read_text())]
    return {f"{each['kind']} {each['metadata']['name']}": each for each in documents}


def test_its_workloads_start_what_there_is_without_rights_of_their_own() -> None:
    found = manifests()
    workloads = {name: each for name, each in found.items() if each["kind"] != "Service"}
    commands = set()
    for name, workload in workloads.items():
        pod = workload["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["automountServiceAccountToken"] is False
        (container,) = pod["containers"]
        assert container["image"].endswith(f"/{IMAGE}"), name
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {"requests", "limits"} == container["resources"].keys()
        assert [each for each in container["env"] if "value" in each] == []
        check_command(container["args"])
        commands.add(container["args"][0])
    assert commands == {"migrate", "run", "serve"}
    service = found["Service pgvigil"]
    labels = found["Deployment pgvigil-serve"]["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()


def test_the_guide_makes_the_secrets_that_they_name() -> None:
    keys = {
        source["key"]
        for each in manifests().values()
        if each["kind"] != "Service"
        for variable in each["spec"]["template"]["spec"]["containers"][0]["env"]
        for source in [variable["valueFrom"]["secretKeyRef"]]
        if source["name"] == "pgvigil"
    }
    guide = (ROOT / "examples" / "kubernetes" / "README.md").read_text()
    assert keys == set(re.findall(r"--from-literal=([\w-]+)=", guide)) - {"OPS_MAIL"}
