"""Draws boxes and arrows as SVG that reads well on light and on dark pages.

In a repository browser a drawing follows the system's colours; in the site it follows the page's,
because `hooks.py` puts it into the page itself.
"""

from collections.abc import Sequence
from html import escape

_STYLE = """
svg.diagram { --card: #f6f7fb; --fill: #fff; --line: #6b7385; --ink: #1d2330; --soft: #505869;
  --accent: #3949ab; --good: #1b7340; --bad: #b3261e; --warn: #8a5a00;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
@media (prefers-color-scheme: dark) {
  svg.diagram:root { --card: #20242f; --fill: #2a2f3d; --line: #98a1b5; --ink: #eceff6;
    --soft: #b6bdcc; --accent: #9fa8ff; --good: #6fcf97; --bad: #ff8a80; --warn: #f2c063; } }
svg.diagram .card { fill: var(--card); }
svg.diagram .box { fill: var(--fill); stroke: var(--line); stroke-width: 1.2; }
svg.diagram .bar { stroke: none; }
svg.diagram .arrow { fill: none; stroke: var(--line); stroke-width: 1.5; }
svg.diagram .dashed { stroke-dasharray: 5 4; }
svg.diagram .tip { fill: var(--line); }
svg.diagram text { fill: var(--ink); font-size: 14px; }
svg.diagram .title { font-weight: 600; }
svg.diagram .small { fill: var(--soft); font-size: 12px; }
svg.diagram .code { font-family: ui-monospace, "Liberation Mono", monospace; font-size: 12px; }
svg.diagram .accent { stroke: var(--accent); stroke-width: 2; }
svg.diagram .good { stroke: var(--good); stroke-width: 2; }
svg.diagram .bad { stroke: var(--bad); stroke-width: 2; }
svg.diagram .warn { stroke: var(--warn); stroke-width: 2; }
svg.diagram .bar.accent { fill: var(--accent); }
svg.diagram .bar.good { fill: var(--good); }
svg.diagram .bar.bad { fill: var(--bad); }
svg.diagram .bar.warn { fill: var(--warn); }
""".strip()
_LINE = 18
_TIP = 8

Point = tuple[float, float]


class Drawing:
    """One picture, `width` by `height`, with a title for those who do not see it."""

    def __init__(self, width: int, height: int, title: str) -> None:
        """Begin an empty one."""
        self._size = (width, height)
        self._title = title
        self._parts: list[str] = []

    def box(
        self, x: float, y: float, width: float, height: float, *lines: str, tone: str = ""
    ) -> None:
        """Draw a box with a title in it, and smaller lines below that."""
        self._parts.append(
            f'<rect class="box {tone}" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>'
        )
        middle = y + height / 2 - (len(lines) - 1) * _LINE / 2 + 5
        for number, line in enumerate(lines):
            kind = "small" if number else "title"
            self.text(x + width / 2, middle + number * _LINE, line, kind, "middle")

    def bar(self, x: float, y: float, width: float, height: float, tone: str = "accent") -> None:
        """Draw a filled bar, as on a time axis."""
        self._parts.append(
            f'<rect class="bar {tone}" x="{x}" y="{y}" width="{width}" height="{height}" rx="3"/>'
        )

    def text(
        self, x: float, y: float, words: str, kind: str = "small", anchor: str = "start"
    ) -> None:
        """Write a line; `kind` is title, small or code."""
        self._parts.append(
            f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'
        )

    def line(self, *points: Point, is_dashed: bool = False) -> None:
        """Draw a line along points."""
        kind = "arrow dashed" if is_dashed else "arrow"
        way = " ".join(f"{x},{y}" for x, y in points)
        self._parts.append(f'<polyline class="{kind}" points="{way}"/>')

    def arrow(self, *points: Point, is_dashed: bool = False) -> None:
        """Draw a line along points, with a tip at its end."""
        self.line(*points, is_dashed=is_dashed)
        self._parts.append(f'<polygon class="tip" points="{_tip(points[-2], points[-1])}"/>')

    def __str__(self) -> str:
        """Return it as SVG."""
        width, height = self._size
        return "\n".join(
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" class="diagram" role="img"'
                f' viewBox="0 0 {width} {height}">',
                f"<title>{escape(self._title)}</title>",
                f"<style>\n{_STYLE}\n</style>",
                f'<rect class="card" width="{width}" height="{height}" rx="10"/>',
                *self._parts,
                "</svg>\n",
            )
        )


def _tip(start: Point, end: Point) -> str:
    (x, y), (from_x, from_y) = end, start
    length = max(((x - from_x) ** 2 + (y - from_y) ** 2) ** 0.5, 1)
    along = ((x - from_x) / length, (y - from_y) / length)
    back = (x - along[0] * _TIP, y - along[1] * _TIP)
    across = (-along[1] * _TIP / 2, along[0] * _TIP / 2)
    corners: Sequence[Point] = (
        end,
        (back[0] + across[0], back[1] + across[1]),
        (back[0] - across[0], back[1] - across[1]),
    )
    return " ".join(f"{round(corner_x, 1)},{round(corner_y, 1)}" for corner_x, corner_y in corners)
