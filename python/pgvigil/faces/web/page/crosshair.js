// What stands at one place of a chart: for the pointer beside it, for the keyboard read out. A span
// that is drawn with the pointer is chosen.

import { announce, el } from "./dom.js";
import { bucketText } from "./format.js";
import { chooseSpan } from "./spans.js";

const LEAST_DRAG = 6;
const charts = new Map();
const tip = el("div", { class: "tip", hidden: true, "aria-hidden": "true" });
const line = el("i", { class: "crosshair", hidden: true });
const drawn = el("i", { class: "drawn-span", hidden: true });
document.body.append(tip, line, drawn);

// The chart that is looked at, and where: by its title, for its element may be made anew.
let title = null;
let at = null;
let drag = null;

/** Keep what a chart shows. */
export const remember = (name, chart) => charts.set(name, chart);

const plotOf = (target) => target.closest?.("[data-chart]");

function timeAt(plot, chart, clientX) {
  const { left, width } = plot.getBoundingClientRect();
  const share = Math.min(1, Math.max(0, (clientX - left) / width));
  return chart.from + share * (chart.to - chart.from);
}

/** The bucket that a time lies in, or the nearest that has a value. */
function bucketAt(chart, when) {
  return chart.buckets.reduce((best, begin) => (distance(chart, begin, when) < distance(chart, best, when) ? begin : best), chart.buckets[0]);
}

const distance = (chart, begin, when) => Math.abs(begin + chart.step / 2 - when);

function look(plot, bucket) {
  const chart = charts.get(plot.dataset.chart);
  [title, at] = [plot.dataset.chart, bucket];
  const box = plot.getBoundingClientRect();
  const middle = Math.min(chart.to, Math.max(chart.from, bucket + chart.step / 2));
  const x = box.left + (box.width * (middle - chart.from)) / (chart.to - chart.from);
  tip.replaceChildren(el("strong", {}, bucketText(bucket, chart)), ...valuesAt(chart, bucket), ...marksAt(chart, bucket));
  tip.hidden = false;
  line.hidden = false;
  place(line, x, box.top, null, box.height);
  const width = tip.offsetWidth;
  place(tip, x + width + 14 > innerWidth ? Math.max(4, x - width - 10) : x + 10, Math.max(4, box.top - 4));
}

function valuesAt(chart, bucket) {
  const values = chart.series.map(({ name, colour, known }) => [name, colour, known.get(bucket)]).filter(([, , value]) => value !== undefined);
  if (!values.length) return [el("span", { class: "faint" }, "nothing")];
  return values.map(([name, colour, value]) => el("span", { class: "tip-line" },
    el("i", { class: `swatch ${colour}` }), el("span", { class: "clip" }, name.replaceAll("_", " ")), el("b", {}, chart.format(value))));
}

function marksAt(chart, bucket) {
  return chart.marks.filter((mark) => within(Date.parse(mark.marked_at), bucket, chart.step))
    .slice(-4).map((mark) => el("span", { class: "tip-line" }, el("i", { class: `mark-key is-${mark.severity ?? "release"}` }), el("span", { class: "clip" }, mark.title)));
}

const within = (when, bucket, step) => when >= bucket && when < bucket + step;

function inWords(chart, bucket) {
  const values = chart.series.filter(({ known }) => known.has(bucket)).map(({ name, known }) => `${name.replaceAll("_", " ")} ${chart.format(known.get(bucket))}`);
  const marks = chart.marks.filter((mark) => within(Date.parse(mark.marked_at), bucket, chart.step)).map((mark) => mark.title);
  return [bucketText(bucket, chart), values.join(", ") || "nothing", ...marks].join("; ");
}

function place(element, x, y, width = null, height = null) {
  element.style.setProperty("left", `${x}px`);
  element.style.setProperty("top", `${y}px`);
  if (width !== null) element.style.setProperty("width", `${width}px`);
  if (height !== null) element.style.setProperty("height", `${height}px`);
}

function hide() {
  for (const each of [tip, line, drawn]) each.hidden = true;
  [title, at, drag] = [null, null, null];
}

document.addEventListener("pointermove", (event) => {
  const plot = drag?.plot ?? plotOf(event.target);
  const chart = plot && charts.get(plot.dataset.chart);
  if (!chart?.buckets.length) return title !== null && !document.activeElement?.matches("[data-chart]") && hide();
  look(plot, bucketAt(chart, timeAt(plot, chart, event.clientX)));
  if (drag && Math.abs(event.clientX - drag.x) >= LEAST_DRAG) draw(event.clientX);
});

function draw(clientX) {
  const box = drag.plot.getBoundingClientRect();
  const [left, right] = [drag.x, clientX].map((x) => Math.min(box.right, Math.max(box.left, x))).sort((one, other) => one - other);
  drawn.hidden = false;
  place(drawn, left, box.top, right - left, box.height);
}

document.addEventListener("pointerdown", (event) => {
  const plot = plotOf(event.target);
  // A finger that moves scrolls the page.
  if (plot && event.button === 0 && event.pointerType !== "touch" && charts.get(plot.dataset.chart)?.isSpanChosen) drag = { plot, x: event.clientX };
});

document.addEventListener("pointerup", (event) => {
  if (!drag) return;
  const { plot, x } = drag;
  const chart = charts.get(plot.dataset.chart);
  drag = null;
  drawn.hidden = true;
  if (Math.abs(event.clientX - x) < LEAST_DRAG) return;
  const [from, to] = [x, event.clientX].map((place) => timeAt(plot, chart, place)).sort((one, other) => one - other);
  // At least what can be told apart, in whole steps.
  const begin = Math.floor(from / chart.step) * chart.step;
  hide();
  chooseSpan(begin, Math.max(begin + chart.step, Math.ceil(to / chart.step) * chart.step));
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && title !== null) return hide();
  const plot = plotOf(event.target);
  const chart = plot && charts.get(plot.dataset.chart);
  if (!chart?.buckets.length || event.ctrlKey || event.metaKey || event.altKey) return;
  const now = title === plot.dataset.chart ? chart.buckets.indexOf(at) : -1;
  const next = { ArrowLeft: now < 0 ? chart.buckets.length - 1 : now - 1, ArrowRight: now < 0 ? 0 : now + 1, Home: 0, End: chart.buckets.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  const bucket = chart.buckets[Math.min(chart.buckets.length - 1, Math.max(0, next))];
  look(plot, bucket);
  announce(inWords(chart, bucket));
});

document.addEventListener("focusout", (event) => { if (plotOf(event.target)) hide(); });
addEventListener("scroll", hide, { passive: true });
