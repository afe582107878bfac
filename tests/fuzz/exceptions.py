"""What is known to be wrong: each entry is a debt, and the list shrinks to nothing."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fuzz.campaign import Outcome

KNOWN: Mapping[str, "Callable[[Outcome], bool]"] = {}
