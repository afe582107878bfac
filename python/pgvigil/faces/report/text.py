"""A daily report as plain text: for mail programs, chats and terminals."""

import textwrap
from collections.abc import Iterator

from pgvigil.faces.plain import plain
from pgvigil.faces.report.blocks import Charts, Content, Section, Verdicts
from pgvigil.faces.report.html import sign

_WIDTH = 78


def as_text(content: Content, *, has_details: bool = True) -> bytes:
    """Return a report as text in UTF-8.

    Args:
        content: what it says.
        has_details: whether what comes after the first page is in it.
    """
    return ("\n".join(_lines(content, has_details)).rstrip() + "\n").encode()


def _lines(content: Content, has_details: bool) -> Iterator[str]:
    yield from _wrapped(": ".join(filter(None, [content.state.upper(), content.headline])))
    yield ""
    yield from _wrapped(f"{content.title}. {content.line}")
    for warning in content.warnings:
        yield from _wrapped(f"! {warning}", "  ")
    for block in content.blocks:
        if isinstance(block, Verdicts):
            yield ""
            yield from _verdicts(block)
        elif isinstance(block, Section) and (has_details or not block.is_detail):
            yield ""
            yield from _section(block)
        # A chart says nothing that is not said in figures.
        assert isinstance(block, Verdicts | Section | Charts)
    if content.link:
        yield ""
        yield f"How it is now: {content.link}"


def _verdicts(block: Verdicts) -> Iterator[str]:
    for verdict in block.verdicts:
        yield from _wrapped(f"* {verdict.name}: {verdict.text}", "  ")
        if verdict.days:
            week = " ".join(f"{day.name[:2]} {sign(day.verdict)}" for day in verdict.days)
            yield f"  {week}"
    for line in block.lines:
        yield from _wrapped(line)


def _section(section: Section) -> Iterator[str]:
    yield from _wrapped(section.heading.upper() if section.rows else section.heading)
    for line in section.lines:
        yield from _wrapped(line, "  ")
    for row in section.rows:
        told = (_told(name, text) for name, text in zip(section.columns, row, strict=True) if text)
        yield from _wrapped("* " + ", ".join(told), "  ")


def _told(column: str, text: str) -> str:
    """Say what a figure is, and since when; other cells speak for themselves."""
    if column.startswith("since"):
        return f"since {text}"
    return f"{column.removesuffix('>')} {text}" if column.endswith(">") else text


def _wrapped(text: str, indent: str = "") -> Iterator[str]:
    yield from textwrap.wrap(
        plain(text), _WIDTH, subsequent_indent=indent, break_on_hyphens=False
    ) or [""]
