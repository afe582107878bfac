"""The body of a request in pieces, unpacked as it comes and cut off where it grows too large.

Nothing holds all of it: a small body may unpack to anything.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol

from starlette.requests import ClientDisconnect, Request

from pgvigil.faces.web.sentry.refusals import refused

LARGEST_SENT = 20 * 2**20
"""Most bytes of a body as it is sent."""
LARGEST_UNPACKED = 50 * 2**20
"""Most bytes of a body once it is unpacked."""
_PIECE = 65_536
_OFFERED = "Send it as it is, or with Content-Encoding gzip or deflate."
_GZIP = 16 + zlib.MAX_WBITS


class _Unpacker(Protocol):
    def pieces(self, sent: bytes) -> Iterator[bytes]:
        """Unpack what has come, in pieces of bounded size."""

    def end(self) -> None:
        """See whether all of it has come."""


async def unpacked(request: Request) -> AsyncIterator[bytes]:
    """Yield the body of a request in pieces.

    Raises:
        ProblemError: it is too large, is packed in another way than it says, or ends early.
    """
    unpacker = _unpacker(request.headers.get("content-encoding", "").strip().lower())
    sent = given = 0
    try:
        async for taken in request.stream():
            sent += len(taken)
            if sent > LARGEST_SENT:
                raise refused(413, f"the body is larger than {LARGEST_SENT:,} bytes")
            for piece in unpacker.pieces(taken):
                given += len(piece)
                if given > LARGEST_UNPACKED:
                    raise refused(413, f"the body unpacks to more than {LARGEST_UNPACKED:,} bytes")
                yield piece
                # What few bytes unpack to may take long, and others wait.
                await asyncio.sleep(0)
    except ClientDisconnect:
        raise refused(400, "the body did not come whole") from None
    unpacker.end()


def _unpacker(encoding: str) -> _Unpacker:
    if encoding in ("", "identity"):
        return _Plain()
    if encoding in ("gzip", "x-gzip"):
        return _Deflated(_GZIP)
    if encoding == "deflate":
        return _Deflated(zlib.MAX_WBITS)
    if encoding == "br":
        return _Brotli()
    raise refused(415, f"Content-Encoding {encoding[:20]!a} is not known here", _OFFERED)


class _Plain:
    """Is as it was sent."""

    def pieces(self, sent: bytes) -> Iterator[bytes]:
        yield sent

    def end(self) -> None:
        pass


class _Deflated:
    """Was packed by zlib."""

    def __init__(self, form: int) -> None:
        self._stream = zlib.decompressobj(form)

    def pieces(self, sent: bytes) -> Iterator[bytes]:
        piece = b""
        # A full piece may not have been all that the bytes before it stood for.
        while not self._stream.eof and (sent or len(piece) == _PIECE):
            try:
                piece = self._stream.decompress(sent, _PIECE)
            except zlib.error:
                raise refused(400, "the body cannot be unpacked") from None
            sent = self._stream.unconsumed_tail
            yield piece

    def end(self) -> None:
        if not self._stream.eof:
            raise refused(400, "the body ends before it is whole")


class _Brotli:
    """Was packed by Brotli, which Python has no library of its own for."""

    def __init__(self) -> None:
        self._stream, self._error = _brotli()

    def pieces(self, sent: bytes) -> Iterator[bytes]:
        try:
            yield self._stream.process(sent, output_buffer_limit=_PIECE)
            while not self._stream.can_accept_more_data():
                yield self._stream.process(b"", output_buffer_limit=_PIECE)
        except self._error:
            raise refused(400, "the body cannot be unpacked") from None

    def end(self) -> None:
        if not self._stream.is_finished():
            raise refused(400, "the body ends before it is whole")


def _brotli() -> tuple[Any, type[Exception]]:
    """Return a stream of Brotli and what it raises."""
    try:
        import brotli
    except ImportError:
        brotli = None
    # Older ones cannot be kept from unpacking without end.
    if not hasattr(getattr(brotli, "Decompressor", None), "can_accept_more_data"):
        raise refused(
            415,
            "Content-Encoding br is not known here: brotli 1.2 is not installed beside pgvigil",
            _OFFERED,
        )
    return brotli.Decompressor(), brotli.error
