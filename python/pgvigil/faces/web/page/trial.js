// A change of a rule before it is made: what it would have made of the last days. What is typed is
// in the address; what came out is kept until something else is typed.

import { keepToken, knownToken, post } from "./api.js";
import { askToDecide } from "./decide.js";
import { announce, el, nothing, svg } from "./dom.js";
import { NONE, badge, count, duration, measured, plural, time } from "./format.js";
import { choiceOf } from "./parts.js";
import { choose } from "./router.js";
import { state } from "./state.js";
import { COMPARED, readLabels, severities, spellMatchers } from "./thresholds.js";

const DAYS = [["1", "1 day"], ["3", "3 days"], ["7", "7 days"], ["14", "14 days"], ["30", "30 days"]];
const STEPS = [
  ["", "as suits the span"], ["120", "every 2 min"], ["300", "every 5 min"], ["900", "every 15 min"], ["1800", "every 30 min"],
  ["3600", "every hour"], ["7200", "every 2 h"],
];
const USUAL_DAYS = 7;
// As many looks as a backtest makes in a few seconds.
const LOOKS = 400;
const FIELDS = ["for", "where"];
const TYPING_MS = 300;
const PATIENCE_MS = 60_000;
const MOST_ALERTS = 15;

/** Take back what has been typed. */
export const withoutTrial = () => choose(Object.fromEntries([...severities(), ...FIELDS].map((name) => [name, null])));

/** What is typed in the form, as the API takes it, in words, and what is wrong with it. */
export function trialOf(rule, query) {
  const labels = readLabels(query.get("where") ?? "");
  const change = { labels: labels ?? {} };
  const present = presentThresholds(rule, change.labels);
  const typed = thresholdsTyped(present, query);
  const words = [];
  if (severities().some((name) => typed[name] !== present[name])) {
    change.thresholds = Object.fromEntries(Object.entries(typed).filter(([, value]) => value !== undefined));
    words.push(`${spellMatchers(change.labels) || "all others"}: ${severities().filter((name) => typed[name] !== undefined).map(
      (name) => `${name} ${COMPARED[rule.comparison]} ${measured(typed[name], rule.unit)}`).join(", ") || "no threshold"}`);
  }
  const seconds = query.get("for") === null ? rule.for_seconds : 60 * Number(query.get("for"));
  if (seconds !== rule.for_seconds) {
    change.settings = { for_seconds: seconds };
    words.push(`must last ${duration(seconds)}`);
  }
  const days = Number(query.get("days")) || USUAL_DAYS;
  const step = Number(query.get("step")) || [300, 900, 1800, 3600, 7200].find((each) => (days * 86400) / each <= LOOKS) || 7200;
  const isWrong = labels === null ? "Write labels as label=text, such as queue=mail."
    : Number.isNaN(seconds) || seconds < 0 || Object.values(typed).some(Number.isNaN) ? "Write thresholds and minutes as numbers." : null;
  return { change, words, days, step, isWrong, isChanged: words.length > 0, key: JSON.stringify([rule.rule_name, change, days, step]) };
}

function presentThresholds(rule, labels) {
  if (!Object.keys(labels).length) return rule.thresholds ?? {};
  const key = (each) => JSON.stringify(Object.entries(each).sort());
  return rule.overrides.find((each) => key(each.labels) === key(labels))?.thresholds ?? {};
}

function thresholdsTyped(present, query) {
  return Object.fromEntries(severities().map((name) => {
    const text = query.get(name);
    return [name, text === null ? present[name] : text === "none" ? undefined : Number(text)];
  }));
}

/** The form, and what came out. */
export function renderTrial(rule, route, now) {
  const trial = trialOf(rule, route.query);
  const present = presentThresholds(rule, trial.change.labels);
  const shown = (name) => (route.query.get(name) === "none" ? "" : route.query.get(name) ?? present[name] ?? "");
  const isRunning = state.trial?.isRunning ?? false;
  return [
    el("div", { class: "form", "data-key": "form" },
      field("where", "For (label=text; empty for all others)", route.query.get("where") ?? "", { value: "", type: "text", placeholder: "all others" }),
      severities().map((name) => field(name, `${name} ${COMPARED[rule.comparison]}${rule.unit ? `, ${rule.unit}` : ""}`, shown(name), { value: present[name] ?? "", inputmode: "decimal", placeholder: "never" })),
      field("for", "must last, minutes", route.query.get("for") ?? rule.for_seconds / 60, { value: rule.for_seconds / 60, inputmode: "decimal" }),
      el("label", {}, "Over the last", choiceOf("days", "Over the last", DAYS, route.query.get("days") ?? String(USUAL_DAYS))),
      el("label", {}, "Looks", choiceOf("step", "Looks", STEPS, route.query.get("step")))),
    trial.isWrong && el("p", { class: "refusal", role: "alert" }, trial.isWrong),
    rule.has_past ? null : el("p", {}, "This rule cannot be tried over the past: it goes by what is known at present only. A change can be made all the same."),
    rule.unknown_past && el("p", { class: "faint" }, `Not known of the past: ${rule.unknown_past}.`),
    el("div", { class: "buttons", "data-key": "buttons" },
      rule.has_past && el("button", { type: "button", "data-action": "try", disabled: Boolean(trial.isWrong) || isRunning },
        isRunning ? "Trying …" : trial.isChanged ? "Try it" : "See how it would have gone as it is"),
      el("button", { type: "button", class: "primary", "data-action": "decide", "data-kind": "rule", "data-of": rule.rule_name, "data-verb": "change", disabled: Boolean(trial.isWrong) || !trial.isChanged }, "Save …"),
      trial.isChanged && el("button", { type: "button", "data-action": "discard" }, "Discard"),
      trial.isChanged && el("span", { class: "faint wrap" }, trial.words.join("; "))),
    renderOutcome(rule, trial, now),
  ];
}

function field(name, label, value, { value: present, type = "text", ...more }) {
  return el("label", {}, label, el("input", {
    type, "data-trial": name, "data-present": String(present), "data-key": `trial-${name}`, value: String(value), maxlength: 200, spellcheck: "false", autocomplete: "off", ...more,
  }));
}

function renderOutcome(rule, trial, now) {
  const { answer, error, key } = state.trial ?? {};
  if (key !== trial.key) return null;
  if (error) return el("p", { class: "refusal", role: "alert" }, `Not tried: ${error.message}`);
  if (!answer) return null;
  const lanes = [["As it is", answer.as_it_is], ...(answer.as_changed ? [["As changed", answer.as_changed]] : [])];
  return el("div", { class: "outcome", "data-key": "outcome" },
    table(lanes),
    lanes.map(([name, outcome]) => renderLane(name, outcome, answer)),
    el("p", { class: "faint" }, "From ", time(answer.from_at, now), " to ", time(answer.to_at, now), `, looking every ${duration(answer.step_seconds)}: what lasts for less may be missed.`),
    answer.as_changed && renderList("Would not fire any more", answer.as_it_is.alerts.filter((alert) => !alert.is_in_both), rule, now),
    renderList(answer.as_changed ? "Would fire as changed" : "Would have fired", (answer.as_changed ?? answer.as_it_is).alerts, rule, now, Boolean(answer.as_changed)));
}

function table(lanes) {
  const figures = [
    ["alerts", ({ fired }) => count(fired), "number"],
    ...severities().reverse().map((name) => [name, ({ by_severity: by }) => count(by[name]), "number minor"]),
    ["firing in all", ({ firing_seconds: seconds }) => duration(seconds), "number"],
  ];
  return el("table", { "aria-label": "As it is and as changed" },
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Rule"), figures.map(([name, , kind]) => el("th", { scope: "col", class: kind }, name)))),
    el("tbody", {}, lanes.map(([name, outcome]) => el("tr", {}, el("th", { scope: "row" }, name), figures.map(([, of, kind]) => el("td", { class: kind }, of(outcome)))))));
}

/** A strip of the days with what would have fired when. */
function renderLane(name, { fired, alerts }, { from_at: from, to_at: to }) {
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  const place = (at) => (1000 * (Math.min(end, Math.max(begin, at)) - begin)) / (end - begin);
  return el("div", { class: "lane" }, el("span", { class: "faint" }, name),
    svg("svg", { viewBox: "0 0 1000 14", preserveAspectRatio: "none", role: "img", "aria-label": `${name}: ${plural(fired, "alert")}` },
      [...alerts].sort((one, other) => severities().indexOf(one.severity) - severities().indexOf(other.severity)).map((alert) => {
        const left = place(Date.parse(alert.fired_at));
        return svg("rect", { class: `is-${alert.severity}`, x: left, y: 0, height: 14, width: Math.max(2, place(alert.resolved_at ? Date.parse(alert.resolved_at) : end) - left) },
          svg("title", {}, alert.summary));
      })));
}

function renderList(title, alerts, rule, now, marksNew = false) {
  if (!alerts.length) return el("p", {}, el("strong", {}, title), ": nothing.");
  return [
    el("h3", {}, title),
    el("ul", { class: "plain" }, alerts.slice(0, MOST_ALERTS).map((alert) => el("li", {},
      badge(alert.severity), " ", time(alert.fired_at, now), " ",
      alert.resolved_at ? `for ${duration((Date.parse(alert.resolved_at) - Date.parse(alert.fired_at)) / 1000)}` : "until now", ": ",
      el("span", { class: "wrap" }, alert.summary ?? NONE), el("span", { class: "faint" }, `, worst ${measured(alert.worst_value, rule.unit)}`),
      marksNew && !alert.is_in_both && [" ", el("span", { class: "tag" }, "new")]))),
    alerts.length > MOST_ALERTS && nothing(`and ${count(alerts.length - MOST_ALERTS)} more`),
  ];
}

/** Ask for what the change would have made of the past; the token is asked for where none is known. */
export function tryChange(rule, query, onChange) {
  const trial = trialOf(rule, query);
  const act = {
    title: "Try", what: trial.words.join("; ") || "The rule as it is.", path: `api/backtest-rule/${encodeURIComponent(rule.rule_name)}`,
    body: { ...trial.change, days: trial.days, step_seconds: trial.step }, done: "", isTrial: true, patience: PATIENCE_MS,
  };
  const keep = (what) => {
    state.trial = { key: trial.key, ...what };
    onChange();
  };
  if (!knownToken()) return askToDecide(act, (answer) => keep({ answer }));
  keep({ isRunning: true });
  return post(act.path, act.body, PATIENCE_MS).then((answer) => {
    keep({ answer });
    announce(`As it is ${plural(answer.as_it_is.fired, "alert")}${answer.as_changed ? `, as changed ${count(answer.as_changed.fired)}` : ""}.`);
  }, (error) => {
    if (error.status === 401) keepToken("");
    keep({ error });
  });
}

let typing = null;
document.addEventListener("input", ({ target }) => {
  if (!target.dataset?.trial) return;
  clearTimeout(typing);
  typing = setTimeout(takeTyped, TYPING_MS);
});
// Who goes on to another box has typed what is there, which must not be shown anew from before.
document.addEventListener("change", ({ target }) => {
  if (target.dataset?.trial) takeTyped();
});

function takeTyped() {
  clearTimeout(typing);
  const boxes = [...document.querySelectorAll("#page [data-trial]")];
  choose(Object.fromEntries(boxes.map((box) => [box.dataset.trial, valueOf(box)])), { isStep: true });
}

/** What a box adds to the address: nothing when it says what holds already. */
function valueOf(box) {
  const text = box.value.trim();
  if (text === box.dataset.present) return null;
  return text === "" && severities().includes(box.dataset.trial) ? "none" : text;
}
