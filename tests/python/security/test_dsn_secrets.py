"""No password is ever told, however wrongly the address that holds it is written."""

import logging
import traceback
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from pgvigil.client import MonitoringClient
from pgvigil.client.etl import ETLAlertManager
from pgvigil.commands.cli import main
from pgvigil.database.dsn import complete_dsn, parse_dsn
from pgvigil.exceptions import DatabaseNotReadyError, PgvigilError
from pgvigil.install import migrate, roll_back
from pgvigil.outside.sources import reading_process
from tests import ROOT

SECRET = "s3cr3tW0rd"
# What people write when they do not know that some characters mean something in an address.
MALFORMED = {
    "raw percent": f"postgresql://me:{SECRET}%zz@127.0.0.1:1/x",
    "percent at the end": f"postgresql://me:{SECRET}%@127.0.0.1:1/x",
    "null": f"postgresql://me:{SECRET}%00@127.0.0.1:1/x",
    "at": f"postgresql://me:a@{SECRET}@127.0.0.1:1/x",
    "at and colon": f"postgresql://me:a@b:{SECRET}@127.0.0.1:1/x",
    "slash": f"postgresql://me:{SECRET}/b@127.0.0.1:1/x",
    "slash after a number": f"postgresql://me:12/{SECRET}@127.0.0.1:1/x",
    "bracket": f"postgresql://me:a@[{SECRET}@127.0.0.1:1/x",
    "port": f"postgresql://me@127.0.0.1:{SECRET}/x",
    "no host": f"postgresql://me:{SECRET}",
    "number for a port": "postgresql://me:81726354",
    "parameter": f"postgresql://me@127.0.0.1:1/x?pass={SECRET}",
    "parameter without a value": f"postgresql://me@127.0.0.1:1/x?{SECRET}",
    "driver": f"postgresql+psycopg://me:{SECRET}@127.0.0.1:1/x",
    "driver and parameter": f"postgresql+psycopg://me:{SECRET}@127.0.0.1:1/x?sslmode=disable",
    "other database": f"mysql://me:{SECRET}@127.0.0.1:1/x",
    "blank": f"host=127.0.0.1 port=1 password=my {SECRET}",
    "blank and equals": f"host=127.0.0.1 port=1 password=my {SECRET}=b",
    "quote": f"host=127.0.0.1 port=1 password='{SECRET}",
    "wrong key": f"host=127.0.0.1 port=1 passwd={SECRET}",
    "the password alone": SECRET,
    "surrogate": f"postgresql://me:{SECRET}\udcff@127.0.0.1:x/x",
    "timeout": f"host=127.0.0.1 port=1 connect_timeout={SECRET}",
}
# These libpq can read; nobody answers there.
WELL_FORMED = {
    "blank in a URI": f"postgresql://me:{SECRET} b@127.0.0.1:1/x",
    "question mark": f"postgresql://me:12?{SECRET}@127.0.0.1:1/x",
    "hash": f"postgresql://me:{SECRET}#b@127.0.0.1:1/x",
    "encoded": f"postgresql://me:a%40{SECRET}@127.0.0.1:1/x",
    "colon": f"postgresql://me:a:{SECRET}@127.0.0.1:1/x",
    "pairs": f"host=127.0.0.1 port=1 password={SECRET}",
    "query": f"postgresql://me@127.0.0.1:1/x?password={SECRET}",
}
COMMANDS = [
    ["migrate"],
    ["migrate", "--rollback", "--yes"],
    ["status"],
    ["status", "--json"],
    ["doctor"],
    ["run", "--once"],
    ["run", "--once", "--log-format", "json", "--log-level", "debug"],
    ["dashboard"],
    ["dashboard", "etl"],
    ["alerts"],
    ["alerts", "silences"],
    ["check"],
    ["sync"],
    ["sync", "name"],
    ["backfill", "tasks", "/dev/null"],
    ["import", str(ROOT / "examples" / "moving-in" / "etl.json")],
    ["export", "tasks"],
    ["report"],
    ["config", "show"],
    ["workflow", "show", "x"],
]


def secrets_of(dsn: str) -> list[str]:
    return [SECRET, SECRET.lower(), "81726354"]


def run(arguments: list[str], dsn: str, way: str) -> str:
    """Return all that a command says, of whatever it dies."""
    environment: dict[str, str | None] = {"PGVIGIL_DSN": None, "PGHOST": "127.0.0.1", "PGPORT": "1"}
    if way == "environment":
        environment["PGVIGIL_DSN"] = dsn
    else:
        arguments = [*arguments, "--dsn", dsn]
    result = CliRunner().invoke(main, arguments, env=environment)
    trace = "".join(traceback.format_exception(*result.exc_info)) if result.exc_info else ""
    assert result.exit_code != 0, (arguments, result.output)
    return result.output + trace


@pytest.mark.parametrize("form", MALFORMED)
@pytest.mark.parametrize("way", ["option", "environment"])
def test_no_command_tells_a_password(
    form: str, way: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    dsn = MALFORMED[form]
    if way == "environment" and "\udcff" in dsn:
        dsn = dsn.replace("\udcff", "%fg")
    for arguments in [*COMMANDS, ["serve", "--port", "0"]]:
        said = run(arguments, dsn, way)
        assert "cannot parse the DSN" in said, (arguments, said)
        said += caplog.text + "".join(capfd.readouterr())
        for secret in secrets_of(dsn):
            assert secret not in said, arguments


@pytest.mark.parametrize("form", WELL_FORMED)
def test_no_command_tells_a_password_that_is_read_but_not_accepted(
    form: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for arguments in COMMANDS:
        said = run(arguments, WELL_FORMED[form], "option") + caplog.text
        said += "".join(capfd.readouterr())
        assert SECRET not in said, arguments


def record(dsn: str) -> None:
    """Have a client record something, and wait for what it says."""
    with MonitoringClient(dsn, flush_interval=0.01) as monitor:
        monitor.record_log("info", "x")
        monitor.flush(5)


CALLS: dict[str, Callable[[str], Any]] = {
    "client": record,
    "strict client": lambda dsn: MonitoringClient(dsn, on_error="raise").start_task(
        "x", task_id="t"
    ),
    "etl alerts": lambda dsn: ETLAlertManager(dsn).check_system_alerts(),
    "migrate": migrate,
    "roll_back": roll_back,
    "parse_dsn": parse_dsn,
    "complete_dsn": complete_dsn,
}


@pytest.mark.parametrize("form", MALFORMED)
@pytest.mark.parametrize("call", CALLS)
def test_no_call_of_the_library_tells_a_password(
    form: str, call: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    said = ""
    try:
        CALLS[call](MALFORMED[form])
    except PgvigilError as error:
        said = "".join(traceback.format_exception(error))
    said += caplog.text + "".join(capfd.readouterr())
    assert "cannot parse the DSN" in said
    for secret in secrets_of(MALFORMED[form]):
        assert secret not in said


@pytest.mark.parametrize(
    "dsn",
    [
        "",
        "host=@abstract dbname=x",
        "postgresql://me%40tenant@host/d?application_name=a@b",
        "postgresql://host1:5432,host2:5433/d?target_session_attrs=primary",
        "postgresql:///d?host=/run/postgresql&port=5433",
        "postgresql://[::1]:5432/d",
        "postgres://me@host/a%40b",
        "dbname='a@b c' user='x y'",
        "service=watched",
    ],
)
def test_what_makes_sense_is_taken(dsn: str) -> None:
    if dsn == "service=watched":  # which libpq looks up later
        assert parse_dsn(dsn) == {"service": "watched"}
    completed = psycopg.conninfo.conninfo_to_dict(complete_dsn(dsn, "me"))
    assert completed["fallback_application_name"] == "me"
    assert completed["keepalives_idle"] == "30"


def test_what_a_dsn_says_for_itself_counts_more() -> None:
    with pytest.raises(DatabaseNotReadyError) as refused:
        complete_dsn("nonsense")
    assert refused.value.__context__ is None
    said = "keepalives=0 connect_timeout=3 fallback_application_name=mine"
    completed = psycopg.conninfo.conninfo_to_dict(complete_dsn(said))
    assert completed["keepalives"] == "0"
    assert completed["connect_timeout"] == "3"
    assert completed["fallback_application_name"] == "mine"


@pytest.mark.parametrize(
    "address",
    [
        *[dsn for name, dsn in MALFORMED.items() if name != "number for a port"],
        *WELL_FORMED.values(),
        f"mysql://me:{SECRET}@127.0.0.1:port/x",
        f"mariadb://me:{SECRET}%zz@127.0.0.1:1/x",
        f"oracle://me:{SECRET}@127.0.0.1:1/x",
        f"mssql://me:a@{SECRET}@127.0.0.1:1/x",
        f"nosuch://me:{SECRET}@127.0.0.1:1/x",
        f"mysql+nosuch://me:{SECRET}@127.0.0.1:1/x",
        f"mysql://me:[{SECRET}@127.0.0.1:1/x",
        f"://me:{SECRET}@127.0.0.1:1/x",
    ],
)
def test_no_query_elsewhere_tells_a_password(address: str) -> None:
    order = {
        "address": address,
        "statement": "select 1",
        "columns": ["one"],
        "resume_column": None,
        "resume_after": None,
    }
    answers = list(reading_process._answers(order))
    assert "error" in answers[-1]
    assert SECRET not in str(answers)
