"""``pgvigil alerts``: what is shown can be read and used, and decisions reach the database."""

import json
import re
from datetime import datetime

import psycopg
import pytest

from pgvigil.faces.terminal.matchers import matchers, spell
from tests.harness.clients import run_pgvigil
from tests.python.support.alerting import Alarms

LONG = "the-queue-" + "x" * 245


@pytest.fixture
def alarms(connection: psycopg.Connection) -> Alarms:
    """Two rules: one measures queues, one knows severities of its own."""
    made = Alarms(connection)
    made.rule(
        "backlog",
        {"low": 50, "high": 200, "critical": 500},
        description="Work piles up faster than it is done.",
    )
    made.rule("broken", for_evaluations=2)
    return made


@pytest.fixture
def firing(alarms: Alarms) -> Alarms:
    """Three alerts that fire, one of them with awkward names, and one that is pending."""
    alarms.find("backlog", "billing", None, 612, "queue billing: 612 waiting", {"queue": "billing"})
    alarms.find("backlog", "mail", None, 60, "queue mail: 60 waiting", {"queue": "mail"})
    alarms.find("backlog", LONG, None, 250, f"[red]{LONG}[/red]\x1b[31m\nis stuck", {"queue": LONG})
    alarms.find("broken", "disk", "high", None, "disk is full", {"component": "store"})
    alarms.evaluate()
    return alarms


def said(dsn: str, *arguments: str) -> str:
    """Return what a successful command prints: without colour, and lists a line a row."""
    result = run_pgvigil(dsn, "alerts", *arguments)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    assert "\x1b" not in result.stdout
    if arguments[:1] == ("show",) and "--json" not in arguments:
        assert max(map(len, result.stdout.splitlines())) <= 80
    return "".join(f"{line.rstrip()}\n" for line in result.stdout.splitlines())


def refused(dsn: str, *arguments: str) -> str:
    """Return what a refused command says."""
    result = run_pgvigil(dsn, "alerts", *arguments)
    assert result.returncode == 1
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


# Looking


@pytest.mark.parametrize("options", [(), ("--json",), ("list", "--all")])
def test_where_no_rule_has_run_it_says_that_nothing_is_known(
    options: tuple[str, ...], dsn: str
) -> None:
    result = run_pgvigil(dsn, "alerts", *options)
    assert result.returncode == 3
    assert "No alert" not in result.stdout
    assert result.stderr == "Not known which alerts are open: no alert rule has ever run.\n"


def test_alerts_of_an_evaluation_long_ago_are_listed_as_such(
    dsn: str, connection: psycopg.Connection, firing: Alarms
) -> None:
    connection.execute(
        "update monitoring.alert_rule_states set evaluated_at = now() - interval '3 hours'"
    )
    result = run_pgvigil(dsn, "alerts")
    assert result.returncode == 3
    assert "queue billing: 612 waiting" in result.stdout
    assert result.stderr == "Not known which alerts are open: alert rules ran 3 h ago.\n"


def test_without_alerts_it_says_so(dsn: str, connection: psycopg.Connection) -> None:
    connection.execute("select monitoring.evaluate_alerts()")
    assert said(dsn) == "No alert is open.\n"
    assert said(dsn, "list", "--all") == "No alert.\n"
    assert said(dsn, "silences") == "Nothing is silenced.\n"
    assert said(dsn, "silences", "--all") == "No silence.\n"
    assert said(dsn, "history") == "Nothing happened in that time.\n"
    assert json.loads(said(dsn, "--json")) == []


def test_the_worst_come_first_and_nothing_is_cut(dsn: str, firing: Alarms) -> None:
    text = said(dsn)
    assert said(dsn, "list", "--json") == said(dsn, "--json")
    places = [text.index(f"{word} ") for word in ("critical", "high", "low")]
    assert places == sorted(places)
    for fingerprint in ("billing", "mail", LONG):
        number = firing.number("backlog", fingerprint)
        assert re.search(rf"^ *{number} +(critical|high|low) ", text, re.MULTILINE)
    assert "backlog: queue billing: 612 waiting" in text
    unfolded = "".join(line.strip() for line in text.splitlines())
    assert f"[red]{LONG}[/red] [31m is stuck" in unfolded.replace("backlog: ", "", 1) or (
        LONG in unfolded
    )
    assert "disk" not in text, "it is pending"


def test_numbers_of_many_digits_are_not_cut(
    dsn: str, connection: psycopg.Connection, alarms: Alarms
) -> None:
    connection.execute(
        "alter sequence monitoring.raised_alerts_alert_id_seq restart 9007199254740993"
    )
    alarms.find("backlog", "billing", None, 612, "word " * 90)
    alarms.evaluate()
    assert "9007199254740993  critical  firing " in said(dsn)


def test_everything_can_be_listed(dsn: str, firing: Alarms) -> None:
    said(dsn, "resolve", str(firing.number("backlog", "mail")))
    text = said(dsn, "list", "--all")
    places = [text.index(f"  {word} ") for word in ("firing", "pending", "resolved")]
    assert places == sorted(places)
    assert "disk is full" in text


def test_lists_are_narrowed_by_severity_rule_and_labels(dsn: str, firing: Alarms) -> None:
    def fingerprints(*arguments: str) -> list[str]:
        return [row["fingerprint"] for row in json.loads(said(dsn, *arguments, "--json"))]

    assert fingerprints("--severity", "high") == ["billing", LONG]
    assert fingerprints("--severity", "critical") == ["billing"]
    assert fingerprints("--label", "queue=mail") == ["mail"]
    assert fingerprints("list", "--rule", "broken", "--all") == ["disk"]
    assert fingerprints("--rule", "broken") == []
    assert fingerprints("--label", "queue=mail", "--label", "component=x") == []


def test_programs_get_times_and_numbers_as_json(dsn: str, firing: Alarms) -> None:
    (row, *_) = json.loads(said(dsn, "--json"))
    assert (row["severity"], row["value"], row["threshold"]) == ("critical", 612, 500)
    assert row["labels"] == {"queue": "billing"}
    assert datetime.fromisoformat(row["started_at"]).tzinfo is not None


def test_an_alert_is_shown_with_its_rule_thresholds_and_history(dsn: str, firing: Alarms) -> None:
    number = str(firing.number("backlog", "billing"))
    said(dsn, "ack", number, "--by", "ann", "-m", "on it")
    text = said(dsn, "show", number)
    for line in (
        rf"^Alert {number}: queue billing: 612 waiting$",
        r"^rule +backlog: Work piles up faster than it is done\.$",
        r"^severity +critical$",
        r"^state +acknowledged by ann: on it$",
        r"^measured +612, threshold 500$",
        r"^thresholds +low > 50, high > 200, critical > 500$",
        r"^labels +queue=billing$",
        r" firing +critical +pgvigil$",
        r" acknowledged +critical +ann: on it$",
    ):
        assert re.search(line, text, re.MULTILINE), f"{line}\n{text}"
    found = json.loads(said(dsn, "show", number, "--json"))
    assert [each["transition"] for each in found["history"]] == ["firing", "acknowledged"]
    assert found["rule"]["thresholds"] == {"low": 50, "high": 200, "critical": 500}


def test_history_tells_what_became_of_alerts_in_order(dsn: str, firing: Alarms) -> None:
    firing.lose("broken", "disk")
    firing.find("backlog", "mail", None, 1000, "queue mail: 1000 waiting")
    firing.evaluate()
    text = said(dsn, "history")
    places = [text.index(f" {word} ") for word in ("firing", "pending", "escalated", "dropped")]
    assert places == [places[0], places[1], *sorted(places[2:])]
    assert "escalated" not in said(dsn, "history", "--rule", "broken")
    assert said(dsn, "history", "--since", "0s") == "Nothing happened in that time.\n"
    steps = json.loads(said(dsn, "history", "--rule", "broken", "--json"))
    assert [step["transition"] for step in steps] == ["pending", "dropped"]


# Deciding


def test_acknowledging_and_taking_it_back(dsn: str, firing: Alarms) -> None:
    one, other = (str(firing.number("backlog", each)) for each in ("billing", "mail"))
    assert said(dsn, "ack", one, other, "--by", "ann", "-m", "on it") == (
        f"{one}: acknowledged\n{other}: acknowledged\n"
    )
    text = said(dsn)
    assert text.count("acknowledged by ann: on it") == 2
    assert said(dsn, "unack", one, "--by", "bob") == f"{one}: no longer acknowledged\n"
    assert said(dsn, "unack", one) == f"{one}: was not acknowledged\n"
    assert said(dsn).count("acknowledged by ann") == 1


def test_who_decides_is_who_is_logged_in_unless_told(
    dsn: str, firing: Alarms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "carla")
    number = str(firing.number("backlog", "billing"))
    said(dsn, "ack", number)
    assert "acknowledged by carla" in said(dsn)


def test_resolving_by_hand(dsn: str, firing: Alarms) -> None:
    number = str(firing.number("backlog", "billing"))
    assert said(dsn, "resolve", number, "-m", "purged") == f"{number}: resolved\n"
    assert said(dsn, "resolve", number) == f"{number}: does not fire\n"
    assert "billing" not in said(dsn)
    assert re.search(r"^resolved .* by \w+: purged$", said(dsn, "show", number), re.MULTILINE)


@pytest.mark.parametrize("words", [["show"], ["ack"], ["unack"], ["resolve"], ["silence"]])
def test_a_number_that_no_alert_has_is_refused_with_a_hint(dsn: str, words: list[str]) -> None:
    message = refused(dsn, *words, "99")
    assert message.startswith("Error: there is no alert 99\nHint: ")


def test_nothing_is_half_done(dsn: str, firing: Alarms) -> None:
    number = str(firing.number("backlog", "billing"))
    assert "there is no alert 99" in refused(dsn, "ack", number, "99")
    assert "acknowledged by" not in said(dsn)


# Silences


def test_silencing_one_alert_until_a_time(dsn: str, firing: Alarms) -> None:
    number = str(firing.number("backlog", "billing"))
    text = said(dsn, "silence", number, "--for", "2h", "-m", "new disks", "--by", "ann")
    made = re.fullmatch(
        r"silence (\d+): fingerprint=billing rule=backlog\nuntil .*; it silences 1 alert now\n",
        text,
    )
    assert made
    assert f"not notified: silence {made[1]}" in said(dsn)
    assert re.search(rf"^ *{made[1]}  +active  .*ann +new disks", said(dsn, "silences"), re.M)
    assert said(dsn, "unsilence", made[1]) == f"silence {made[1]}: ended\n"
    assert said(dsn, "unsilence", made[1]) == f"silence {made[1]}: had ended already\n"
    assert said(dsn, "silences") == "Nothing is silenced.\n"
    assert " ended " in said(dsn, "silences", "--all")
    assert "not notified" not in said(dsn)


def test_silencing_what_matches_until_it_is_resolved(dsn: str, firing: Alarms) -> None:
    text = said(
        dsn, "silence", "--match", "rule=~back.*", "--match", "queue!=mail", "--until-resolved"
    )
    assert "queue!=mail rule=~back.*\nuntil resolved; it silences 2 alerts now" in text
    (silence,) = json.loads(said(dsn, "silences", "--json"))
    assert silence["matchers"] == {"rule": {"regex": "back.*"}, "queue": {"not": "mail"}}
    assert silence["is_until_resolved"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "name one alert, or what to match"),
        (["1", "--match", "a=b"], "name one alert, or what to match"),
        (["--match", "queue"], "'queue' matches no label"),
        (["--match", "a=b", "--match", "a=c"], "two matchers for a"),
        (["1", "--for", "soon"], "'soon' is not a length of time"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused(
    words: list[str], complaint: str, dsn: str
) -> None:
    result = run_pgvigil(dsn, "alerts", "silence", *words)
    assert result.returncode == 2
    assert complaint in result.stderr


def test_a_matcher_that_the_database_refuses_is_told(dsn: str) -> None:
    assert "matchers has the wrong shape" in refused(dsn, "silence", "--match", "rule=~(")
    assert "there is no silence 7\nHint: " in refused(dsn, "unsilence", "7")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("a=", {"a": ""}),
        ("a==b", {"a": "=b"}),
        ("a=~b|c", {"a": {"regex": "b|c"}}),
        ("a!=~b", {"a": {"not": "~b"}}),
        ("a!~b=c", {"a": {"not": {"regex": "b=c"}}}),
    ],
)
def test_matchers_are_read_as_prometheus_reads_them(typed: str, found: dict[str, object]) -> None:
    assert matchers([typed]) == found
    assert spell(found) == typed


def test_matchers_that_only_sql_has_are_spelled_too() -> None:
    assert spell({"b": ["x", "y"], "a": {"not": {"not": ["z"]}}}) == "a=~z b=~x|y"


# Rights and trouble


def test_readers_look_and_operators_decide(dsn: str, firing: Alarms) -> None:
    number = str(firing.number("backlog", "billing"))
    reader, operator = (
        f"{dsn}?options=-c%20role%3D{role}" for role in ("monitoring_reader", "monitoring_operator")
    )
    for words in (["list", "--all"], ["show", number], ["history"], ["silences"]):
        assert said(reader, *words)
    assert "permission denied" in refused(reader, "ack", number)
    for words in (["ack", number], ["unack", number], ["silence", number], ["resolve", number]):
        assert said(operator, *words)
    assert said(operator, "unsilence", "1")


def test_a_database_without_pgvigil_is_named_as_such(empty_dsn: str) -> None:
    assert refused(empty_dsn).startswith("Error: This database does not have pgvigil.\nHint: ")
