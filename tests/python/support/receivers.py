"""Receivers of notifications on loopback, which fail in whatever way a test wants."""

import json
import socket
import socketserver
import threading
from collections import Counter
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, cast

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Received:
    """A message as it came in, whether or not it was accepted."""

    path: str
    key: str
    document: Any
    answer: str


class _Receiver:
    """A server in threads; `plan` says how it answers, one entry a message, then always "ok"."""

    def __init__(self, server: socketserver.TCPServer) -> None:
        self.plan: list[str] = []
        self.default = "ok"
        self.released = threading.Event()
        """What is held or hangs goes on once this is set."""
        self.most_at_once: Counter[str] = Counter()
        self._now: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server = server
        self._server.receiver = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_address[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of whoever waits, and listen no more."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def next_answer(self) -> str:
        """Return how the message that has come is to be answered."""
        with self._lock:
            return self.plan.pop(0) if self.plan else self.default

    def begin(self, what: str) -> None:
        """Count a message that is being received."""
        with self._lock:
            self._now[what] += 1
            self.most_at_once[what] = max(self.most_at_once[what], self._now[what])

    def end(self, what: str) -> None:
        """Count it no longer."""
        with self._lock:
            self._now[what] -= 1


class Webhook(_Receiver):
    """An HTTP server.

    Answers: ok, a status such as 500, close (without an answer), half (of an answer), hold (until
    released, then ok), trickle (a byte now and then until released).
    """

    def __init__(self, port: int = 0) -> None:
        """Listen; port 0 for any that is free."""
        self.received: list[Received] = []
        super().__init__(_HttpServer((HOST, port), _HttpHandler))

    def url(self, path: str = "/hook", scheme: str = "json", login: str = "") -> str:
        """Return its address."""
        return f"{scheme}://{login}{HOST}:{self.port}{path}"

    def keys(self) -> list[str]:
        """Return the keys of all that came, in order."""
        return [each.key for each in self.received]


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients are killed in the middle."""


class _HttpHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self._receive(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def do_GET(self) -> None:
        self._receive(None)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _receive(self, document: Any) -> None:
        receiver = cast("Webhook", self.server.receiver)  # type: ignore[attr-defined]
        answer = receiver.next_answer()
        receiver.begin(self.path)
        key = self.headers.get("Idempotency-Key", "")
        receiver.received.append(Received(self.path, key, document, answer))
        try:
            self._answer(receiver, answer)
        finally:
            receiver.end(self.path)

    def _answer(self, receiver: Webhook, answer: str) -> None:
        self.close_connection = True
        if answer == "close":
            return
        if answer == "hold":
            receiver.released.wait(60)
        if answer == "half":
            self.wfile.write(b"HTTP/1.1 2")
            return
        if answer == "trickle":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not receiver.released.wait(0.2):
                self.wfile.write(b".")
            return
        # What it was sent, as some receivers do when they complain.
        text = f"{self.path} {self.headers.get('Authorization', '')}".encode()
        self.send_response(int(answer) if answer.isdigit() else 200)
        if answer == "302":
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


class Mailbox(_Receiver):
    """An SMTP server.

    Answers: ok, a code such as 451 in place of accepting the message, close (instead of that), hold
    (until released, then ok), login (refused, with the credentials in the answer).
    """

    def __init__(self, port: int = 0) -> None:
        """Listen; port 0 for any that is free."""
        self.mails: list[EmailMessage] = []
        super().__init__(_MailServer((HOST, port), _MailHandler))

    def url(self, login: str = "") -> str:
        """Return its address."""
        return f"mailto://{login}{HOST}:{self.port}?from=runner@test.example&to=ops@test.example"


class _MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients are killed in the middle."""


class _MailHandler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        receiver = cast("Mailbox", self.server.receiver)  # type: ignore[attr-defined]
        self._say("220 mail.test.example")
        for line in self.rfile:
            verb = line.split()[0].upper()
            if verb == b"EHLO":
                self._say("250-mail.test.example\r\n250 AUTH PLAIN")
            elif verb == b"AUTH" and receiver.next_answer() == "login":
                self._say(f"535 5.7.8 not these: {line.decode().split()[2]}")
            elif verb == b"AUTH":
                self._say("235 welcome")
            elif verb == b"DATA":
                self._take(receiver)
            elif verb == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine")

    def _take(self, receiver: Mailbox) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        answer = receiver.next_answer()
        mail = message_from_bytes(b"".join(lines), policy=policy.default)
        receiver.mails.append(mail)
        if answer == "close":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if answer == "hold":
            receiver.released.wait(60)
        self._say(f"{answer} not now" if answer.isdigit() else "250 taken")

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")
