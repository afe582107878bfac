// What people do with the page.

import {
  actsOfAlert, actsOfFleetAlert, actsOfGroup, actsOfMatchers, actsOfMerged, actsOfRule, actsOfSilence, changeOfRule,
} from "./acts.js";
import { forgetAnswers, get } from "./api.js";
import { askToDecide } from "./decide.js";
import { announce, onAction } from "./dom.js";
import "./find.js";
import "./keys.js";
import { toggleTable } from "./charts.js";
import { CHARTS, load, loadDetails, loadRuns } from "./loading.js";
import { PAGES } from "./pages.js";
import { EVERY_SECONDS, Refresher } from "./refresh.js";
import { choose, onRoute } from "./router.js";
import { arrows, place, showAll, showFreshness, showLinked } from "./showing.js";
import { FEW_ALERTS, chosen, chosenFilter, state } from "./state.js";
import { ofBrowser } from "./storage.js";
import { readMatchers } from "./thresholds.js";
import { trialOf, tryChange, withoutTrial } from "./trial.js";
import { applyZone, chooseZone, loadZones } from "./zones.js";

const THEMES = ["system", "light", "dark"];
const TYPING_MS = 300;
// What may be decided about what a button belongs to.
const ACTS = {
  alert: (alertId) => actsOfAlert(alertOf(Number(alertId))),
  group: () => ({ ...actsOfGroup(state.data.group.group), ...actsOfMerged(state.data.group.group) }),
  rule: () => ({ ...actsOfRule(state.data.rule.rule), change: changeOfRule(state.data.rule.rule, trialOf(state.data.rule.rule, state.route.query)) }),
  silence: (silenceId) => actsOfSilence(state.data.silences.rows.find((row) => row.silence_id === Number(silenceId))),
  matchers: (typed) => actsOfMatchers(readMatchers(typed), typed),
  fleet: (key) => actsOfFleetAlert(state.data.fleetAlerts.rows.find((row) => `${row.member_name}/${row.alert_id}` === key)),
};

async function refresh(names = null) {
  const isThere = await load(names);
  showAll();
  showLinked();
  return isThere;
}

onRoute((route, { isNew }) => {
  const before = state.route;
  state.route = route;
  const isSame = ["page", "of", "name"].every((part) => route[part] === before[part]);
  if (isSame && !isNew) return showChoice(before);
  if (!isSame) {
    // What is known of another job or run is not to stand below this one's name.
    for (const name of Object.keys(PAGES[route.page]?.questions(route) ?? {})) {
      delete state.data[name];
      state.broken.delete(name);
    }
    scrollTo(0, 0);
    place("content").focus({ preventScroll: true });
  } else if (route.page === "now") {
    return showChoice(before);
  }
  showAll();
  announce(document.title);
  return refresh();
});

/** Ask for what has been chosen on the page, and for no more. */
function showChoice(before) {
  if (state.route.page !== "now") {
    showAll();
    return refresh(Object.keys(PAGES[state.route.page].questions(state.route)));
  }
  const changed = (name) => before.query.get(name) !== chosen(name);
  const names = [];
  if (changed("severity") || changed("kind")) {
    state.data.filtered = null;
    state.alertsShown = FEW_ALERTS;
    names.push("filtered");
  }
  if (["hours", "from", "to"].some(changed)) {
    for (const name of CHARTS) state.data[name] = null;
    names.push(...CHARTS);
  }
  if (changed("day")) {
    // Steps of one day are not to stand below the name of another.
    state.data.batch = null;
    state.openSteps.clear();
    state.runs.clear();
    names.push("batch");
  }
  showAll();
  return names.length && refresh(names);
}

onAction("open-step", ({ dataset }) => toggle(state.openSteps, dataset.step, loadRuns));
onAction("open-alert", ({ dataset }) => toggle(state.openAlerts, Number(dataset.alert), loadDetails));
onAction("decide", ({ dataset }) => {
  const { kind, of, verb } = dataset;
  const act = ACTS[kind](of)[verb];
  if (!act) return;
  askToDecide(act, async () => {
    if (kind === "rule" && verb === "change") withoutTrial();
    if (kind === "matchers") choose({ match: null });
    await refresher.now();
    // The button may be gone with what it was for.
    if (document.activeElement === document.body) (place(`alert-${of}`) ?? place("content")).focus();
  });
});
onAction("scope", ({ dataset }) => {
  choose({ where: dataset.value || null });
  document.querySelector("[data-trial=critical]")?.focus();
});
onAction("discard", () => {
  withoutTrial();
  document.querySelector("[data-trial=where]")?.focus();
});
onAction("try", () => tryChange(state.data.rule.rule, state.route.query, showAll));
onAction("filter", ({ dataset }) => {
  const { by, value } = dataset;
  const now = chosenFilter();
  const isSame = now?.by === by && now?.value === value;
  choose({ severity: null, kind: null, ...(value && !isSame && { [by]: value }) });
});
onAction("choose", ({ dataset }) => choose({ [dataset.name]: dataset.value || null }));
onAction("more-alerts", () => {
  state.alertsShown *= 4;
  showAll();
});
onAction("more", ({ dataset }) => {
  state.isWhole.add(dataset.what);
  showAll();
});
onAction("span", ({ dataset }) => choose({ hours: dataset.hours, from: null, to: null, show: null }));
onAction("chart-table", ({ dataset }) => {
  toggleTable(dataset.name);
  showAll();
});
onAction("day", ({ dataset }) => {
  const shown = chosen("day") ?? state.data.batch?.rows[0]?.business_date;
  if (!shown) return;
  const day = new Date(`${shown}T12:00:00Z`);
  day.setUTCDate(day.getUTCDate() + Number(dataset.days));
  choose({ day: dataset.days ? day.toISOString().slice(0, 10) : null });
});
onAction("fold", ({ dataset }) => {
  const unfolded = new Set((chosen("unfolded") ?? "").split(",").filter(Boolean));
  const name = encodeURIComponent(dataset.workflow);
  if (!unfolded.delete(name)) unfolded.add(name);
  choose({ unfolded: [...unfolded].join(",") });
});
onAction("seen", ({ dataset }) => {
  ofBrowser.setItem("pgvigil-seen", dataset.day);
  showAll();
});

document.addEventListener("change", ({ target }) => {
  if (!target.matches?.("[data-zone]")) return;
  chooseZone(target.value);
  choose({ zone: null }, { isStep: true });
  showAll();
  showFreshness(refresher);
});

let typing = null;
document.addEventListener("input", ({ target }) => {
  if (!target.dataset?.choice) return;
  clearTimeout(typing);
  if (target.type === "search") typing = setTimeout(takeChoices, TYPING_MS, true);
  else takeChoices(false);
});

/** What all boxes and lists of the page say now: one may be chosen while another is being typed. */
function takeChoices(isStep) {
  const boxes = [...document.querySelectorAll("#page [data-choice]")];
  choose({ ...Object.fromEntries(boxes.map((box) => [box.dataset.choice, box.value.trim()])), show: null }, { isStep });
}

function alertOf(alertId) {
  const { alerts, filtered, alert, job, run, queue, component, dataset } = state.data;
  const all = [alerts?.rows, filtered?.rows, ...[job, run, queue, component, dataset].map((about) => about?.alerts)].flatMap((rows) => rows ?? []);
  return alert?.alert.alert_id === alertId ? alert.alert : all.find((row) => row.alert_id === alertId);
}

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

applyZone();
showAll();
loadZones().then(showAll);
// Most databases read no others.
get("api/fleet-members", { limit: 1 }).then(({ rows }) => { place("fleet-link").hidden = !rows.length; }, () => {});
const refresher = new Refresher(refresh, showFreshness);
setTheme(document.documentElement.dataset.theme ?? "system");
place("refresh").addEventListener("click", () => {
  forgetAnswers();
  refresher.now();
});
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
new ResizeObserver(arrows).observe(place("batch"));
