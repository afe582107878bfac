// What the page knows and what people have chosen; it lasts until the page is closed.

export const FEW_ALERTS = 12;
export const MOST_ALERTS = 200;

export const state = {
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

/** The name of a step among all workflows. */
export const keyOf = (step) => `${step.workflow_name}/${step.step_name}`;
