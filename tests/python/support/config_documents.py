"""Configurations made at random: mostly right, and here and there not."""

import random
from collections.abc import Callable
from typing import Any

_ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1.5,
    1e99,
    "",
    " ",
    "x",
    [],
    {},
    ["x"],
    {"x": 1},
    [None],
)
_RULES = ("queue_backlog", "task_failed", "slow_processing", "errors_per_hour", "nameless")
_ZONES = ("UTC", "Europe/Berlin", "Mars/Base")
Maker = Callable[[random.Random], Any]


def random_document(source: random.Random) -> Any:
    """Return a document that fits the schema, or one with a part of it spoilt."""
    document = {name: make(source) for name, make in _SECTIONS.items() if source.random() < 0.12}
    if source.random() < 0.5:
        return document
    return _spoilt(source, document)


def _spoilt(source: random.Random, value: Any) -> Any:
    """Replace something within a value, or add what is not known."""
    if isinstance(value, dict) and value and source.random() < 0.85:
        key = source.choice(list(value))
        if source.random() < 0.2:
            return value | {f"{key}_": value[key]}
        return value | {key: _spoilt(source, value[key])}
    if isinstance(value, list) and value and source.random() < 0.85:
        place = source.randrange(len(value))
        return [*value[:place], _spoilt(source, value[place]), *value[place + 1 :]]
    return source.choice(_ODD)


def _some(source: random.Random, makers: dict[str, Maker], always: tuple[str, ...] = ()) -> Any:
    return {
        key: make(source) for key, make in makers.items() if key in always or source.random() < 0.4
    }


def _one_of(*values: Any) -> Maker:
    return lambda source: source.choice(values)


def _thresholds(source: random.Random) -> Any:
    if source.random() < 0.1:
        return None
    numbers = sorted(round(source.uniform(0, 1000), 1) for _ in range(4))
    if source.random() < 0.1:
        numbers.reverse()
    names = ("low", "medium", "high", "critical")
    return dict(zip(names, numbers, strict=True))


def _overrides(source: random.Random) -> Any:
    types = source.sample(("etl", "ocr", "mail"), source.randrange(3))
    return [{"labels": {"task_type": name}, "thresholds": {"high": 5}} for name in types]


def _matchers(source: random.Random) -> Any:
    label: Any = source.choice(("a", ["a", "b"], {"regex": "a.*"}, {"regex": "("}))
    if source.random() < 0.3:
        label = {"not": label}
    return {source.choice(("queue", "rule")): label}


def _rule(source: random.Random) -> Any:
    rule = _some(
        source,
        {
            "description": _one_of("Look.", None),
            "unit": _one_of("tasks", None),
            "comparison": _one_of(">", ">="),
            "parameters": _one_of({}, {"window_minutes": 5}, {"none": 1}),
            "for_seconds": _one_of(0, 0.5, 300),
            "for_evaluations": _one_of(1, 3.0, 99),
            "keep_firing_seconds": _one_of(0, 600),
            "no_data": _one_of("ok", "keep", "alert"),
            "on_error": _one_of("keep", "ok"),
            "time_limit_seconds": _one_of(1, 60),
            "is_enabled": _one_of(True, False),
            "thresholds": _thresholds,
            "overrides": _overrides,
        },
    )
    if source.random() < 0.1:
        rule["query"] = source.choice(
            ("select 1 as fingerprint, 'low' as severity", "select", "select 1; select 2")
        )
    return rule


def _channel(source: random.Random) -> Any:
    return _some(
        source,
        {
            "targets": _one_of(["A"], ["A", "B_2.x-y"]),
            "kind": _one_of("apprise", "alertmanager"),
            "matchers": _matchers,
            "minimum_severity": _one_of("low", "critical"),
            "has_resolved_notices": _one_of(True, False),
            "repeat_seconds": _one_of(60, 3600, None),
            "max_per_hour": _one_of(1, 60.0, None),
            "max_attempts": _one_of(1, 100),
            "summary_time": _one_of("00:00", "23:59", None),
            "time_zone": _one_of(*_ZONES),
            "is_enabled": _one_of(True, False),
        },
        always=("targets",) if source.random() < 0.9 else (),
    )


def _silence(source: random.Random) -> Any:
    return _some(
        source,
        {
            "matchers": _matchers,
            "starts_at": _one_of(
                "2026-01-15T12:00:00Z", "2026-01-15 12:00+02", "2026-99-15T12:00Z"
            ),
            "ends_at": _one_of("2035-01-15T12:00:00Z", "2020-01-15T12:00:00.5+05:30", None),
            "is_until_resolved": _one_of(True, False),
            "note": _one_of("works", None),
            "created_by": _one_of("ann", None),
        },
        always=("matchers", "starts_at"),
    )


def _inhibition(source: random.Random) -> Any:
    return _some(
        source,
        {
            "source_rule": _one_of(*_RULES),
            "target_rule": _one_of(*_RULES),
            "equal_labels": _one_of([], ["queue"]),
        },
        always=("source_rule", "target_rule"),
    )


def _expected_run(source: random.Random) -> Any:
    return _some(
        source,
        {
            "schedule": _one_of("02:30", "0 2 * * *", "99 * * * *", "soon"),
            "time_zone": _one_of(*_ZONES),
            "grace_seconds": _one_of(0, 900),
            "early_seconds": _one_of(0, 60),
            "counts": _one_of("starts", "successes"),
            "is_enabled": _one_of(True, False),
        },
        always=("schedule",),
    )


def _job(source: random.Random) -> Any:
    return _some(
        source,
        {
            "schedule": _one_of("30 seconds", "*/5 * * * *", "1 month", "soon"),
            "time_zone": _one_of(*_ZONES),
            "is_enabled": _one_of(True, False),
            "timeout_seconds": _one_of(0.5, 600),
        },
    )


def _dataset(source: random.Random) -> Any:
    return _some(
        source,
        {
            "description": _one_of("Orders.", None),
            "time_zone": _one_of(*_ZONES),
            "pending_statuses": _one_of([], ["OPEN", "WAITING"], ["OPEN", "OPEN"], None),
            "bot_task_type": _one_of("bot", "", None),
            "allowed_transitions": _one_of(
                {"OPEN": ["DONE", ""], "": ["OPEN"]}, {"A": []}, {}, None
            ),
        },
    )


def _workflow(source: random.Random) -> Any:
    return _some(
        source,
        {
            "description": _one_of("Each night.", None),
            "time_zone": _one_of(*_ZONES),
            "cutover": _one_of("05:00", "23:59"),
            "enabled": _one_of(True, False),
            "steps": _steps,
        },
        always=("steps",) if source.random() < 0.9 else (),
    )


def _steps(source: random.Random) -> Any:
    def step(name: str) -> Any:
        settings = {
            "description": _one_of("Loads.", None),
            "after": _one_of([], ["load"], ["count"]),
            "schedule": _one_of("18:00", "0 2 * * *", "soon", None),
            "expected": _one_of("20 minutes", "1 hour 30 minutes", None),
            "late_after": _one_of("15 min", "a while", None),
            "stuck_after": _one_of("2 hours", None),
            "long_after": _one_of("3 days", None),
            "minimum_rate": _one_of(0.5, 100, None),
            "optional": _one_of(True, False),
            "until_done": _one_of(True, False),
        }
        some = {key: make(source) for key, make in settings.items() if source.random() < 0.2}
        return {"step": name, **some}

    return [step(name) for name in source.sample(("load", "count", "send"), source.randint(1, 3))]


def _source_query(source: random.Random) -> Any:
    return _some(
        source,
        {
            "connection": _one_of("OTHER_DB", "a.b-c"),
            "query": _one_of("select id, state from runs", "select 1", " "),
            "columns": _one_of(["id", "state"], ["id"], ["id", "id"]),
            "resume_column": _one_of("id", "state", None),
            "every_seconds": _one_of(60, 3600.5),
            "timeout_seconds": _one_of(1, 86400),
            "is_enabled": _one_of(True, False),
        },
        always=("connection", "query", "columns") if source.random() < 0.9 else (),
    )


def _source(source: random.Random) -> Any:
    settings = _some(
        source,
        {
            "relation": _one_of("query:runs", "query:nameless", "pg_catalog.nothing"),
            "columns": _one_of(
                {"run_id": "id", "status": "state", "started_at": "id", "updated_at": "id"},
                {"record_key": ["id"], "status": "state"},
                {"status": "state"},
            ),
            "statuses": _one_of({"R": "running", "C": "completed"}, {"W": "pending"}),
            "time_zone": _one_of(*_ZONES),
            "every_seconds": _one_of(60, 3600),
            "timeout_seconds": _one_of(1, 600.5),
            "is_enabled": _one_of(True, False),
        },
        always=("relation", "columns", "statuses"),
    )
    kinds: dict[str, dict[str, Maker]] = {
        "run": {
            "task_type": _one_of("etl", None),
            "look_back_days": _one_of(0.5, 30, 60),
            "work": _one_of("type", "run"),
            "failed_severity": _one_of("low", None),
        },
        "record": {
            "dataset": _one_of("orders"),
            "change_source": _one_of("BOT", "ROBOT"),
            "is_complete": _one_of(True, False),
        },
        "queue": {"queue_name": _one_of("mail", None)},
    }
    kind = source.choice(list(kinds))
    return settings | {"kind": kind} | _some(source, kinds[kind], always=("dataset",))


def _alert_owner(source: random.Random) -> Any:
    return {
        "labels": source.choice(({}, {"task_type": "etl"}, {"rule": "task_failed", "x": "y"})),
        "owner": source.choice(("Ann", "Team")),
    }


def _error_group(source: random.Random) -> Any:
    return _some(
        source,
        {
            "status": _one_of("resolved", "muted"),
            "muted_until": _one_of(
                "2033-01-15T12:00:00Z", "2020-01-15 12:00+02", "2026-99-15T12:00Z", None
            ),
            "note": _one_of("known", None),
            "decided_by": _one_of("ann"),
            "decided_at": _one_of("2026-01-15T12:00:00.5Z", "2026-13-15T12:00:00Z"),
        },
        always=("status",) if source.random() < 0.9 else (),
    )


def _merged_error_group(source: random.Random) -> Any:
    return _some(
        source,
        {
            "into": _one_of("aaa", "bbb", "ccc"),
            "note": _one_of("known", None),
            "decided_by": _one_of("ann"),
            "decided_at": _one_of("2026-01-15T12:00:00.5Z", "2026-13-15T12:00:00Z"),
        },
        always=("into",) if source.random() < 0.9 else (),
    )


def _named(names: tuple[str, ...], make: Maker, may_be_null: bool = True) -> Maker:
    def section(source: random.Random) -> Any:
        return {
            name: None if may_be_null and source.random() < 0.1 else make(source)
            for name in source.sample(names, source.randint(1, 2))
        }

    return section


def _listed(make: Maker) -> Maker:
    return lambda source: [make(source) for _ in range(source.randint(0, 2))]


_KEEP = _one_of("30 days", "1 year 6 months", "forever", "3 weeks", "90 minutes")
_SECTIONS: dict[str, Maker] = {
    "alert_thresholds": _named(
        ("error_rates", "processing_times", "queue_backlog"), _thresholds, may_be_null=False
    ),
    "rules": _named(_RULES, _rule),
    "channels": _named(("ops", "on call"), _channel),
    "silences": _listed(_silence),
    "inhibitions": _listed(_inhibition),
    "retention": _named(
        ("log_lines", "errors", "rollups", "nothing"),
        lambda source: source.choice((_KEEP(source), {"": _KEEP(source)}, {"low": _KEEP(source)})),
        may_be_null=False,
    ),
    "expected_runs": _named(("etl", "ocr"), _expected_run),
    "jobs": _named(("evaluate_alerts", "nothing"), _job, may_be_null=False),
    "page_url": _one_of("https://monitor.example/x/", "https://a:b@monitor.example", None),
    "name_limits": _named(("tasks", "metrics", "nothing"), _one_of(10, 99.0, 100000)),
    "partitions_ahead": _named(("errors", "finished_tasks", "nothing"), _one_of(0, 14.0, 100)),
    "change_sources": _named(("ROBOT", "SYSTEM"), _one_of("The robot.", "x"), may_be_null=False),
    "datasets": _named(("orders", "bills"), _dataset),
    "source_queries": _named(("runs", "a:b"), _source_query),
    "sources": _named(("runs", "a:b"), _source),
    "workflows": _named(("nightly", "daily"), _workflow),
    "alert_owners": _listed(_alert_owner),
    "merged_error_groups": _named(("aaa", "ddd"), _merged_error_group),
    "error_groups": _named(("aaa", "bbb"), _error_group),
}
