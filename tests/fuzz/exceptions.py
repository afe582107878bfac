"""What is known to be wrong: each entry is a debt, and the list shrinks to nothing."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fuzz.campaign import Outcome

KNOWN: Mapping[str, "Callable[[Outcome], bool]"] = {
    "recording raises instead of repairing": lambda outcome: (
        outcome.role == "monitoring_writer" and outcome.state[:2] in ("PV", "22")
    ),
    "a time, a number or a word fails inside": lambda outcome: outcome.state[:2] in ("22", "23"),
}
