"""A command as a process: begun as a shell would begin it, signalled, and waited for."""

import errno
import os
import signal
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from pgvigil.wrapping.job import NOT_EXECUTABLE, NOT_FOUND
from pgvigil.wrapping.usage import own_peak

# What Python ignores, and commands do not.
_IGNORED_BY_PYTHON = [signal.SIGPIPE, signal.SIGXFSZ]
_LOCALE = "LC_CTYPE"
# These are for all that the command has started; others are for the command alone.
_FOR_ALL = frozenset(
    {
        signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGKILL,
        signal.SIGTSTP, signal.SIGCONT,
    }
)  # fmt: skip


class NotBegunError(Exception):
    """The command cannot be begun; ``exit_code`` is what a shell exits with then."""

    def __init__(self, name: str, error: OSError) -> None:
        """Say why."""
        super().__init__(f"cannot run {name or repr(name)}: {error.strerror}")
        self.exit_code = NOT_FOUND if error.errno == errno.ENOENT else NOT_EXECUTABLE


class Process:
    """A command that runs.

    Without a terminal it leads a process group of its own, so that what it started is reached with
    it. With one it stays in ours, for no other could read the keys.
    """

    def __init__(
        self,
        command: tuple[str, ...],
        actions: Sequence[tuple[int, ...]],
        environment: dict[str, str],
        mask: Collection[int],
    ) -> None:
        """Begin it.

        Args:
            command: its name or path, and arguments.
            actions: what it does with its descriptors first, as `os.posix_spawn` takes it.
            environment: its environment.
            mask: signals that it is to begin with blocked.

        Raises:
            NotBegunError: there is no such program, or it may not be executed.
        """
        self.shares_group = _has_terminal()
        self.own_peak = own_peak()
        """What it begins with as its peak of memory: ours."""

        def spawn(path: str, arguments: tuple[str, ...]) -> int:
            return os.posix_spawnp(
                path, arguments, environment, file_actions=actions, setsigmask=mask,
                setsigdef=_IGNORED_BY_PYTHON,
                setpgroup=os.getpgrp() if self.shares_group else 0,
            )  # fmt: skip

        try:
            if not command[0]:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            try:
                self.pid = spawn(command[0], command)
            except OSError as error:
                if error.errno != errno.ENOEXEC:
                    raise
                # A script that does not say what runs it is run by the shell.
                import shutil  # which loads slowly

                script = shutil.which(command[0]) or command[0]
                self.pid = spawn("/bin/sh", ("sh", script, *command[1:]))
        except OSError as error:
            raise NotBegunError(command[0], error) from error

    def send(self, number: int) -> None:
        """Send a signal; to one that has ended it is sent to nobody.

        Raises:
            PermissionError: it runs as somebody else by now.
        """
        with suppress(ProcessLookupError):
            if number in _FOR_ALL and not self.shares_group:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)

    def leaves_some_behind(self) -> bool:
        """Tell whether there is something left in its group, once it has ended."""
        if self.shares_group:
            return False
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True


def become(command: tuple[str, ...], environment: dict[str, str]) -> NoReturn:
    """Run a command in our place, where it cannot be watched.

    Raises:
        NotBegunError: there is no such program, or it may not be executed.
    """
    for number in _IGNORED_BY_PYTHON:
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(command[0], command, environment)
    except OSError as error:
        raise NotBegunError(command[0], error) from error
    except ValueError as error:  # an empty name
        raise NotBegunError(command[0], FileNotFoundError(errno.ENOENT, str(error))) from error


def own_environment() -> dict[str, str]:
    """Return the environment that we were given.

    Python changes LC_CTYPE where that is C, and commands would have it from us.
    """
    environment = dict(os.environ)
    with suppress(OSError):
        given = Path("/proc/self/environ").read_bytes().split(b"\0")
        environment.pop(_LOCALE, None)
        for entry in given:
            name, _, value = os.fsdecode(entry).partition("=")
            if name == _LOCALE:
                environment[name] = value
    return environment


def _has_terminal() -> bool:
    """Tell whether a terminal controls us, from which keys such as Ctrl-C come."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return False
    return True
