"""Passing on what a command writes, byte by byte as it comes, and keeping the end of it."""

import errno
import fcntl
import os
import re
import select
import termios
import threading
import time
from contextlib import suppress

from pgvigil.wrapping.voice import Say

KEPT_BYTES = 8192
_CHUNK = 65536
# For what runs on in the background after the command to close its outputs.
_GRACE_SECONDS = 1.0
_NAMES = {1: "standard output", 2: "standard error"}
_CONTINUATION = bytes(range(0x80, 0xC0))
_CONTROL_SEQUENCE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_])")


class Tail:
    """The end of all outputs together, in the order in which they came."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.total = 0
        """Bytes that came altogether."""
        self._kept = bytearray()
        self._lock = threading.Lock()

    def add(self, chunk: bytes) -> None:
        """Add what came."""
        with self._lock:
            self.total += len(chunk)
            self._kept += chunk[-KEPT_BYTES:]
            del self._kept[:-KEPT_BYTES]

    def text(self) -> str:
        """Return it as text, without colours and with a note of what came before."""
        with self._lock:
            kept, before = bytes(self._kept), self.total - len(self._kept)
        if before:
            kept = kept.lstrip(_CONTINUATION)
        text = _CONTROL_SEQUENCE.sub("", kept.decode("utf-8", "replace"))
        return f"[{before:,} bytes before this are left out]\n{text}" if before else text


class Outputs:
    """Standard output and standard error of a command, which come to us and go on to ours."""

    def __init__(self) -> None:
        """Make the pipes, or pseudo-terminals where ours are terminals, and begin to pass on.

        Raises:
            OSError: there are too many open files.
            RuntimeError: there are too many threads.
        """
        self.tail = Tail()
        self.actions: list[tuple[int, int, int]] = []
        """What the new process is to do with its descriptors."""
        closed = _fill_closed()
        self._ended, self._end = os.pipe()
        self._relays: list[_Relay] = []
        self._theirs: list[int] = []
        open_ones = [target for target in (1, 2) if target not in closed]
        if open_ones == [1, 2] and os.path.samestat(os.fstat(1), os.fstat(2)):
            # One pipe, as they have in common where they go to: so their order stays.
            theirs = self._connect(1)
            self.actions.append((os.POSIX_SPAWN_DUP2, theirs, 2))
        else:
            for target in open_ones:
                self._connect(target)
        for relay in self._relays:
            relay.start()

    def command_has_begun(self) -> None:
        """Give up the ends that the command has by now."""
        for theirs in self._theirs:
            os.close(theirs)

    def command_has_ended(self) -> None:
        """Let passing on end with what was written so far."""
        os.close(self._end)

    def resize(self) -> None:
        """Tell the command that the terminal has another size."""
        for relay in self._relays:
            relay.resize()

    def is_over(self, seconds: float) -> bool:
        """Wait so long, and tell whether all has been passed on."""
        deadline = time.monotonic() + seconds
        for relay in self._relays:
            relay.join(max(deadline - time.monotonic(), 0.0))
        return not any(relay.is_alive() for relay in self._relays)

    def tell_trouble(self, say: Say) -> None:
        """Say what could not be passed on."""
        for trouble in dict.fromkeys(relay.trouble for relay in self._relays if relay.trouble):
            say(trouble)

    def _connect(self, target: int) -> int:
        """Connect an output of the command with ours; return its end."""
        ours, theirs = _terminal(target) or os.pipe()
        self._relays.append(_Relay(ours, target, self._ended, self.tail))
        self._theirs.append(theirs)
        self.actions.append((os.POSIX_SPAWN_DUP2, theirs, target))
        return theirs


class _Relay(threading.Thread):
    """Passes one output on."""

    def __init__(self, source: int, target: int, ended: int, tail: Tail) -> None:
        super().__init__(name=f"pgvigil-relay-{target}", daemon=True)
        self._source = source
        self._target = target
        self._ended = ended
        self._tail = tail
        self.trouble: str | None = None

    def run(self) -> None:
        try:
            if self._pass_on_until_ended():
                self._pass_on_the_rest()
        except OSError as error:
            # Whoever reads may have enough of it, as `head` has; the command is to see it so, too.
            if error.errno != errno.EPIPE:
                self.trouble = f"cannot write to {_NAMES[self._target]}: {error.strerror}"
        finally:
            os.close(self._source)

    def resize(self) -> None:
        with suppress(OSError):  # a pipe
            _copy_size(self._target, self._source)

    def _pass_on_until_ended(self) -> bool:
        """Pass on until the output ends, or the command: then return True."""
        poll = select.poll()
        poll.register(self._source, select.POLLIN)
        poll.register(self._ended, select.POLLIN)
        while True:
            if any(ready == self._ended for ready, _ in poll.poll()):
                return True
            if not self._pass_on(_CHUNK):
                return False

    def _pass_on_the_rest(self) -> None:
        """Pass on what is there, and for a moment what others write who have the same output."""
        left = self._bytes_there()
        while left > 0:
            passed = self._pass_on(min(left, _CHUNK))
            if not passed:
                return
            left -= passed
        deadline = time.monotonic() + _GRACE_SECONDS
        poll = select.poll()
        poll.register(self._source, select.POLLIN)
        while poll.poll(max(deadline - time.monotonic(), 0.0) * 1000):
            if not self._pass_on(_CHUNK):
                return
        self.trouble = "what the command left in the background can write to its outputs no more"

    def _pass_on(self, most: int) -> int:
        """Pass on what has come; return how many bytes, 0 at the end of the output."""
        try:
            chunk = os.read(self._source, most)
        except OSError as error:
            if error.errno == errno.EIO:  # which is how a pseudo-terminal ends
                return 0
            raise
        self._tail.add(chunk)
        _write_all(self._target, chunk)
        return len(chunk)

    def _bytes_there(self) -> int:
        answer = fcntl.ioctl(self._source, termios.FIONREAD, bytes(4))
        return int.from_bytes(answer, "little")


def _write_all(target: int, chunk: bytes) -> None:
    left = memoryview(chunk)
    while left:
        try:
            left = left[os.write(target, left) :]
        except BlockingIOError:  # whoever shares it wants it so
            poll = select.poll()
            poll.register(target, select.POLLOUT)
            poll.poll()


def _fill_closed() -> list[int]:
    """Return which of the standard descriptors are closed.

    They are filled, lest a pipe of ours becomes one of them; in the command they are closed again.
    """
    closed = []
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
            closed.append(number)
    return closed


def _terminal(target: int) -> tuple[int, int] | None:
    """Return the ends of a pseudo-terminal like that terminal; None where it is none.

    Programs write to a terminal at once, and in colour. It is for output alone: keys are read from
    the real one.
    """
    if not os.isatty(target):
        return None
    try:
        ours, theirs = os.openpty()
        attributes = termios.tcgetattr(theirs)
        attributes[1] &= ~termios.OPOST  # the real one sees to the ends of lines
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(theirs, termios.TCSANOW, attributes)
        _copy_size(target, theirs)
    except (OSError, termios.error):
        return None
    return ours, theirs


def _copy_size(source: int, target: int) -> None:
    size = fcntl.ioctl(source, termios.TIOCGWINSZ, bytes(8))
    fcntl.ioctl(target, termios.TIOCSWINSZ, size)
