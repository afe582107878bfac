// What happened that may explain a chart: releases, and alerts that began or got worse.

import { badge, plural, time } from "./format.js";
import { el, svg } from "./dom.js";
import { hrefOfAlert } from "./router.js";

const kindOf = (mark) => (mark.kind === "alert" ? mark.severity : "release");

/** A release as the mark of a chart. */
export const markOfRelease = ({ component, version, previous_version: before, released_at: at }) => ({
  kind: "release", marked_at: at, component, severity: null, alert_id: null,
  title: `${component} ${version}${before === null ? "" : ` (before: ${before})`}`,
});

/** A line at each mark that lies in a chart. */
export function linesOfMarks(marks, { from, to }, x, height) {
  return marks.filter(({ marked_at: at }) => Date.parse(at) >= from && Date.parse(at) <= to).map((mark) => svg("path", {
    class: `mark is-${kindOf(mark)}`, d: `M${x(Date.parse(mark.marked_at)).toFixed(1)} 0V${height}`,
  }));
}

/** What the lines mean, the newest first. */
export function renderMarks(answer, now) {
  if (!answer?.rows.length) return null;
  const number = (kind) => answer.rows.filter((mark) => mark.kind === kind).length;
  const [releases, alerts] = [number("release"), number("alert")];
  return el(
    "details",
    { class: "marks", "data-key": "marks" },
    el("summary", {},
      releases > 0 && [el("i", { class: "mark-key is-release" }), ` ${plural(releases, "release")} `],
      alerts > 0 && [el("i", { class: "mark-key is-critical" }), ` ${plural(alerts, "alert")} of severity high or critical`],
      answer.has_more && ", the newest"),
    el("ul", {}, [...answer.rows].reverse().map((mark) => el(
      "li",
      { "data-key": `${mark.kind} ${mark.marked_at} ${mark.title}` },
      time(mark.marked_at, now), " ", mark.kind === "alert" ? badge(mark.severity) : badge("release"), " ",
      mark.alert_id === null ? mark.title : el("a", { href: hrefOfAlert(mark.alert_id) }, mark.title),
    ))),
  );
}
