"""Running a command under watch, from its beginning to our own end in its place."""

import os
import resource
import signal
import time
from typing import NoReturn

from pgvigil.wrapping.job import Ending, Job
from pgvigil.wrapping.outputs import Outputs
from pgvigil.wrapping.process import NotBegunError, Process, become, own_environment
from pgvigil.wrapping.voice import Say, say
from pgvigil.wrapping.watch import Signals, Watch
from pgvigil.wrapping.witness import Witness

TASK_VARIABLE = "PGVIGIL_TASK_ID"
"""Where the command finds the name of its own task."""
# A reader that does not read must not keep the end from being recorded.
_SECONDS_TO_PASS_ON = 5.0
_OFTEN = 0.05


def run(job: Job, tell: Say) -> NoReturn:
    """Run a command, record it, and end as it has ended.

    Args:
        job: the command, and what to record of it.
        tell: takes what goes wrong with recording it.
    """
    environment = own_environment() | {TASK_VARIABLE: job.task_id}
    try:
        signals = Signals()
        outputs = Outputs()
    except (OSError, RuntimeError) as error:  # no descriptors, threads or system calls for it
        tell(f"cannot watch this command, and runs it alone: {error}")
        _run_alone(job, environment)
    witness = Witness(job, outputs.tail, tell)
    began_at = time.time()
    try:
        process = Process(job.command, outputs.actions, environment, signals.mask)
    except NotBegunError as error:
        say(str(error))
        ending = Ending(time.time(), error.exit_code, problem=str(error))
        witness.began(began_at, None)
        witness.ended(ending)
        _leave(ending, signals)
    outputs.command_has_begun()
    watch = Watch(
        process, signals, tell, outputs.resize, timeout=job.timeout, kill_after=job.kill_after
    )
    witness.began(began_at, process.pid)
    ending = watch.until_ended()
    outputs.command_has_ended()
    is_passed_on = outputs.is_over(_SECONDS_TO_PASS_ON)
    outputs.tell_trouble(tell)
    witness.ended(ending)
    while not is_passed_on and not watch.was_asked_to_end(0):
        is_passed_on = outputs.is_over(_OFTEN)
    _leave(ending, signals)


def _run_alone(job: Job, environment: dict[str, str]) -> NoReturn:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())
    try:
        become(job.command, environment)
    except NotBegunError as error:
        say(str(error))
        os._exit(error.exit_code)


def _leave(ending: Ending, signals: Signals) -> NoReturn:
    """End as the command has: by the same signal, or with the same exit code."""
    if ending.signal_number is not None and not ending.is_timeout:
        # The memory of the command would tell something, ours nothing.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signals.end_by(ending.signal_number)
    # At once: what was to be done at the end is done, and what hangs must not keep us.
    os._exit(ending.own_exit_code)
