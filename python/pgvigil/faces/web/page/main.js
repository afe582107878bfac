// What people do with the page.

import { askToAcknowledge } from "./acknowledge.js";
import { onAction } from "./dom.js";
import { load, loadDetails, loadRuns } from "./loading.js";
import { EVERY_SECONDS, Refresher } from "./refresh.js";
import { alertsInList, arrows, place, showAll, showFreshness, showLinked } from "./showing.js";
import { FEW_ALERTS, state } from "./state.js";
import { ofBrowser } from "./storage.js";

const THEMES = ["system", "light", "dark"];

async function refresh(names = null) {
  const isThere = await load(names);
  showAll();
  showLinked();
  return isThere;
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
  const { by, value } = dataset;
  const isSame = state.filter?.by === by && state.filter?.value === value;
  state.filter = value && !isSame ? { by, value } : null;
  state.alertsShown = FEW_ALERTS;
  state.data.filtered = null;
  refresh(["filtered"]);
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
  refresh(trends);
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
  refresh(["batch"]);
});

async function toggle(opened, key, loadIt) {
  if (opened.delete(key)) return showAll();
  opened.add(key);
  showAll();
  await loadIt(key);
  return showAll();
}

function setTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  ofBrowser.setItem("pgvigil-theme", theme);
  place("theme-name").textContent = theme;
}

const refresher = new Refresher(refresh, showFreshness);
setTheme(document.documentElement.dataset.theme ?? "system");
place("refresh").addEventListener("click", () => refresher.now());
place("pause").addEventListener("click", () => {
  refresher.pause(!refresher.isPaused);
  place("pause").setAttribute("aria-pressed", String(refresher.isPaused));
});
const every = place("every");
every.value = ofBrowser.getItem("pgvigil-every");
if (!every.value) every.value = String(EVERY_SECONDS[0]);
refresher.every(Number(every.value));
every.addEventListener("change", () => {
  ofBrowser.setItem("pgvigil-every", every.value);
  refresher.every(Number(every.value));
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
