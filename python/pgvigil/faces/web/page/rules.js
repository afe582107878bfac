// The list of alert rules, and the tabs of the pages about rules and what is told.

import { get } from "./api.js";
import { el, nothing } from "./dom.js";
import { NONE, ago, badge, count, duration, time } from "./format.js";
import { table } from "./lists.js";
import { choiceOf, heading, renderMoreRows, rowsAsked, searchBox } from "./parts.js";
import { hrefOf, hrefOfRule } from "./router.js";
import { spellMatchers, thresholdTags } from "./thresholds.js";

const STATES = [["", "In any state"], ["failing", "Failing"], ["firing", "Firing"], ["on", "On, quiet"], ["off", "Off"]];
const FAMILIES = [
  ["", "All families"], ["processing", "Tasks"], ["errors", "Errors"], ["queues", "Queues"], ["health", "Health"], ["records", "Records"],
  ["reported", "Alerts of others"], ["own", "Your own"], ["self", "pgvigil itself"],
];
const TABS = [["rules", "Rules"], ["silences", "Silences"], ["channels", "Channels"]];
const MINOR = ["30 days", "Changed"];

/** Links to the pages that belong together. */
export function ruleTabs(shown) {
  return el("nav", { class: "pages", "aria-label": "Rules and messages" }, TABS.map(([page, title]) => el(
    "a", { href: hrefOf([page]), "aria-current": page === shown && "page" }, title)));
}

export const rulesPage = {
  title: () => "Rules",
  questions: (route) => ({
    rules: () => get("api/rules", {
      limit: rowsAsked(route), search: route.query.get("search"), state: route.query.get("state"), family: route.query.get("family"),
    }),
  }),
  render: ({ route, data, refusalOf, now }) => [
    heading("Alert rules", { beside: ruleTabs("rules") }),
    el("div", { class: "choices", role: "search", "data-key": "choices" },
      searchBox("search", "Search rules", route.query.get("search")),
      choiceOf("state", "State", STATES, route.query.get("state")),
      choiceOf("family", "Family", FAMILIES, route.query.get("family"))),
    el("section", { class: "panel", "aria-label": "Alert rules", "data-key": "rules" },
      data.rules ? renderRules(data.rules, route, now) : refusalOf("rules")),
  ],
};

function renderRules(answer, route, now) {
  if (!answer.rows.length) return nothing("No rule fits.");
  return [
    table("Alert rules", ["State", "Rule", "Looked", "Fires", "30 days#", "Changed"], answer.rows.map((rule) => el(
      "tr",
      { "data-key": rule.rule_name, class: rule.is_enabled ? null : "is-quiet" },
      el("td", { class: "state" }, badge(rule.state)),
      el("th", { scope: "row" }, el("a", { class: "clip-2", href: hrefOfRule(rule.rule_name) }, rule.rule_name),
        el("div", { class: "labels" }, thresholdTags(rule.thresholds, rule),
          rule.for_seconds > 0 && el("span", { class: "tag" }, `for ${duration(rule.for_seconds)}`)),
        rule.overrides.length > 0 && el("div", { class: "faint clip-2" },
          `other limits for ${rule.overrides.map(({ labels }) => spellMatchers(labels)).join("; ")}`),
        rule.state === "failing" && el("div", { class: "refusal clip-2" }, rule.last_error)),
      el("td", { class: "last" }, renderLook(rule, now)),
      el("td", { class: "next" }, renderFired(rule, now)),
      el("td", { class: "number minor" }, count(rule.fired_30_days)),
      el("td", { class: "minor" }, rule.changed_at ? [time(rule.changed_at, now), el("div", { class: "faint clip-2" }, `by ${rule.changed_by}`)] : el("span", { class: "faint" }, "as shipped")),
    )), MINOR, "jobs of-rules"),
    renderMoreRows(answer, route),
  ];
}

/** When it was last evaluated, and how long that took. */
export function renderLook(rule, now) {
  if (!rule.evaluated_at) return el("span", { class: "faint" }, rule.is_enabled ? "never yet" : NONE);
  return [ago(rule.evaluated_at, now), " ago", el("span", { class: "faint" }, `, took ${duration((rule.duration_ms ?? 0) / 1000)}`)];
}

function renderFired(rule, now) {
  return [
    rule.firing > 0 && el("div", { class: "is-late" }, `${count(rule.firing)} now`),
    rule.last_fired_at
      ? el("div", { class: "faint" }, `${count(rule.fired_7_days)} in 7 days, last `, ago(rule.last_fired_at, now), " ago")
      : el("span", { class: "faint" }, "not in 30 days"),
  ];
}
