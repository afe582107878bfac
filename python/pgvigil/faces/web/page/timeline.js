// The business day: steps on a time axis, with what they wait for and when they will be done.

import { el, nothing } from "./dom.js";
import { hrefOfJob } from "./router.js";
import { ofBrowser } from "./storage.js";
import { NONE, badge, count, duration, figure, percent, plural, progressBar, time, timeText } from "./format.js";
import { renderStepDetails } from "./step.js";

const MINUTE = 60_000;
const TICKS_MINUTES = [5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440];
const MOST_TICKS = 8;
// About how much of the axis a label takes; the one for now comes before the others.
const labelPercent = () => (window.innerWidth < 380 ? 16 : window.innerWidth < 760 ? 13 : 6);

/** All workflows of a day; `view` says which steps are open and what is known of their runs. */
export function renderBatch(rows, health, view, now) {
  if (!rows.length) {
    return nothing("No workflow is set up. ", el("code", {}, "pgvigil workflow apply FILE"), " does.");
  }
  const workflows = Map.groupBy
    ? Map.groupBy(rows, (row) => row.workflow_name)
    : rows.reduce((all, row) => all.set(row.workflow_name, [...(all.get(row.workflow_name) ?? []), row]), new Map());
  return [...workflows].map(([name, steps]) => renderWorkflow(name, steps, health.get(name), view, now));
}

/** What went wrong on the day before, until somebody says that it has been seen. */
export function renderLastDay(rows, chosenDay) {
  const wrong = rows.filter((step) => ["failed", "late"].includes(step.status));
  if (chosenDay || !wrong.length || ofBrowser.getItem("pgvigil-seen") === wrong[0].business_date) return [];
  const day = wrong[0].business_date;
  return el(
    "div",
    { class: "last-day", "data-key": "last-day" },
    badge("failed", "day before"),
    el("p", {}, el("strong", {}, dayText(day)), " ended with ", wrong.map((step, place) => [
      place > 0 && ", ", el("a", { href: hrefOfJob(step.step_name) }, step.step_name),
      step.status === "late" ? " not done" : " failed"])),
    el("button", { type: "button", class: "small", "data-action": "choose", "data-name": "day", "data-value": day }, "Show that day"),
    el("button", { type: "button", class: "small", "data-action": "seen", "data-day": day }, "Seen"),
  );
}

function dayText(day) {
  return new Date(`${day}T12:00:00Z`).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
}

/** Whether nothing of a workflow needs a look: nothing runs, failed, is late or has an alert. */
function isAsExpected(steps, runs, alerts) {
  return steps.every((step) => ["complete", "pending", "skipped"].includes(step.status))
    && !runs.some((run) => isFailure(run.status))
    && !steps.some((step) => alertsOf(step, alerts).length);
}

/** Alerts about a step; those about another business day stand with that day. */
function alertsOf(step, alerts) {
  return alerts.filter((alert) => alert.labels?.task_type === step.step_name
    && (!alert.business_date || alert.business_date === step.business_date));
}

function renderWorkflow(name, steps, health, view, now) {
  const runs = view.runsOfDay.filter((run) => run.workflow_name === name);
  const isQuiet = isAsExpected(steps, runs, view.alerts);
  const isFolded = isQuiet && !view.unfolded.includes(name);
  const axis = axisOf(steps, runs, now);
  const done = steps.filter((step) => ["complete", "skipped"].includes(step.status)).length;
  const last = steps.at(-1);
  return el(
    "div",
    { class: `workflow ${isFolded ? "is-folded" : ""}`, "data-key": name },
    el(
      "h3",
      { class: "workflow-title" },
      isQuiet
        ? el("button", {
          type: "button", class: "opener", "aria-expanded": String(!isFolded), "data-action": "fold", "data-workflow": name,
        }, el("span", { class: "clip" }, name))
        : el("span", { class: "clip" }, name),
      isQuiet && el("span", { class: "tag is-good" }, "as expected"),
      el("span", { class: "faint" }, ` ${done} of ${steps.length} done`,
        last?.eta_at ? [", all of it about ", time(last.eta_at, now)] : null, isFolded && nextWords(steps, now)),
      health && el("span", { class: "faint workflow-health" },
        `${percent(health.success_percent)} of runs succeeded in 7 days · ${count(health.failed_runs)} failed in 24 hours`),
    ),
    !isFolded && el(
      "div",
      { class: "gantt", "data-gantt": name },
      axis && renderAxis(axis, now),
      el("ol", { class: "steps" }, steps.map((step) => renderStep(step, steps, axis, view, now))),
    ),
  );
}

/** When the next step of a folded workflow is due, or when the last was done. */
function nextWords(steps, now) {
  const due = steps.filter((step) => step.status === "pending" && step.due_at).map((step) => step.due_at).sort()[0];
  if (due) return [", next due ", time(due, now)];
  const done = steps.map((step) => step.finished_at).filter(Boolean).sort().at(-1);
  return done ? [", the last at ", time(done, now)] : null;
}

/** The span that the axis shows, in whole ticks; null while no step has any time. */
function axisOf(steps, runs, now) {
  const times = steps
    .flatMap((step) => [step.due_at, step.started_at, step.finished_at, step.eta_to_at ?? step.eta_at])
    .concat(runs.flatMap((run) => [run.started_at, run.finished_at]))
    .filter(Boolean)
    .map((at) => Date.parse(at));
  if (!times.length) return null;
  if (steps.some((step) => step.status === "running" || step.status === "late")) times.push(+now);
  const first = Math.min(...times);
  const span = Math.max(...times, first + 30 * MINUTE) - first;
  const tick = MINUTE * (TICKS_MINUTES.find((size) => span / MINUTE / size < MOST_TICKS) ?? 1440);
  const from = Math.floor(first / tick) * tick;
  const to = Math.ceil((first + span * 1.01) / tick) * tick;
  return { from, to, tick, at: (when) => (100 * (when - from)) / (to - from) };
}

function renderAxis(axis, now) {
  const labels = [];
  const wide = labelPercent();
  const every = axis.tick * (100 * axis.tick < wide * (axis.to - axis.from) ? 2 : 1);
  for (let at = axis.from; at < axis.to; at += every) {
    if (Math.abs(axis.at(at) + wide / 2 - axis.at(+now)) < wide) continue;
    labels.push(el("span", { style: { left: `${axis.at(at)}%` } }, timeText(new Date(at), new Date(at))));
  }
  const isNow = +now >= axis.from && +now <= axis.to;
  return el(
    "div",
    { class: "step-line axis", "aria-hidden": "true" },
    el("span", {}, ""),
    el("div", { class: "ticks" }, labels,
      isNow && el("span", { class: "now-label", style: { left: `${axis.at(+now)}%` } }, "now")),
    el("span", { class: "axis-head" }, "records"),
    el("span", { class: "axis-head" }, "done"),
  );
}

function renderStep(step, steps, axis, view, now) {
  const key = `${step.workflow_name}/${step.step_name}`;
  const isOpen = view.open.has(key);
  const alerts = alertsOf(step, view.alerts);
  const runs = view.runsOfDay.filter((run) => run.step_name === step.step_name && run.workflow_name === step.workflow_name);
  const failed = runs.filter((run) => isFailure(run.status)).length;
  return el(
    "li",
    { class: `step is-${step.status}`, "data-key": key },
    el(
      "div",
      { class: "step-line" },
      el(
        "button",
        { type: "button", class: "opener", "aria-expanded": String(isOpen), "data-action": "open-step", "data-step": key },
        badge(step.status),
        el(
          "span",
          { class: "step-words" },
          el("span", { class: "clip-2", title: step.step_name }, step.step_name),
          step.is_optional && el("span", { class: "tag" }, "optional"),
          runs.length > 1 && el("span", { class: "tag" }, `${plural(runs.length, "run")}${failed ? `, ${failed} failed` : ""}`),
          alerts.length > 0 && el("span", { class: `tag is-${alerts[0].severity}` }, plural(alerts.length, "alert")),
        ),
      ),
      axis ? renderTrack(step, steps, runs, axis, now) : el("span", {}),
      renderProgress(step),
      renderEnd(step, now),
    ),
    isOpen && renderStepDetails(step, alerts, view.runs.get(key), now),
  );
}

function renderTrack(step, steps, runs, axis, now) {
  const parts = [];
  for (let at = axis.from + axis.tick; at < axis.to; at += axis.tick) {
    parts.push(el("i", { class: "gridline", style: { left: `${axis.at(at)}%` } }));
  }
  // Of a step that ran several times each run has its bar; the last is the step's own.
  for (const run of runs) {
    if (run.task_id === step.task_id && run.started_at === step.started_at) continue;
    parts.push(el("i", {
      class: `bar-of is-${isFailure(run.status) ? "failed" : run.status === "completed" ? "complete" : run.status}`,
      "data-run": run.task_id,
      style: place(axis, Date.parse(run.started_at), run.finished_at ? Date.parse(run.finished_at) : +now),
    }));
  }
  const [begin, end] = barOf(step, steps, now);
  if (begin !== null) {
    const bar = el("i", { class: `bar-of is-${step.status}`, "data-bar": step.step_name, style: place(axis, begin, end) });
    if (step.status === "running") {
      const until = Math.min(+now, end);
      bar.append(el("i", { class: "bar-so-far", style: { width: `${(100 * (until - begin)) / (end - begin || 1)}%` } }));
    }
    parts.push(bar);
  }
  if (step.eta_from_at && step.eta_to_at) {
    parts.push(el("i", { class: "eta-range", style: place(axis, Date.parse(step.eta_from_at), Date.parse(step.eta_to_at)) }));
  }
  if (step.due_at) parts.push(el("i", { class: "due", style: { left: `${axis.at(Date.parse(step.due_at))}%` } }));
  if (+now >= axis.from && +now <= axis.to) parts.push(el("i", { class: "now", style: { left: `${axis.at(+now)}%` } }));
  return el("div", { class: "track", "aria-hidden": "true" }, parts);
}

function isFailure(status) {
  return ["failed", "timeout", "lost"].includes(status);
}

function place(axis, begin, end) {
  const left = axis.at(begin);
  return { left: `${left}%`, width: `${Math.max(0, axis.at(end) - left)}%` };
}

/** From when to when a step is drawn; one to come begins when those before it are expected to end. */
function barOf(step, steps, now) {
  const instant = (at) => (at ? Date.parse(at) : null);
  if (step.started_at) {
    return [instant(step.started_at), instant(step.finished_at) ?? Math.max(+now, instant(step.eta_at) ?? 0)];
  }
  if (step.status === "late" && step.due_at && !step.eta_at) return [instant(step.due_at), +now];
  if (!step.eta_at) return [null, null];
  const before = steps.filter((other) => step.after_steps?.includes(other.step_name));
  const begin = Math.max(instant(step.due_at) ?? 0, +now, ...before.map((other) => instant(other.finished_at ?? other.eta_at) ?? 0));
  return [Math.min(begin, instant(step.eta_at)), instant(step.eta_at)];
}

function renderProgress(step) {
  const share = step.progress_percent === null ? null : Number(step.progress_percent);
  const isKnown = share !== null && !["pending", "skipped", "unknown"].includes(step.status);
  const words = [
    step.records_processed === null ? null : count(step.records_processed),
    step.records_total > 0 && step.status !== "complete" ? ` of ${count(step.records_total)}` : null,
    step.records_per_second > 0 ? el("span", { class: "faint" }, ` · ${figure(step.records_per_second)}/s`) : null,
  ];
  return el(
    "div",
    { class: "step-progress" },
    isKnown && el("div", { class: "progress-line" }, progressBar(`Progress of ${step.step_name}`, share),
      el("strong", {}, percent(share))),
    el("div", { class: "step-records" }, words),
  );
}

function renderEnd(step, now) {
  const range = step.eta_from_at && step.eta_to_at
    ? el("div", { class: "faint" }, `${timeText(step.eta_from_at, now)} – ${timeText(step.eta_to_at, now)}`)
    : null;
  let words;
  if (step.status === "complete" || (step.status === "failed" && step.finished_at)) {
    words = [time(step.finished_at, now), el("div", { class: "faint" }, `took ${duration(step.duration_seconds)}`)];
  } else if (step.eta_at) {
    words = [el("span", { class: "about" }, "about "), time(step.eta_at, now), range];
  } else if (step.status === "late" && step.due_at) {
    words = [el("span", { class: "faint" }, "was due "), time(step.due_at, now)];
  } else {
    words = step.due_at && step.status === "pending" ? [el("span", { class: "faint" }, "due "), time(step.due_at, now)] : NONE;
  }
  return el("div", { class: "step-end" }, words);
}
