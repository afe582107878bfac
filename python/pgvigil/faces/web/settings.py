"""What a web service is told when it starts."""

from dataclasses import dataclass, field
from pathlib import Path

from pgvigil.faces.web.users import Network, networks_of

_PAGE = Path(__file__).parent / "page"


@dataclass(frozen=True)
class WebSettings:
    """Where the database is, who may write, and how much one question may cost."""

    dsn: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    """What a caller must show who wants to write; None: nobody may."""
    ping_key: str | None = field(default=None, repr=False)
    """What those must show who send pings and alerts of other systems; None: nobody may."""
    user_header: str | None = None
    """Header in which a proxy names who may write; None: no header is believed."""
    proxies: tuple[Network, ...] = networks_of(("127.0.0.1", "::1"))
    """Addresses whose header is believed."""
    names: tuple[str, ...] = ()
    """Names under which it may be asked, besides localhost and bare addresses."""
    connections: int = 4
    """Most connections to the database at once."""
    seconds_to_answer: float = 10.0
    """Longest time that the database may take for one statement."""
    api_paths: tuple[str, ...] = ()
    """Paths under which the API is found, besides `/api`."""
    page: Path = _PAGE
    """Directory of the page's files."""
