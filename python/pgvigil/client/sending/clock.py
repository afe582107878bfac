"""How wrong the clock of this program is, as the database's answers show."""

import time
from datetime import UTC, datetime

_RIGHT_ENOUGH = 5.0  # seconds, as for `record_batch()`
_LONGEST_WAY = 2.0  # seconds from sending to the answer, for it to tell something


class Clock:
    """Says with a batch what time it is here, if that is not known to be right.

    A batch that says so is moved to the database's time when it is recorded. That may be long
    after it was sent, as by a server that was frozen, so one whose clock is right says nothing.
    """

    def __init__(self) -> None:
        """Begin with a clock that may be wrong."""
        self._is_right = False

    def told(self) -> str:
        """Return what a batch says of the time, as a member of a JSON object, or nothing."""
        return "" if self._is_right else f'"sent_at": "{datetime.now(UTC).isoformat()}", '

    def compare(self, recorded_at: str | None, sent_at: float) -> None:
        """Learn from an answer.

        Args:
            recorded_at: the database's time at which it recorded a batch, if it said so.
            sent_at: our time at which that was sent, in seconds.
        """
        now = time.time()
        if recorded_at is None or not 0 <= now - sent_at <= _LONGEST_WAY:
            return
        there = datetime.fromisoformat(recorded_at).timestamp()
        self._is_right = sent_at - _RIGHT_ENOUGH <= there <= now + _RIGHT_ENOUGH
