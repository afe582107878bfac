"""The business that goes on: proposals arrive, people mend and decide, the system pays."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, LiteralString

import psycopg
from proposals import OPENS, Proposal

_PEOPLE = ("ana", "bruno", "clara")
_ARRIVE: LiteralString = """
    insert into apr.proposals values (
        %(proposal)s, %(branch)s, %(client)s, %(received_on)s, %(amount)s, 'RECEIVED',
        %(nfechave)s, %(duplicata)s, %(seuno)s, %(at)s, 'portal', 'SYSTEM'
    )
"""
_BRING: LiteralString = """
    insert into apr.products values (%(proposal)s, %(product)s, %(quantity)s, %(amount)s)
"""
_MEND: LiteralString = """
    update apr.proposals
    set nfechave = coalesce(%(nfechave)s, nfechave), duplicata = coalesce(%(duplicata)s, duplicata),
        seuno = coalesce(%(seuno)s, seuno), changed_at = %(at)s, changed_by = %(by)s,
        changed_through = 'MANUAL'
    where proposal = %(proposal)s
"""
# What a client never mended is given up on the next morning; every second one is forgotten.
_CANCEL: LiteralString = """
    update apr.proposals
    set status = 'CANCELLED', changed_at = %(at)s, changed_by = %(by)s, changed_through = 'MANUAL'
    where proposal = any(%(hopeless)s) and status = 'RECEIVED'
"""
_DECIDE: LiteralString = """
    update apr.proposals
    set status = case when amount > 20000 then 'REJECTED' else 'APPROVED' end,
        changed_at = %(at)s, changed_by = %(by)s, changed_through = 'MANUAL'
    where status = 'ANALYSIS' and changed_at <= %(at)s - interval '2 hours'
"""
# Against the rules, and done all the same: the alert status_change_unexpected tells of it.
_RECONSIDER: LiteralString = """
    update apr.proposals
    set status = 'ANALYSIS', changed_at = %(at)s, changed_by = %(by)s, changed_through = 'MANUAL'
    where proposal = (
        select proposal from apr.proposals where status = 'REJECTED' order by proposal limit 1
    )
"""
_PAY: LiteralString = """
    update apr.proposals
    set status = 'PAID', changed_at = %(at)s, changed_by = 'payments', changed_through = 'SYSTEM'
    where status = 'APPROVED' and received_on < %(day)s
"""


class Business:
    """Lets an hour of business happen; it writes its own tables, and knows of no monitoring."""

    def __init__(self, dsn: str, proposals: Iterable[Proposal]) -> None:
        """Prepare the business.

        Args:
            dsn: its database.
            proposals: all that will arrive, of all days.
        """
        self._dsn = dsn
        self._proposals = list(proposals)

    def work_until(self, now: datetime) -> None:
        """Do what happens in the hour before a time."""
        with psycopg.connect(self._dsn) as connection:
            self._receive(connection, now)
            self._mend(connection, now)
            if now.hour == OPENS + 1:
                self._begin_day(connection, now)
            self._run(connection, _DECIDE, now - timedelta(minutes=8))

    def _receive(self, connection: psycopg.Connection[Any], now: datetime) -> None:
        for each in self._proposals:
            if now - timedelta(hours=1) <= (at := _arrival(each)) < now:
                values = {**each.__dict__, "at": at}
                values.pop("products")
                values.pop("right")
                connection.execute(_ARRIVE, values)
                for product in each.products:
                    connection.execute(_BRING, {"proposal": each.proposal, **product.__dict__})

    def _mend(self, connection: psycopg.Connection[Any], now: datetime) -> None:
        nothing: Mapping[str, str | None] = dict.fromkeys(("nfechave", "duplicata", "seuno"))
        for each in self._proposals:
            if each.mended_after is None:
                continue
            due = _arrival(each) + timedelta(hours=each.mended_after)
            # What falls due at night is mended in the first hour of the morning.
            since = now - timedelta(hours=1 if now.hour > OPENS + 1 else 15)
            if since <= due < now:
                at = max(now - timedelta(minutes=10), due)
                self._run(
                    connection, _MEND, at, **{**nothing, **each.right, "proposal": each.proposal}
                )

    def _begin_day(self, connection: psycopg.Connection[Any], now: datetime) -> None:
        at = now - timedelta(minutes=9)
        hopeless = [
            each.proposal
            for each in self._proposals
            if each.right and each.mended_after is None and each.received_on < now.date()
        ]
        self._run(connection, _CANCEL, at, hopeless=hopeless[::2])
        self._run(connection, _RECONSIDER, at)
        connection.execute(_PAY, {"at": at, "day": now.date()})

    @staticmethod
    def _run(
        connection: psycopg.Connection[Any], query: LiteralString, at: datetime, **values: Any
    ) -> None:
        who = _PEOPLE[at.hour % len(_PEOPLE)]
        connection.execute(query, {"at": at, "by": who, **values})


def _arrival(proposal: Proposal) -> datetime:
    at = time(proposal.hour, proposal.minute, tzinfo=UTC)
    return datetime.combine(proposal.received_on, at)
