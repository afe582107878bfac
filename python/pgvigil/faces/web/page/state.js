// What the page knows, and what people have chosen beside what the address says; it lasts until the
// page is closed.

import { readRoute } from "./router.js";

export const FEW_ALERTS = 12;
export const MOST_ALERTS = 200;

export const state = {
  route: readRoute(),
  data: {},
  broken: new Map(),
  loadedAt: null,
  wentAwayAt: null,
  awayBecause: "",
  alertsShown: FEW_ALERTS,
  isWhole: new Set(),
  openSteps: new Set(),
  runs: new Map(),
  openAlerts: new Set(),
  details: new Map(),
  linkedAlert: null,
  lastDay: null,
  trial: null,
};

/** What has been chosen on the page that is shown, or null. */
export const chosen = (name) => state.route.query.get(name);

/** The alerts that are to be listed, by kind or severity; null for all. */
export function chosenFilter() {
  for (const by of ["kind", "severity"]) if (chosen(by)) return { by, value: chosen(by) };
  return null;
}

/** Let the alert be open, and in the list however far down, that an address names. */
export function openLinked(alertId) {
  state.linkedAlert = alertId;
  state.openAlerts.add(alertId);
  state.alertsShown = MOST_ALERTS;
}

// Messages that were sent before alerts had a page of their own lead here.
const named = Number(/^#alert-(\d+)$/.exec(location.hash)?.[1]);
if (named) openLinked(named);

/** The name of a step among all workflows. */
export const keyOf = (step) => `${step.workflow_name}/${step.step_name}`;
