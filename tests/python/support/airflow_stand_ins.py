"""What our listener needs of Airflow, which is too large to install for tests.

The signatures are those of Airflow 2.5, 2.10 and 3.3; hooks are called by pluggy, as Airflow does.
"""

import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import ModuleType, SimpleNamespace
from typing import Any

import pluggy
import pytest

_hookspec = pluggy.HookspecMarker("airflow")


class _DagRunSpecs:
    @_hookspec
    def on_dag_run_running(self, dag_run: Any, msg: str) -> None:
        """Hear that a DAG run begins."""

    @_hookspec
    def on_dag_run_success(self, dag_run: Any, msg: str) -> None:
        """Hear that one is done."""

    @_hookspec
    def on_dag_run_failed(self, dag_run: Any, msg: str) -> None:
        """Hear that one has failed."""


class Specs25(_DagRunSpecs):
    """What listeners of Airflow 2.5 hear."""

    @_hookspec
    def on_task_instance_running(
        self, previous_state: Any, task_instance: Any, session: Any
    ) -> None:
        """Hear that a task begins."""

    @_hookspec
    def on_task_instance_success(
        self, previous_state: Any, task_instance: Any, session: Any
    ) -> None:
        """Hear that one is done."""

    @_hookspec
    def on_task_instance_failed(
        self, previous_state: Any, task_instance: Any, session: Any
    ) -> None:
        """Hear that one has failed."""


class Specs210(Specs25):
    """What listeners of Airflow 2.10 hear."""

    @_hookspec
    def on_task_instance_failed(  # type: ignore[override]
        self, previous_state: Any, task_instance: Any, error: Any, session: Any
    ) -> None:
        """Hear that one has failed, and of what."""


class Specs33(_DagRunSpecs):
    """What listeners of Airflow 3.3 hear."""

    @_hookspec
    def on_task_instance_running(self, previous_state: Any, task_instance: Any) -> None:
        """Hear that a task begins."""

    @_hookspec
    def on_task_instance_success(self, previous_state: Any, task_instance: Any) -> None:
        """Hear that one is done."""

    @_hookspec
    def on_task_instance_failed(self, previous_state: Any, task_instance: Any, error: Any) -> None:
        """Hear that one has failed, and of what."""

    @_hookspec
    def on_task_instance_skipped(self, previous_state: Any, task_instance: Any) -> None:
        """Hear that one has skipped itself."""


SPECS: dict[str, type[_DagRunSpecs]] = {
    "2.5.3": Specs25,
    "2.10.5": Specs210,
    "3.3.2": Specs33,
}


@dataclass
class DagRun:
    """A run of a DAG."""

    dag_id: str = "shop"
    run_id: str = "manual"


@dataclass
class TaskInstance(DagRun):
    """A task in one of these."""

    task_id: str = "load"
    map_index: int | None = -1
    state: Any = "running"
    next_method: str | None = None
    start_date: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    task: Any = field(default_factory=lambda: SimpleNamespace(on_skipped_callback=None))


class Airflow:
    """An Airflow of some version that has a listener."""

    def __init__(self, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have the modules of Airflow there that the integration imports."""
        self.version = version
        modules: dict[str, dict[str, Any]] = {
            "airflow": {"__version__": version},
            "airflow.listeners": {"hookimpl": pluggy.HookimplMarker("airflow")},
            "airflow.plugins_manager": {"AirflowPlugin": type("AirflowPlugin", (), {})},
        }
        for name, members in modules.items():
            module = ModuleType(name)
            module.__dict__.update(members)
            monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.delitem(sys.modules, "pgvigil.integrations.airflow", raising=False)
        self.manager = pluggy.PluginManager("airflow")
        self.manager.add_hookspecs(SPECS[version])

    def hear(self, hook: str, run: DagRun, **told: Any) -> None:
        """Call a hook, with all that this version passes."""
        of_task = hook.startswith("on_task_instance")
        given = {"previous_state": None, "task_instance": run} if of_task else {"dag_run": run}
        given |= {"session": None, "msg": "", "error": None} | told
        known = self.manager.hook.__dict__[hook].spec.argnames
        self.manager.hook.__dict__[hook](**{name: given[name] for name in known})
