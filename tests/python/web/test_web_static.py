"""The files of the page: kept by browsers for ever, compressed, found from every address."""

import asyncio
import gzip
import re
import socket
from typing import Any

import httpx
import pytest

from pgvigil.faces.web.protocol import TimelyProtocol
from tests.python.support.web_problems import assert_problem
from tests.python.support.web_running import Web

_FOR_PEOPLE = {"Accept": "text/html,*/*"}


def _files_of(shell: str) -> list[str]:
    return re.findall(r'="((?:\.\./)*assets/[^"]+)"', shell)


@pytest.mark.parametrize(
    "path", ["", "jobs", "jobs/a%2Fb", "runs/a/2", "errors/v1:x", "alerts/7", "fleet"]
)
def test_every_address_has_the_page_with_its_files(filled_web: Web, path: str) -> None:
    answer = filled_web.client.get(f"/{path}")
    assert answer.status_code == 200
    for file in _files_of(answer.text):
        place = httpx.URL(f"{filled_web.server.url}{path}").join(file)
        assert filled_web.client.get(place).status_code == 200
    assert len(_files_of(answer.text)) > 20


def test_files_are_kept_for_ever_and_the_page_is_asked_for(filled_web: Web) -> None:
    shell = filled_web.client.get("/")
    assert shell.headers["cache-control"] == "no-cache"
    known = {"If-None-Match": shell.headers["etag"]}
    again = filled_web.client.get("/", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    # From another depth it names its files otherwise.
    assert filled_web.client.get("/jobs/a", headers=known).status_code == 200
    (script,) = [file for file in _files_of(shell.text) if file.endswith("/main.js")][:1]
    file = filled_web.client.get(f"/{script}")
    assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
    old = filled_web.client.get("/assets/another/main.js")
    assert (old.content, old.headers["cache-control"]) == (file.content, "no-cache")


def test_files_come_compressed_to_those_who_take_that(filled_web: Web) -> None:
    files = ["", *set(_files_of(filled_web.client.get("/").text))]
    sent = 0
    for file in files:
        plain = filled_web.client.get(f"/{file}", headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        with filled_web.client.stream("GET", f"/{file}") as packed:
            raw = b"".join(packed.iter_raw())
        is_packed = packed.headers.get("content-encoding") == "gzip"
        assert (gzip.decompress(raw) if is_packed else raw) == plain.content
        sent += len(raw)
    assert sent < 100_000


def test_where_nothing_is_people_have_a_page_and_programs_a_problem(filled_web: Web) -> None:
    page = filled_web.client.get("/no/such/place", headers=_FOR_PEOPLE)
    assert (page.status_code, "pgvigil" in page.text) == (404, True)
    assert_problem(filled_web.client.get("/no/such/place"), 404)
    assert_problem(filled_web.client.get("/api/no/such", headers=_FOR_PEOPLE), 404)
    assert_problem(filled_web.client.post("/no/such/place", headers=_FOR_PEOPLE), 404)


def test_small_answers_do_not_wait_for_each_other(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    delayed: list[int] = []
    made = TimelyProtocol.connection_made

    def note(self: TimelyProtocol, transport: asyncio.Transport) -> None:
        opened: Any = transport.get_extra_info("socket")
        delayed.append(opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        made(self, transport)

    monkeypatch.setattr(TimelyProtocol, "connection_made", note)
    with Web(dsn) as web:
        web.get("/healthz")
    assert delayed == [1]
