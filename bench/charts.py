"""``python -m bench.charts``: draw what days kept and names cost into docs/images."""

from pathlib import Path

from bench.sizes import foretold

TARGET = Path(__file__).parents[1] / "docs" / "images" / "sizing.svg"
WIDTH, HEIGHT, LEFT, TOP = 300, 180, 60, 40
STYLE = """
text { font: 12px sans-serif; fill: #333 } path { fill: none; stroke-width: 2 }
.a { stroke: #1565c0 } .b { stroke: #c62828 } .axis { stroke: #777; stroke-width: 1 }
text.a { fill: #1565c0; stroke: none } text.b { fill: #c62828; stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .a { stroke: #64b5f6 } .b { stroke: #ef9a9a }
  text.a { fill: #64b5f6 } text.b { fill: #ef9a9a }
}
"""
Points = list[tuple[float, float]]


def partitions_by_day(days: float) -> float:
    """Partitions of a table by days kept, seven days ahead included."""
    return days + 8


def partitions_with_months(days: float) -> float:
    """At most: a month becomes one when it began 93 days ago, if it is kept for another."""
    if days < 93 + 31:
        return partitions_by_day(days)
    return partitions_by_day(93) + (days - 93) / 30 + 1


def gigabytes(names: float, cells: float) -> float:
    """Size of roll-ups of names that occur all the time, as shipped."""
    minute, long = foretold(min(cells, 5)), foretold(cells)
    return names * (2880 * minute + (2160 + 1825) * long) / 1e9


def main() -> None:
    """Write the picture."""
    days = [float(n) for n in range(0, 731, 5)]
    names = [float(n) for n in range(0, 2001, 100)]
    charts = (
        _chart(
            0,
            "partitions of a table, by days kept",
            ("by day", [(d, partitions_by_day(d)) for d in days]),
            ("old days as months", [(d, partitions_with_months(d)) for d in days]),
        ),
        _chart(
            WIDTH + LEFT + 60,
            "GB of roll-ups, by names that always occur",
            ("80 cells", [(n, gigabytes(n, 80)) for n in names]),
            ("20 cells", [(n, gigabytes(n, 20)) for n in names]),
        ),
    )
    width, height = 2 * (WIDTH + LEFT) + 90, HEIGHT + TOP + 40
    TARGET.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">\n'
        f"<style>{STYLE}</style>\n" + "\n".join(charts) + "\n</svg>\n"
    )


def _chart(at: int, title: str, first: tuple[str, Points], second: tuple[str, Points]) -> str:
    most_x, most_y = first[1][-1][0], max(y for _, y in first[1])
    lines = [
        f'<g transform="translate({at + LEFT} {TOP})"><text y="-16">{title}</text>',
        f'<path class="axis" d="M0 0V{HEIGHT}H{WIDTH}"/>',
    ]
    for share in (0.5, 1):
        y = HEIGHT * (1 - share)
        lines.append(f'<text x="-8" y="{y + 4:.0f}" text-anchor="end">{most_y * share:.0f}</text>')
        x = WIDTH * share
        lines.append(
            f'<text x="{x:.0f}" y="{HEIGHT + 18}" text-anchor="middle">{most_x * share:.0f}</text>'
        )
    for style, (name, points) in zip("ab", (first, second), strict=True):
        path = "L".join(f"{x / most_x * WIDTH:.1f} {HEIGHT * (1 - y / most_y):.1f}"
                        for x, y in points)  # fmt: skip
        y = HEIGHT * (1 - points[-1][1] / most_y) - 8
        lines.append(f'<path class="{style}" d="M{path}"/>')
        lines.append(
            f'<text class="{style}" x="{WIDTH}" y="{y:.0f}" text-anchor="end">{name}</text>'
        )
    return "\n".join([*lines, "</g>"])


if __name__ == "__main__":
    main()
