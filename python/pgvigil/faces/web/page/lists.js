// Errors, running tasks, queues and health.

import { sparkline } from "./charts.js";
import { el, nothing } from "./dom.js";
import { hrefOf, hrefOfComponent, hrefOfDataset, hrefOfGroup, hrefOfJob, hrefOfQueue, hrefOfRun } from "./router.js";
import { NONE, ago, badge, count, duration, figure, percent, progressBar } from "./format.js";

const STALE_SECONDS = 900;

/** Whether a queue was sampled so long ago that its figures may be of another time. */
export const isStaleSample = (queue, now) => (now - new Date(queue.recorded_at)) / 1000 > STALE_SECONDS;

/** Groups of errors. */
export function renderErrors(rows, view, now) {
  if (!rows.length) return nothing("No error has been recorded.");
  const shown = view.isWhole ? rows : rows.slice(0, view.few);
  return [
    el("ul", { class: "errors" }, shown.map((group) => el(
      "li",
      { class: `error ${group.status === "open" || group.status === "regressed" ? "" : "is-quiet"}`, "data-key": group.fingerprint },
      el(
        "div",
        { class: "error-head" },
        badge(group.severity),
        el("a", { class: "clip", href: hrefOfGroup(group.fingerprint) }, group.error_type),
        group.status !== "open" && el("span", { class: "tag" }, group.status),
        el("span", { class: "error-count", title: "occurrences" }, `${count(group.occurrences)} ×`),
      ),
      el("p", { class: "error-text clip-2", title: group.template }, group.example || group.template),
      el("p", { class: "faint clip" }, "last seen ", ago(group.last_seen_at, now), " ago · first ",
        ago(group.first_seen_at, now), " ago", group.components?.length ? ` · ${group.components.join(", ")}` : null),
    ))),
    renderMore(rows, shown, "errors"),
  ];
}

/** Tasks that run, the longest first. */
export function renderTasks(rows, view) {
  if (!rows.length) return nothing("Nothing runs at present.");
  const shown = view.isWhole ? rows : rows.slice(0, view.few);
  return [
    table("Running tasks", ["Task", "Type", "Progress", "Runs for#", "Still for#"], shown.map((task) => el(
      "tr",
      { "data-key": `${task.task_id}#${task.attempt}` },
      el("th", { scope: "row" }, el("a", { class: "clip-2", href: hrefOfRun(task.task_id), title: task.task_id }, task.task_id),
        task.is_backend_alive === false && el("span", { class: "tag is-critical" }, "session gone")),
      el("td", { class: "minor" }, el("a", { class: "clip-2", href: hrefOfJob(task.task_type), title: task.task_type }, task.task_type)),
      el("td", { class: "progress-cell" }, renderProgress(task)),
      el("td", { class: "number" }, duration(task.running_ms / 1000)),
      el("td", { class: "number minor" }, duration(task.seconds_without_progress)),
    ))),
    renderMore(rows, shown, "tasks"),
  ];
}

function renderProgress(task) {
  const done = count(task.items_done ?? 0);
  if (task.progress_percent === null || task.progress_percent === undefined) {
    return task.items_done ? `${done} done` : NONE;
  }
  const share = Number(task.progress_percent);
  return [
    progressBar(`Progress of ${task.task_id}`, share),
    el("span", { class: "faint" }, `${done} of ${count(task.items_total)}`),
  ];
}

/** Queues with their depth over the span of the trends. */
export function renderQueues(rows, depths, now, view) {
  if (!rows.length) return nothing("No queue has been measured.");
  // Those in which most waits first: what is left out is what matters least.
  const shown = view.isWhole ? rows : [...rows].sort((one, other) => (other.pending ?? 0) - (one.pending ?? 0)).slice(0, view.few * 2);
  return [table("Queues", ["Queue", "Depth", "Waiting#", "Oldest#", "Done/min#", "Failed %#"], shown.map((queue) => {
    const isStale = isStaleSample(queue, now);
    return el(
      "tr",
      { "data-key": queue.queue_name, class: isStale ? "is-quiet" : null },
      el("th", { scope: "row" }, el("a", { class: "clip-2", href: hrefOfQueue(queue.queue_name), title: queue.queue_name }, queue.queue_name),
        isStale && el("span", { class: "faint" }, " sampled ", ago(queue.recorded_at, now), " ago")),
      el("td", { class: "minor" }, sparkline(depths.get(queue.queue_name) ?? [])),
      el("td", { class: "number" }, el("strong", {}, count(queue.pending)), renderChange(queue.pending_change)),
      el("td", { class: "number" }, duration(queue.oldest_ready_seconds)),
      el("td", { class: "number minor" }, figure(queue.completed_per_minute)),
      el("td", { class: "number minor" }, percent(queue.failed_percent)),
    );
  })), renderMore(rows, shown, "queues")];
}

function renderChange(change) {
  if (!change) return null;
  const words = `${change > 0 ? "+" : "−"}${count(Math.abs(change))}`;
  return el("span", { class: "faint", title: "change over the last hour" }, ` ${words}`);
}

/** Components, those in trouble first. */
export function renderHealth(rows, now) {
  if (!rows.length) return nothing("No component has been checked.");
  return el("ul", { class: "components" }, rows.map((component) => el(
    "li",
    { class: `component is-${component.status}`, "data-key": `${component.component_type}/${component.component_name}` },
    el("div", { class: "component-head" },
      el("a", { class: "clip", href: hrefOfComponent(component), title: component.component_name }, component.component_name), badge(component.status)),
    component.status !== component.last_status && el("p", {}, `was ${component.last_status} when last checked`),
    component.failure_reason && el("p", { class: "clip-2" }, component.failure_reason),
    el("p", { class: "faint" },
      component.component_type, component.uptime_percent === null ? null : ` · ${percent(component.uptime_percent)} up`,
      component.response_time_ms === null ? null : [" · ", el("span", { class: "unbroken" }, duration(component.response_time_ms / 1000))]),
    el("p", { class: "faint" }, "checked ", ago(component.last_check_at, now), " ago"),
  )));
}

/** Open invalid records by dataset, type of validation and group. */
export function renderRecords(rows, view, now) {
  if (!rows.length) return nothing("No record is invalid.");
  const shown = view.isWhole ? rows : rows.slice(0, view.few);
  return [
    table("Invalid records", ["Dataset", "Failed", "Open#", "Oldest#"], shown.map((issue) => el(
      "tr",
      { "data-key": JSON.stringify([issue.dataset, issue.validation_type, issue.group_name]) },
      el("th", { scope: "row" }, el("a", { class: "clip-2", href: hrefOfDataset(issue.dataset), title: issue.dataset }, issue.dataset)),
      el("td", {}, el("a", { class: "clip-2", href: hrefOf(["records", issue.dataset], { type: issue.validation_type, group: issue.group_name }), title: issue.validation_type }, issue.validation_type), issue.group_name && el("div", { class: "faint clip-2" }, issue.group_name)),
      el("td", { class: "number" }, el("strong", {}, count(issue.open_records))),
      el("td", { class: "number" }, ago(issue.oldest_opened_at, now)),
    ))),
    renderMore(rows, shown, "records"),
  ];
}

function renderMore(rows, shown, what) {
  return rows.length > shown.length && el("p", { class: "more" }, el(
    "button", { type: "button", "data-action": "more", "data-what": what }, `Show all ${count(rows.length)}`));
}

/** A table; heads that end with # are of numbers, and those that are minor go where it is narrow. */
export function table(label, heads, rows, minor = ["Type", "Still for", "Depth", "Done/min", "Failed %"], kind = null) {
  return el("table", { "aria-label": label, class: kind }, el("thead", {}, el("tr", {}, heads.map((head) => {
    const name = head.replace("#", "");
    const kinds = [head.endsWith("#") && "number", minor.includes(name) && "minor"].filter(Boolean);
    return el("th", { scope: "col", class: kinds.join(" ") || null }, name);
  }))), el("tbody", {}, rows));
}
