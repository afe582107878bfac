"""Who a trusted proxy says that somebody is.

A proxy that has people log in may pass their name in a header. Anybody can write a header: so only
those addresses are believed that were named at the start, and only when they say one name.
"""

import ipaddress
from collections.abc import Sequence

from starlette.requests import Request

from pgvigil.exceptions import PgvigilError
from pgvigil.faces.web.problems import ProblemError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_LONGEST_NAME = 255
# What browsers say of a request that our own page, or a person, has made.
_OWN_SITES = {"same-origin", "none"}


class ProxyError(PgvigilError):
    """The address of a proxy is none."""


def networks_of(addresses: Sequence[str]) -> tuple[Network, ...]:
    """Return the addresses, or ranges of them, that are believed.

    Raises:
        ProxyError: one of them is no address.
    """
    try:
        return tuple(ipaddress.ip_network(address) for address in addresses)
    except ValueError as error:
        raise ProxyError(
            f"no address of a proxy: {error}", hint="Give it as 10.0.0.5 or 10.0.0.0/24."
        ) from None


def user_of(request: Request, header: str | None, proxies: Sequence[Network]) -> str | None:
    """Return who somebody is by the header of a trusted proxy, or None.

    Raises:
        ProblemError: the proxy passes more than one name, or what cannot be one.
    """
    if header is None or not _is_trusted(request, proxies):
        return None
    said = request.headers.getlist(header)
    if not any(name.strip() for name in said):
        return None
    # A proxy that adds its own to what a stranger sent, instead of replacing it.
    if len(said) > 1 or "," in said[0]:
        raise ProblemError(400, f"the header {header} names more than one user")
    # In headers letters beyond ASCII come as bytes.
    name = said[0].strip().encode("latin-1").decode("utf-8", "replace")
    if len(name) > _LONGEST_NAME or not name.isprintable() or "\N{REPLACEMENT CHARACTER}" in name:
        raise ProblemError(400, f"the header {header} does not hold a name")
    return name


def _is_trusted(request: Request, proxies: Sequence[Network]) -> bool:
    if request.client is None:
        return False
    address = ipaddress.ip_address(request.client.host)
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in proxies)


def check_own_site(request: Request) -> None:
    """Refuse what a page of somebody else has a browser send, which the proxy lets pass as theirs.

    Raises:
        ProblemError: it does not come from our page, nor from a program.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in _OWN_SITES:
        raise ProblemError(403, "another site may not decide here")
    # No form of another site can send that, and no script there without asking first.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise ProblemError(415, "the body is not JSON", "Send Content-Type: application/json.")
