"""What a command takes of the machine."""

import os
import resource
from collections import defaultdict
from pathlib import Path

_PROCESSES = Path("/proc")


def cpu_seconds(pid: int) -> float | None:
    """Return the processor time of a process and all that it has started; None if unknown."""
    try:
        ticks_per_second = os.sysconf("SC_CLK_TCK")
        entries = [entry for entry in _PROCESSES.iterdir() if entry.name.isdecimal()]
    except (OSError, ValueError):
        return None
    ticks: dict[int, int] = {}
    children: defaultdict[int, list[int]] = defaultdict(list)
    for entry in entries:
        try:
            # The name in brackets may hold anything, brackets and blanks too.
            fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
        except OSError:  # it has ended
            continue
        children[int(fields[1])].append(int(entry.name))
        ticks[int(entry.name)] = sum(map(int, fields[11:15]))
    family = [pid]
    for member in family:
        family += children[member]
    if pid not in ticks:
        return None
    return sum(ticks.get(member, 0) for member in family) / ticks_per_second


def own_peak() -> int:
    """Return the most memory that we have had so far, in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def figures(usage: resource.struct_rusage, own_peak: int) -> dict[str, float]:
    """Return what a command that has ended took, as counters of its task.

    Args:
        usage: what the system says of it, and of all that it waited for.
        own_peak: our own peak when it began, in kB: it counts as the command's, too, so that one
            that needed less is not known.
    """
    found = {"cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3)}
    if usage.ru_maxrss > own_peak:
        found["peak_memory_bytes"] = usage.ru_maxrss * 1024
    return found
