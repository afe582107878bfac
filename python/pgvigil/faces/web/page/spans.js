// The span of time that charts and lists are about: the last hours, or from a time to another. It is
// in the address as `hours`, or as `from` and `to`, which are moments whatever zone is chosen.

import { el } from "./dom.js";
import { dayIn, instantOf, momentText, timeIn, zoneName } from "./format.js";
import { choose } from "./router.js";

const SPANS = [[1, "1 h"], [3, "3 h"], [24, "24 h"], [168, "7 days"], [720, "30 days"], [2160, "90 days"]];
const HOUR_MS = 3_600_000;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** What a chart of that span is asked for with. */
export function spanAsked(route, usual = 24) {
  const [from, to] = [route.query.get("from"), route.query.get("to")];
  if (from || to) return { from, to };
  return { hours: Number(route.query.get("hours")) || usual };
}

/** What a list of that span is asked for with; all of it where no span has been chosen. */
export function spanOfList(route) {
  const { hours, from, to } = spanAsked(route, 0);
  if (!hours) return { from, to };
  // Whole minutes, so that an answer may be known to be the same.
  return { from: isoOf(Math.floor((Date.now() - hours * HOUR_MS) / 60_000) * 60_000) };
}

/** Whether somebody has chosen a span, of hours or of times. */
export const isSpanChosen = (route) => ["hours", "from", "to"].some((name) => route.query.get(name));

/** A moment as it stands in addresses. */
export const isoOf = (at) => `${new Date(at).toISOString().slice(0, 16)}Z`;

/** Buttons for spans, and boxes for a beginning and an end. */
export function renderSpans(route, { usual = 24, most = 2160, label = "Span of time" } = {}) {
  const asked = spanAsked(route, usual);
  return el(
    "div",
    { class: "spans", role: "group", "aria-label": label, "data-key": "spans" },
    SPANS.filter(([hours]) => hours <= most).map(([hours, words]) => el("button", {
      type: "button", class: "small", "data-action": "span", "data-hours": hours === usual ? "" : hours, "aria-pressed": String(hours === asked.hours),
    }, words)),
    renderFromTo(asked),
  );
}

function renderFromTo({ from, to }) {
  const isChosen = Boolean(from || to);
  const box = (kind, name, value, words) => el("input", { type: kind, name, value, "aria-label": words });
  const boxes = (name, at, words) => {
    const known = at && !DAY.test(at);
    return el("div", { class: "moment" }, el("span", {}, words),
      box("date", `${name}-day`, known ? dayIn(at) : at, `${words}, day`),
      box("time", `${name}-time`, known ? timeIn(at) : "", `${words}, time of day`));
  };
  return el(
    "details",
    { class: "from-to", "data-key": `from-to ${from} ${to}`, "data-own": true },
    el("summary", { class: isChosen ? "is-chosen" : null }, isChosen ? `${textOf(from) ?? "…"} – ${textOf(to) ?? "now"}` : "From … to"),
    el("form", { class: "from-to-form", "data-span": true },
      boxes("from", from, "From"), boxes("to", to, "To"),
      el("p", { class: "faint" }, `In ${zoneName()}. Without a time of day: whole days.`),
      el("div", { class: "buttons" }, el("button", { type: "submit", class: "small" }, "Show"))),
  );
}

const textOf = (at) => at && (DAY.test(at) ? at : momentText(at));

/** Show what lies between two moments. */
export function chooseSpan(from, to) {
  choose({ hours: null, show: null, from: from && isoOf(from), to: to && isoOf(to) });
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches?.("[data-span]")) return;
  event.preventDefault();
  const said = Object.fromEntries(new FormData(event.target));
  const from = said["from-day"] && instantOf(said["from-day"], said["from-time"] || "00:00");
  const to = said["to-day"] && (said["to-time"] ? instantOf(said["to-day"], said["to-time"]) : instantOf(dayAfter(said["to-day"]), "00:00"));
  if (!from && !to) return;
  const last = event.target.elements["to-day"];
  last.setCustomValidity(from && to && from >= to ? "The end has to be after the beginning." : "");
  if (last.reportValidity()) chooseSpan(from, to);
  else last.addEventListener("input", () => last.setCustomValidity(""), { once: true });
});

function dayAfter(day) {
  const next = new Date(`${day}T12:00:00Z`);
  next.setUTCDate(next.getUTCDate() + 1);
  return next.toISOString().slice(0, 10);
}
