// Small charts as SVG: stacked bars, lines, and lines without axes.

import { el, svg } from "./dom.js";
import { figure, timeText } from "./format.js";

const WIDTH = 600;
const HEIGHT = 110;
const STEP_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const MOST_SERIES = 5;

/**
 * A chart of what /api/trends returns.
 *
 * `kind` is bars or lines; `order` says which series come first, and which colours they have.
 */
export function renderChart(title, trends, { kind, order = [], unit = "" }) {
  const step = STEP_MS[trends.resolution];
  const to = Date.parse(trends.as_of);
  const from = Math.min(Date.parse(trends.from_at), to - step);
  const series = seriesOf(trends.rows, order, kind);
  const top = niceTop(kind === "bars" ? highestSum(series) : highest(series));
  const x = (at) => (WIDTH * (at - from)) / (to - from);
  const y = (value) => HEIGHT - (HEIGHT * value) / top;
  const marks = kind === "bars" ? bars(series, x, y, step) : lines(series, x, y, step);
  const isEmpty = series.every(({ points }) => points.every(([, value]) => !value));
  return el(
    "figure",
    { class: "chart", "data-key": title },
    el("figcaption", {}, el("strong", {}, title), !isEmpty && legend(series, kind, unit)),
    el(
      "div",
      { class: "plot" },
      el("span", { class: "top" }, isEmpty ? "" : figure(top)),
      svg(
        "svg",
        { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": inWords(title, series, kind, isEmpty) },
        svg("path", { class: "grid", d: `M0 .5H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}` }),
        marks,
        svg("path", { class: "base", d: `M0 ${HEIGHT - 0.5}H${WIDTH}` }),
      ),
      isEmpty && el("span", { class: "empty" }, "nothing recorded"),
    ),
    axis(from, to),
  );
}

function seriesOf(rows, order, kind) {
  const known = new Map(order.map((name) => [name, []]));
  for (const { series, bucket_at: at, value } of rows) {
    if (value === null) continue;
    if (!known.has(series)) known.set(series, []);
    known.get(series).push([Date.parse(at), Number(value)]);
  }
  const all = [...known].map(([name, points]) => ({ name, points, total: points.reduce((sum, [, value]) => sum + value, 0) }));
  const shown = order.length ? all : all.sort((one, other) => other.total - one.total).slice(0, MOST_SERIES);
  return shown
    .map((each, place) => ({ ...each, colour: order.length ? `is-${each.name}` : `line-${place + 1}` }))
    .filter(({ total, points, name }) => (kind === "bars" ? total > 0 || name === order[0] : points.length));
}

function highest(series) {
  return Math.max(0, ...series.flatMap(({ points }) => points.map(([, value]) => value)));
}

function highestSum(series) {
  const sums = new Map();
  for (const { points } of series) for (const [at, value] of points) sums.set(at, (sums.get(at) ?? 0) + value);
  return Math.max(0, ...sums.values());
}

function niceTop(value) {
  if (value <= 0) return 1;
  const size = 10 ** Math.floor(Math.log10(value));
  return size * [1, 2, 3, 4, 5, 6, 8, 10].find((factor) => factor * size >= value);
}

function bars(series, x, y, step) {
  const floor = new Map();
  // What is worst is drawn last, on top of the others, and so is seen first.
  return [...series].reverse().flatMap(({ colour, points, name }) => points.filter(([, value]) => value > 0).map(([at, value]) => {
    const base = floor.get(at) ?? 0;
    floor.set(at, base + value);
    const left = Math.max(0, x(at));
    const width = Math.max(0.5, Math.min(WIDTH, x(at + step)) - left);
    return svg(
      "rect",
      { class: colour, x: left + width * 0.08, width: width * 0.84, y: y(base + value), height: Math.max(1, y(base) - y(base + value)) },
      svg("title", {}, `${timeText(new Date(at), new Date(at))}  ${name}: ${figure(value)}`),
    );
  }));
}

function lines(series, x, y, step) {
  return [...series].reverse().map(({ colour, points }) => svg("path", { class: `line ${colour}`, d: path(points, x, y, step) }));
}

function path(points, x, y, step) {
  let before = null;
  return points.map(([at, value]) => {
    const isGap = before === null || at - before > 3 * step;
    before = at;
    // The span that is not over yet has its middle still to come.
    const [left, top] = [Math.min(WIDTH, x(at + step / 2)), y(value).toFixed(1)];
    // A point on its own is a dash.
    return isGap ? `M${(left - 3).toFixed(1)} ${top}h3` : `L${left.toFixed(1)} ${top}`;
  }).join("");
}

function legend(series, kind, unit) {
  return el("span", { class: "legend" }, series.map(({ name, points, total, colour }) => el(
    "span",
    { class: "legend-entry", "data-key": name },
    el("i", { class: `swatch ${colour}` }),
    el("span", { class: "clip" }, name.replaceAll("_", " ")),
    el("span", { class: "faint" }, kind === "bars" ? figure(total) : `${figure(points.at(-1)?.[1])}${unit}`),
  )));
}

function inWords(title, series, kind, isEmpty) {
  if (isEmpty) return `${title}: nothing recorded`;
  const parts = series.map(({ name, points, total }) => `${name} ${kind === "bars" ? `${figure(total)} in all` : `${figure(points.at(-1)?.[1])} at last`}`);
  return `${title}: ${parts.join(", ")}`;
}

function axis(from, to) {
  const isLong = to - from > 2 * STEP_MS.day;
  const text = (at) => (isLong
    ? new Date(at).toLocaleDateString("en-GB", { weekday: "short", day: "numeric" })
    : timeText(new Date(at), new Date(at)));
  return el("div", { class: "chart-axis", "aria-hidden": "true" }, [0, 1, 2, 3].map((part) => el(
    "span", {}, text(from + ((to - from) * part) / 4))), el("span", {}, "now"));
}

/** A line without axes, for a cell of a table. */
export function sparkline(values) {
  const top = Math.max(1, ...values);
  const width = 90;
  const height = 22;
  const d = values.map((value, place) => `${place ? "L" : "M"}${((width * place) / Math.max(1, values.length - 1)).toFixed(1)} ${(height - 2 - ((height - 4) * value) / top).toFixed(1)}`).join("");
  return svg("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    values.length > 1 && [
      svg("path", { class: "spark-area", d: `${d}V${height}H0Z` }),
      svg("path", { class: "spark-line", d }),
    ]);
}
