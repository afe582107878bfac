// What every page about one thing has: the alerts about it, and the rules that look at it.

import { renderAlerts } from "./alerts.js";
import { el, nothing } from "./dom.js";
import { count } from "./format.js";
import { panel } from "./parts.js";
import { hrefOfRule } from "./router.js";
import { state } from "./state.js";
import { thresholdTags } from "./thresholds.js";

const MOST_ALERTS = 50;

/** The alerts about a thing; nothing where none fires. */
export function alertsAbout(what, alerts, now) {
  return alerts.length > 0 && panel(`alerts-of-${what}`, "Alerts", null, renderAlerts(alerts, {
    filter: null, open: state.openAlerts, details: state.details, most: MOST_ALERTS, known: { is_known: true },
  }, now));
}

/** The rules that look at a thing, with the thresholds that count for it. */
export function rulesAbout(rules, kind) {
  return panel("rules", "Rules that look at it", null, renderRules(rules, kind));
}

function renderRules(rules, kind) {
  if (!rules.length) return nothing(`No rule with thresholds looks at ${kind}.`);
  return el("details", { "data-key": "rules-list" }, el("summary", {}, `${count(rules.length)} rules and their thresholds`),
    el("ul", { class: "plain rules" }, rules.map((rule) => el("li", {}, el("a", { href: hrefOfRule(rule.rule_name) }, rule.rule_name), " ", thresholdTags(rule.thresholds, rule),
      rule.is_own && el("span", { class: "tag" }, "set for it alone"), el("p", { class: "faint" }, rule.description)))));
}
