// One alert rule: how it is set and goes, what a change would have made of the past, who changed it.

import { actsOfRule, renderActs } from "./acts.js";
import { get } from "./api.js";
import { el, nothing } from "./dom.js";
import { NONE, badge, count, duration, measured, time } from "./format.js";
import { table } from "./lists.js";
import { heading, panel, renderDocument } from "./parts.js";
import { hrefOf, hrefOfAlert, hrefOfRule } from "./router.js";
import { renderLook } from "./rules.js";
import { renderFacts } from "./step.js";
import { spellMatchers, thresholdTags } from "./thresholds.js";
import { renderTrial } from "./trial.js";

export const rulePage = {
  title: (route) => route.name,
  questions: (route) => ({ rule: () => get(`api/rules/${encodeURIComponent(route.name)}`) }),
  render: ({ route, data, refusalOf, now }) => [
    heading(route.name, {
      back: ["Rules", hrefOf(["rules"])],
      beside: data.rule ? [badge(data.rule.rule.state), el("div", { class: "acts" }, renderActs(actsOfRule(data.rule.rule), "rule", route.name))] : [],
    }),
    data.rule ? renderRule(data.rule, route, now) : refusalOf("rule"),
  ],
};

function renderRule({ rule, alerts, changes, inhibitions }, route, now) {
  return [
    panel("rule", "What it looks for", null, renderAbout(rule, now)),
    panel("thresholds", "Thresholds", null, renderThresholds(rule)),
    panel("trial", "Try a change on the past", null, renderTrial(rule, route, now)),
    panel("alerts-of-rule", "Its alerts", null, renderAlertsOf(alerts, rule, now)),
    panel("changes", "Who changed it", null, renderChanges(changes, rule, now)),
    inhibitions.length > 0 && panel("inhibitions", "Inhibitions", null,
      el("ul", { class: "plain" }, inhibitions.map((each) => el("li", {}, inhibitionWords(each))))),
  ];
}

function renderAbout(rule, now) {
  return el("div", { class: "about-rule" }, [
    el("p", {}, rule.description ?? nothing("Nobody has said what for.")),
    rule.last_error && el("p", { class: "refusal wrap" }, `It fails: ${rule.last_error}`,
      rule.paused_until_at && [". It rests until ", time(rule.paused_until_at, now), "."]),
    renderFacts([
      ["Looked", renderLook(rule, now)],
      ["May take", duration(rule.time_limit_seconds)],
      ["Evaluations", `${count(rule.evaluations ?? 0)}, ${count(rule.failures ?? 0)} failed`],
      ["Fires", `${count(rule.firing)} now, ${count(rule.pending)} wait to`],
      ["Fired", `${count(rule.fired_7_days)} in 7 days, ${count(rule.fired_30_days)} in 30`],
      ["Must last", lastWords(rule)],
      ["Ends after", rule.keep_firing_seconds ? duration(rule.keep_firing_seconds) : "at once"],
      ["Without data", { ok: "all is well", keep: "all stays", alert: "it fires" }[rule.no_data]],
      ["When it fails", { keep: "alerts stay", ok: "alerts end" }[rule.on_error]],
      ["Changed", rule.changed_at ? [time(rule.changed_at, now), ` by ${rule.changed_by}`] : "as shipped"],
    ]),
    renderDocument(rule.parameters),
    rule.query && el("details", { "data-key": "query" }, el("summary", {}, "Its query"), el("pre", { tabindex: 0 }, rule.query)),
  ]);
}

function lastWords(rule) {
  const words = [rule.for_seconds && duration(rule.for_seconds), rule.for_evaluations > 1 && `${count(rule.for_evaluations)} looks`].filter(Boolean);
  return words.join(", ") || "one look";
}

function renderThresholds(rule) {
  const rows = [[{}, rule.thresholds], ...rule.overrides.map(({ labels, thresholds }) => [labels, thresholds])];
  return [
    table("Thresholds", ["For", "From which value on", "Change"], rows.map(([labels, thresholds]) => {
      const where = spellMatchers(labels);
      const tags = thresholdTags(thresholds, rule);
      return el(
        "tr",
        { "data-key": `thresholds ${where}` },
        el("th", { scope: "row" }, where || "all others"),
        el("td", {}, el("div", { class: "labels" }, tags.length ? tags : el("span", { class: "faint" }, "none: what the rule finds says how bad it is, or nothing fires"))),
        el("td", {}, el("button", {
          type: "button", class: "small", "data-action": "scope", "data-value": where, "aria-label": `Try others for ${where || "all others"}`,
        }, "Try others")),
      );
    })),
  ];
}

function renderAlertsOf(alerts, rule, now) {
  const fired = alerts.filter((alert) => alert.fired_at);
  if (!fired.length) return nothing("It has raised no alert that is still kept.");
  return table("Alerts of the rule", ["Severity", "Alert", "Fired", "Ended", "Value#"], fired.map((alert) => el(
    "tr",
    { "data-key": String(alert.alert_id) },
    el("td", {}, badge(alert.severity)),
    el("th", { scope: "row" }, el("a", { class: "clip-2", href: hrefOfAlert(alert.alert_id) }, alert.summary)),
    el("td", {}, time(alert.fired_at, now)),
    el("td", {}, alert.resolved_at ? [time(alert.resolved_at, now), el("span", { class: "faint" }, ` by ${alert.resolved_by ?? NONE}`)] : alert.status),
    el("td", { class: "number minor" }, measured(alert.value, rule.unit)),
  )), ["Value"]);
}

function renderChanges(changes, rule, now) {
  if (!changes.length) return nothing("Nobody has, as far back as that is kept.");
  return el("ul", { class: "plain rules" }, changes.map((change) => el(
    "li",
    { "data-key": String(change.change_id) },
    el("strong", {}, change.changed_by), " ", time(change.changed_at, now), ": ", changeWords(change, rule),
    change.note && el("p", {}, `“${change.note}”`),
    change.login_name !== change.changed_by && el("p", { class: "faint" }, `through the login ${change.login_name}`),
  )));
}

/** What became of each setting. */
function changeWords({ change, old_settings: before, new_settings: after }, rule) {
  if (change !== "changed") return `${change} it`;
  return el("ul", { class: "plain" }, Object.keys(after).map((name) => el("li", { class: "wrap" },
    `${name.replaceAll("_", " ")}: `, settingWords(name, before[name], rule), " → ", settingWords(name, after[name], rule))));
}

function settingWords(name, value, rule) {
  if (name === "thresholds") return tagsOrNone(thresholdTags(value, rule));
  if (name === "overrides") {
    return tagsOrNone(value.map(({ labels, thresholds }) => [`${spellMatchers(labels)} `, thresholdTags(thresholds, rule), " "]));
  }
  if (name.endsWith("_seconds")) return duration(value);
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

const tagsOrNone = (tags) => (tags.length ? tags : "none");

/** What an inhibition does. */
export function inhibitionWords({ source_rule: source, target_rule: target, equal_labels: labels, is_enabled: isEnabled, changed_by: by }) {
  const link = (name) => el("a", { href: hrefOfRule(name) }, name);
  return [
    "While ", link(source), " fires, ", link(target), labels.length ? ` with the same ${labels.join(", ")}` : "", " is not told.",
    !isEnabled && el("span", { class: "tag" }, `lifted by ${by}`), isEnabled && by && el("span", { class: "faint" }, ` Set by ${by}.`),
  ];
}
