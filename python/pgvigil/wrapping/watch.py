"""Waiting for a command: signals that are passed on, and the time that it may run.

All signals are blocked and taken one by one, so that nothing happens in between, and the threads
that pass outputs on and record are never interrupted.
"""

import errno
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from pgvigil.wrapping.job import Ending, signal_name
from pgvigil.wrapping.process import Process
from pgvigil.wrapping.usage import figures
from pgvigil.wrapping.voice import Say

# Those that cannot be caught or say that this program itself is at fault, those that a terminal
# stops readers and writers in the background with, and one that only says that a pipe is closed.
_NOT_TAKEN = frozenset(
    {
        signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL,
        signal.SIGTRAP, signal.SIGSYS, signal.SIGTTIN, signal.SIGTTOU, signal.SIGPIPE,
    }
)  # fmt: skip
# What keys do reaches all in the group, the command included.
_OF_KEYS = frozenset({signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP})
_ENDING = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM})
_LONG = 3600.0
_OFTEN = 0.05  # seconds between two looks at what a command has left behind


class Signals:
    """The signals that we take."""

    def __init__(self) -> None:
        """Block them, but for those that whoever started us wants ignored, by the command too.

        Raises:
            OSError: this system, such as macOS, cannot wait for signals with a time limit.
        """
        if not hasattr(signal, "sigtimedwait"):
            raise OSError(errno.ENOSYS, "this system cannot wait for signals with a time limit")
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # else nobody would tell how it has ended
        self.taken = {
            number
            for number in signal.valid_signals() - _NOT_TAKEN
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        self.mask = signal.pthread_sigmask(signal.SIG_BLOCK, self.taken)
        """What was blocked before."""

    def wait(self, seconds: float) -> signal.struct_siginfo | None:
        """Wait for one; None when none came in time."""
        return signal.sigtimedwait(self.taken, max(seconds, 0.0))

    def end_by(self, number: int) -> None:
        """End this program by a signal; the first process of a container returns."""
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)


class Watch:
    """A command from its beginning to its end."""

    def __init__(
        self,
        process: Process,
        signals: Signals,
        say: Say,
        resize: Callable[[], None],
        *,
        timeout: float | None,
        kill_after: float,
    ) -> None:
        """Begin to watch.

        Args:
            process: the command.
            signals: what we take.
            say: takes what goes wrong.
            resize: what to do when the terminal has another size.
            timeout: seconds that the command may run; None for as long as it likes.
            kill_after: seconds from being asked to end until it is killed.
        """
        self._process = process
        self._signals = signals
        self._say = say
        self._resize = resize
        self._end_at = float("inf") if timeout is None else time.monotonic() + timeout
        self._kill_after = kill_after
        self._kill_at = float("inf")
        self._is_timeout = self._is_killed = False
        self._asked_by: int | None = None
        self._ending: Ending | None = None

    def until_ended(self) -> Ending:
        """Return how the command ended."""
        while True:
            self._reap()
            if self._ending is not None and not self._waits_for_others():
                return self._ending
            self._keep_time()
            taken = self._signals.wait(self._seconds_to_wait())
            if taken is not None:
                self._take(taken)

    def was_asked_to_end(self, seconds: float) -> bool:
        """Wait so long, after the command's end, for a signal that asks us to end."""
        taken = self._signals.wait(seconds)
        return taken is not None and taken.si_signo in _ENDING

    def _take(self, taken: signal.struct_siginfo) -> None:
        number = taken.si_signo
        if number == signal.SIGCHLD:
            return
        if number == signal.SIGWINCH:
            self._resize()
        if number in _ENDING:
            self._asked_by = number
        # Of signals that people send, the code is not above 0.
        if not (self._process.shares_group and number in _OF_KEYS and taken.si_code > 0):
            self._pass_on(number)
        if number == signal.SIGTSTP:
            os.kill(os.getpid(), signal.SIGSTOP)  # what continues us is passed on as well

    def _pass_on(self, number: int) -> None:
        try:
            self._process.send(number)
        except PermissionError as error:
            self._say(f"cannot pass {signal_name(number)} on: {error.strerror}")

    def _keep_time(self) -> None:
        now = time.monotonic()
        if now >= self._end_at:
            self._is_timeout = True
            self._end_at = float("inf")
            self._kill_at = now + self._kill_after
            self._pass_on(signal.SIGTERM)
            self._pass_on(signal.SIGCONT)  # one that is stopped would not notice
        if now >= self._kill_at:
            self._is_killed = True
            self._kill_at = float("inf")
            self._pass_on(signal.SIGKILL)

    def _waits_for_others(self) -> bool:
        """Tell whether what the command has started is still ending, too, when its time was up."""
        return self._is_timeout and not self._is_killed and self._process.leaves_some_behind()

    def _seconds_to_wait(self) -> float:
        if self._ending is not None:
            return _OFTEN
        return min(min(self._end_at, self._kill_at) - time.monotonic(), _LONG)

    def _reap(self) -> None:
        """See who has ended. As the first process of a container we get those of others as well."""
        with suppress(ChildProcessError):
            while True:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid != self._process.pid:
                    continue
                code = os.waitstatus_to_exitcode(status)
                self._ending = Ending(
                    ended_at=time.time(),
                    exit_code=code if code >= 0 else None,
                    signal_number=-code if code < 0 else None,
                    is_timeout=self._is_timeout,
                    asked_by=self._asked_by,
                    used=figures(usage, self._process.own_peak),
                )
