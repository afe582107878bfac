"""A daily report as a PDF, whose first page is all that most people read."""

from collections.abc import Mapping, Sequence

from pgvigil.faces.export.paper import Paper
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
from pgvigil.faces.report.html import sign, tone

_Colour = tuple[int, int, int]
_INKS: Mapping[str, _Colour] = {
    "good": (0, 82, 42),
    "bad": (143, 0, 24),
    "fair": (107, 65, 0),
    "busy": (10, 60, 125),
    "none": (75, 83, 92),
}
_FILLS: Mapping[str, _Colour] = {
    "good": (214, 240, 221),
    "bad": (255, 220, 217),
    "fair": (255, 240, 204),
    "busy": (219, 234, 254),
    "none": (236, 239, 242),
}
_GOOD_BAR, _BAD_BAR, _NO_BAR = (79, 157, 105), (196, 39, 58), (200, 206, 212)
_QUIET: _Colour = (87, 96, 106)
_CHART_HEIGHT, _GAP = 15.0, 8.0
_DAY_WIDTH = 7.2
_LINE = 4.3


def as_pdf(content: Content) -> bytes:
    """Return a report as a PDF.

    Raises:
        ExportError: fpdf2 is not installed.
    """
    paper = ReportPaper(content.title)
    paper.headline(content)
    for block in content.blocks:
        paper.block(block)
    if content.link:
        paper.line(f"How it is now: {content.link}", is_quiet=True)
    return paper.output()


class ReportPaper(Paper):
    """Pages with verdicts and charts."""

    def __init__(self, title: str) -> None:
        """Begin the first page."""
        super().__init__(title, is_landscape=False)

    def headline(self, content: Content) -> None:
        """Write the verdict of all."""
        self._put(
            ": ".join(filter(None, [content.state, content.headline])), 12, is_bold=True,
            colour=_INKS[tone(content.tone) or "none"],
        )  # fmt: skip
        self.line(content.line, is_quiet=True)
        for warning in content.warnings:
            self._put(warning, 9, is_bold=True, colour=_INKS["fair"])

    def block(self, block: Block) -> None:
        """Write a part of a report."""
        if isinstance(block, Verdicts):
            self._pdf.ln(2)
            for verdict in block.verdicts:
                self._verdict(verdict)
            for line in block.lines:
                self.line(line)
        elif isinstance(block, Charts):
            self._charts(block.charts)
        else:
            self._section(block)

    def _section(self, section: Section) -> None:
        self.heading(section.heading)
        for line in section.lines:
            self.line(line, is_quiet=bool(section.rows))
        if section.rows:
            # Else rows have the colour of the last bar.
            self._pdf.set_fill_color(255)
            words = {text for row in section.rows for text in row}
            colours = {word: _INKS[kind] for word in words if (kind := tone(word))}
            self.table(section.columns, section.rows, colours)

    def _verdict(self, verdict: Verdict) -> None:
        """Write one verdict, with its week beside it."""
        pdf = self._pdf
        week = _DAY_WIDTH * len(verdict.days)
        if pdf.will_page_break(3 * _LINE):
            pdf.add_page()
        top, left = pdf.get_y(), pdf.l_margin
        self._days(verdict, pdf.w - pdf.r_margin - week, top)
        pdf.set_xy(left, top)
        kind = tone(verdict.verdict) or "none"
        pdf.set_font(self._font, "B", 9)
        pdf.set_text_color(*_INKS[kind])
        pdf.set_fill_color(*_FILLS[kind])
        width = pdf.get_string_width(verdict.verdict) + 3
        pdf.cell(width, _LINE + 0.6, self._printable(verdict.verdict), align="C", fill=True)
        pdf.set_xy(left + width + 1.5, top)
        pdf.set_text_color(0)
        pdf.set_font(self._font, "", 9)
        pdf.multi_cell(
            pdf.epw - width - week - 4, _LINE + 0.6,
            self._printable(f"{verdict.name}: {verdict.text}"),
            align="L", new_x="LMARGIN", new_y="NEXT",
        )  # fmt: skip
        pdf.set_y(max(pdf.get_y(), top + (2 * _LINE if verdict.days else _LINE)) + 1)

    def _days(self, verdict: Verdict, left: float, top: float) -> None:
        pdf = self._pdf
        pdf.set_font(self._font, "", 7)
        for place, day in enumerate(verdict.days):
            kind = tone(day.verdict) or "none"
            pdf.set_xy(left + place * _DAY_WIDTH, top)
            pdf.set_fill_color(*_FILLS[kind])
            pdf.set_text_color(*_INKS[kind])
            pdf.cell(_DAY_WIDTH - 0.6, _LINE, self._sign(day.verdict), align="C", fill=True)
            pdf.set_xy(left + place * _DAY_WIDTH, top + _LINE)
            pdf.set_text_color(*_QUIET)
            pdf.cell(_DAY_WIDTH - 0.6, 3.2, day.name[:2], align="C")

    def _sign(self, verdict: str) -> str:
        return self._printable(sign(verdict)) if self._font != "Helvetica" else verdict[:1]

    def _charts(self, charts: Sequence[Chart]) -> None:
        if not charts:
            return
        pdf = self._pdf
        if pdf.will_page_break(_CHART_HEIGHT + 6 * _LINE):
            pdf.add_page()
        pdf.ln(_LINE)
        top = pdf.get_y()
        width = (pdf.epw - _GAP * (len(charts) - 1)) / len(charts)
        for place, chart in enumerate(charts):
            self._chart(chart, pdf.l_margin + place * (width + _GAP), top, width)
        pdf.set_xy(pdf.l_margin, top + _CHART_HEIGHT + 2.4 * _LINE)

    def _chart(self, chart: Chart, left: float, top: float, width: float) -> None:
        pdf = self._pdf
        pdf.set_xy(left, top)
        pdf.set_font(self._font, "B", 9)
        pdf.set_text_color(0)
        pdf.cell(width, _LINE, chart.title)
        base = top + _LINE + 1 + _CHART_HEIGHT
        step = width / len(chart.bars)
        for place, bar in enumerate(chart.bars):
            self._bar(bar, chart.highest, left + place * step, base, step * 0.8)
        pdf.set_xy(left, base + 0.5)
        pdf.set_font(self._font, "", 7)
        pdf.set_text_color(*_QUIET)
        ends = f"{chart.bars[0].name} to {chart.bars[-1].name}, at most {chart.highest:,.0f}"
        pdf.cell(width, 3.4, ends)

    def _bar(self, bar: Bar, highest: float, left: float, base: float, width: float) -> None:
        pieces = [(bar.good, _GOOD_BAR), (bar.bad, _BAD_BAR)]
        if not bar.good and not bar.bad:
            pieces = [(highest / 100, _NO_BAR)]
        for count, colour in pieces:
            # What is there is seen, however little it is.
            height = max(0.6, _CHART_HEIGHT * count / highest) if count else 0
            if height:
                self._pdf.set_fill_color(*colour)
                self._pdf.rect(left, base - height, width, height, style="F")
            base -= height
