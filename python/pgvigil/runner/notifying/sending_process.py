"""The process that sends: orders on standard input, a line each, and outcomes on standard output.

A process, since a thread that hangs cannot be ended, and since what Apprise loads goes with it. It
ends when its input does; whoever gave it an order may have been killed by then.
"""

import os
import signal
import sys

from pgvigil.runner.notifying.delivery import deliver
from pgvigil.runner.notifying.orders import Order

# The runner ends us at the limit; this is for when it is no more.
_GRACE_SECONDS = 2.0


def main() -> None:
    """Serve until there is no more to do."""
    # A service manager that stops the runner asks all its processes to end, while the runner
    # still waits for what is being sent.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    # What a library prints must not be taken for an outcome.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        for line in sys.stdin.buffer:
            order = Order.from_line(line)
            signal.setitimer(signal.ITIMER_REAL, order.seconds + _GRACE_SECONDS)
            outcome = deliver(order)
            signal.setitimer(signal.ITIMER_REAL, 0)
            answers.write(outcome.line())
            answers.flush()


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        os._exit(0)  # nobody is left to hear how it went
