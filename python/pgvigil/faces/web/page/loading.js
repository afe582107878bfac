// Asking for what the page shows: all of it at each refresh, or what has just been chosen.

import { get } from "./api.js";
import { announce } from "./dom.js";
import { tellNewCritical } from "./notify.js";
import { MOST_ALERTS, keyOf, state } from "./state.js";

/** What is asked for at each refresh, by name. */
function questions() {
  return {
    cards: () => get("api/cards"),
    alerts: () => get("api/active-alerts", { limit: MOST_ALERTS }),
    ...(state.filter && {
      filtered: () => get("api/active-alerts", { limit: MOST_ALERTS, [state.filter.by]: state.filter.value }),
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

/** Ask for everything, or for some of it; tells whether the server answers. */
export async function load(names = null) {
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
  return !isAway;
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
    state.loadedAt = new Date();
  }
}

function tell(alerts) {
  const fresh = tellNewCritical(alerts);
  if (fresh.length) announce(`New critical: ${fresh.map((alert) => alert.summary).join("; ")}`);
}

