"""What a process is like that carries out orders: a line of JSON each, as its answers are.

It is a process since a thread that hangs cannot be ended, and since what libraries load goes with
it. Whoever gives the orders ends it in time (`pgvigil.outside.children`); it ends by itself where
they have been killed.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

# For whoever gave the order to be the first to end us.
_GRACE_SECONDS = 2.0


def serve(carry_out: Callable[[dict[str, Any]], Iterable[Mapping[str, Any]]]) -> None:
    """Carry out the orders on standard input until that ends; then the process ends as well.

    Args:
        carry_out: yields the answers to an order, of which ``seconds`` says how long it may take.
    """
    try:
        # What a library prints must not be taken for an answer.
        with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
            os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
            for line in sys.stdin.buffer:
                order = json.loads(line)
                signal.setitimer(signal.ITIMER_REAL, order["seconds"] + _GRACE_SECONDS)
                for answer in carry_out(order):
                    answers.write(json.dumps(answer).encode() + b"\n")
                    answers.flush()
                signal.setitimer(signal.ITIMER_REAL, 0)
    except BrokenPipeError:
        pass  # nobody is left to hear how it went
    # Drivers would read on to the end of what they were sent.
    os._exit(0)
