"""Mail by the variables that many programs share: SMTP_HOST, SMTP_PORT, …, ALERT_EMAILS."""

import random
import string
import warnings
from pathlib import Path
from typing import Any

import apprise
import pytest

from pgvigil.outside.env_file import EnvFileError, is_env_file, read_variables
from pgvigil.outside.mail_settings import MailSettingError, mail_address
from pgvigil.outside.secrets import SecretError, Secrets
from tests.python.support.as_printed import assert_is_printed
from tests.python.support.receivers import HOST, Mailbox
from tests.python.support.running import RunningRunner
from tests.python.support.sending import LONG_POLL, Outbox

PRINTED = """
# Email SMTP Configuration
SMTP_HOST=smtp.gmail.com
SMTP_PORT=587
SMTP_USER=your-email@gmail.com
SMTP_PASS=your-app-password
SMTP_FROM=alerts@dpdc.com
ALERT_EMAILS=admin1@dpdc.com,admin2@dpdc.com
"""
VARIABLES = read_variables(PRINTED)
NAMES = ("SMTP_HOST", "SMTP_PORT", "SMTP_USER", "SMTP_PASS", "SMTP_FROM", "ALERT_EMAILS")


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the settings of this machine alone."""
    for name in (*NAMES, "SMTP_SECURITY"):
        monkeypatch.delenv(name, raising=False)


def service(**changes: str | None) -> Any:
    """Return what Apprise makes of the settings, with some of them changed or taken away."""
    settings = {**VARIABLES, **changes}
    address = mail_address(settings.get)
    with warnings.catch_warnings(category=DeprecationWarning, action="ignore"):
        return apprise.Apprise.instantiate(address)


def test_they_are_printed_so() -> None:
    assert_is_printed("003", PRINTED)
    assert tuple(VARIABLES) == NAMES


def test_all_of_them_reach_the_mail_server() -> None:
    mail = service()
    assert (mail.smtp_host, mail.port, mail.secure_mode) == ("smtp.gmail.com", 587, "starttls")
    assert (mail.user, mail.password) == ("your-email@gmail.com", "your-app-password")
    assert mail.from_addr[1] == "alerts@dpdc.com"
    assert [address for _, address in mail.targets] == ["admin1@dpdc.com", "admin2@dpdc.com"]


def test_any_characters_may_be_in_user_and_password() -> None:
    chance = random.Random(7)
    for length in range(1, 60):
        user, password = (
            "".join(chance.choices(string.punctuation + string.ascii_letters + "ü漢", k=length))
            for _ in range(2)
        )
        mail = service(SMTP_USER=user, SMTP_PASS=password)
        assert (mail.user, mail.password) == (user, password)
        assert mail.smtp_host == "smtp.gmail.com"


@pytest.mark.parametrize(
    ("changes", "port", "mode"),
    [
        ({"SMTP_PORT": "465"}, 465, "ssl"),
        ({"SMTP_PORT": None}, 587, "starttls"),
        ({"SMTP_PORT": "2525"}, 2525, "starttls"),  # with a password
        ({"SMTP_PORT": "25", "SMTP_USER": None, "SMTP_PASS": None}, 25, "insecure"),
        ({"SMTP_USER": None, "SMTP_PASS": None}, 587, "starttls"),
        ({"SMTP_PORT": "2525", "SMTP_SECURITY": "TLS"}, 2525, "ssl"),
        ({"SMTP_SECURITY": "none"}, 587, "insecure"),
    ],
)
def test_the_port_says_how_it_is_encrypted_unless_that_is_said(
    changes: dict[str, str | None], port: int, mode: str
) -> None:
    mail = service(**changes)
    assert (mail.port, mail.secure_mode) == (port, mode)


def test_nobody_logs_in_without_a_user() -> None:
    mail = service(SMTP_USER=None, SMTP_PASS=None, ALERT_EMAILS=" a+b@x.example ; c@x.example,")
    assert (mail.user, mail.password) == (None, None)
    assert [address for _, address in mail.targets] == ["a+b@x.example", "c@x.example"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"SMTP_HOST": None}, "SMTP_HOST is not set: set it to the name of the mail server"),
        ({"SMTP_HOST": " "}, "SMTP_HOST is not set"),
        ({"SMTP_HOST": "smtp://mail.example"}, "SMTP_HOST is not the name of the mail server"),
        ({"SMTP_PORT": "many"}, "SMTP_PORT is not a port"),
        ({"SMTP_PORT": "70000"}, "SMTP_PORT is not a port"),
        ({"SMTP_PASS": None}, "SMTP_USER is set, and SMTP_PASS is not"),
        ({"SMTP_FROM": None, "SMTP_USER": "robot"}, "set SMTP_FROM to the mail address"),
        ({"SMTP_FROM": "Alerts"}, "set SMTP_FROM to the mail address"),
        ({"ALERT_EMAILS": None}, "ALERT_EMAILS is not set"),
        ({"ALERT_EMAILS": ", "}, "ALERT_EMAILS is not set"),
        ({"ALERT_EMAILS": "a@x.example,b"}, "receiver 2 in ALERT_EMAILS is not a mail address"),
        ({"SMTP_SECURITY": "some"}, "SMTP_SECURITY is one of tls, starttls, none"),
    ],
)
def test_what_is_missing_or_wrong_is_named_and_not_quoted(
    changes: dict[str, str | None], message: str
) -> None:
    with pytest.raises(MailSettingError, match=message) as refused:
        service(**changes)
    assert "your-app-password" not in str(refused.value)


def test_the_sender_is_the_user_where_that_is_an_address() -> None:
    assert service(SMTP_FROM=None).from_addr[1] == "your-email@gmail.com"


# Where they are


@pytest.mark.parametrize("target", ["alert_emails", "ALERT_EMAILS", "alert-emails"])
def test_the_target_finds_them_in_the_environment_and_in_a_file(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SecretError, match=f"^target {target}: SMTP_HOST is not set"):
        Secrets().find(target)
    file = tmp_path / ".env"
    file.touch(mode=0o600)
    file.write_text(PRINTED)
    assert Secrets(file).find(target) == mail_address(VARIABLES.get)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    assert Secrets().find(target) == mail_address(VARIABLES.get)
    monkeypatch.setenv("SMTP_HOST", "other.example")
    assert "other.example" in Secrets(file).find(target)


def test_an_address_under_that_name_counts_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secrets.toml"
    file.touch(mode=0o600)
    file.write_text('[targets]\nalert_emails = "json://a.example"\n')
    assert Secrets(file).find("alert_emails") == "json://a.example"
    monkeypatch.setenv("ALERT_EMAILS", "mailto://b.example")
    assert Secrets().find("alert_emails") == "mailto://b.example"


def test_a_file_of_variables_has_addresses_of_all_kinds(tmp_path: Path) -> None:
    file = tmp_path / "prod.env"
    file.touch(mode=0o600)
    file.write_text("OPS_HOOK='json://a.example'\nSAP=oracle://b.example\n")
    assert Secrets(file).find("ops_hook") == "json://a.example"
    assert Secrets(file, "connections").find("sap") == "oracle://b.example"
    file.write_text("OPS_HOOK='json://a.example'\nwhat is this secret\n")
    with pytest.raises(SecretError, match=r"prod.env: line 2 is not NAME=value$"):
        Secrets(file).find("ops_hook")
    file.chmod(0o644)
    with pytest.raises(SecretError, match="others may read"):
        Secrets(file).find("ops_hook")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=b", "b"),
        ("export A = b c ", "b c"),
        ("A='b # c'", "b # c"),
        ('A="b # \\"c\\" $d" # e', 'b # "c" $d'),
        ("A=b#c # d", "b#c"),
        ("A=", ""),
        ("A=a=b", "a=b"),
        ('\ufeff\n# x\n\nA="b\\\\n"\r\n', "b\\n"),
    ],
)
def test_variables_are_read_as_programs_read_them(text: str, value: str) -> None:
    assert read_variables(text) == {"A": value}


@pytest.mark.parametrize("text", ["A", "1A=b", "=b", "A B=c", "A: b"])
def test_lines_that_are_no_variables_are_refused(text: str) -> None:
    with pytest.raises(EnvFileError, match="line 2 is not NAME=value"):
        read_variables(f"B=c\n{text}")


def test_a_file_of_variables_is_known_by_its_name() -> None:
    assert [is_env_file(Path(name)) for name in (".env", "a/.env.local", "x.env", "env.toml")] == [
        True, True, True, False,
    ]  # fmt: skip


# All the way


def test_both_receivers_get_the_mail_and_nobody_sees_the_password(
    dsn: str, outbox: Outbox, tmp_path: Path
) -> None:
    outbox.session.execute(
        "select monitoring.define_notification_channel("
        "p_channel_name => 'ops', p_targets => array['alert_emails'])"
    )
    outbox.session.execute("select monitoring.send_test_notification(p_channel_name => 'ops')")
    with Mailbox() as mailbox:
        file = tmp_path / ".env"
        file.touch(mode=0o600)
        file.write_text(
            f"SMTP_HOST={HOST}\nSMTP_PORT={mailbox.port}\nSMTP_USER=robot\nSMTP_SECURITY=none\n"
            "SMTP_PASS='Tr0ub4dor&3/@:'\nSMTP_FROM=alerts@dpdc.example\n"
            "ALERT_EMAILS=admin1@dpdc.example,admin2@dpdc.example\n"
        )
        with RunningRunner(dsn, "--once", "--secrets", str(file)) as running:
            assert running.wait() == 0
    assert sorted(mail["To"] for mail in mailbox.mails) == [
        "admin1@dpdc.example",
        "admin2@dpdc.example",
    ]
    assert {mail["From"] for mail in mailbox.mails} == {"alerts@dpdc.example"}
    assert "Tr0ub4dor" not in running.text


def test_a_missing_variable_is_told_where_the_message_is(dsn: str, outbox: Outbox) -> None:
    number = outbox.put("alert_emails")
    environment = {"ALERT_EMAILS": "a@x.example", "SMTP_FROM": "b@x.example"}
    with RunningRunner(dsn, *LONG_POLL, environment=environment) as running:
        row = outbox.wait_for_failure(number)
        assert running.stop() == 0
    assert row["last_error"] == (
        "target alert_emails: SMTP_HOST is not set: set it to the name of the mail server"
    )
