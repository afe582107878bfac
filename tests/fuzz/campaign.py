"""Makes the calls, and keeps what was not as documented."""

import json
import random
import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
from psycopg import sql

from tests.fuzz.catalogue import ROLES, Function, functions_of
from tests.fuzz.exceptions import KNOWN
from tests.fuzz.values import Argument, Values

STRANGER = "stranger"
LOGINS = {role: f"fuzz_{role.removeprefix('monitoring_')}" for role in (*ROLES, STRANGER)}
"""The login that tries, by its role; the stranger has none."""
_CODE = re.compile(r"^\| (PV\d{3}) \|", re.MULTILINE)
_HERE = Path(__file__).parent
DOCUMENTED = frozenset(_CODE.findall((_HERE.parents[1] / "docs/errors.md").read_text()))
"""The codes that a call may be refused with."""

_REFUSING = (
    "load_invalid_records", "load_status_changes", "track_all_status_changes_from_source",
)  # fmt: skip
"""Writers may call them, and are refused what cannot be: docs/errors.md says why."""
_ON_TABLES_OF_OTHERS = ("attach_status_trigger", "remove_status_trigger")
"""Take rights to a table that no role here has: PostgreSQL refuses, not we."""

_CALLS_OF_A_BATCH = 40
_BATCHES_OF_A_SESSION = 5
_SLOW_MS = 10_000.0
_SLOW_UPKEEP_MS = 40_000.0
_UPKEEP = ("cleanup_old_monitoring_data", "roll_up", "rebuild_rollups", "ensure_partitions")
_LONG = (
    *_UPKEEP, "evaluate_alerts", "check_processing_performance_alerts", "check_error_rate_alerts",
    "check_system_health_alerts", "check_queue_backlog_alerts", "get_dashboard_summary",
    "get_daily_report", "get_batch_health", "get_dashboard_cards",
)  # fmt: skip
"""Take most of the time, and little that could be hostile; called less often than others."""
# Whatever call is on is cancelled each time so much of a batch has gone by.
_PATIENCE_SECONDS = 20.0
# What programs have their sessions set to. Neither may change how a call ends.
_SETTINGS: dict[str, Sequence[str]] = {
    "datestyle": ("SQL, DMY", "German, DMY", "Postgres, MDY", "ISO, YMD"),
    "intervalstyle": ("sql_standard", "postgres_verbose", "iso_8601", "postgres"),
    "timezone": ("Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "UTC", "<+05>-05"),
    "search_path": ('""', "evil, pg_catalog", "monitoring, public", "pg_temp", "shop, monitoring"),
    "standard_conforming_strings": ("off",),
    "backslash_quote": ("off", "on"),
    "escape_string_warning": ("off",),
    "quote_all_identifiers": ("on",),
    "transform_null_equals": ("on",),
    "row_security": ("off",),
    "extra_float_digits": ("-15", "3"),
    "bytea_output": ("escape",),
    "plan_cache_mode": ("force_generic_plan", "force_custom_plan"),
    "work_mem": ("64kB",),
    "enable_hashjoin": ("off",),
    "enable_indexscan": ("off",),
    "default_transaction_isolation": ("serializable", "repeatable read"),
    "check_function_bodies": ("off",),
    "default_text_search_config": ("pg_catalog.german",),
    "lock_timeout": ("10ms",),
    "statement_timeout": ("300ms",),
    "monitoring.actor": ("", "x" * 300, "'"),
    "monitoring.now": ("garbage", "infinity", "2099-01-01", "4713-01-01 BC", ""),
    "monitoring.strict": ("on", "off", "garbage"),
}

# Selects the names that are in each column of names.
_NAMES = """
select
    format('select distinct %I::text from monitoring.%I limit 40', c.column_name, c.table_name)
from information_schema.columns as c
join pg_class as r
    on r.relname = c.table_name and r.relnamespace = 'monitoring'::regnamespace
where
    c.table_schema = 'monitoring' and c.data_type = 'text'
    and r.relkind in ('r', 'p') and not r.relispartition
    and (
        c.column_name like '%name' or c.column_name like '%\\_id'
        or c.column_name in (
            'fingerprint', 'dataset', 'workflow', 'step', 'task_type', 'record_key', 'component'
        )
    )
order by 1
"""


@dataclass(frozen=True)
class Call:
    """A call of a function by name, position or both."""

    function: Function
    statement: str
    """Takes its arguments as one array of texts."""
    arguments: tuple[Argument, ...]

    def __str__(self) -> str:
        """Return it as a statement to be typed, long texts shortened."""
        literals = [_literal(argument) for argument in self.arguments]
        return re.sub(r"\$1\[(\d+)\]", lambda m: literals[int(m[1]) - 1], self.statement)


@dataclass
class Outcome:
    """What a call came to that was not as documented."""

    role: str
    call: Call
    state: str
    message: str
    hint: str | None
    milliseconds: float
    origin: str
    settings: dict[str, str]

    @property
    def kind(self) -> tuple[str, str, str]:
        """What it has in common with others: function, code and the message without values."""
        text = re.sub(r'"[^"]*"|\d+', "…", self.message.split("\n")[0].split(": ")[0])[:100]
        return (self.call.function.name, self.state, text)

    def __str__(self) -> str:
        """Return it for people."""
        return (
            f"{self.role}: {self.state} {self.message[:300]!r} hint {self.hint!r}"
            f" after {self.milliseconds:.0f} ms\n    {self.call}\n    with {self.settings}\n"
            f"    at {self.origin[:600]}"
        )


@dataclass
class Report:
    """What a campaign came to."""

    calls: int = 0
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many calls ended with which code, by role."""
    wrong: dict[tuple[str, str, str], list[Outcome]] = field(default_factory=dict)
    known: Counter[str] = field(default_factory=Counter)
    """What is wrong, and on the list of what is known to be."""
    slowest: tuple[float, str] = (0.0, "")
    milliseconds: Counter[str] = field(default_factory=Counter)
    """How long the calls of each function took together."""

    def __str__(self) -> str:
        """Return it for people."""
        lines = [
            f"{self.calls} calls; the slowest took {self.slowest[0]:.0f} ms: {self.slowest[1]}"
        ]
        lines += [
            "together: "
            + ", ".join(
                f"{name} {ms / 1000:.1f} s" for name, ms in self.milliseconds.most_common(12)
            )
        ]
        for role in LOGINS:
            codes = {code: n for (of, code), n in sorted(self.ended.items()) if of == role}
            lines.append(f"{role}: {codes}")
        lines += [f"known: {what}: {times}" for what, times in self.known.most_common()]
        lines += [
            f"WRONG {len(outcomes)} times: {kind}\n  {outcomes[0]}"
            for kind, outcomes in sorted(self.wrong.items())
        ]
        return "\n".join(lines)


def prepare(dsn: str) -> None:
    """Make a database ready to be tried: what makes the calls, the logins, tables of others."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute((_HERE / "caller.sql").read_bytes())
        for role, login in LOGINS.items():
            if connection.execute("select to_regrole(%s)", [login]).fetchone() != (None,):
                continue
            connection.execute(sql.SQL("create role {} login").format(sql.Identifier(login)))
            if role != STRANGER:
                grant = sql.SQL("grant {} to {}")
                connection.execute(grant.format(sql.Identifier(role), sql.Identifier(login)))


class Campaign:
    """Calls by chance, always the same for the same seed and the same database."""

    def __init__(self, admin_dsn: str, dsns: dict[str, str], seed: int) -> None:
        """Look at what there is.

        Args:
            admin_dsn: the database, as superuser, prepared.
            dsns: the same for each of `LOGINS`, by role.
            seed: decides all that follows.
        """
        self.report = Report()
        self._chance = random.Random(seed)
        self._dsns = dsns
        with psycopg.connect(admin_dsn) as connection:
            self.functions = functions_of(connection)
            self._values = Values(self._chance, _existing_names(connection))

    def run(self, calls: int, seconds: float) -> Report:
        """Make so many calls, or as many as there is time for."""
        ends = monotonic() + seconds
        while self.report.calls < calls and monotonic() < ends:
            for role in self._dsns:
                self._run_session(role)
        return self.report

    def _run_session(self, role: str) -> None:
        settings = self._choose_settings(role)
        with psycopg.connect(self._dsns[role], autocommit=True) as connection:
            connection.execute("set client_min_messages = error")
            for name, value in settings.items():
                connection.execute("select set_config(%s, %s, false)", [name, value])
            for _ in range(_BATCHES_OF_A_SESSION):
                batch = [self._make_call(role) for _ in range(_CALLS_OF_A_BATCH)]
                self._run_batch(connection, role, settings, batch)
                if connection.broken:
                    break

    def _run_batch(
        self,
        connection: psycopg.Connection[Any],
        role: str,
        settings: dict[str, str],
        batch: Sequence[Call],
    ) -> None:
        sent = json.dumps([{"statement": c.statement, "arguments": c.arguments} for c in batch])
        try:
            is_undone = self._chance.random() < 0.2
            with _impatient(connection), connection.transaction(force_rollback=is_undone):
                rows = connection.execute(
                    "select place, state, message, hint, origin, ms from fuzz.try_calls(%s)",
                    [sent],
                ).fetchall()
        except psycopg.Error as error:
            # At the commit, or with the connection: no call may do that.
            text = f"the transaction of {len(batch)} calls: {error}"
            for call in batch:
                self._note(role, settings, call, error.sqlstate or "lost", text, None, 0.0, "")
            return
        for place, state, message, hint, origin, ms in rows:
            self._note(
                role, settings, batch[place - 1], state, message or "", hint, ms, origin or ""
            )

    def _note(
        self,
        role: str,
        settings: dict[str, str],
        call: Call,
        state: str,
        message: str,
        hint: str | None,
        ms: float,
        origin: str,
    ) -> None:
        report = self.report
        report.calls += 1
        report.ended[role, state] += 1
        report.milliseconds[call.function.name] += round(ms)
        if ms > report.slowest[0]:
            report.slowest = (ms, f"{role} {str(call)[:300]}")
        slow_ms = _SLOW_UPKEEP_MS if call.function.name in _UPKEEP else _SLOW_MS
        is_in_time = ms <= slow_ms or not call.function.is_public
        if is_in_time and _is_right(role, call.function, state, hint, settings):
            return
        outcome = Outcome(role, call, state, message, hint, ms, origin, settings)
        for what, is_that in KNOWN.items():
            if is_that(outcome):
                report.known[what] += 1
                return
        report.wrong.setdefault(outcome.kind, []).append(outcome)

    def _choose_settings(self, role: str) -> dict[str, str]:
        names = self._chance.sample(sorted(_SETTINGS), self._chance.randrange(0, 7))
        chosen = {name: self._chance.choice(_SETTINGS[name]) for name in names}
        if role == "monitoring_admin":
            # The admin's clock is believed, so that nonsense in it is the admin's own.
            chosen.pop("monitoring.now", None)
        return chosen

    def _make_call(self, role: str) -> Call:
        # Mostly what the role may call, and some of what only others may. What is private to the
        # admin, who owns all of it, is called from inside only.
        others = [f for f in self.functions if role not in f.roles]
        public = [f for f in self.functions if role in f.roles and f.is_public]
        private = [f for f in self.functions if role in f.roles and not f.is_public and others]
        weights = [10 * bool(others), 90 * bool(public), 4 * bool(private)]
        (among,) = self._chance.choices((others, public, private), weights)
        function = self._chance.choice(among)
        if function.name in _LONG and self._chance.random() < 0.8:
            function = self._chance.choice(among)
        return self._call_of(function)

    def _call_of(self, function: Function) -> Call:
        is_tame = self._chance.random() < 0.5
        parts: list[str] = []
        arguments: list[Argument] = []
        needed = len(function.types) - function.defaults
        # By position first, from some parameter on by name, where it has names.
        named_from = (
            self._chance.randrange(0, needed + 1) if all(function.names) else len(function.types)
        )
        for place, kind in enumerate(function.types):
            name = function.names[place] if place < len(function.names) else ""
            if place >= needed and self._chance.random() < 0.6:
                named_from = min(named_from, place) if name else named_from
                if not name:
                    break
                continue
            arguments.append(self._values.of(name, kind, is_tame))
            by_name = f"{name} => " if name and place >= named_from else ""
            variadic = (
                "variadic " if function.is_variadic and place + 1 == len(function.types) else ""
            )
            parts.append(f"{variadic}{by_name}($1[{len(arguments)}])::{kind}")
        call = f"monitoring.{function.name}({', '.join(parts)})"
        statement = f"select * from {call}" if function.is_set else f"select {call}"
        return Call(function, statement, tuple(arguments))


@contextmanager
def _impatient(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Cancel what runs again and again: a time limit of the session would do so only once."""
    is_done = threading.Event()

    def cancel() -> None:
        while not is_done.wait(_PATIENCE_SECONDS):
            connection.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    try:
        yield
    finally:
        is_done.set()
        thread.join()


def _is_right(
    role: str, function: Function, state: str, hint: str | None, settings: dict[str, str]
) -> bool:
    if role not in function.roles:
        return state in ("42501", "57014")
    if state == "00000":
        return True
    # Cancelled in time, with its batch or by a session that limits its statements.
    if state == "57014" or (state == "55P03" and "lock_timeout" in settings):
        return True
    if state == "42501" and function.name in _ON_TABLES_OF_OTHERS:
        return True
    if not function.is_public:
        # Granted because what is inlined is called with the caller's rights. What is not of ours
        # may come out, but nothing internal.
        return state not in ("XX000", "XX001", "XX002", "lost")
    is_recording = role == "monitoring_writer" and settings.get("monitoring.strict") != "on"
    is_refusing = not is_recording or function.name in _REFUSING
    return state in DOCUMENTED and bool(hint) and is_refusing


def _existing_names(connection: psycopg.Connection[Any]) -> list[str]:
    """Return names that are there: of rules, jobs, tasks and so on."""
    names: set[str] = set()
    for (query,) in connection.execute(_NAMES.encode()).fetchall():
        names |= {name for (name,) in connection.execute(query) if name}
    return sorted(names)


def _literal(argument: Argument) -> str:
    if argument is None:
        return "null"
    if isinstance(argument, dict):
        pairs = [(argument.get("head"), 1), (argument["of"], argument["times"])]
        pairs += [(argument.get("middle"), 1), (argument.get("then"), argument["times"])]
        return " || ".join(f"repeat({_quoted(text)}, {times})" for text, times in pairs if text)
    return _quoted(argument)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
