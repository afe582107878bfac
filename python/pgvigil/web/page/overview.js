// The first things to see: alerts by severity, and four figures.

import { el } from "./dom.js";
import { SEVERITIES, ago, count, duration, figure, percent, plural } from "./format.js";

/** Counts by severity, each a filter of the list below, and the worst alert in its own words. */
export function renderCounts(counts, worst, filter, now) {
  if (!counts.active) {
    return el("p", { class: "all-quiet" }, el("strong", {}, "All quiet."), " No alert fires.");
  }
  const chips = SEVERITIES.map((severity) => el(
    "button",
    {
      type: "button",
      class: `chip is-${severity}`,
      "data-action": "filter",
      "data-severity": severity,
      "aria-pressed": String(filter === severity),
      disabled: !counts[severity],
      title: counts[severity] ? `Only ${severity} ones in the list` : null,
    },
    el("span", { class: "chip-count" }, count(counts[severity] ?? 0)),
    ` ${severity}`,
  ));
  return [
    el("div", { class: "chips", role: "group", "aria-label": "Show only" }, chips),
    worst && el(
      "a",
      { class: "worst", href: "#alerts-title", "data-action": "open-alert", "data-alert": worst.alert_id },
      el("span", { class: "clip" }, worst.summary),
      el("span", { class: "faint" }, " for ", ago(worst.started_at, now)),
    ),
  ];
}

/** What keeps pgvigil itself from knowing the present; empty while it keeps up. */
export function lateWords(checks) {
  const late = checks.filter((check) => check.status !== "ok");
  if (!late.length) return "";
  const each = late.map(({ check_name: name, seconds_late: seconds, detail }) => (
    `${name}${seconds > 0 ? ` late by ${duration(seconds)}` : ""} (${detail})`));
  return `pgvigil itself does not keep up, so what is shown may be old: ${each.join("; ")}.`;
}

/** The four figures. */
export function renderCards(cards, counts) {
  const success = cards.success_percent_7_days;
  const failed = cards.failed_24_hours;
  const firing = SEVERITIES.filter((severity) => counts[severity]);
  return [
    card("Success rate, 7 days", percent(success), cards.ended_7_days ? `of ${plural(cards.ended_7_days, "task")}` : "no task has ended", { meter: success }),
    card("Failed, 24 hours", count(failed), failed === 1 ? "task" : "tasks", {}),
    card("Mean rate today", figure(cards.records_per_second_today), "records a second in batch steps", {}),
    card(
      "Active alerts",
      count(counts.active ?? 0),
      firing.map((severity) => `${counts[severity]} ${severity}`).join(" · ") || "nothing fires",
      { tone: counts.critical ? "bad" : counts.active ? "warn" : "good" },
    ),
  ];
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
