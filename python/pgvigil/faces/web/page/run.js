// One run of a task: its attempts, how far it is, its parts, errors and log.

import { alertsAbout } from "./about.js";
import { get } from "./api.js";
import { el, nothing } from "./dom.js";
import { NONE, badge, count, duration, figure, percent, progressBar, time } from "./format.js";
import { table } from "./lists.js";
import { choiceOf, heading, panel, renderDocument, renderMoreRows, rowsAsked } from "./parts.js";
import { hrefOf, hrefOfGroup, hrefOfJob, hrefOfRun } from "./router.js";
import { state } from "./state.js";
import { renderFacts } from "./step.js";

const LEVELS = [["", "All levels"], ["ERROR", "ERROR"], ["WARNING", "WARNING"], ["INFO", "INFO"], ["DEBUG", "DEBUG"], ["CRITICAL", "CRITICAL"]];

export const runPage = {
  title: (route) => route.name,
  questions: (route) => ({
    run: () => get(`api/runs/${encodeURIComponent(route.name)}`, { attempt: route.attempt }),
    runLogs: () => logsOf(route),
  }),
  render: ({ route, data, refusalOf, now }) => {
    const shown = data.run?.attempts.find((each) => each.attempt === data.run.shown);
    return [
      heading(route.name, {
        back: shown ? [shown.task_type, hrefOfJob(shown.task_type)] : ["Jobs", hrefOf(["jobs"])],
        beside: shown ? badge(shown.status) : [],
      }),
      shown ? renderRun(data, shown, route, refusalOf, now) : refusalOf("run"),
    ];
  },
};

/** Its log lines: of when it ran, which the run itself says. */
async function logsOf(route) {
  const run = state.data.run ?? await get(`api/runs/${encodeURIComponent(route.name)}`, { attempt: route.attempt });
  return get("api/run-logs", { task_id: route.name, from: run.from_at, level: route.query.get("level"), limit: rowsAsked(route), to: endOf(run) });
}

/** While it runs lines come in that are younger than what is known of it. */
function endOf(run) {
  const shown = run.attempts.find((each) => each.attempt === run.shown);
  return shown?.end_time ? run.to_at : null;
}

function renderRun(data, shown, route, refusalOf, now) {
  const { run } = data;
  return [
    run.attempts.length > 1 && el("p", { class: "attempts", "data-key": "attempts" }, "Attempts: ", run.attempts.map((each) => el(
      "a", { href: hrefOfRun(route.name, each.attempt), "aria-current": each.attempt === shown.attempt ? "true" : null, class: "tag" },
      `${each.attempt} ${each.status}`))),
    shown.error_message && el("p", { class: "error-text refusal", "data-key": "why" }, "Why: ", shown.error_message),
    alertsAbout("run", run.alerts, now),
    panel("run", "How it went", null, renderState(shown, now)),
    renderSteps(shown.step_durations),
    renderPart("counters", "Counters", shown.counters),
    renderPart("metadata", "Metadata", shown.metadata),
    run.children.length > 0 && panel("children", "Its parts", null, renderChildren(run.children, now)),
    panel("errors-of-run", "Errors", null, run.errors.length ? renderErrors(run.errors, now) : nothing("None was recorded in it.")),
    panel("logs", "Log", choiceOf("level", "Level", LEVELS, route.query.get("level")),
      data.runLogs ? renderLogs(data.runLogs, route, now) : refusalOf("runLogs")),
  ];
}

function renderState(run, now) {
  const isRunning = run.status === "running";
  const share = run.progress_percent === null ? null : Number(run.progress_percent);
  return [
    isRunning && share !== null && el("div", { class: "progress-line" }, progressBar("Progress", share), el("strong", {}, percent(share))),
    renderFacts([
      ["Job", el("a", { href: hrefOfJob(run.task_type) }, run.task_type)],
      ["Attempt", count(run.attempt)],
      ["Began", time(run.start_time, now)],
      ["Ended", time(run.end_time, now)],
      [isRunning ? "Runs for" : "Took", durationOf(isRunning ? run.running_ms : run.duration_ms)],
      ["Items", run.items_done === null ? NONE : `${count(run.items_done)}${run.items_total ? ` of ${count(run.items_total)}` : ""}`],
      ["Items a second", rateOf(run)],
      ["Worker", run.worker_id ?? NONE],
      ["Part of", run.parent_task_id ? el("a", { href: hrefOfRun(run.parent_task_id) }, run.parent_task_id) : NONE],
      ["Input size", figure(run.input_size)],
      ["Output size", figure(run.output_size)],
      ...(isRunning ? [
        ["Without progress for", duration(run.seconds_without_progress)],
        ["Last heard of", time(run.heartbeat_at, now)],
        ["Session", run.backend_pid === null ? NONE : [String(run.backend_pid), { true: ", is there", false: ", is gone" }[run.is_backend_alive]]],
      ] : []),
    ]),
  ];
}

const durationOf = (ms) => (ms === null || ms === undefined ? NONE : duration(ms / 1000));

function rateOf(run) {
  const ms = run.duration_ms ?? run.running_ms;
  return run.items_done > 0 && ms > 0 ? figure((1000 * run.items_done) / ms) : NONE;
}

function renderSteps(steps) {
  const known = Object.entries(steps ?? {}).filter(([, ms]) => typeof ms === "number" && ms >= 0);
  if (!known.length) return null;
  const longest = Math.max(...known.map(([, ms]) => ms), 1);
  return panel("steps-of-run", "Steps", null, el("ul", { class: "step-bars" }, known.map(([name, ms]) => el(
    "li", {}, el("span", { class: "clip-2" }, name),
    el("span", { class: "progress", "aria-hidden": "true" }, el("span", { style: { width: `${(100 * ms) / longest}%` } })),
    el("span", { class: "number" }, duration(ms / 1000))))));
}

function renderPart(key, title, document) {
  const shown = renderDocument(document);
  return shown && panel(key, title, null, shown);
}

function renderChildren(rows, now) {
  return table("Its parts", ["Task", "Type", "Began", "Took#", "How"], rows.map((child) => el(
    "tr",
    { "data-key": `${child.task_id}#${child.attempt}#${child.end_time}` },
    el("th", { scope: "row" }, el("a", { class: "clip-2", href: hrefOfRun(child.task_id, child.attempt) }, child.task_id)),
    el("td", { class: "minor" }, el("span", { class: "clip-2" }, child.task_type)),
    el("td", {}, time(child.start_time, now)),
    el("td", { class: "number" }, durationOf(child.duration_ms)),
    el("td", {}, badge(child.status)),
  )));
}

function renderErrors(rows, now) {
  return el("ul", { class: "errors" }, rows.map((error) => el(
    "li",
    { class: "error", "data-key": String(error.error_id) },
    el("div", { class: "error-head" }, badge(error.severity), el("a", { class: "clip", href: hrefOfGroup(error.fingerprint) }, error.error_type),
      el("span", { class: "error-count faint" }, time(error.occurred_at, now))),
    el("p", { class: "error-text wrap" }, error.message),
    renderStack(error.stack),
    renderDocument(error.details),
  )));
}

/** A stack trace, behind its own heading. */
export function renderStack(stack, isOpen = false) {
  return stack && el("details", { open: isOpen }, el("summary", {}, "Stack"), el("pre", { tabindex: "0" }, stack));
}

function renderLogs(answer, route, now) {
  if (!answer.rows.length) return nothing(route.query.get("level") ? "No line of this level." : "It has logged nothing.");
  return [
    el("ol", { class: "log" }, answer.rows.map((line) => el(
      "li",
      { "data-key": String(line.log_id) },
      time(line.logged_at, now), el("span", { class: `level is-${line.level}` }, line.level),
      el("span", { class: "faint clip" }, line.component), el("span", { class: "wrap" }, line.message),
    ))),
    renderMoreRows(answer, route),
  ];
}
