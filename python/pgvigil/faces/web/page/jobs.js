// The list of jobs: task types, steps of workflows and expected runs, a row each.

import { get } from "./api.js";
import { dayBars } from "./day_bars.js";
import { el, nothing } from "./dom.js";
import { NONE, ago, badge, count, duration, percent, plural, time } from "./format.js";
import { table } from "./lists.js";
import { choiceOf, heading, panel, renderMoreRows, rowsAsked, searchBox } from "./parts.js";
import { hrefOfJob, hrefOfRun } from "./router.js";

const DAYS = 30;
const KINDS_OF_END = ["failed", "missed", "ended_otherwise", "completed"];
const KINDS = [["", "All kinds"], ["step", "Steps of workflows"], ["expected", "Expected by the clock"], ["type", "Others"]];
const TROUBLE = [["", "In any state"], ["true", "With alerts"], ["false", "Without alerts"]];
const MINOR = ["30 days", "Typical", "Success"];

export const jobsPage = {
  title: () => "Jobs",
  questions: (route) => ({
    jobs: () => get("api/jobs", {
      limit: rowsAsked(route), search: route.query.get("search"), kind: route.query.get("kind"),
      troubled: route.query.get("troubled"), workflow: route.query.get("workflow"),
    }),
  }),
  render: ({ route, data, refusalOf, now }) => [
    heading("Jobs"),
    el("div", { class: "choices", role: "search", "data-key": "choices" },
      searchBox("search", "Search jobs", route.query.get("search")),
      choiceOf("kind", "Kind", KINDS, route.query.get("kind")),
      choiceOf("troubled", "State", TROUBLE, route.query.get("troubled"))),
    el("section", { class: "panel", "aria-label": "Jobs", "data-key": "jobs" },
      data.jobs ? renderJobs(data.jobs, route, now) : refusalOf("jobs")),
  ],
};

function renderJobs(answer, route, now) {
  const isChosen = ["search", "kind", "troubled", "workflow"].some((name) => route.query.get(name));
  if (!answer.rows.length) {
    return isChosen ? nothing("No job fits.") : nothing("No job is known. Whatever is recorded as a task, a step of a workflow or an expected run is one.");
  }
  const heads = ["State", "Job", "Last run", "Next due", "30 days", "Success#", "Typical#"];
  return [
    table("Jobs", heads, answer.rows.map((job) => el(
      "tr",
      { "data-key": job.job_name },
      el("td", { class: "state" }, badge(job.state)),
      el("th", { scope: "row" }, el("a", { class: "clip-2", href: hrefOfJob(job.job_name), title: job.job_name }, job.job_name),
        el("span", { class: "faint clip" }, aboutJob(job)),
        job.alerts > 0 && el("span", { class: `tag is-${job.worst_severity}` }, plural(job.alerts, "alert"))),
      el("td", { class: "last" }, renderLast(job, now)),
      el("td", { class: "next" }, renderDue(job, now)),
      el("td", { class: "minor" }, daysOfJob(job.days, answer.as_of)),
      el("td", { class: "number minor" }, percent(job.success_percent)),
      el("td", { class: "number minor" }, renderTypical(job)),
    )), MINOR, "jobs"),
    renderMoreRows(answer, route),
  ];
}

/** What a job is, in a few words. */
export function aboutJob(job) {
  const words = job.kind === "step" ? [`step of ${job.workflow_name}`] : job.kind === "expected" ? ["expected"] : [];
  if (job.schedule) words.push(job.schedule);
  return words.join(" · ");
}

function renderLast(job, now) {
  const running = job.running > 0 && el("div", {}, job.running > 1 ? `${count(job.running)} run, for ` : "runs for ", ago(job.running_since, now));
  const last = job.last_end_at && el("div", { class: job.running ? "faint" : null },
    el("a", { href: hrefOfRun(job.last_task_id, job.last_attempt) }, ago(job.last_end_at, now), " ago"),
    job.last_status !== "completed" && [" ", badge(job.last_status)]);
  return running || last ? [running, last] : NONE;
}

function renderDue(job, now) {
  return [
    job.missing_since && el("div", { class: "is-late" }, "late by ", duration(job.seconds_late)),
    job.next_due_at ? el("div", { class: job.missing_since ? "faint" : null }, el("span", { class: "only-narrow faint" }, "due "), time(job.next_due_at, now)) : !job.missing_since && el("span", { class: "only-wide" }, NONE),
  ];
}

/** How long it takes, and whether that has changed by a fifth or more within a week. */
export function renderTypical(job) {
  const { p50_duration_ms: usual, recent_p50_duration_ms: recent } = job;
  if (usual === null) return NONE;
  const change = recent === null || usual <= 0 ? 0 : recent / usual - 1;
  const isChanged = Math.abs(change) >= 0.2;
  return [
    duration(usual / 1000),
    isChanged && el("span", { class: "faint", title: `${duration(recent / 1000)} within the last 7 days` }, change > 0 ? " ↗" : " ↘",
      el("span", { class: "hidden-text" }, change > 0 ? " slower lately" : " faster lately")),
  ];
}

/** A bar a day: what failed, did not come, or ended otherwise above what completed. */
export function daysOfJob(days, asOf, size = {}) {
  const sums = { failed: 0, missed: 0, completed: 0 };
  for (const day of days) for (const kind of Object.keys(sums)) sums[kind] += day[kind];
  return dayBars(new Map(days.map((day) => [day.day, day])), asOf, {
    days: DAYS, words: `${plural(DAYS, "day")}: ${sums.completed} completed, ${sums.failed} failed, ${sums.missed} missed`,
    parts: (day) => KINDS_OF_END.map((kind) => [kind, day[kind]]), title: dayWords, ...size,
  });
}

function dayWords(name, day) {
  if (!day) return `${name}: nothing`;
  const words = [["completed", day.completed], ["failed", day.failed], ["missed", day.missed], ["otherwise", day.ended_otherwise]]
    .filter(([, number]) => number).map(([kind, number]) => `${number} ${kind}`);
  return `${name}: ${words.join(", ")}${day.avg_ms ? `, ${duration(day.avg_ms / 1000)} on average` : ""}`;
}
