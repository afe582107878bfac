// Showing what is known, and how fresh that is.

import { filterWords, renderAlerts } from "./alerts.js";
import { drawArrows } from "./arrows.js";
import { renderChart } from "./charts.js";
import { el, nothing, show } from "./dom.js";
import { count, duration, exactTime } from "./format.js";
import { renderErrors, renderHealth, renderQueues, renderRecords, renderTasks } from "./lists.js";
import { late, renderCards, renderCounts } from "./overview.js";
import { PAGES } from "./pages.js";
import { hrefOf } from "./router.js";
import { renderMarks } from "./marks.js";
import { renderSpans } from "./spans.js";
import { chosen, chosenFilter, keyOf, state } from "./state.js";
import { renderBatch, renderLastDay } from "./timeline.js";
import { renderZones } from "./zones.js";

const FEW = 8;
const SECTION_OF = {
  now: "now", alert: "now", jobs: "jobs", job: "jobs", run: "jobs", errors: "errors", group: "errors",
  queues: "queues", queue: "queues",
  components: "components", component: "components",
  records: "records", dataset: "records", record: "records",
  rules: "rules", rule: "rules", silences: "rules", channels: "rules", fleet: "fleet",
};

export const place = (id) => document.getElementById(id);

/** Show the page that the address names, as all is known now. */
export function showAll() {
  const { page } = state.route;
  place("now").hidden = page !== "now";
  place("page").hidden = page === "now";
  for (const link of document.querySelectorAll("a[data-page]")) {
    link.setAttribute("href", link.dataset.page === "now" ? hrefOf([]) : hrefOf([link.dataset.page]));
  }
  for (const link of place("pages").children) {
    if (link.dataset.page === SECTION_OF[page]) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  showFoot();
  if (page === "now") showNow();
  else showPage();
}

/** A page other than the first, or why it cannot be shown. */
function showPage() {
  const { route, data, broken } = state;
  const page = PAGES[route.page];
  const now = new Date(data.selfCheck?.as_of ?? Date.now());
  show(place("page"), page.render({ route, data, broken, now, refusalOf, chosen }));
  place("page").classList.toggle("is-stale", Object.keys(page.questions(route)).some((name) => broken.has(name) && data[name]));
  const critical = data.critical?.rows.length;
  setTitle(critical ? `(${critical}) ` : data.critical?.known.is_known === false ? "(?) " : "", page.title(route, data));
}

/** Why something cannot be shown, or that it is on its way. */
function refusalOf(name) {
  const error = state.broken.get(name);
  if (!error) return skeleton();
  return nothing(error.status === 404 ? `${error.message}` : `This cannot be read: ${error.message}`);
}

function skeleton() {
  return el("div", { class: "skeleton", "aria-busy": "true" }, el("span", { class: "hidden-text" }, "Loading …"),
    [1, 2, 3, 4].map(() => el("i", {})));
}

function setTitle(mark, title) {
  document.title = title ? `${mark}${title} · pgvigil` : `${mark}pgvigil`;
}

function showFoot() {
  show(place("foot"), renderZones());
}

/** The first page: what is wrong, and how everything is. */
function showNow() {
  const { data } = state;
  const now = new Date(data.cards?.as_of ?? data.alerts?.as_of ?? Date.now());
  const counts = alertCounts();
  const known = data.cards?.cards.freshness.alerts;
  const filter = chosenFilter();
  section("counts", "cards", () => renderCounts(counts, filter, now, known));
  section("cards", "cards", () => renderCards(data.cards.cards, counts, known));
  section("batch", "batch", () => [
    renderLastDay(state.lastDay?.rows ?? [], chosen("day")),
    renderBatch(stepsWithPlan(), healthByWorkflow(), {
      open: state.openSteps, runs: state.runs, alerts: data.alerts?.rows ?? [], runsOfDay: data.batch.runs ?? [],
      unfolded: (chosen("unfolded") ?? "").split(",").filter(Boolean).map(decodeURIComponent),
    }, now),
  ]);
  show(place("batch-days"), renderDays());
  section("alerts", "alerts", () => renderAlerts(alertsInList(), {
    filter, open: state.openAlerts, details: state.details, most: state.alertsShown,
    known: data.alerts.known, counts: data.alerts.counts,
  }, now));
  // Where nothing fires one line says so, which stands above.
  place("alerts-panel").hidden = Boolean(data.alerts && !data.alerts.rows.length && !filter);
  place("alerts-panel").classList.toggle("is-unknown", data.alerts?.known.is_known === false);
  show(place("alert-tools"), renderAlertTools(counts, filter));
  section("errors", "errors", () => renderErrors(data.errors.rows, viewOf("errors"), now));
  section("tasks", "tasks", () => renderTasks(data.tasks.rows, viewOf("tasks")));
  section("queues", "queues", () => renderQueues(data.queues.rows, depths(), now, viewOf("queues")));
  section("health", "health", () => renderHealth(data.health.rows, now));
  section("records", "records", () => renderRecords(data.records.rows, viewOf("records"), now));
  show(place("spans"), renderSpans(state.route, { label: "Span of the trends" }));
  showTrends(counts, now);
  setTitle(counts.critical ? `(${counts.critical}) ` : known && !known.is_known ? "(?) " : "", "");
  arrows();
}

/** Once: the alert that the address names. */
export function showLinked() {
  if (!state.linkedAlert || !state.data.alerts) return;
  place(`alert-${state.linkedAlert}`)?.scrollIntoView({ block: "center" });
  state.linkedAlert = null;
}

/** Alerts by severity and kind, and all of them; empty as long as they are not known. */
function alertCounts() {
  const bySeverity = state.data.cards?.cards.active_alerts;
  if (!bySeverity) return {};
  const worstFirst = [...state.data.cards.cards.severities].reverse();
  const byKind = state.data.cards.cards.active_alerts_by_kind;
  return { ...bySeverity, byKind, worstFirst, active: Object.values(bySeverity).reduce((sum, count) => sum + count, 0) };
}

/** Show a part, or why it cannot be shown; what was known before stays while the server is away. */
function section(id, name, render) {
  const error = state.broken.get(name);
  if (state.data[name]) show(place(id), render());
  else if (error && !state.wentAwayAt) show(place(id), nothing(`This cannot be read: ${error.message}`));
  else if (error) show(place(id), nothing("Not known yet."));
  else show(place(id), skeleton());
  place(id).closest(".panel")?.classList.toggle("is-stale", Boolean(error));
}

function showTrends(counts, now) {
  const charts = [
    ["taskTrend", "Tasks ended", { kind: "bars", order: ["failed", "ended_otherwise", "completed"] }],
    ["errorTrend", "Errors", { kind: "bars", order: counts.worstFirst ?? [] }],
    ["queueTrend", "Waiting in queues", { kind: "lines" }],
  ];
  show(place("trends"), charts.map(([name, title, options]) => (state.data[name]
    ? renderChart(title, state.data[name], { ...options, marks: state.data.marks, isSpanChosen: true })
    : state.broken.has(name) ? nothing(`${title}: not known.`) : skeleton())));
  show(place("trend-marks"), renderMarks(state.data.marks, now));
}

function stepsWithPlan() {
  const { rows, plan = [] } = state.data.batch;
  const planned = new Map(plan.map((step) => [keyOf(step), step]));
  return rows.map((step) => ({ ...planned.get(keyOf(step)), ...step }));
}

function healthByWorkflow() {
  return new Map((state.data.batchHealth?.rows ?? []).map((row) => [row.workflow_name, row]));
}

/** Draw the arrows between steps anew: they go by where the steps are. */
export function arrows() {
  if (!state.data.batch) return;
  const after = new Map(stepsWithPlan().map((step) => [keyOf(step), step.after_steps ?? []]));
  drawArrows((workflow, step) => after.get(`${workflow}/${step}`) ?? []);
}

/** Alerts of the list, by the filter that is chosen. */
export function alertsInList() {
  const { alerts, filtered } = state.data;
  const filter = chosenFilter();
  if (!filter) return alerts.rows;
  return filtered?.rows ?? alerts.rows.filter((alert) => alert[filter.by] === filter.value);
}

function depths() {
  const all = new Map();
  for (const { series, value } of state.data.queueTrend?.rows ?? []) {
    if (!all.has(series)) all.set(series, []);
    all.get(series).push(Number(value ?? 0));
  }
  return all;
}

const viewOf = (name) => ({ isWhole: state.isWhole.has(name), few: FEW });

function renderDays() {
  const shown = state.data.batch?.rows[0]?.business_date;
  const day = chosen("day");
  if (!shown && !day) return [];
  const button = (label, days, text) => el("button", {
    type: "button", class: "small", "data-action": "day", "data-days": days, "aria-label": label,
  }, text);
  return [
    button("Day before", -1, "‹"),
    el("span", { class: "day" }, new Date(`${day ?? shown}T12:00:00Z`).toLocaleDateString("en-GB", {
      weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC",
    })),
    button("Day after", 1, "›"),
    day && button("Present business day", "", "Today"),
  ];
}

function renderAlertTools(counts, filter) {
  if (!counts.active) return [];
  return [
    el("span", { class: "faint" }, filter ? `only ${filterWords(filter)}` : `${count(counts.active)} in all`),
    filter && el("button", { type: "button", class: "small", "data-action": "filter", "data-value": "" }, "Show all"),
  ];
}

/** Say how old it all is, and when it will be asked for again. */
export function showFreshness(refresher) {
  const { loadedAt, wentAwayAt } = state;
  const trouble = place("trouble");
  const seconds = refresher.isPaused ? 60 : Math.max(60, refresher.everySeconds + 45);
  const isOld = loadedAt && Date.now() - loadedAt > seconds * 1000;
  document.body.classList.toggle("is-away", Boolean(wentAwayAt));
  if (wentAwayAt) {
    const known = loadedAt ? ` What is shown was known at ${exactTime(loadedAt)}.` : "";
    setText(trouble, `No answer since ${exactTime(wentAwayAt)}: ${state.awayBecause}.${known}`);
  } else {
    const old = isOld ? `The figures are old: they were known at ${exactTime(loadedAt)}. ` : "";
    setText(trouble, old + partlyOldWords());
  }
  trouble.hidden = !trouble.textContent;
  trouble.classList.toggle("is-mild", !wentAwayAt);
  show(place("late"), late(state.data.selfCheck?.rows ?? []));
  place("late").hidden = !place("late").firstChild || Boolean(wentAwayAt);
  setText(place("freshness"), loadedAt ? `as of ${exactTime(loadedAt)}${behind()}` : "Loading …");
  setText(place("countdown"), refresher.isLoading ? "…" : refresher.isPaused ? "off" : leftWords(refresher.secondsLeft));
}

/** How far a hot standby, where it is one that we ask, was behind the primary. */
function behind() {
  const standby = state.data.selfCheck?.rows.find((row) => row.check_name === "standby");
  if (!standby) return "";
  return standby.seconds_late === null ? ", on a standby that has received nothing yet" : `, on a standby ${duration(standby.seconds_late)} behind`;
}

/** What is still shown though it could not be refreshed with the rest. */
function partlyOldWords() {
  const stale = [...state.broken].find(([name]) => state.data[name]);
  return stale ? `What is shown in grey is old and cannot be refreshed: ${stale[1].message}. ` : "";
}

/** Seconds, or minutes and seconds as a clock shows them. */
function leftWords(seconds) {
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function setText(element, text) {
  // An area that is read out is only touched when it says something else.
  if (element.textContent !== text) element.textContent = text;
}

