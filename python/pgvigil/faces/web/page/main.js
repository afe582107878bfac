// Puts the page together: asks for everything, shows it, and keeps it fresh.

import { askToAcknowledge } from "./acknowledge.js";
import { renderAlerts } from "./alerts.js";
import { get } from "./api.js";
import { drawArrows } from "./arrows.js";
import { renderChart } from "./charts.js";
import { announce, el, nothing, onAction, show } from "./dom.js";
import { SEVERITIES, count, exactTime } from "./format.js";
import { renderErrors, renderHealth, renderQueues, renderRecords, renderTasks } from "./lists.js";
import { tellNewCritical } from "./notify.js";
import { lateWords, renderCards, renderCounts } from "./overview.js";
import { Refresher } from "./refresh.js";
import { ofBrowser } from "./storage.js";
import { renderBatch } from "./timeline.js";

const FEW_ALERTS = 12;
const MOST_ALERTS = 200;
const SPANS = [[3, "3 h"], [24, "24 h"], [168, "7 days"]];
const FEW = 8;

const place = (id) => document.getElementById(id);
const state = {
  data: {},
  broken: new Map(),
  loadedAt: null,
  wentAwayAt: null,
  awayBecause: "",
  day: null,
  hours: 24,
  filter: null,
  alertsShown: FEW_ALERTS,
  isWhole: new Set(),
  openSteps: new Set(),
  runs: new Map(),
  openAlerts: new Set(),
  details: new Map(),
  linkedAlert: Number(/^#alert-(\d+)$/.exec(location.hash)?.[1]) || null,
};
// A message leads to its alert, wherever in the list it is.
if (state.linkedAlert) {
  state.openAlerts.add(state.linkedAlert);
  state.alertsShown = MOST_ALERTS;
}

/** What is asked for at each refresh, by name. */
function questions() {
  return {
    cards: () => get("api/cards"),
    alerts: () => get("api/active-alerts", { limit: MOST_ALERTS }),
    ...(state.filter && {
      filtered: () => get("api/active-alerts", { limit: MOST_ALERTS, severity: state.filter }),
    }),
    batch: () => get("api/batch-timeline", { business_date: state.day }),
    batchHealth: () => get("api/batch-health"),
    errors: () => get("api/errors", { limit: 50 }),
    tasks: () => get("api/tasks", { state: "running", limit: 100 }),
    queues: () => get("api/queues"),
    health: () => get("api/health"),
    records: () => get("api/record-issues", { limit: 50 }),
    selfCheck: () => get("api/self-check"),
    taskTrend: () => get("api/trends", { what: "tasks", hours: state.hours }),
    errorTrend: () => get("api/trends", { what: "errors", hours: state.hours }),
    queueTrend: () => get("api/trends", { what: "queues", hours: state.hours }),
  };
}

/** What people have chosen, by what is asked for; it may change while the answer is on its way. */
const chosen = {
  filtered: () => state.filter,
  batch: () => state.day,
  taskTrend: () => state.hours,
  errorTrend: () => state.hours,
  queueTrend: () => state.hours,
};

async function load(names = null) {
  if (names === null) forgetGone();
  const asked = Object.entries(questions())
    .filter(([name]) => names === null || names.includes(name))
    .map(([name, ask]) => [name, ask, chosen[name]?.()]);
  const answers = await Promise.allSettled([...asked.map(([, ask]) => ask()), loadOpened()]);
  let away = null;
  asked.forEach(([name, , choice], number) => {
    const answer = answers[number];
    if (choice !== chosen[name]?.()) return;
    if (answer.status === "fulfilled") {
      state.data[name] = answer.value;
      state.broken.delete(name);
    } else {
      state.broken.set(name, answer.reason);
      if (!answer.reason.status || answer.reason.status === 503) away ??= answer.reason;
    }
  });
  const isAway = away !== null && asked.every(([name]) => state.broken.has(name));
  // What was asked for alone says nothing of how old the rest is.
  if (names === null) noteWhetherAway(isAway ? away : null);
  if (!isAway && names === null && state.data.alerts) tell(state.data.alerts.rows);
  showAll();
  showLinked();
  return !isAway;
}

/** Once: the alert that the address names. */
function showLinked() {
  if (!state.linkedAlert || !state.data.alerts) return;
  place(`alert-${state.linkedAlert}`)?.scrollIntoView({ block: "center" });
  state.linkedAlert = null;
}

/** What is not in the list any more is not asked for at each refresh until the page is closed. */
function forgetGone() {
  const { alerts, filtered } = state.data;
  if (!alerts) return;
  const listed = new Set([...alerts.rows, ...(filtered?.rows ?? [])].map((alert) => alert.alert_id));
  for (const opened of [state.openAlerts, state.details]) {
    for (const alertId of opened.keys()) if (!listed.has(alertId)) opened.delete(alertId);
  }
}

/** What an opened step or alert shows is loaded anew with everything else. */
async function loadOpened() {
  await Promise.all([
    ...[...state.openSteps].map(loadRuns),
    ...[...state.openAlerts].map(loadDetails),
  ]);
}

async function loadRuns(key) {
  const step = state.data.batch?.rows.find((row) => keyOf(row) === key);
  if (!step) return;
  const day = Date.parse(`${step.business_date}T00:00:00Z`);
  // A day begins at its cut-over by its own clocks; a run may be made up for within a week.
  const span = { from: new Date(day - 86_400_000).toISOString(), to: new Date(day + 9 * 86_400_000).toISOString() };
  try {
    const answer = await get("api/batch-logs", { ...span, workflow: step.workflow_name, step: step.step_name, limit: 200 });
    state.runs.set(key, answer.rows.filter((run) => run.business_date === step.business_date));
  } catch (error) {
    state.runs.set(key, error);
  }
}

async function loadDetails(alertId) {
  try {
    state.details.set(alertId, await get(`api/alerts/${alertId}`));
  } catch (error) {
    state.details.set(alertId, error);
  }
}

const keyOf = (step) => `${step.workflow_name}/${step.step_name}`;

function noteWhetherAway(error) {
  if (error) {
    state.wentAwayAt ??= new Date();
    state.awayBecause = error.message;
  } else {
    if (state.wentAwayAt) announce("The server answers again.");
    state.wentAwayAt = null;
    state.loadedAt = new Date();
  }
}

function tell(alerts) {
  const fresh = tellNewCritical(alerts);
  if (fresh.length) announce(`New critical: ${fresh.map((alert) => alert.summary).join("; ")}`);
}

function showAll() {
  const { data } = state;
  const now = new Date(data.cards?.as_of ?? data.alerts?.as_of ?? Date.now());
  const counts = alertCounts();
  const known = data.cards?.cards.freshness.alerts;
  section("counts", "cards", () => renderCounts(counts, data.alerts?.rows[0], state.filter, now, known));
  section("cards", "cards", () => renderCards(data.cards.cards, counts, known));
  section("batch", "batch", () => renderBatch(stepsWithPlan(), healthByWorkflow(), {
    open: state.openSteps, runs: state.runs, alerts: data.alerts?.rows ?? [], runsOfDay: data.batch.runs ?? [],
  }, now));
  show(place("batch-days"), renderDays());
  section("alerts", "alerts", () => renderAlerts(alertsInList(), {
    filter: state.filter, open: state.openAlerts, details: state.details, most: state.alertsShown,
    known: data.alerts.known,
  }, now));
  place("alerts-panel").classList.toggle("is-unknown", data.alerts?.known.is_known === false);
  show(place("alert-tools"), renderAlertTools(counts));
  section("errors", "errors", () => renderErrors(data.errors.rows, viewOf("errors"), now));
  section("tasks", "tasks", () => renderTasks(data.tasks.rows, viewOf("tasks")));
  section("queues", "queues", () => renderQueues(data.queues.rows, depths(), now));
  section("health", "health", () => renderHealth(data.health.rows, now));
  section("records", "records", () => renderRecords(data.records.rows, viewOf("records"), now));
  show(place("spans"), SPANS.map(([hours, name]) => el("button", {
    type: "button", class: "small", "data-action": "span", "data-hours": hours, "aria-pressed": String(hours === state.hours),
  }, name)));
  showTrends();
  const mark = counts.critical ? `(${counts.critical}) ` : known && !known.is_known ? "(?) " : "";
  document.title = `${mark}pgvigil`;
  arrows();
}

/** Alerts by severity, and all of them; empty as long as they are not known. */
function alertCounts() {
  const bySeverity = state.data.cards?.cards.active_alerts;
  if (!bySeverity) return {};
  return { ...bySeverity, active: Object.values(bySeverity).reduce((sum, count) => sum + count, 0) };
}

/** Show a part, or why it cannot be shown; what was known before stays while the server is away. */
function section(id, name, render) {
  const error = state.broken.get(name);
  if (state.data[name]) show(place(id), render());
  else if (error && !state.wentAwayAt) show(place(id), nothing(`This cannot be read: ${error.message}`));
  else if (error) show(place(id), nothing("Not known yet."));
  place(id).closest(".panel")?.classList.toggle("is-stale", Boolean(error));
}

function showTrends() {
  const charts = [
    ["taskTrend", "Tasks ended", { kind: "bars", order: ["failed", "ended_otherwise", "completed"] }],
    ["errorTrend", "Errors", { kind: "bars", order: SEVERITIES }],
    ["queueTrend", "Waiting in queues", { kind: "lines" }],
  ];
  show(place("trends"), charts.map(([name, title, options]) => (state.data[name]
    ? renderChart(title, state.data[name], options)
    : nothing(state.broken.has(name) ? `${title}: not known.` : "Loading …"))));
}

function stepsWithPlan() {
  const { rows, plan = [] } = state.data.batch;
  const planned = new Map(plan.map((step) => [keyOf(step), step]));
  return rows.map((step) => ({ ...planned.get(keyOf(step)), ...step }));
}

function healthByWorkflow() {
  return new Map((state.data.batchHealth?.rows ?? []).map((row) => [row.workflow_name, row]));
}

function arrows() {
  if (!state.data.batch) return;
  const after = new Map(stepsWithPlan().map((step) => [keyOf(step), step.after_steps ?? []]));
  drawArrows((workflow, step) => after.get(`${workflow}/${step}`) ?? []);
}

function alertsInList() {
  const { alerts, filtered } = state.data;
  if (!state.filter) return alerts.rows;
  return filtered?.rows ?? alerts.rows.filter((alert) => alert.severity === state.filter);
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
  if (!shown && !state.day) return [];
  const button = (label, days, text) => el("button", {
    type: "button", class: "small", "data-action": "day", "data-days": days, "aria-label": label,
  }, text);
  return [
    button("Day before", -1, "‹"),
    el("span", { class: "day" }, new Date(`${state.day ?? shown}T12:00:00Z`).toLocaleDateString("en-GB", {
      weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC",
    })),
    button("Day after", 1, "›"),
    state.day && button("Present business day", "", "Today"),
  ];
}

function renderAlertTools(counts) {
  if (!counts.active) return [];
  return [
    el("span", { class: "faint" }, state.filter ? `only ${state.filter}` : `${count(counts.active)} in all`),
    state.filter && el("button", { type: "button", class: "small", "data-action": "filter", "data-severity": "" }, "Show all"),
  ];
}

function showFreshness(refresher) {
  const { loadedAt, wentAwayAt } = state;
  const trouble = place("trouble");
  const isOld = loadedAt && Date.now() - loadedAt > 60_000;
  document.body.classList.toggle("is-away", Boolean(wentAwayAt));
  if (wentAwayAt) {
    const known = loadedAt ? ` What is shown was known at ${exactTime(loadedAt)}.` : "";
    setText(trouble, `No answer since ${exactTime(wentAwayAt)}: ${state.awayBecause}.${known}`);
  } else {
    const old = isOld ? `The figures are old: they were known at ${exactTime(loadedAt)}. ` : "";
    setText(trouble, old + partlyOldWords() + lateWords(state.data.selfCheck?.rows ?? []));
  }
  trouble.hidden = !trouble.textContent;
  trouble.classList.toggle("is-mild", !wentAwayAt);
  setText(place("freshness"), loadedAt ? `as of ${exactTime(loadedAt)}` : "Loading …");
  setText(place("countdown"), refresher.isLoading ? "…" : refresher.isPaused ? "off" : `${refresher.secondsLeft} s`);
}

/** What is still shown though it could not be read anew with the rest. */
function partlyOldWords() {
  const stale = [...state.broken].find(([name]) => state.data[name]);
  return stale ? `What is shown in grey is old, and cannot be read anew: ${stale[1].message}. ` : "";
}

function setText(element, text) {
  // An area that is read out is only touched when it says something else.
  if (element.textContent !== text) element.textContent = text;
}

onAction("open-step", ({ dataset }) => toggle(state.openSteps, dataset.step, loadRuns));
onAction("open-alert", (element) => {
  const alertId = Number(element.dataset.alert);
  if (element.matches("a")) {
    state.openAlerts.delete(alertId);
    requestAnimationFrame(() => place(`alert-${alertId}`)?.focus());
  }
  toggle(state.openAlerts, alertId, loadDetails);
});
onAction("acknowledge", ({ dataset }) => {
  const alert = alertsInList().find((row) => row.alert_id === Number(dataset.alert));
  if (alert) askToAcknowledge(alert, () => refresher.now());
});
onAction("filter", ({ dataset }) => {
  state.filter = dataset.severity && dataset.severity !== state.filter ? dataset.severity : null;
  state.alertsShown = FEW_ALERTS;
  state.data.filtered = null;
  load(["filtered"]);
});
onAction("more-alerts", () => {
  state.alertsShown *= 4;
  showAll();
});
onAction("more", ({ dataset }) => {
  state.isWhole.add(dataset.what);
  showAll();
});
onAction("span", ({ dataset }) => {
  state.hours = Number(dataset.hours);
  const trends = ["taskTrend", "errorTrend", "queueTrend"];
  for (const name of trends) state.data[name] = null;
  load(trends);
});
onAction("day", ({ dataset }) => {
  const shown = state.day ?? state.data.batch?.rows[0]?.business_date;
  if (!shown) return;
  const day = new Date(`${shown}T12:00:00Z`);
  day.setUTCDate(day.getUTCDate() + Number(dataset.days));
  state.day = dataset.days ? day.toISOString().slice(0, 10) : null;
  state.openSteps.clear();
  state.runs.clear();
  // Steps of one day are not to stand below the name of another.
  state.data.batch = null;
  load(["batch"]);
});

async function toggle(opened, key, loadIt) {
  if (opened.delete(key)) return showAll();
  opened.add(key);
  showAll();
  await loadIt(key);
  return showAll();
}

const THEMES = ["system", "light", "dark"];
function setTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  ofBrowser.setItem("pgvigil-theme", theme);
  place("theme-name").textContent = theme;
}

const refresher = new Refresher(load, showFreshness);
setTheme(document.documentElement.dataset.theme ?? "system");
place("refresh").addEventListener("click", () => refresher.now());
place("pause").addEventListener("click", () => {
  refresher.pause(!refresher.isPaused);
  place("pause").setAttribute("aria-pressed", String(refresher.isPaused));
});
place("theme").addEventListener("click", () => {
  const now = document.documentElement.dataset.theme ?? "system";
  setTheme(THEMES[(THEMES.indexOf(now) + 1) % THEMES.length]);
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, dialog *")) return;
  if (event.key === "r") place("refresh").click();
  if (event.key === "p") place("pause").click();
});
new ResizeObserver(arrows).observe(place("batch"));
