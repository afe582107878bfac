"""Other paths under which the API is found, for programs that know it by those."""

import re

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pgvigil.exceptions import PgvigilError

API = "/api"
_PATH = re.compile(r"(/[\w.~-]+)+", re.ASCII)


class PathError(PgvigilError):
    """The API cannot be found under this path."""


def check_paths(paths: tuple[str, ...], routes: list[BaseRoute]) -> None:
    """See whether paths are such, and none of ours.

    Raises:
        PathError: one of them is none, or hides a path of ours.
    """
    for path in paths:
        if not _PATH.fullmatch(path):
            raise PathError(
                f"{path!r} is not a path for the API",
                hint="Give one that begins and does not end with /, as /api/ami-operational.",
            )
        for route in routes:
            if isinstance(route, Route) and f"{route.path}/".startswith(f"{path}/"):
                raise PathError(
                    f"the API cannot be found under {path}: that is a path of ours",
                    hint="Give one that is not in use, as /api/ami-operational.",
                )


class OtherPaths:
    """Takes what is asked under another path as if it were asked under ours."""

    def __init__(self, app: ASGIApp, paths: tuple[str, ...]) -> None:
        """Stand before an app whose API is found under other paths as well."""
        self._app = app
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http":
            for path in self._paths:
                if scope["path"].startswith(f"{path}/"):
                    own = API + scope["path"].removeprefix(path)
                    raw = API.encode() + scope["raw_path"].removeprefix(path.encode())
                    scope = {**scope, "path": own, "raw_path": raw}
                    break
        await self._app(scope, receive, send)
