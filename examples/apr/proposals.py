"""Proposals to try monitoring with: made by chance, some of them wrong in one way or another."""

import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from validations import check_digit

BRANCHES = ("Campinas", "Curitiba", "Recife", "Santos")
CLIENTS = tuple(f"client-{number:02}" for number in range(1, 13))
PRODUCTS = ("bills", "cheques", "guarantee", "insurance")
STATES = ("26", "35", "41")
OPENS, CLOSES = 8, 18
"""Hours between which proposals arrive and people work."""


@dataclass(frozen=True)
class Product:
    """What a client buys with a proposal."""

    product: str
    quantity: int
    amount: float


@dataclass(frozen=True)
class Proposal:
    """A proposal as it arrives, and what will be done about what is wrong with it."""

    proposal: str
    branch: str
    client: str
    received_on: date
    hour: int
    minute: int
    amount: float
    nfechave: str | None
    duplicata: str | None
    seuno: str | None
    products: tuple[Product, ...]
    right: dict[str, str] = field(default_factory=dict)
    """Columns that are wrong, with what they should be."""
    mended_after: int | None = None
    """Hours until somebody mends it; None for never."""


def proposals_of(day: date, count: int, wrong_percent: float, seed: int) -> list[Proposal]:
    """Return the proposals of a day; the same seed makes the same ones."""
    chance = random.Random(f"{seed} {day}")
    made = [_proposal(day, number, chance) for number in range(1, count + 1)]
    return [
        _spoilt(proposal, made, chance) if chance.random() * 100 < wrong_percent else proposal
        for proposal in made
    ]


def _proposal(day: date, number: int, chance: random.Random) -> Proposal:
    invoice = f"{chance.randrange(1, 10**9):09}"
    client = chance.choice(CLIENTS)
    amount = round(chance.lognormvariate(8, 1), 2)
    chosen = chance.sample(PRODUCTS, chance.randint(1, 3))
    return Proposal(
        proposal=f"{day:%Y%m%d}-{number:04}",
        branch=chance.choice(BRANCHES),
        client=client,
        received_on=day,
        hour=chance.randrange(OPENS, CLOSES - 1),
        minute=chance.randrange(60),
        amount=amount,
        nfechave=_key(day, client, invoice, chance),
        duplicata=f"{invoice}/{chance.randint(1, 3):02}",
        seuno=f"{client[-2:]}{day:%y%m%d}{number:04}",
        products=tuple(
            Product(name, chance.randint(1, 5), round(amount / len(chosen), 2))
            for name in sorted(chosen)
        ),
    )


def _key(day: date, client: str, invoice: str, chance: random.Random) -> str:
    """Return the key of an electronic invoice: 43 digits that say whose it is, and the check."""
    issued = day - timedelta(days=chance.randrange(60))
    digits = (
        f"{chance.choice(STATES)}{issued:%y%m}{client[-2:]:0>14}55{chance.randrange(1000):03}"
        f"{invoice}1{chance.randrange(10**8):08}"
    )
    return digits + check_digit(digits)


def _spoilt(proposal: Proposal, others: list[Proposal], chance: random.Random) -> Proposal:
    """Return a proposal with one or two columns wrong, most of which somebody mends later."""
    wrong: dict[str, str | None] = {}
    for column in chance.sample(("nfechave", "duplicata", "seuno"), chance.choice((1, 1, 1, 2))):
        right = getattr(proposal, column)
        if column == "nfechave":
            wrong[column] = _wrong_key(right, chance)
        elif column == "duplicata":
            wrong[column] = chance.choice((None, right[:9], "0" * 9 + right[9:]))
        else:
            wrong[column] = chance.choice((None, right + "!", _taken(proposal, others)))
    return replace(
        proposal,
        **wrong,  # type: ignore[arg-type]
        right={column: getattr(proposal, column) for column in wrong},
        mended_after=chance.choice((1, 2, 5, 20, 26, None)),
    )


def _wrong_key(key: str, chance: random.Random) -> str:
    digit = str((int(key[-1]) + chance.randint(1, 9)) % 10)
    return chance.choice((key[:-1] + digit, key[:-1], key[:20] + "X" + key[21:], _swapped(key)))


def _swapped(key: str) -> str:
    """Return a key with two neighbours the wrong way round, the commonest mistake of a typist."""
    place = next(n for n in range(25, 43) if key[n] != key[n + 1])
    return key[:place] + key[place + 1] + key[place] + key[place + 2 :]


def _taken(proposal: Proposal, others: list[Proposal]) -> str | None:
    """Return a number that another proposal of the client has."""
    same = [each for each in others if each.client == proposal.client and each != proposal]
    return same[0].seuno if same else None
