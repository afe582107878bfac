"""Addresses come from the environment or the runner's file, and never leave the runner."""

import json
import random
import string
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

import pytest

from pgvigil.outside.redaction import redacted
from pgvigil.outside.secrets import SecretError, Secrets
from pgvigil.runner.notifying.orders import Order
from tests.python.support.receivers import Mailbox, Webhook
from tests.python.support.running import RunningRunner
from tests.python.support.sending import LONG_POLL, Outbox

SECRET = "Tr0ub4dor&3"
LOGIN = f"robot:{quote(SECRET)}@"
TOKEN = "T0k3nInThePath"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of secrets without any target yet."""
    path = tmp_path / "secrets.toml"
    write(path, "[targets]\n")
    return path


def write(path: Path, text: str, mode: int = 0o600) -> None:
    path.touch(mode=mode)
    path.chmod(mode)
    path.write_text(text)


# Where they are


def test_the_environment_counts_more_than_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(file, '[targets]\nops_mail = " file://a "\n"ops.chat" = "file://b"\n')
    secrets = Secrets(file)
    assert (secrets.find("ops_mail"), secrets.find("ops.chat")) == ("file://a", "file://b")
    monkeypatch.setenv("ops_mail", "environment://a")
    assert secrets.find("ops_mail") == "environment://a"
    monkeypatch.setenv("ops_mail", "")
    assert secrets.find("ops_mail") == "file://a"


def test_case_and_joints_of_a_name_do_not_count(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_MAIL", "environment://a")
    assert Secrets().find("ops_mail") == "environment://a"
    assert Secrets().find("Ops-Mail") == "environment://a"
    write(file, '[targets]\nops_mail = "file://a"\nON_CALL = "file://b"\n')
    assert Secrets(file).find("ops_mail") == "file://a"  # as it is written
    assert Secrets(file).find("on_call") == "file://b"
    monkeypatch.setenv("ops_mail", "environment://just so")
    assert Secrets(file).find("ops_mail") == "environment://just so"


def test_a_variable_that_is_no_address_is_not_taken_for_one(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/root")
    write(file, '[targets]\nHome = "file://a"\n')
    assert Secrets(file).find("home") == "file://a"
    with pytest.raises(SecretError, match="set HOME"):
        Secrets().find("home")


def test_a_name_that_is_nowhere_is_named(file: Path) -> None:
    with pytest.raises(SecretError, match=r"^target nobody is not in the environment of the"):
        Secrets().find("nobody")
    with pytest.raises(SecretError, match=f"nobody is not in the environment or {file} of"):
        Secrets(file).find("nobody")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o777])
def test_a_file_that_others_may_read_is_refused(file: Path, mode: int) -> None:
    write(file, f'[targets]\nops = "json://{SECRET}"\n', mode)
    with pytest.raises(SecretError, match=rf"others may read .*\(mode {mode:04o}\): chmod 600$"):
        Secrets(file).find("ops")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f'[targets]\nops = "json://{SECRET}', r"is not valid TOML: at "),
        (f'[targets]\nops = "{SECRET}"\nops = "{SECRET}"', r"is not valid TOML: at "),
        (f"{SECRET}", "is not valid TOML: at line 1"),
        (f'ops = "json://{SECRET}"', r"has no table \[targets\]"),
        (f'[targets]\nops = ["json://{SECRET}"]', "is not an address: write ops = "),
        ('[targets]\nops = " "', "is not an address: write ops = "),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_without_quoting_it(
    file: Path, text: str, reason: str
) -> None:
    write(file, text)
    with pytest.raises(SecretError, match=reason) as refused:
        Secrets(file).find("ops")
    assert SECRET not in repr(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_file_that_is_not_there_is_told_of_at_once_and_stops_no_job(
    dsn: str, outbox: Outbox, tmp_path: Path
) -> None:
    number = outbox.put("ops")
    environment = {"PGVIGIL_SECRETS": f"{tmp_path}/none.toml"}
    with RunningRunner(dsn, *LONG_POLL, environment=environment) as running:
        running.wait_for("the secrets file cannot be used: cannot read")
        row = outbox.wait_for_failure(number)
        assert running.stop() == 0
    assert row["last_error"].endswith("none.toml: No such file or directory")


def test_a_corrected_file_counts_without_a_restart(
    dsn: str, outbox: Outbox, hook: Webhook, file: Path
) -> None:
    number = outbox.put("ops")
    with RunningRunner(dsn, *LONG_POLL, "--secrets", str(file)) as running:
        assert "target ops is not in" in outbox.wait_for_failure(number)["last_error"]
        write(file, f'[targets]\nops = "json://{SECRET}:"')
        outbox.hurry()
        row = outbox.wait_for_failure(number, 2)
        assert "Apprise cannot use the address" in row["last_error"]
        write(file, f'[targets]\nops = "{hook.url(login=LOGIN)}"')
        outbox.hurry()
        outbox.wait_for(number, "sent")
        assert running.stop() == 0
    assert SECRET not in running.text


# That they stay here


def test_no_address_gets_into_log_or_database_however_a_webhook_fails(
    dsn: str, outbox: Outbox, hook: Webhook
) -> None:
    address = hook.url(f"/{TOKEN}", login=LOGIN) + f"?+X-Token={TOKEN}&:pass={TOKEN}"
    environment = {
        "HOOK": address,
        "NONSENSE": address.replace("json://", "jsno://"),
        "GONE": address.replace(str(hook.port), "1"),
        # Whoever may set a channel can name any variable.
        "A_DSN": f"postgresql://robot:{SECRET}@127.0.0.1/{TOKEN}",
        "PAIRS": f"host=127.0.0.1 user=robot password={SECRET}",
    }
    hook.plan = ["401", "500", "close", "302", "trickle"]
    numbers = [outbox.put("HOOK") for _ in hook.plan]
    numbers += [outbox.put(name) for name in ("GONE", "NONSENSE", "A_DSN", "PAIRS")]
    numbers += [outbox.put(name, payload=[]) for name in ("A_DSN", "PAIRS")]
    options = ("--log-level", "debug", "--send-timeout", "3s", *LONG_POLL)
    with RunningRunner(dsn, *options, environment=environment) as running:
        errors = [outbox.wait_for_failure(number)["last_error"] for number in numbers]
        running.wait_for("failed at attempt 1", times=len(numbers))
        hook.released.set()
        assert running.stop() == 0
    assert all(len(error) > 10 for error in errors), errors
    told = running.text + "".join(errors)
    assert_keeps_secrets(told)
    assert "robot" not in told
    assert str(hook.port) not in "".join(errors)


def test_no_password_gets_out_when_a_mail_server_repeats_it(dsn: str, outbox: Outbox) -> None:
    with (
        Mailbox() as mailbox,
        RunningRunner(
            dsn, *LONG_POLL, "--log-format", "json", environment={"OPS": mailbox.url(LOGIN)}
        ) as running,
    ):
        mailbox.default = "login"
        number = outbox.put("OPS")
        error = outbox.wait_for_failure(number)["last_error"]
        assert running.stop() == 0
    assert "535" in error
    assert "***" in error
    assert_keeps_secrets(running.text + error)
    # What the server has repeated is the base64 of both.
    assert "Ym90" not in error


def assert_keeps_secrets(text: str) -> None:
    for secret in (SECRET, quote(SECRET), "Tr0ub4dor", TOKEN):
        assert secret not in text


def test_an_order_does_not_show_its_address() -> None:
    order = Order("apprise", f"json://{SECRET}", 1.0)
    assert SECRET not in repr(order)
    assert Order(**json.loads(json.dumps(asdict(order)))) == order


def test_nothing_of_a_random_address_is_left() -> None:
    dice = random.Random(4)
    alphabet = string.ascii_letters + string.digits + "!$%*@/:?#&=+ ü"
    for _ in range(300):
        parts = ["".join(dice.choices(alphabet, k=dice.randint(6, 20))) for _ in range(4)]
        coded = [quote(part, safe="") for part in parts]
        user, password, path, value = coded
        address = (
            f"jsons://{user}:{password}@host.test.example:8443/{path}?format=text&token={value}"
        )
        login = f"{parts[0]}:{parts[1]}@host.test.example"
        said = " | ".join([*parts, *coded, f"cannot open {address} now", login])
        left = redacted(said, address)
        for text in [*parts, *coded, "host.test.example", "8443"]:
            assert text not in left


def test_what_is_said_stays_readable() -> None:
    said = "Failed to send JSON POST notification: Unauthorized, error=401.\nport 80 of 80803"
    address = "json://robot:pw@10.1.2.3:80/x"
    assert redacted(said, address) == (
        "Failed to send JSON POST notification: Unauthorized, error=401. port *** of 80803"
    )
    assert redacted("a\0b\x1b[31m", address) == "a b [31m"
    assert len(redacted("long " * 200, address)) == 300
