// The first things to see: alerts by severity, and four figures.

import { el } from "./dom.js";
import { count, duration, figure, percent, plural, time } from "./format.js";

// What kind of trouble alerts are about, in words.
export const KINDS = [
  ["failed", "failed"], ["stuck", "stuck"], ["long", "long running"], ["late", "late"], ["other", "other"],
];

/** Counts by kind and severity, each a filter of the list below. */
export function renderCounts(counts, filter, now, known) {
  if (!counts.active) return known.is_known ? renderQuiet(known, now) : renderUnknown(known);
  const isUnknown = known.is_known ? "" : "is-unknown";
  return [
    !known.is_known && renderUnknown(known),
    el("p", { class: `in-all ${isUnknown}` }, el("strong", {}, count(counts.active)), ` active ${counts.active === 1 ? "alert" : "alerts"}`),
    el("div", { class: `chips severities ${isUnknown}`, role: "group", "aria-label": "Show only severity" },
      counts.worstFirst.map((severity) => chip("severity", severity, counts[severity] ?? 0, severity, filter))),
    el("div", { class: `chips kinds ${isUnknown}`, role: "group", "aria-label": "Show only kind" },
      KINDS.filter(([kind]) => counts.byKind[kind]).map(([kind, words]) => chip("kind", kind, counts.byKind[kind], words, filter))),
  ];
}

/** A count that is a filter of the list below. */
function chip(by, value, number, words, filter) {
  return el(
    "button",
    {
      type: "button",
      class: `chip is-${value}`,
      "data-action": "filter",
      "data-by": by,
      "data-value": value,
      "aria-pressed": String(filter?.by === by && filter.value === value),
      disabled: !number,
      title: number ? `Only ${words} ones in the list` : null,
    },
    el("span", { class: "chip-count" }, count(number)),
    ` ${words}`,
  );
}

function renderQuiet(known, now) {
  return el("p", { class: "all-quiet" },
    el("strong", {}, "All quiet"), " as of ", time(known.known_at, now), ". No alert fires.");
}

/** That nothing fires means nothing where nobody has looked. */
function renderUnknown(known) {
  return el("p", { class: "all-quiet is-unknown" }, el("strong", {}, "Not known."), ` ${unknownWords(known)}`);
}

/** Why it is not known what fires, in a sentence. */
export function unknownWords(known) {
  return `${known.detail[0].toUpperCase()}${known.detail.slice(1)}, so nobody can tell what is wrong at present.`;
}

/** What keeps pgvigil itself from knowing the present, and what to do, in a line; the rest on demand. */
export function late(checks) {
  const all = checks.filter((check) => check.status !== "ok");
  if (!all.length) return [];
  // While nothing is begun all else is late for that very reason.
  const scheduler = all.find((check) => check.check_name === "scheduler");
  const worst = scheduler ?? all.find((check) => check.status === "failed") ?? all[0];
  const more = all.length > 1 ? `, and ${plural(all.length - 1, "other part")}` : "";
  return el(
    "details",
    { "data-key": "late" },
    el("summary", {},
      el("strong", {}, "pgvigil itself does not keep up"), `: ${worst.check_name}${lateBy(worst)}${more}. `,
      scheduler ? ["Start ", el("code", {}, "pgvigil run"), ", or have pg_cron run the jobs."]
        : [el("code", {}, "pgvigil doctor"), " says what to do."]),
    el("ul", {}, all.map((check) => el("li", {}, el("strong", {}, check.check_name), `${lateBy(check)}: ${check.detail ?? ""}`))),
  );
}

const lateBy = ({ seconds_late: seconds }) => (seconds > 0 ? ` late by ${duration(seconds)}` : "");

/** The four figures. */
export function renderCards(cards, counts, known) {
  const success = cards.success_percent_7_days;
  const failed = cards.failed_24_hours;
  const firing = (counts.worstFirst ?? []).filter((severity) => counts[severity]);
  return [
    card("Success rate, 7 days", percent(success), cards.ended_7_days ? `of ${plural(cards.ended_7_days, "task")}` : "no task has ended", { meter: success }),
    card("Failed, 24 hours", count(failed), failed === 1 ? "task" : "tasks", {}),
    card("Mean rate today", figure(cards.records_per_second_today), "records a second in batch steps", {}),
    card(
      "Active alerts",
      known.is_known || counts.active ? count(counts.active ?? 0) : "?",
      activeWords(firing.map((severity) => `${counts[severity]} ${severity}`).join(" · "), known),
      { tone: !known.is_known ? "unknown" : counts.critical ? "bad" : counts.active ? "warn" : "good" },
    ),
  ];
}

function activeWords(firing, known) {
  if (known.is_known) return firing || "nothing fires";
  return firing ? `${firing}, when rules last ran` : "not known";
}

function card(title, value, unit, { tone, meter }) {
  return el(
    "div",
    { class: `card ${tone ? `is-${tone}` : ""}` },
    el("h2", { class: "card-title" }, title),
    el("p", { class: "card-value" }, value),
    el("p", { class: "card-unit" }, unit),
    meter === null || meter === undefined ? null : el(
      "div",
      { class: "meter", "aria-hidden": "true" },
      el("span", { style: { width: `${Math.max(0, Math.min(100, meter))}%` } }),
    ),
  );
}
