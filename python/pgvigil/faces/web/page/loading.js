// Asking for what the page shows: all of it at each refresh, or what has just been chosen.

import { get, takeAge } from "./api.js";
import { announce } from "./dom.js";
import { tellNewCritical } from "./notify.js";
import { PAGES } from "./pages.js";
import { spanAsked } from "./spans.js";
import { MOST_ALERTS, chosen, chosenFilter, keyOf, state } from "./state.js";

// What is about the span that is chosen on the first page.
export const CHARTS = ["taskTrend", "errorTrend", "queueTrend", "marks"];
// What was wrong on the day before changes when somebody makes up for it.
const LAST_DAY_MS = 300_000;

/** What the first page asks for at each refresh, by name. */
function questions() {
  const filter = chosenFilter();
  const span = spanAsked(state.route);
  return {
    cards: () => get("api/cards"),
    alerts: () => get("api/active-alerts", { limit: MOST_ALERTS }),
    ...(filter && {
      filtered: () => get("api/active-alerts", { limit: MOST_ALERTS, [filter.by]: filter.value }),
    }),
    batch: () => get("api/batch-timeline", { business_date: chosen("day") }),
    batchHealth: () => get("api/batch-health"),
    errors: () => get("api/errors", { limit: 50 }),
    tasks: () => get("api/tasks", { state: "running", limit: 100 }),
    queues: () => get("api/queues"),
    health: () => get("api/health"),
    records: () => get("api/record-issues", { limit: 50 }),
    selfCheck: () => get("api/self-check"),
    taskTrend: () => get("api/trends", { what: "tasks", ...span }),
    errorTrend: () => get("api/trends", { what: "errors", ...span }),
    queueTrend: () => get("api/trends", { what: "queues", ...span }),
    marks: () => get("api/chart-marks", span),
  };
}

/** What every other page asks for besides its own: whether something is critical, and whether we keep up. */
function questionsOfAll() {
  return {
    critical: () => get("api/active-alerts", { severity: "critical", limit: 50 }),
    selfCheck: () => get("api/self-check"),
  };
}

/** What the page that is shown asks for. */
export function asked(route) {
  return route.page === "now" ? questions() : { ...questionsOfAll(), ...PAGES[route.page].questions(route) };
}

/** What an answer is about: another page, or another choice, may be shown when it comes. */
function subjectOf(name) {
  if (state.route.page !== "now") return state.route.key;
  const subjects = {
    filtered: () => JSON.stringify(chosenFilter()),
    batch: () => chosen("day"),
  };
  const subject = CHARTS.includes(name) ? JSON.stringify(spanAsked(state.route)) : subjects[name]?.();
  return `now ${subject}`;
}

/** Ask for everything, or for some of it; tells whether the server answers. */
export async function load(names = null) {
  if (names === null) forgetGone();
  const all = Object.entries(asked(state.route))
    .filter(([name]) => names === null || names.includes(name))
    .map(([name, ask]) => [name, ask, subjectOf(name)]);
  const answers = await Promise.allSettled([...all.map(([, ask]) => ask()), loadOpened()]);
  let away = null;
  all.forEach(([name, , subject], number) => {
    const answer = answers[number];
    if (subject !== subjectOf(name)) return;
    if (answer.status === "fulfilled") {
      state.data[name] = answer.value;
      state.broken.delete(name);
    } else {
      state.broken.set(name, answer.reason);
      if (!answer.reason.status || answer.reason.status === 503) away ??= answer.reason;
    }
  });
  const isAway = away !== null && all.every(([name]) => state.broken.has(name));
  // What was asked for alone says nothing of how old the rest is.
  if (names === null) noteWhetherAway(isAway ? away : null);
  if (!isAway && names === null) tell((state.route.page === "now" ? state.data.alerts : state.data.critical)?.rows);
  return !isAway;
}

/** What is not in the list any more is not asked for at each refresh until the page is closed. */
function forgetGone() {
  const { alerts, filtered } = state.data;
  if (!alerts || state.route.page !== "now") return;
  const listed = new Set([...alerts.rows, ...(filtered?.rows ?? [])].map((alert) => alert.alert_id));
  for (const opened of [state.openAlerts, state.details]) {
    for (const alertId of opened.keys()) if (!listed.has(alertId)) opened.delete(alertId);
  }
}

/** What an opened step or alert shows is loaded anew with everything else. */
async function loadOpened() {
  if (state.route.page !== "now") return;
  await Promise.all([
    loadLastDay(),
    ...[...state.openSteps].map(loadRuns),
    ...[...state.openAlerts].map(loadDetails),
  ]);
}

/** How the business day before the present one ended, once in a while. */
async function loadLastDay() {
  const today = state.data.batch?.rows[0]?.business_date;
  if (!today || chosen("day")) return;
  const { lastDay } = state;
  if (lastDay?.today === today && Date.now() - lastDay.askedAt < LAST_DAY_MS) return;
  const day = new Date(`${today}T12:00:00Z`);
  day.setUTCDate(day.getUTCDate() - 1);
  try {
    const answer = await get("api/batch-timeline", { business_date: day.toISOString().slice(0, 10) });
    state.lastDay = { today, askedAt: Date.now(), rows: answer.rows };
  } catch {
    // It is asked for again with the next refresh; meanwhile what is known stays.
  }
}

/** The runs of a step of the business day that is shown. */
export async function loadRuns(key) {
  const step = state.data.batch?.rows.find((row) => keyOf(row) === key);
  if (!step) return;
  const span = { from: step.business_date, to: step.business_date };
  try {
    const answer = await get("api/batch-logs", { ...span, workflow: step.workflow_name, step: step.step_name, limit: 200 });
    state.runs.set(key, answer.rows);
  } catch (error) {
    state.runs.set(key, error);
  }
}

/** The history of an alert, and what is behind it. */
export async function loadDetails(alertId) {
  try {
    state.details.set(alertId, await get(`api/alerts/${alertId}`));
  } catch (error) {
    state.details.set(alertId, error);
  }
}

function noteWhetherAway(error) {
  if (error) {
    state.wentAwayAt ??= new Date();
    state.awayBecause = error.message;
  } else {
    if (state.wentAwayAt) announce("The server answers again.");
    state.wentAwayAt = null;
    state.loadedAt = new Date(Date.now() - 1000 * takeAge());
  }
}

function tell(alerts) {
  if (!alerts) return;
  const fresh = tellNewCritical(alerts);
  if (fresh.length) announce(`New critical: ${fresh.map((alert) => alert.summary).join("; ")}`);
}

