"""Pages of a PDF: fonts, headings, tables and page numbers."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any

from pgvigil.faces.export.table import Json, needed

# Texts come from anywhere, and a PDF's own fonts know western European letters alone.
_FONTS = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
    "/usr/share/fonts/TTF/DejaVuSans.ttf",
    "/Library/Fonts/DejaVuSans.ttf",
)
_OWN_FONT = "Helvetica"
_LONGEST_TEXT = 300
_LINE = 4.2
_SMALL, _NORMAL, _LARGE = 7, 9, 15
_GREY = (110, 110, 110)
_HEAD = (232, 236, 241)
_RULE = (190, 196, 204)


class Paper:
    """A PDF in the making: A4, numbered pages, one below the other."""

    def __init__(self, title: str, *, is_landscape: bool = True, has_fonts: bool = True) -> None:
        """Begin the first page with a title.

        Args:
            title: heading, and title of the document.
            is_landscape: whether pages are wider than high.
            has_fonts: use the fonts of this machine, if any is found.

        Raises:
            ExportError: fpdf2 is not installed.
        """
        fpdf = needed("fpdf")
        # Glyphs that a font lacks are seen on the page; they are no reason to talk.
        logging.getLogger("fpdf").setLevel(logging.ERROR)
        pdf = fpdf.FPDF(orientation="landscape" if is_landscape else "portrait", format="A4")
        self._styles: Any = fpdf.fonts.FontFace
        self._pdf: Any = pdf
        self._font = _OWN_FONT
        path = next((Path(font) for font in _FONTS if has_fonts and Path(font).exists()), None)
        if path is not None:
            self._font = "text"
            bold = path.with_stem(path.stem + "-Bold")
            pdf.add_font(self._font, "", path)
            pdf.add_font(self._font, "B", bold if bold.exists() else path)
        pdf.set_title(self._printable(title))
        pdf.set_creator("pgvigil")
        pdf.set_margin(12)
        pdf.set_auto_page_break(True, 16)
        pdf.footer = self._number_page
        pdf.alias_nb_pages()
        pdf.add_page()
        self._put(title, _LARGE, is_bold=True)

    def heading(self, text: str) -> None:
        """Write a heading above what follows."""
        # It stays together with the first lines below it.
        if self._pdf.will_page_break(8 * _LINE):
            self._pdf.add_page()
        self._pdf.ln(_LINE)
        self._put(text, _NORMAL + 2, is_bold=True)

    def line(self, text: str, *, is_quiet: bool = False) -> None:
        """Write a line of text, wrapped where it is long."""
        self._put(text, _NORMAL, colour=_GREY if is_quiet else (0, 0, 0))

    def table(
        self,
        columns: Mapping[str, int],
        rows: Iterable[Sequence[str]],
        colours: Mapping[str, tuple[int, int, int]] | None = None,
    ) -> None:
        """Write a table whose heading is repeated on each page.

        Args:
            columns: heading of each and its share of the width; numeric ones end in ``>``.
            rows: texts, as many as columns.
            colours: colours for cells that hold just such a text.
        """
        self._pdf.set_font(self._font, size=_SMALL)
        self._pdf.set_text_color(0)
        self._pdf.set_draw_color(*_RULE)
        self._pdf.set_line_width(0.1)
        self._pdf.ln(1)
        with self._pdf.table(
            col_widths=tuple(columns.values()),
            text_align=tuple("RIGHT" if name.endswith(">") else "LEFT" for name in columns),
            line_height=_LINE,
            borders_layout="HORIZONTAL_LINES",
            v_align="TOP",
            headings_style=self._styles(emphasis="BOLD", fill_color=_HEAD),
            padding=(0.4, 1),
        ) as table:
            table.row([name.removesuffix(">").replace("_", " ") for name in columns])
            for row in rows:
                line = table.row()
                for text in row:
                    colour = (colours or {}).get(text)
                    style = self._styles(color=colour, emphasis="BOLD") if colour else None
                    line.cell(self._printable(text), style=style)
        self._pdf.ln(1)

    def output(self) -> bytes:
        """Return the document."""
        return bytes(self._pdf.output())

    def _put(
        self,
        text: str,
        size: int,
        *,
        is_bold: bool = False,
        colour: tuple[int, int, int] = (0, 0, 0),
    ) -> None:
        self._pdf.set_font(self._font, "B" if is_bold else "", size)
        self._pdf.set_text_color(*colour)
        self._pdf.multi_cell(
            0, size * 0.55, self._printable(text), align="L", new_x="LMARGIN", new_y="NEXT"
        )

    def _number_page(self) -> None:
        self._pdf.set_y(-12)
        self._pdf.set_font(self._font, size=_SMALL)
        self._pdf.set_text_color(*_GREY)
        self._pdf.cell(0, 5, f"pgvigil · page {self._pdf.page_no()} of {{nb}}", align="R")

    def _printable(self, text: str) -> str:
        plain = "".join(char if char.isprintable() else " " for char in text)
        if self._font == _OWN_FONT:
            return plain.encode("latin-1", "replace").decode("latin-1")
        return plain


def as_text(value: Any, zone: tzinfo) -> str:
    """Return a value as it is printed: short, times to the second and without their zone."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float | Decimal):
        return f"{float(value):,.10g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, Json) and value == "{}":
        return ""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
