"""The runner's hold on a process that sends."""

from dataclasses import asdict

from pgvigil.database.words import length_of_time
from pgvigil.outside.children import Child, EndedError
from pgvigil.runner.notifying.orders import Order, Outcome


class Messenger:
    """Has one order after another carried out by a process, which begins with the first one."""

    def __init__(self) -> None:
        """Describe it; nothing is started yet."""
        self._child = Child("pgvigil.runner.notifying.sending_process")

    async def deliver(self, order: Order) -> Outcome:
        """Have something sent, and return how that went, at the latest when its time is up."""
        try:
            return Outcome(**await self._child.ask(asdict(order)))
        except TimeoutError:
            return Outcome(f"no answer within {length_of_time(order.seconds)}", was_silent=True)
        except OSError as error:
            return Outcome(f"the sending process failed: {error.strerror}")
        except EndedError as error:
            return Outcome(f"the sending process {error}")

    async def close(self) -> None:
        """Let the process end."""
        await self._child.close()
