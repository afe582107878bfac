"""The files of the page: kept in memory, compressed, and by browsers for as long as they stay.

The address of a file holds a digest of all files, so that it may be kept for ever; the page itself
is asked for each time, and names them.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request
from fastapi.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_SHELL = "index.html"
_ASSETS = "assets/"
_MODULES = "<!-- modules -->"
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_EACH_TIME = "no-cache"
# Less than that fits into a packet either way.
_WORTH_PACKING = 600


@dataclass(frozen=True)
class _File:
    content: bytes
    packed: bytes
    media_type: str
    tag: str

    @classmethod
    def of(cls, content: bytes, name: str) -> "_File":
        known = mimetypes.types_map.get(Path(name).suffix, "application/octet-stream")
        # Of these two the library that guesses has had several names.
        media_type = {".js": "text/javascript", ".svg": "image/svg+xml"}.get(
            Path(name).suffix, known
        )
        if media_type.startswith("text/"):
            media_type += "; charset=utf-8"
        tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
        return cls(content, gzip.compress(content, 9, mtime=0), media_type, tag)

    def answer(self, request: Request, caching: str, status: int = 200) -> Response:
        """Return it, or that what the browser has is still right."""
        headers = {"Cache-Control": caching, "ETag": self.tag, "Vary": "Accept-Encoding"}
        known = request.headers.get("if-none-match", "")
        if status == 200 and self.tag in [tag.strip() for tag in known.split(",")]:
            return Response(status_code=304, headers=headers)
        content = self.content
        if _takes_gzip(request) and len(content) > _WORTH_PACKING:
            content, headers["Content-Encoding"] = self.packed, "gzip"
        return Response(
            b"" if request.method == "HEAD" else content,
            status,
            headers | {"Content-Type": self.media_type},
        )


class PageFiles:
    """All files of a directory, by name: what is asked for is never made into a path."""

    def __init__(self, directory: Path) -> None:
        """Read them; a directory that is missing has none."""
        files = sorted(directory.iterdir()) if directory.is_dir() else []
        contents = {file.name: file.read_bytes() for file in files if file.is_file()}
        self._shell = contents.pop(_SHELL, None)
        self._files = {name: _File.of(content, name) for name, content in contents.items()}
        digest = hashlib.sha256()
        for name, content in contents.items():
            digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
        self._version = digest.hexdigest()[:12]
        self._shells: dict[int, _File] = {}

    def asset(self, request: Request, version: str, name: str) -> Response | None:
        """Return a file, if there is one; of another version what there is now, not to be kept."""
        file = self._files.get(name)
        if file is None:
            return None
        return file.answer(request, _FOR_EVER if version == self._version else _ASK_EACH_TIME)

    def shell(self, request: Request, status: int = 200) -> Response | None:
        """Return the page for the path that is asked for, if there is a page."""
        if self._shell is None:
            return None
        # As browsers see it: a slash within a name is none.
        depth = request.scope["raw_path"].count(b"/") - 1
        if depth not in self._shells:
            self._shells[depth] = _File.of(self._shell_at(self._shell, depth), _SHELL)
        return self._shells[depth].answer(request, _ASK_EACH_TIME, status)

    def _shell_at(self, shell: bytes, depth: int) -> bytes:
        """Return the page with its files where they are, seen from so deep below its root.

        Their places are relative, since a proxy may have the page below a path of its own.
        """
        place = "../" * min(depth, 50) + _ASSETS
        text = shell.decode().replace(f'="{_ASSETS}', f'="{place}{self._version}/')
        # Else a browser would learn of each module from the one that imports it, hop by hop.
        modules = "".join(
            f'<link rel="modulepreload" href="{place}{self._version}/{name}">\n'
            for name in self._files
            if name.endswith(".js") and name != "theme.js"
        )
        return text.replace(_MODULES, modules.rstrip()).encode()


class NothingThere:
    """Answers where no path is: with a page to people, and to programs as ever."""

    def __init__(self, files: PageFiles, otherwise: ASGIApp) -> None:
        """Take the page, and what answers otherwise."""
        self._files = files
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        answer: ASGIApp = self._otherwise
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            request = Request(scope)
            is_person = "text/html" in request.headers.get("accept", "")
            if is_person and not request.url.path.startswith("/api/"):
                answer = self._files.shell(request, 404) or answer
        await answer(scope, receive, send)


def _takes_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")
