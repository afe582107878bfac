// What a step of the business day shows when it is opened.

import { el } from "./dom.js";
import { badge, count, duration, figure, time } from "./format.js";
import { hrefOfAlert, hrefOfJob, hrefOfRun } from "./router.js";

const RUN_COLUMNS = [
  ["Run", null], ["Status", null], ["Began", null], ["Took", "number"], ["Records", "number minor"], ["Rate", "number minor"],
];

/** Its figures, its alerts and its runs; `runs` is undefined while they are on their way. */
export function renderStepDetails(step, alerts, runs, now) {
  const waits = step.waits_for?.length ? step.waits_for.join(", ") : "nothing";
  const facts = [
    ["Due", time(step.due_at, now)],
    ["Began", time(step.started_at, now)],
    ["Ended", time(step.finished_at, now)],
    ["Took", duration(step.duration_seconds)],
    ["Expected by", time(step.eta_at, now)],
    ["At the earliest", time(step.eta_from_at, now)],
    ["At the latest", time(step.eta_to_at, now)],
    ["Records", count(step.records_processed)],
    ["Of", count(step.records_total)],
    ["Remaining", count(step.records_remaining)],
    ["Records a second", figure(step.records_per_second)],
    ["Threads", count(step.threads)],
    ["Comes after", step.after_steps?.join(", ") || "nothing"],
    ["Waits for", waits],
    ["Runs", count(step.runs)],
    ["Newest run", step.task_id ? el("a", { href: hrefOfRun(step.task_id) }, step.task_id) : "–"],
  ];
  return el(
    "div",
    { class: "details" },
    renderFacts(facts),
    alerts.length > 0 && el("ul", { class: "plain" }, alerts.map((alert) => el(
      "li", {}, badge(alert.severity), " ", el("a", { href: hrefOfAlert(alert.alert_id) }, alert.summary),
    ))),
    renderRuns(step.step_name, runs, now),
    el("p", {}, el("a", { href: hrefOfJob(step.step_name) }, "All runs of this step")),
  );
}

/** Names with values, in columns. */
export function renderFacts(facts) {
  return el("dl", { class: "facts" }, facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

function renderRuns(name, runs, now) {
  if (runs === undefined) return el("p", { class: "faint" }, "Loading its runs …");
  if (runs instanceof Error) return el("p", { class: "refusal" }, `Its runs cannot be read: ${runs.message}`);
  if (!runs.length) return el("p", { class: "faint" }, "No run of this step on this day.");
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": `Runs of ${name}` },
    el(
      "table",
      {},
      el("thead", {}, el("tr", {}, RUN_COLUMNS.map(([name, kind]) => el(
        "th", { scope: "col", class: kind }, name)))),
      el("tbody", {}, runs.flatMap((run) => [
        el(
          "tr",
          {},
          el("td", { class: "wrap" }, el("a", { href: hrefOfRun(run.task_id, run.attempt) }, run.task_id), run.attempt > 1 ? ` (attempt ${run.attempt})` : null),
          el("td", {}, badge(run.status)),
          el("td", {}, time(run.started_at, now)),
          el("td", { class: "number" }, duration(run.duration_seconds)),
          el("td", { class: "number minor" }, count(run.records_processed)),
          el("td", { class: "number minor" }, figure(run.records_per_second)),
        ),
        // Below its run, so that it is in sight on a phone as well.
        run.error_message && el("tr", { class: "why" },
          el("td", { colspan: RUN_COLUMNS.length, class: "wrap" }, "Why: ", run.error_message)),
      ])),
    ),
  );
}
