// One job: how it is, its runs over time, its alerts, errors and rules.

import { alertsAbout, rulesAbout } from "./about.js";
import { get } from "./api.js";
import { renderRunChart } from "./run_chart.js";
import { el, nothing } from "./dom.js";
import { NONE, ago, badge, count, duration, percent, plural, time } from "./format.js";
import { aboutJob, daysOfJob, renderTypical } from "./jobs.js";
import { renderErrors, table } from "./lists.js";
import { renderMarks } from "./marks.js";
import { choiceOf, heading, panel, renderMoreRows, rowsAsked } from "./parts.js";
import { hrefOf, hrefOfRun } from "./router.js";
import { isSpanChosen, renderSpans, spanAsked, spanOfList } from "./spans.js";
import { renderFacts } from "./step.js";

const STATUSES = [
  ["", "However they ended"], ["completed", "Completed"], ["failed", "Failed"], ["timeout", "Timed out"], ["lost", "Lost"], ["cancelled", "Cancelled"],
];
// Of how many days runs are listed unless another span is chosen.
const DAYS = 30;

export const jobPage = {
  title: (route) => route.name,
  questions: (route) => ({
    job: () => get(`api/jobs/${encodeURIComponent(route.name)}`),
    jobRuns: () => get("api/job-runs", {
      job: route.name, status: route.query.get("status"), limit: rowsAsked(route), ...spanOfList(route),
    }),
    jobMarks: () => get("api/chart-marks", { component: route.name, ...spanAsked(route, DAYS * 24) }),
    jobErrors: () => get("api/errors", { component: route.name, limit: 8 }),
  }),
  render: ({ route, data, refusalOf, now }) => [
    heading(route.name, { back: ["Jobs", hrefOf(["jobs"])], beside: data.job ? badge(data.job.job.state) : [] }),
    data.job ? renderJob(data, route, refusalOf, now) : refusalOf("job"),
  ],
};

function renderJob(data, route, refusalOf, now) {
  const { job, alerts } = data.job;
  return [
    alertsAbout("job", alerts, now),
    panel("job", "How it is", null, renderState(data.job, now)),
    panel("runs", "Runs", [renderSpans(route, { usual: DAYS * 24, most: DAYS * 24, label: "Span of the runs" }), choiceOf("status", "How they ended", STATUSES, route.query.get("status"))],
      data.jobRuns ? renderRuns(data.jobRuns, data.jobMarks, job, route, now) : refusalOf("jobRuns")),
    data.jobErrors?.rows.length > 0 && panel("errors-of-job", "Errors of its component", null,
      renderErrors(data.jobErrors.rows, { isWhole: true, few: 8 }, now)),
    rulesAbout(data.job.rules, "tasks"),
  ];
}

function renderState({ job, expected, as_of: asOf }, now) {
  const late = job.missing_since && el("strong", { class: "is-late" }, "late by ", duration(job.seconds_late));
  return [
    renderFacts([
      ["What", aboutJob(job) || "a task type"],
      ["Runs now", job.running ? [count(job.running), ", since ", time(job.running_since, now)] : "no"],
      ["Last run", job.last_end_at ? [el("a", { href: hrefOfRun(job.last_task_id, job.last_attempt) }, ago(job.last_end_at, now), " ago"), ", ", job.last_status] : NONE],
      ["Took", job.last_duration_ms === null ? NONE : duration(job.last_duration_ms / 1000)],
      ["Next due", job.next_due_at ? time(job.next_due_at, now) : NONE],
      ...(late ? [["Was due", [time(job.missing_since, now), ", ", late]]] : []),
      ["Time zone", job.time_zone ?? NONE],
      ["Grace", expected ? duration(expected.grace_seconds) : NONE],
      ["Success, 30 days", [percent(job.success_percent), job.ended ? ` of ${count(job.ended)}` : null]],
      ["Half take at most", renderTypical(job)],
      ["95 % take at most", job.p95_duration_ms === null ? NONE : duration(job.p95_duration_ms / 1000)],
    ]),
    el("div", { class: "whole-bars" }, daysOfJob(job.days, asOf, { height: 40, width: 14 })),
  ];
}

function renderRuns(answer, marks, job, route, now) {
  if (!answer.rows.length) return nothing(`No run ended${route.query.get("status") ? " so" : ""} within ${isSpanChosen(route) ? "this span" : plural(DAYS, "day")}.`);
  return [
    renderRunChart(answer.rows, job, marks?.rows),
    renderMarks(marks, now),
    table("Runs", ["Run", "Ended", "Took#", "How", "Items#"], answer.rows.flatMap((run) => [
      el(
        "tr",
        { "data-key": `${run.task_id}#${run.attempt}#${run.end_time}` },
        el("th", { scope: "row" }, el("a", { class: "clip-2", href: hrefOfRun(run.task_id, run.attempt), title: run.task_id }, run.task_id),
          run.attempt > 1 && el("span", { class: "faint" }, `attempt ${run.attempt}`)),
        el("td", {}, time(run.end_time, now)),
        el("td", { class: "number" }, run.duration_ms === null ? NONE : duration(run.duration_ms / 1000)),
        el("td", {}, badge(run.status)),
        el("td", { class: "number minor" }, count(run.items_done)),
      ),
      run.error_message && el("tr", { class: "why", "data-key": `why#${run.task_id}#${run.attempt}#${run.end_time}` },
        el("td", { colspan: 5, class: "wrap" }, "Why: ", run.error_message)),
    ].filter(Boolean)), ["Items"]),
    renderMoreRows(answer, route),
  ];
}
