"""Dramatiq: each run of a message, and each retry as its next attempt.

>>> from pgvigil.integrations import dramatiq
>>> dramatiq.watch(broker, MonitoringClient(component="shop"))
"""

from typing import Any

from dramatiq import Broker, Middleware
from dramatiq.broker import MessageProxy
from dramatiq.errors import RateLimitExceeded, Retry
from dramatiq.middleware import Retries

from pgvigil.client import MonitoringClient, TrackedTask
from pgvigil.integrations.runs import begin, end

_NAME = "pgvigil_run"  # attribute of a message that is being processed


def watch(broker: Broker, monitor: MonitoringClient) -> None:
    """Record what a broker's actors do.

    Args:
        broker: which one.
        monitor: what records it. Tasks are named by message ids, task types by actors.
    """
    # The first of all is asked last how a message ended, when it is known whether it is retried.
    first = type(broker.middleware[0]) if broker.middleware else None
    broker.add_middleware(_Middleware(monitor), before=first)


class _Middleware(Middleware):
    def __init__(self, monitor: MonitoringClient) -> None:
        self._monitor = monitor

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        with self._monitor.never_raising():
            run = begin(
                self._monitor,
                message.actor_name,
                message.message_id,
                queue=message.queue_name,
                # Without arguments it is the same work each time, which the next run makes up for.
                work=None if message.args or message.kwargs else message.actor_name,
            )
            setattr(message, _NAME, run)

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        with self._monitor.never_raising():
            run = _taken_from(message)
            if run is None:
                return
            if exception is None:
                # One that failed before is not processed, such as one past its age limit.
                end(run, status="cancelled" if message.failed else None)
                return
            is_retried = not message.failed and any(
                isinstance(each, Retries) for each in broker.middleware
            )
            expected = (Retry, RateLimitExceeded, *_throws_of(message, broker))
            end(
                run,
                exception,
                retries_left=1 if is_retried else 0,
                severity="low" if isinstance(exception, expected) else "high",
            )

    def after_skip_message(self, broker: Broker, message: MessageProxy) -> None:
        with self._monitor.never_raising():
            run = _taken_from(message)
            if run is not None:
                end(run, status="cancelled")


def _taken_from(message: MessageProxy) -> TrackedTask | None:
    run: TrackedTask | None = message.__dict__.pop(_NAME, None)
    return run


def _throws_of(message: MessageProxy, broker: Broker) -> tuple[type[BaseException], ...]:
    """Return the exceptions that an actor says it may raise."""
    actor = broker.actors.get(message.actor_name)
    throws = message.options.get("throws") or (actor and actor.options.get("throws")) or ()
    return throws if isinstance(throws, tuple) else (throws,)
