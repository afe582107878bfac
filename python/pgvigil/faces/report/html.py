"""A daily report as one HTML file, without anything from elsewhere, so that it can be mailed."""

from collections.abc import Iterator
from html import escape

from pgvigil.faces.report.content import Content, Section

# Colours that can be read on white; what they say is in the words as well.
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1b1f24; background: #fff;
  margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .25rem; }
p { margin: .15rem 0; color: #57606a; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin-top: .5rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0;
  border-bottom: 1px solid #d8dee4; }
th { font-weight: 600; white-space: nowrap; }
td { white-space: nowrap; }
.text { white-space: normal; overflow-wrap: anywhere; min-width: 9rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.critical, .high, .failed { color: #b00020; font-weight: 600; }
.late, .medium { color: #8a5300; font-weight: 600; }
.running { color: #005aa0; font-weight: 600; }
.complete { color: #00682f; font-weight: 600; }
"""
# Columns with at least such a share of the width hold texts that may be wrapped.
_WIDE = 5
_MARKED = (
    "critical", "high", "failed", "late", "medium", "running", "complete",
)  # fmt: skip


def as_html(content: Content) -> bytes:
    """Return a report as HTML in UTF-8."""
    title = escape(content.title)
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        f"<h1>{title}</h1>",
        f"<p>{escape(content.line)}</p>",
        *(line for section in content.sections for line in _section(section)),
        "</body>",
        "</html>",
        "",
    ]
    return "\n".join(parts).encode()


def _section(section: Section) -> Iterator[str]:
    yield f"<h2>{escape(section.heading)}</h2>"
    for line in section.lines:
        yield f"<p>{escape(line)}</p>"
    if not section.rows:
        return
    kinds = [_kind(name, share) for name, share in section.columns.items()]
    heads = [
        f'<th scope="col"{_class(kind)}>{escape(name.removesuffix(">"))}</th>'
        for name, kind in zip(section.columns, kinds, strict=True)
    ]
    yield f'<div class="wide"><table><thead><tr>{"".join(heads)}</tr></thead><tbody>'
    for row in section.rows:
        cells = [
            f"<td{_class(text if text in _MARKED else kind)}>{escape(text)}</td>"
            for text, kind in zip(row, kinds, strict=True)
        ]
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table></div>"


def _kind(name: str, share: int) -> str:
    if name.endswith(">"):
        return "number"
    return "text" if share >= _WIDE else ""


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""
