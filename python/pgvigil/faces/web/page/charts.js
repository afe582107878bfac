// Small charts as SVG: stacked bars, lines, and lines without axes.

import { remember } from "./crosshair.js";
import { el, svg } from "./dom.js";
import { axisText, bucketText, figure } from "./format.js";
import { linesOfMarks } from "./marks.js";

const WIDTH = 600;
const HEIGHT = 110;
const STEP_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const MOST_SERIES = 5;

// Charts of which the values are wanted in rows and columns.
const tables = new Set();

/** Show a chart's values in rows and columns, or drawn. */
export function toggleTable(title) {
  if (!tables.delete(title)) tables.add(title);
}

/**
 * A chart of what /api/trends returns.
 *
 * `kind` is bars or lines; `order` says which series come first, and which colours they have;
 * `marks` are what /api/chart-marks returns, `isSpanChosen` whether a span of it can be drawn.
 */
export function renderChart(title, trends, { kind, order = [], unit = "", format = figure, marks = null, isSpanChosen = false }) {
  const step = STEP_MS[trends.resolution];
  const to = Date.parse(trends.to_at ?? trends.as_of);
  const from = Math.min(Date.parse(trends.from_at), to - step);
  const series = seriesOf(trends.rows, order, kind);
  const isEmpty = series.every(({ points }) => points.every(([, value]) => !value));
  const chart = {
    kind, from, to, step, series, format, isSpanChosen, isToNow: to >= Date.parse(trends.as_of) - 60_000, marks: marks?.rows ?? [],
    buckets: [...new Set(series.flatMap(({ points }) => points.map(([at]) => at)))].sort((one, other) => one - other),
  };
  remember(title, chart);
  const isTable = tables.has(title) && !isEmpty;
  return el(
    "figure",
    { class: "chart", "data-key": title },
    el("figcaption", {}, el("strong", {}, title), !isEmpty && el("button", {
      type: "button", class: "small as-table", "data-action": "chart-table", "data-name": title, "aria-pressed": String(isTable), "aria-label": `${title} as a table`,
    }, "Table"), !isEmpty && legend(series, kind, unit, format)),
    isTable ? renderTable(title, chart) : renderPlot(title, chart, isEmpty),
    !isTable && axis(chart),
  );
}

function renderPlot(title, chart, isEmpty) {
  const { kind, from, to, step, series, format } = chart;
  const top = niceTop(kind === "bars" ? highestSum(series) : highest(series));
  const x = (at) => (WIDTH * (at - from)) / (to - from);
  const y = (value) => HEIGHT - (HEIGHT * value) / top;
  return el(
    "div",
    {
      class: "plot", "data-chart": title, ...(!isEmpty && { tabindex: "0", role: "group", "aria-label": `${title}: arrow keys read its values` }),
    },
    el("span", { class: "top" }, isEmpty ? "" : format(top)),
    svg(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": inWords(title, series, kind, isEmpty, format) },
      svg("path", { class: "grid", d: `M0 .5H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}` }),
      kind === "bars" ? bars(series, x, y, step) : lines(series, x, y, step),
      linesOfMarks(chart.marks, chart, x, HEIGHT),
      svg("path", { class: "base", d: `M0 ${HEIGHT - 0.5}H${WIDTH}` }),
    ),
    isEmpty && el("span", { class: "empty" }, "nothing recorded"),
  );
}

/** All values, the newest first. */
function renderTable(title, chart) {
  const shown = chart.series.filter(({ points }) => points.length);
  return el(
    "div",
    { class: "scroll values", tabindex: "0", role: "region", "aria-label": `${title}, values` },
    el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "When"),
      shown.map(({ name }) => el("th", { scope: "col", class: "number" }, name.replaceAll("_", " "))))),
    el("tbody", {}, [...chart.buckets].reverse().map((at) => el(
      "tr", {}, el("th", { scope: "row" }, bucketText(at, chart)),
      shown.map(({ known }) => el("td", { class: "number" }, known.has(at) ? chart.format(known.get(at)) : "–")))))),
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
    .map((each, place) => ({ ...each, known: new Map(each.points), colour: order.length ? `is-${each.name}` : `line-${place + 1}` }))
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
  return [...series].reverse().flatMap(({ colour, points }) => points.filter(([, value]) => value > 0).map(([at, value]) => {
    const base = floor.get(at) ?? 0;
    floor.set(at, base + value);
    const left = Math.max(0, x(at));
    const width = Math.max(0.5, Math.min(WIDTH, x(at + step)) - left);
    return svg(
      "rect",
      { class: colour, x: left + width * 0.08, width: width * 0.84, y: y(base + value), height: Math.max(1, y(base) - y(base + value)) },
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

function legend(series, kind, unit, format) {
  return el("span", { class: "legend" }, series.map(({ name, points, total, colour }) => el(
    "span",
    { class: "legend-entry", "data-key": name },
    el("i", { class: `swatch ${colour}` }),
    el("span", { class: "clip" }, name.replaceAll("_", " ")),
    el("span", { class: "faint" }, kind === "bars" ? format(total) : `${format(points.at(-1)?.[1])}${unit}`),
  )));
}

function inWords(title, series, kind, isEmpty, format) {
  if (isEmpty) return `${title}: nothing recorded`;
  const parts = series.map(({ name, points, total }) => `${name} ${kind === "bars" ? `${format(total)} in all` : `${format(points.at(-1)?.[1])} at last`}`);
  return `${title}: ${parts.join(", ")}`;
}

function axis(chart) {
  const { from, to } = chart;
  return el("div", { class: "chart-axis", "aria-hidden": "true" }, [0, 1, 2, 3].map((part) => el(
    "span", {}, axisText(from + ((to - from) * part) / 4, chart))), el("span", {}, chart.isToNow ? "now" : axisText(to, chart)));
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
