"""What is checked of a proposal: its invoice key, its trade bill and the client's own number."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]
_BILL = re.compile(r"(\d{9})/(\d{2})")
_OWN_NUMBER = re.compile(r"[0-9A-Za-z]{1,25}")


def check_digit(digits: str) -> str:
    """Return the check digit of the 43 digits of an invoice key.

    The last digit counts twice, the one before it three times, and so on to nine times, then
    twice again. What the sum lacks to a multiple of eleven is the check digit; ten and eleven
    are written as zero.
    """
    total = sum(int(digit) * (2 + place % 8) for place, digit in enumerate(reversed(digits)))
    lacking = 11 - total % 11
    return str(lacking) if lacking < 10 else "0"


def fault_of_nfechave(row: Row) -> str | None:
    """Return what is wrong with the key of the invoice."""
    key = row["nfechave"] or ""
    if len(key) != 44:
        return f"the key has {len(key)} characters, not 44"
    if not (key.isascii() and key.isdigit()):
        return "the key has more in it than digits"
    if not "01" <= key[4:6] <= "12":
        return f"the key is of month {key[4:6]}"
    if check_digit(key[:43]) != key[43]:
        return f"the check digit is {key[43]} and should be {check_digit(key[:43])}"
    return None


def fault_of_duplicata(row: Row) -> str | None:
    """Return what is wrong with the trade bill: its number is the invoice's, and an instalment."""
    bill = _BILL.fullmatch(row["duplicata"] or "")
    if bill is None:
        return "the bill is not written as NUMBER/INSTALMENT"
    key = row["nfechave"] or ""
    # With a key that is wrong itself there is nothing to compare.
    if fault_of_nfechave(row) is None and bill[1] != key[25:34]:
        return f"the bill is of invoice {bill[1]} and the key of {key[25:34]}"
    return None


def fault_of_seuno(row: Row, taken: Mapping[tuple[str, str], int]) -> str | None:
    """Return what is wrong with the client's own number, which no other proposal may have."""
    number = row["seuno"] or ""
    if _OWN_NUMBER.fullmatch(number) is None:
        return "the number is not 1 to 25 letters and digits"
    if taken[row["client"], number] > 1:
        return "another proposal of the client has the number"
    return None


def faults(rows: Iterable[Row]) -> dict[str, list[dict[str, Any]]]:
    """Return the proposals that are wrong by validation, as pgvigil takes them.

    Args:
        rows: all proposals of a day, for a number must be the only one of its day and client.
    """
    rows = list(rows)
    taken = Counter((row["client"], row["seuno"] or "") for row in rows)
    found: dict[str, list[dict[str, Any]]] = {"NFECHAVE": [], "DUPLICATA": [], "SEUNO": []}
    for row in rows:
        for validation, column, fault in (
            ("NFECHAVE", "nfechave", fault_of_nfechave(row)),
            ("DUPLICATA", "duplicata", fault_of_duplicata(row)),
            ("SEUNO", "seuno", fault_of_seuno(row, taken)),
        ):
            if fault is not None:
                found[validation].append(
                    {
                        "record_key": row["proposal"],
                        "value": row[column],
                        "group": row["branch"],
                        "message": fault,
                    }
                )
    return found
