// The list of alerts, and what an opened one shows.

import { actsOfAlert, renderActs } from "./acts.js";
import { el, nothing } from "./dom.js";
import { ago, badge, count, figure, measured, plural, time } from "./format.js";
import { KINDS, unknownWords } from "./overview.js";
import { hrefOfAlert, hrefOfComponent, hrefOfDataset, hrefOfGroup, hrefOfJob, hrefOfQueue, hrefOfRecord, hrefOfRule, hrefOfRun } from "./router.js";
import { renderFacts } from "./step.js";

const MOST_ROWS = 8;

/** The first of the alerts that are loaded, and with those that are open all about them. */
export function renderAlerts(rows, view, now) {
  if (!rows.length && !view.known.is_known) return nothing(`Not known. ${unknownWords(view.known)}`);
  if (!rows.length) return nothing(view.filter ? `No ${filterWords(view.filter)} alert.` : "No alert fires.");
  const shown = rows.slice(0, view.most);
  return [
    el("ul", { class: "alerts" }, shown.map((alert) => renderAlert(alert, view, now))),
    rows.length > shown.length && el("p", { class: "more" }, el(
      "button", { type: "button", "data-action": "more-alerts" }, "Show more")),
    rows.length === shown.length && isCut(rows, view) && el("p", { class: "nothing" },
      `The list ends here, after ${count(rows.length)} of ${count(view.counts.active)}: choose a severity or a kind to see others.`),
  ];
}

/** Whether there are more alerts than were asked for. */
const isCut = (rows, view) => !view.filter && view.counts?.active > rows.length;

export function renderAlert(alert, view, now) {
  const isOpen = view.open.has(alert.alert_id);
  const isQuiet = alert.status === "acknowledged" || Boolean(alert.suppressed_by);
  return el(
    "li",
    { class: `alert is-${alert.severity} ${isQuiet ? "is-quiet" : ""}`, "data-key": `alert-${alert.alert_id}` },
    el(
      "div",
      { class: "alert-line" },
      badge(alert.severity),
      el(
        "div",
        { class: "alert-words" },
        el("button", {
          type: "button", class: `opener ${isOpen ? "" : "clip-2"}`, "aria-expanded": String(isOpen),
          "data-action": "open-alert", "data-alert": alert.alert_id, id: `alert-${alert.alert_id}`,
        }, alert.summary),
        alert.reason && !isOpen && !alert.summary?.includes(alert.reason) && el("p", { class: "alert-reason clip-2" }, alert.reason),
        el("p", { class: "faint alert-meta" },
          thresholdWords(alert), "since ", time(alert.started_at, now), ", for ", ago(alert.started_at, now),
          " · ", el("a", { class: "clip", href: hrefOfRule(alert.rule_name) }, alert.rule_name), alert.owner && ` · ${alert.owner}`,
          renderState(alert, now), el("span", { class: "alert-links" }, renderLinks(alert))),
      ),
      el("div", { class: "acts" }, renderActs(quickActs(alert), "alert", alert.alert_id, `alert ${alert.alert_id}`)),
    ),
    isOpen && renderDetails(alert, view.details.get(alert.alert_id), now),
  );
}

/** What may be decided at once; the rest is in the opened alert. */
function quickActs(alert) {
  const { acknowledge, silence } = actsOfAlert(alert);
  return alert.status === "firing" ? { acknowledge, silence } : {};
}

/** Where to go on from an alert: itself, what it is about, and what its owners wrote down for this case. */
export function renderLinks(alert) {
  const labels = alert.labels ?? {};
  const link = (href, words) => el("a", { href }, words);
  const runbook = [labels.runbook_url, labels.runbook].find((url) => /^https?:\/\//.test(url ?? ""));
  return [
    link(hrefOfAlert(alert.alert_id), "Link"),
    labels.task_id && link(hrefOfRun(labels.task_id), "Run"),
    labels.task_type && link(hrefOfJob(labels.task_type), "Job"),
    labels.queue && link(hrefOfQueue(labels.queue), "Queue"),
    labels.component && labels.component_type && link(hrefOfComponent({ component_name: labels.component, component_type: labels.component_type }), "Component"),
    labels.dataset && link(hrefOfDataset(labels.dataset), "Dataset"),
    labels.dataset && labels.record_key && link(hrefOfRecord(labels.dataset, labels.record_key), "Record"),
    labels.error_group && link(hrefOfGroup(labels.error_group), "Errors"),
    runbook && el("a", { href: runbook, target: "_blank", rel: "noreferrer noopener" }, "Runbook"),
  ].filter(Boolean);
}

/** What was measured beside what it may be at most, or at least; nothing where all is too much. */
export function thresholdWords({ value, threshold, unit }) {
  if (value === null || threshold === null || (value === threshold && (!unit || threshold <= 1))) return "";
  return `${measured(value, unit)}, threshold ${measured(threshold, unit)} · `;
}

/** The chosen kind or severity in words. */
export function filterWords({ by, value }) {
  return by === "kind" ? KINDS.find(([kind]) => kind === value)[1] : value;
}

function renderState(alert, now) {
  return [
    alert.status === "acknowledged" && [" · acknowledged by ", el("span", { class: "clip" }, alert.acknowledged_by), ", ", ago(alert.acknowledged_at, now), " ago"],
    alert.suppressed_by && [" · not notified: ", alert.suppressed_by],
  ];
}

export function renderDetails(alert, known, now, { hasActs = true } = {}) {
  return el(
    "div",
    { class: "details" },
    hasActs && el("div", { class: "acts" }, renderActs(restOfActs(alert), "alert", alert.alert_id)),
    alert.reason && el("p", { class: "error-text" }, alert.reason),
    renderFacts([
      ["Number", String(alert.alert_id)],
      ["Whose", alert.owner ?? "–"],
      ["Measured", measured(alert.value, alert.unit)],
      ["Threshold", measured(alert.threshold, alert.unit)],
      ["Found", plural(alert.occurrences, "time")],
      ["Since", time(alert.started_at, now)],
      ["Last found", time(alert.last_seen_at, now)],
      ["About", alert.fingerprint],
      ["Note", alert.acknowledged_note ?? "–"],
    ]),
    renderLabels(alert.labels ?? {}),
    renderMore(known, alert.labels ?? {}, now),
  );
}

/** What may be decided besides what stands beside the alert. */
function restOfActs(alert) {
  const { acknowledge, silence, ...rest } = actsOfAlert(alert);
  return alert.status === "firing" ? rest : { ...rest, ...(silence && { silence }) };
}

function renderLabels(labels) {
  const entries = Object.entries(labels);
  if (!entries.length) return null;
  return el("ul", { class: "labels", "aria-label": "Labels" }, entries.map(([name, value]) => el(
    "li", { class: "tag" }, `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)));
}

function renderMore(known, labels, now) {
  if (known === undefined) return el("p", { class: "faint" }, "Loading its history …");
  if (known instanceof Error) return el("p", { class: "refusal" }, `Its history cannot be read: ${known.message}`);
  const history = known.history;
  const rule = known.explanation.find((row) => row.source === "rule");
  const rows = known.explanation.filter((row) => !["alert", "rule"].includes(row.source));
  return [
    rule?.details.description && el("p", {}, rule.details.description),
    history.length > 0 && [
      el("h3", {}, "History"),
      el("ol", { class: "history" }, history.map((change) => el(
        "li", {},
        time(change.changed_at, now), " ", el("strong", {}, change.transition), " ",
        el("span", { class: "faint" }, `by ${change.changed_by}${change.note ? `: ${change.note}` : ""}`),
      ))),
    ],
    rows.length > 0 && [
      el("h3", {}, "Rows behind it, the newest first"),
      el("ol", { class: "history" }, rows.slice(0, MOST_ROWS).map((row) => el(
        "li", {},
        time(row.happened_at, now), " ", row.source, " ",
        el("span", { class: "faint" }, inWords(row.details, labels)),
      ))),
    ],
  ];
}

/** What a row says beyond the labels, which stand above it. */
function inWords(details, labels) {
  const told = new Set(Object.values(labels));
  return Object.entries(details ?? {})
    .filter(([, value]) => value !== null && !told.has(value))
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${inShort(value)}`)
    .join(" · ");
}

function inShort(value) {
  if (typeof value === "number") return figure(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
