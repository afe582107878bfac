"""What is to be run and recorded, and how it ended."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field

TIMED_OUT = 124
"""Exit code when the time was up, as `timeout` has it."""
NOT_EXECUTABLE = 126
NOT_FOUND = 127
"""Exit codes of shells for commands that cannot be begun."""


@dataclass(frozen=True)
class Job:
    """A command, and what is recorded of it."""

    command: tuple[str, ...]
    task_type: str
    task_id: str
    dsn: str = ""
    """Empty for libpq's environment."""
    timeout: float | None = None
    """Seconds that it may run; None for as long as it likes."""
    kill_after: float = 10.0
    """Seconds from being asked to end until it is killed."""
    schedule: str | None = None
    """When runs of this type are expected."""
    time_zone: str | None = None
    """Whose clocks the schedule goes by; None for those of this machine."""
    parent_task_id: str | None = None


@dataclass(frozen=True)
class Ending:
    """How a command ended."""

    ended_at: float
    """Seconds since 1970."""
    exit_code: int | None = None
    """None when a signal ended it."""
    signal_number: int | None = None
    is_timeout: bool = False
    asked_by: int | None = None
    """The last signal before its end that asked it to end."""
    problem: str | None = None
    """Why it could not be begun."""
    used: Mapping[str, float] = field(default_factory=dict)
    """What it took of the machine, as far as is known."""

    @property
    def status(self) -> str:
        """How its task ended: completed, failed, timeout or cancelled."""
        if self.is_timeout:
            return "timeout"
        if self.exit_code == 0:
            return "completed"
        return "cancelled" if self._was_asked() else "failed"

    @property
    def own_exit_code(self) -> int:
        """What we exit with in its place; 128 and the signal where that ended it."""
        if self.is_timeout:
            return TIMED_OUT
        return 128 + (self.signal_number or 0) if self.exit_code is None else self.exit_code

    def _was_asked(self) -> bool:
        """Tell whether it ended because somebody asked for it.

        Many programs exit with a code of their own when they are interrupted or terminated. After
        others, such as SIGHUP, they may go on for long.
        """
        if self.asked_by is None:
            return False
        return (
            self.asked_by in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)
            or self.asked_by == self.signal_number
            or self.exit_code == 128 + self.asked_by
        )


def signal_name(number: int) -> str:
    """Return the name of a signal, such as SIGTERM."""
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has a number only
        return f"SIGRTMIN+{number - signal.SIGRTMIN}" if number > signal.SIGRTMIN else str(number)
