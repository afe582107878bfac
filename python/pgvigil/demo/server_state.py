"""What a data directory's ``postmaster.pid`` says about the server running in it."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunningServer:
    """A live server, as its ``postmaster.pid`` describes it."""

    pid: int
    port: int
    socket_directory: str
    is_ready: bool


def read_running_server(data: Path) -> RunningServer | None:
    """Return the server that runs in a data directory, or None.

    A pid file left by a killed server or by a restarted machine does not count, even where its
    process id belongs to another program by now.
    """
    lines = _read_pid_file(data)
    if not lines or not _is_postmaster(int(lines[0])):
        return None
    port, socket_directory, status = _lines_written_later(lines)
    return RunningServer(int(lines[0]), port, socket_directory, status == "ready")


def forget_recycled_pid(data: Path) -> None:
    """Remove a pid file whose process id now belongs to another program.

    PostgreSQL would take that program for a server and refuse to start. A pid file whose process
    is gone stays, since PostgreSQL reads from it whether parts of a killed server still run.
    """
    lines = _read_pid_file(data)
    if lines and _exists(int(lines[0])) and not _is_postmaster(int(lines[0])):
        (data / "postmaster.pid").unlink()


def _read_pid_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _lines_written_later(lines: list[str]) -> tuple[int, str, str]:
    """Return port, socket directory and status, which a starting server has yet to write."""
    if len(lines) < 8:
        return 0, "", "starting"
    return int(lines[3]), lines[4], lines[7].strip()


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_postmaster(pid: int) -> bool:
    """Tell whether a process is a server's first one; its children go by other names."""
    return _exists(pid) and Path(_program_of(pid)).name in ("postgres", "postmaster")


def _program_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0]
    except OSError:
        pass  # no /proc: macOS, which always has ps
    try:
        ps = ["ps", "-p", str(pid), "-o", "comm="]
        return subprocess.run(ps, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""
