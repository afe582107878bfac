"""A daily report as one HTML file, without anything from elsewhere, so that it can be mailed.

Mail programs know little: many drop style sheets, scripts and drawings. So each element has its
style with it, bars are cells of tables, and the sheet only adds colours for dark screens.
"""

from collections.abc import Iterator, Sequence
from html import escape

from pgvigil.faces.report.blocks import (
    Bar,
    Block,
    Chart,
    Charts,
    Content,
    Section,
    Verdict,
    Verdicts,
)

# What a class looks like on light and on dark screens. What a colour says is in words as well.
_LOOKS: dict[str, tuple[str, str]] = {
    "paper": (
        "margin:0;padding:0;background:#ffffff;color:#1b1f24;"
        "font:15px/1.45 system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;",
        "background:#15181c;color:#e6e9ed;",
    ),
    "sheet": ("max-width:680px;margin:0 auto;padding:16px;", ""),
    "title": ("font-size:14px;margin:0;font-weight:normal;color:#57606a;", "color:#a3acb6;"),
    "headline": ("font-size:20px;line-height:1.3;margin:4px 0 6px;overflow-wrap:anywhere;", ""),
    "heading": ("font-size:16px;margin:22px 0 4px;", ""),
    "quiet": ("margin:2px 0;color:#57606a;overflow-wrap:anywhere;", "color:#a3acb6;"),
    "line": ("margin:3px 0;overflow-wrap:anywhere;", ""),
    "warning": (
        "margin:8px 0;padding:8px 10px;border-left:4px solid #8a5300;background:#fff4dc;"
        "color:#1b1f24;overflow-wrap:anywhere;",
        "background:#3a2c10;color:#f3e6c8;border-left-color:#e3b341;",
    ),
    "table": ("border-collapse:collapse;width:100%;", ""),
    "head": (
        "text-align:left;vertical-align:bottom;padding:4px 8px 4px 0;font-weight:600;"
        "font-size:13px;border-bottom:1px solid #d8dee4;color:#57606a;",
        "border-bottom-color:#3b424a;color:#a3acb6;",
    ),
    "cell": (
        "vertical-align:top;padding:5px 8px 5px 0;border-bottom:1px solid #d8dee4;",
        "border-bottom-color:#3b424a;",
    ),
    "day": ("padding:3px 2px 0 0;font-size:11px;line-height:1.2;text-align:center;", ""),
    "bar": ("padding:0 1px;vertical-align:bottom;line-height:1px;font-size:1px;", ""),
    "axis": ("font-size:11px;padding-top:2px;color:#57606a;", "color:#a3acb6;"),
    "link": ("color:#0550ae;", "color:#79b8ff;"),
    "good": ("background:#d6f0dd;color:#00522a;", "background:#12351f;color:#8ee5a6;"),
    "bad": (
        "background:#ffdcd9;color:#8f0018;font-weight:600;",
        "background:#4a1518;color:#ffb3ad;",
    ),
    "fair": (
        "background:#fff0cc;color:#6b4100;font-weight:600;",
        "background:#3f300c;color:#f0c95c;",
    ),
    "busy": ("background:#dbeafe;color:#0a3c7d;", "background:#132f52;color:#a5cdff;"),
    "none": ("background:#eceff2;color:#4b535c;", "background:#272c32;color:#b4bcc5;"),
    "good-bar": ("background:#4f9d69;", "background:#56b87a;"),
    "bad-bar": ("background:#c4273a;", "background:#ff6b6b;"),
    "no-bar": ("background:#d8dee4;", "background:#3b424a;"),
}
_TONES = {
    **dict.fromkeys(("done", "well", "complete"), "good"),
    **dict.fromkeys(("failed", "late", "missed", "trouble", "critical", "high"), "bad"),
    **dict.fromkeys(("recovered", "medium", "unusual"), "fair"),
    **dict.fromkeys(("running", "to come", "pending"), "busy"),
}
_WITHOUT_TONE = ("unknown", "nothing", "not known", "not due", "low", "skipped")
_SIGNS = {"good": "✓", "bad": "✗", "fair": "!", "busy": "…", "none": "?"}
# Columns with at least such a share of the width hold texts of others, of any length.
_TEXT, _WIDE = 5, 8
_FOLDED = "overflow-wrap:anywhere;min-width:84px;"
_HIGHEST = 56


def tone(word: str) -> str | None:
    """Return how a status looks: good, bad, fair, busy or none; None for other words."""
    return _TONES.get(word, "none" if word in _WITHOUT_TONE else None)


def sign(verdict: str) -> str:
    """Return a verdict as one character."""
    return "-" if verdict == "not due" else _SIGNS[tone(verdict) or "none"]


def as_html(content: Content) -> bytes:
    """Return a report as HTML in UTF-8."""
    dark = "".join(
        f".{name}{{{night.replace(';', ' !important;')}}}"
        for name, (_, night) in _LOOKS.items()
        if night
    )
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<meta name="supported-color-schemes" content="light dark">',
        f"<title>{escape(content.title)}: {escape(content.headline)}</title>",
        "<style>:root{color-scheme:light dark}",
        f"@media(prefers-color-scheme:dark){{{dark}}}</style>",
        "</head>",
        f"<body{_look('paper')}><div{_look('sheet')}>",
        f"<h1{_look('title')}>{escape(content.title)}</h1>",
        f'<p dir="auto"{_look("headline")}>'
        f"{_pill(content.tone, content.state) if content.state else ''}"
        f" <b>{escape(content.headline)}</b></p>",
        f"<p{_look('quiet')}>{escape(content.line)}</p>",
        *(f"<p{_look('warning')}>{escape(text)}</p>" for text in content.warnings),
        *(line for block in content.blocks for line in _block(block)),
        *_way_to_page(content.link),
        "</div></body>",
        "</html>",
        "",
    ]
    return "\n".join(parts).encode()


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Verdicts):
        yield from _verdicts(block)
    elif isinstance(block, Charts):
        for chart in block.charts:
            yield from _chart(chart)
    else:
        yield from _section(block)


def _verdicts(block: Verdicts) -> Iterator[str]:
    if block.verdicts:
        yield f'<table role="presentation"{_look("table")}>'
        for verdict in block.verdicts:
            yield f'<tr><td dir="auto"{_look("cell", _FOLDED)}>{_verdict(verdict)}</td></tr>'
        yield "</table>"
    yield from (f"<p{_look('line')}>{escape(line)}</p>" for line in block.lines)


def _verdict(verdict: Verdict) -> str:
    said = (
        f"{_pill(verdict.verdict, verdict.verdict)} <b>{escape(verdict.name)}</b>:"
        f" {escape(verdict.text)}"
    )
    days = "".join(
        f'<td title="{escape(day.name)}: {escape(day.verdict)}"{_look("day")}>'
        f"<div{_look(tone(day.verdict) or 'none', 'padding:1px 5px;border-radius:3px;')}>"
        f"{sign(day.verdict)}</div>{escape(day.name[:2])}</td>"
        for day in verdict.days
    )
    return f'{said}<table role="presentation"><tr>{days}</tr></table>' if days else said


def _section(section: Section) -> Iterator[str]:
    yield f'<h2 dir="auto"{_look("heading")}>{escape(section.heading)}</h2>'
    look = "quiet" if section.rows else "line"
    yield from (f'<p dir="auto"{_look(look)}>{escape(line)}</p>' for line in section.lines)
    if not section.rows:
        return
    aligned = [_aligned(name, share) for name, share in section.columns.items()]
    heads = "".join(
        f'<th scope="col"{_look("head", align)}>{escape(name.removesuffix(">"))}</th>'
        for name, align in zip(section.columns, aligned, strict=True)
    )
    yield f"<table{_look('table')}><thead><tr>{heads}</tr></thead><tbody>"
    links = section.links or [None] * len(section.rows)
    for row, link in zip(section.rows, links, strict=True):
        yield f"<tr>{''.join(_cells(section, row, link, aligned))}</tr>"
    yield "</tbody></table>"


def _cells(
    section: Section, row: Sequence[str], link: str | None, aligned: Sequence[str]
) -> Iterator[str]:
    for text, share, align in zip(row, section.columns.values(), aligned, strict=True):
        is_ours = share < _TEXT and tone(text) is not None
        shown = _pill(text, text) if is_ours else escape(text)
        if link and share >= _WIDE:
            shown = f'<a href="{escape(link)}"{_look("link")}>{shown}</a>'
        yield f'<td dir="auto"{_look("cell", align)}>{shown}</td>'


def _aligned(name: str, share: int) -> str:
    if name.endswith(">"):
        return "text-align:right;white-space:nowrap;"
    return _FOLDED if share >= _TEXT else "white-space:nowrap;"


def _chart(chart: Chart) -> Iterator[str]:
    yield f"<h2{_look('heading')}>{escape(chart.title)}</h2>"
    first, last = chart.bars[0].name, chart.bars[-1].name
    yield f'<table role="presentation" width="100%"{_look("table")}><tr>'
    yield from (_bar(bar, chart.highest) for bar in chart.bars)
    yield (
        f'</tr><tr><td colspan="{len(chart.bars)}"{_look("axis")}>'
        f"{escape(first)} to {escape(last)}, at most {chart.highest:,.0f}</td></tr></table>"
    )


def _bar(bar: Bar, highest: float) -> str:
    good, bad = (_height(count, highest) for count in (bar.good, bar.bad))
    pieces = [("bad-bar", bad), ("good-bar", good)] if good or bad else [("no-bar", 1)]
    cells = "".join(
        f"<div{_look(name, f'height:{height}px;line-height:{height}px;')}>&nbsp;</div>"
        for name, height in pieces
        if height
    )
    told = f"{bar.name}: {bar.good + bar.bad:,.0f}, {bar.bad:,.0f} failed"
    return f'<td title="{escape(told)}"{_look("bar")}>{cells}</td>'


def _height(count: float, highest: float) -> int:
    """Return the height of a piece: what is there is seen."""
    return max(2, round(_HIGHEST * count / highest)) if count else 0


def _pill(word: str, text: str) -> str:
    look = _look(tone(word) or "none", "padding:1px 6px;border-radius:4px;white-space:nowrap;")
    return f"<span{look}>{escape(text)}</span>"


def _way_to_page(link: str | None) -> Iterator[str]:
    if link:
        address = escape(link)
        yield (
            f'<p{_look("line")}>How it is now: <a href="{address}"{_look("link")}>{address}</a></p>'
        )


def _look(name: str, more: str = "") -> str:
    """Return the attributes of an element that looks like this."""
    style = escape(_LOOKS[name][0] + more)
    return f' class="{name}" style="{style}"'
