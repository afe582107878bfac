// Runs on a time line: how long each took beside what is usual, and how it ended.

import { el, svg } from "./dom.js";
import { duration, plural, timeText } from "./format.js";
import { linesOfMarks } from "./marks.js";

const WIDTH = 600;
const HEIGHT = 130;

/** A point a run; the band is what most of those that complete take. */
export function renderRunChart(runs, job, marks = []) {
  const points = runs.filter((run) => run.duration_ms !== null).map((run) => ({
    at: Date.parse(run.end_time), seconds: run.duration_ms / 1000, run,
  }));
  if (points.length < 2) return null;
  const from = Math.min(...points.map(({ at }) => at));
  const to = Math.max(...points.map(({ at }) => at), from + 60_000);
  const usual = [job.p50_duration_ms, job.p95_duration_ms].map((value) => (value === null ? null : value / 1000));
  const top = 1.08 * Math.max(usual[1] ?? 0, ...points.map(({ seconds }) => seconds), 0.001);
  const x = (at) => 6 + ((WIDTH - 12) * (at - from)) / (to - from);
  const y = (seconds) => HEIGHT - (HEIGHT * seconds) / top;
  const words = `Durations of ${plural(points.length, "run")}, ${duration(Math.min(...points.map(({ seconds }) => seconds)))} to `
    + `${duration(Math.max(...points.map(({ seconds }) => seconds)))}`;
  return el(
    "figure",
    { class: "chart run-chart", "data-key": "run-chart" },
    el("div", { class: "plot" },
      el("span", { class: "top" }, duration(top / 1.08)),
      svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": words },
        usual[1] !== null && svg("rect", { class: "usual", x: 0, width: WIDTH, y: y(usual[1]), height: HEIGHT - y(usual[1]) }),
        usual[0] !== null && svg("path", { class: "median", d: `M0 ${y(usual[0])}H${WIDTH}` }),
        linesOfMarks(marks, { from, to }, x, HEIGHT),
        points.map(({ at, seconds, run }) => svg("path", {
          class: `point is-${run.status}`, d: `M${x(at).toFixed(1)} ${y(seconds).toFixed(1)}h.01`,
        }, svg("title", {}, `${timeText(run.end_time, new Date(0))}: ${run.status}, ${duration(seconds)}`))),
        svg("path", { class: "base", d: `M0 ${HEIGHT - 0.5}H${WIDTH}` }))),
    el("div", { class: "chart-axis", "aria-hidden": "true" }, [0, 1, 2, 3].map((part) => el(
      "span", {}, timeText(new Date(from + ((to - from) * part) / 4), new Date(0)))), el("span", {}, timeText(new Date(to), new Date(0)))),
    usual[1] !== null && el("figcaption", { class: "faint" }, `Line: half of those of 30 days that completed took at most ${duration(usual[0])}. Band: 95 %, ${duration(usual[1])}.`),
  );
}
