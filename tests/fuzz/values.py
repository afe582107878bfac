"""Hostile and plausible values, by type and by the name of a parameter, as texts to be cast."""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

Argument = str | dict[str, Any] | None
"""A text, what `fuzz.argument` makes one of, or null."""

_LONG = 1_000_000
_EDGES_OF_NAMES = (1, 254, 255, 256, 300, 4000, 70_000)
HOSTILE_TEXTS = (
    "", " ", "\u00a0", "\u2003", "\t", "\n", "a\nb", "a\r\nBcc: x@y.z", "\x01\x02", "\x7f",
    "\u0085", "\u2028", "\ufeff", "\u202eabc", "\u05d0\u05d1", "👩‍👩‍👧‍👦", "Z\u0351\u036b",
    "İstanbul ß", "\U0010ffff", "'", "''", '"', "\\", "\\'", "\\x00", "$$", "$1", "%s%I%L%n%%",
    "{}", "[]", "{a,b}", "null", "NULL", "true", "NaN", "-1", "0", "1e400", "0x1F",
    "9223372036854775808", "../../etc/passwd", "<script>alert(1)</script>",
    "'; drop schema monitoring cascade; --", "/*", "--", ";", "a/b", "a.b", "a.b.c.d", "*",
    "pgvigil", "pgvigil.x", "(other)", "default", "all", "public", "none", "(a+)+$", "(((((((",
    "[", "a{1,255}{1,255}", "\\1(.)", "***:(?", "(?i)x", "^(.*)*$", ".*", "now", "infinity",
    "-infinity", "2026-02-30", "24:00", "25:61", "1 day", "-1 day", "epoch", "* * * * *",
    "*/0 * * * *", "0 0 30 2 *", "60 * * * *", "@daily", "@reboot", "5 minutes",
    "00:00:00.000001", "9999999 years", "1 mon", "Europe/Berlin", "UTC", "+99", "<+05>-05",
    "posixrules", "EST5EDT", "pg_class", "pg_catalog.pg_authid", "monitoring.errors",
    "shop.orders", "query:known", 'shop."odd ""name"', "information_schema.tables", "select 1",
    "select", "values (1)", "select 1;", "select 1 as fingerprint, 2 as value", "select 1/0",
    "select null::text as fingerprint, 1 as value", "delete from monitoring.jobs",
    "select pg_terminate_backend(pg_backend_pid())",
    "select 'x' as fingerprint, 'NaN'::float8 as value", "select * from monitoring.alerts",
    "select '' as fingerprint, '{}'::text[] as labels, 1e308 as value",
    "with x as (select 1) select",
    "select chr(10) as fingerprint, 1 as value, 'nosuch' as severity", "copy x to program 'id'",
)  # fmt: skip
WORDS = (
    "running", "completed", "failed", "cancelled", "timeout", "lost", "success", "OK", "ERROR",
    "Done", "low", "medium", "high", "critical", "HIGH", "warn", "Warning", "FATAL", "notice",
    "debug", "INFO", "healthy", "degraded", "unhealthy", "unknown", "up", "DOWN", "gauge",
    "counter", "timer", "histogram", ">", ">=", "<", "<=", "=", "ok", "keep", "alert", "full",
    "incremental", "SYSTEM", "BOT", "MANUAL", "apprise", "alertmanager", "auto", "minute", "hour",
    "day", "tasks", "errors", "queues", "durations", "manual", "DONE", "OPEN", "COMPLETED",
    "Running",
)  # fmt: skip
INTEGERS = {
    "smallint": (0, 1, -1, 2, 100, 10_000, 32_767, -32_768),
    "integer": (0, 1, -1, 2, 7, 60, 86_400, 100_000, 2_147_483_647, -2_147_483_648),
    "bigint": (
        0, 1, -1, 2, 3, 100, 2_147_483_647, 2_147_483_648, -2_147_483_649, 2**53 + 1,
        9_223_372_036_854_775_807, -9_223_372_036_854_775_808,
    ),
}  # fmt: skip
FLOATS = (
    "0", "-0", "1", "-1", "0.1", "1e-300", "5e-324", "1e100", "1.0000000000000002e100", "-1e100",
    "1.7e308", "-1.7e308", "NaN", "Infinity", "-Infinity", "86400", "9007199254740993",
)  # fmt: skip
TIMES = (
    "-infinity", "infinity", "4713-01-01 00:00:00+00 BC", "0001-01-01 00:00:00+00 BC",
    "1969-12-31 23:59:59+00", "1970-01-01 00:00:00+00", "1999-12-31 23:59:59.999999+14",
    "2026-03-29 02:30:00+01", "2099-01-01 00:00:00+00", "9999-12-31 23:59:59+00",
    "20000-01-01 00:00:00+00", "294276-12-31 23:59:59.999999+00", "epoch", "now", "yesterday",
    "tomorrow",
)  # fmt: skip
DATES = (
    "-infinity", "infinity", "4713-01-01 BC", "0001-01-01", "1969-12-31", "1970-01-01",
    "2026-02-28", "2099-12-31", "10000-01-01", "5874897-12-31", "today", "yesterday", "tomorrow",
)  # fmt: skip
SPANS = (
    "0", "-1 second", "1 microsecond", "1 second", "5 minutes", "1 hour", "1 day", "7 days",
    "1 mon", "-1 mon", "1 mon -30 days", "25:00:00", "90 days", "100 years", "178000000 years",
    "-178000000 years", "2147483647 days", "-2147483648 days", "2147483647 months",
)  # fmt: skip
ARRAYS = (
    "{}", "{NULL}", "{a,NULL}", "{a,a}", "{{a,b},{c,d}}", "[5:6]={a,b}", '{""}', '{" "}', '{"a,b"}',
    "{order_id}", "{order_id,state}", "{DEMO_TARGET}", "{A,B}", '{"a b"}', "{queue}", "{1}",
)  # fmt: skip
HISTOGRAMS = (
    '("{}","{}")', '("{10000}","{5}")', '("{10000,10001}","{5}")', '("{-32768}","{0}")',
    '("{10000}","{9223372036854775807}")', '("{NULL}","{NULL}")', '(,)', '("{32767,1}","{-1,2}")',
)  # fmt: skip
_QUERIES = (
    "select customer, 1 as value from shop.orders",
    "select state as fingerprint, count(*) as value from shop.orders group by state",
    "select 1 as fingerprint, 2 as value", "select order_id, state from shop.orders where 1 = 1",
)  # fmt: skip
_SCHEDULES = (
    "02:30",
    "5 minutes",
    "0 2 * * *",
    "@hourly",
    "*/5 8-18 * * 1-5",
    "1 hour",
    "x",
    "61 * * * *",
)

PLAUSIBLE: dict[str, Sequence[Any]] = {
    "p_schedule": _SCHEDULES,
    "p_expression": _SCHEDULES,
    "p_time_zone": ("UTC", "Europe/Berlin", "Australia/Lord_Howe", "Nowhere/None", "-05"),
    "p_query": _QUERIES,
    "p_table": ("shop.orders", 'shop."odd ""name"', "shop.none", "monitoring.errors"),
    "p_relation": ("shop.orders", 'shop."odd ""name"', "shop.none", "query:known"),
    "p_key_columns": ("{order_id}", '{"the \'key"}', "{none}", "{order_id,order_id}"),
    "p_status_column": ("state", 'sta"tus', "none"),
    "p_procedure_name": ("monitoring.roll_up", "monitoring.clock", "shop.none", "roll_up"),
    "p_table_name": ("errors", "metrics", "finished_tasks", "log_lines", "none"),
    "p_source": ("tasks", "errors", "metrics", "queues", "none"),
    "p_targets": ("{DEMO_TARGET}", "{A,B}", "{}", '{"https://x"}'),
    "p_summary_time": ("08:00", "24:00", "8", "02:30"),
    "p_task_type": ("load", "send", "etl", "CM-DMRU"),
    "p_dataset": ("orders", "d"),
    "p_settings": (
        {"description": "d"}, {"thresholds": {"low": 1}}, {"for_seconds": 60}, {"parameters": {}},
        {"time_limit_seconds": 1e9}, {"keep_firing_seconds": -1}, {"is_enabled": False},
    ),
    "p_thresholds": ({"low": 1, "critical": 2}, {"low": 2, "critical": 1}, {"low": "x"}, {}),
    "p_matchers": ({"queue": "mail"}, {"severity": "low"}, {"rule": ["a"]}, {"queue": None}),
    "p_labels": ({"queue": "mail"}, {}, {"task_type": 1}),
    "p_statuses": ({"DONE": "completed"}, {"x": "y"}, {"": None}),
    "p_transitions": ({"OPEN": ["DONE"]}, {"OPEN": "DONE"}, {"*": ["*"]}, {}),
    "p_columns": (
        {"run_id": "order_id", "task_type": "state", "status": "state", "started_at": "changed_at"},
        {"record_key": "order_id", "status": "state"}, {"record_key": "none"}, "{order_id,state}",
    ),
    "p_config": (
        {"alert_thresholds": {"queue_backlog": {"low": 40}}},
        {"retention": {"errors": "30 days"}},
        {"rules": {"queue_backlog": {"for_seconds": 1e300}}},
        {"channels": {"c": {"targets": ["A"]}}},
    ),
    "p_workflow": (
        {"workflow": "own", "steps": [{"step": "own"}]}, {"workflow": "x", "steps": []},
        {"workflow": "x", "steps": [{"step": "a", "after": ["b"]}, {"step": "b", "after": ["a"]}]},
        {"workflow": "x", "time_zone": "Asia/Kathmandu", "cutover": "24:00", "steps": [{}]},
        {"workflow": "y", "steps": [{"step": "s", "schedule": "0 */2 * * *", "expected": "1 day"}]},
    ),
    "p_stats": ({"records_stored": 1, "failed": 0}, {"records_stored": -1}, {"x": "y"}),
    "p_scope": ({"all": True}, {"keys": ["1"]}, {"group": "north"}, {}),
    "p_failing_keys": (["1", "2"], [{"record_key": "1"}], [None], [["1"]]),
}  # fmt: skip

_KEYS = (
    "task_id", "task_type", "status", "start_time", "end_time", "attempt", "counters", "metadata",
    "items_done", "items_total", "input_size", "output_size", "worker_id", "parent_task_id",
    "step_durations", "error_type", "severity", "message", "component", "details", "stack",
    "fingerprint", "occurred_at", "error_id", "metric_name", "metric_type", "value", "unit",
    "tags", "recorded_at", "sample_id", "level", "logged_at", "log_id", "duration_ms",
    "execution_id", "record_key", "dataset", "validation_type", "from_status", "to_status",
    "changed_at", "change_source", "products", "group", "target_date", "detected_at", "actor",
    "workflow", "steps", "step", "schedule", "after", "expected", "rules", "channels",
    "retention", "jobs", "thresholds", "low", "critical", "all", "keys", "records_stored",
    "total", "failed", "",
)  # fmt: skip


class Values:
    """Makes values by chance; what is there already is mixed in."""

    def __init__(self, chance: random.Random, existing: Sequence[str]) -> None:
        """Take the chance to go by, and names that the database knows."""
        self._chance = chance
        self._existing = [*existing] or ["x"]
        self._makers: dict[str, Callable[[], Argument]] = {
            "text": self._text,
            "boolean": lambda: chance.choice(("true", "false")),
            "double precision": lambda: chance.choice(FLOATS),
            "timestamp with time zone": self._time,
            "date": lambda: chance.choice(DATES),
            "interval": lambda: chance.choice(SPANS),
            "jsonb": self._json_text,
            "json": self._json_text,
            "text[]": self._array,
            "monitoring.histogram": lambda: chance.choice(HISTOGRAMS),
        }
        for kind, numbers in INTEGERS.items():
            self._makers[kind] = lambda numbers=numbers: str(chance.choice(numbers))  # type: ignore[misc]

    def of(self, parameter: str, kind: str, is_tame: bool) -> Argument:
        """Return a value of a type, as a text to be cast to it; a tame one is more often likely."""
        if self._chance.random() < 0.05:
            return None
        plausible = PLAUSIBLE.get(parameter)
        if plausible and self._chance.random() < (0.9 if is_tame else 0.4):
            value = self._chance.choice([v for v in plausible if _suits(v, kind)] or [None])
            if value is not None:
                return value if isinstance(value, str) else self._spoilt(value)
        if is_tame and kind == "text":
            return self._chance.choice(
                (self._chance.choice(self._existing), self._chance.choice(WORDS))
            )
        if kind not in self._makers:
            # Of types that only private functions take.
            return None
        return self._makers[kind]()

    def _text(self) -> Argument:
        lot = self._chance.random()
        if lot < 0.4:
            return self._chance.choice(HOSTILE_TEXTS)
        if lot < 0.6:
            return self._chance.choice(self._existing)
        if lot < 0.8:
            return self._chance.choice(WORDS)
        if lot < 0.81:
            return {"of": self._chance.choice("aé\n "), "times": _LONG}
        if lot < 0.9:
            return {
                "of": self._chance.choice("aé_\u00a0🚚("),
                "times": self._chance.choice(_EDGES_OF_NAMES),
            }
        # Names of own ids, few enough to meet each other.
        return f"own-{self._chance.randrange(200)}"

    def _time(self) -> str:
        if self._chance.random() < 0.5:
            return self._chance.choice(TIMES)
        return f"2026-{self._chance.randrange(1, 13):02}-{self._chance.randrange(1, 4):02} 12:00+00"

    def _array(self) -> Argument:
        lot = self._chance.random()
        if lot < 0.6:
            return self._chance.choice(ARRAYS)
        if lot < 0.63:
            return {"head": "{", "of": "a,", "times": 5000, "middle": "a}", "then": ""}
        texts = [self._text() for _ in range(self._chance.randrange(1, 5))]
        quoted = (json.dumps(t, ensure_ascii=False) for t in texts if isinstance(t, str))
        return "{" + ",".join(_as_element(t) for t in quoted) + "}"

    def _json_text(self) -> Argument:
        lot = self._chance.random()
        if lot < 0.02:
            return {"of": "[", "times": self._chance.choice((10, 500)), "middle": "", "then": "]"}
        if lot < 0.04:
            return {"of": '{"a":', "times": 400, "middle": "1", "then": "}"}
        if lot < 0.05:
            return {"head": '{"a":"', "of": "x", "times": 200_000, "middle": '"}', "then": ""}
        if lot < 0.5:
            rows = [self._row() for _ in range(self._chance.randrange(0, 4))]
            return json.dumps(rows if self._chance.random() < 0.8 else rows[:1] and rows[0])
        return json.dumps(self._json(3))

    def _row(self) -> dict[str, Any]:
        keys = self._chance.sample(_KEYS, self._chance.randrange(0, 12))
        return {key: self._leaf_for(key) for key in keys}

    def _leaf_for(self, key: str) -> Any:
        lot = self._chance.random()
        if lot < 0.3:
            return self._json(2)
        if key.endswith(("_at", "_time", "_date")):
            return self._time()
        if lot < 0.6:
            return self._chance.choice(WORDS)
        return self._chance.choice(self._existing)

    def _json(self, depth: int) -> Any:
        lot = self._chance.random()
        if depth and lot < 0.25:
            keys = [self._chance.choice(_KEYS) for _ in range(self._chance.randrange(0, 4))]
            return {key: self._json(depth - 1) for key in keys}
        if depth and lot < 0.45:
            return [self._json(depth - 1) for _ in range(self._chance.randrange(0, 4))]
        if lot < 0.55:
            return self._chance.choice((None, True, False))
        if lot < 0.75:
            return self._chance.choice(
                (0, 1, -1, 1.5, 2**31, 2**63, -(2**63) - 1, 10**30, 1e308, 10**400, 1e-9)
            )
        if lot < 0.8:
            return json.dumps(self._json(1))
        text = self._text()
        return text if isinstance(text, str) else "x" * 300

    def _spoilt(self, value: Any) -> str:
        """Return a document, in one of two cases with one of its values replaced."""
        return json.dumps(self._replaced(value) if self._chance.random() < 0.5 else value)

    def _replaced(self, value: Any) -> Any:
        if self._chance.random() < 0.3 or not isinstance(value, dict | list) or not value:
            return self._json(2)
        if isinstance(value, list):
            place = self._chance.randrange(len(value))
            return [self._replaced(v) if n == place else v for n, v in enumerate(value)]
        place = self._chance.randrange(len(value))
        return {k: self._replaced(v) if n == place else v for n, (k, v) in enumerate(value.items())}


def _suits(value: Any, kind: str) -> bool:
    """Return whether a value is of a type: documents are for jsonb, texts for the others."""
    return isinstance(value, str) != kind.startswith("json")


def _as_element(quoted: str) -> str:
    """Return an element of an array of a JSON string: a backslash stands for what follows."""
    text = str(json.loads(quoted))
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
