// Components: the list with how each was day by day, and one with its checks and answers over time.

import { alertsAbout, rulesAbout } from "./about.js";
import { get } from "./api.js";
import { renderChart } from "./charts.js";
import { dayBars } from "./day_bars.js";
import { el, nothing } from "./dom.js";
import { NONE, ago, badge, count, duration, percent, plural, time } from "./format.js";
import { renderErrors, table } from "./lists.js";
import { choiceOf, heading, panel, renderDocument, renderMoreRows, rowsAsked, searchBox } from "./parts.js";
import { hrefOf, hrefOfComponent } from "./router.js";
import { renderSpans, spanAsked } from "./spans.js";
import { renderFacts } from "./step.js";

const DAYS = 90;
const DAY_SECONDS = 86_400;
// Each of them is ninety days.
const FEW_COMPONENTS = 25;
const FEW_CHECKS = 12;
const STATES = ["unhealthy", "degraded", "unknown", "healthy"];
const STATUSES = [["", "In any state"], ...STATES.map((name) => [name, name])];

export const componentsPage = {
  title: () => "Components",
  questions: (route) => ({
    componentList: () => get("api/component-states", {
      limit: rowsAsked(route, FEW_COMPONENTS), search: route.query.get("search"), status: route.query.get("status"),
      type: route.query.get("type"), days: DAYS,
    }),
  }),
  render: ({ route, data, refusalOf, now }) => [
    heading("Components"),
    el("div", { class: "choices", role: "search", "data-key": "choices" },
      searchBox("search", "Search components", route.query.get("search")),
      choiceOf("status", "State", STATUSES, route.query.get("status")),
      route.query.get("type") && el("button", { type: "button", class: "small", "data-action": "choose", "data-name": "type" },
        `only ${route.query.get("type")} ×`)),
    el("section", { class: "panel", "aria-label": "Components", "data-key": "components" },
      data.componentList ? renderComponents(data.componentList, route, now) : refusalOf("componentList")),
  ],
};

function renderComponents(answer, route, now) {
  const isChosen = ["search", "status", "type"].some((name) => route.query.get(name));
  if (!answer.rows.length) return nothing(isChosen ? "No component fits." : "No component has been checked.");
  return [
    table("Components", ["State", "Component", "Checked", "90 days", "Up#", "95 % answer within#"], answer.rows.map((component) => el(
      "tr",
      { "data-key": `${component.component_type}/${component.component_name}` },
      el("td", { class: "state" }, badge(component.status)),
      el("th", { scope: "row" },
        el("a", { class: "clip-2", href: hrefOfComponent(component), title: component.component_name }, component.component_name),
        el("span", { class: "faint clip" }, component.component_type, component.status !== component.last_status && `, was ${component.last_status}`),
        component.alerts > 0 && el("span", { class: `tag is-${component.worst_severity}` }, plural(component.alerts, "alert"))),
      el("td", { class: "last" }, ago(component.last_check_at, now), " ago"),
      el("td", { class: "minor" }, healthBars(component, answer.as_of)),
      el("td", { class: "number next" }, percent(component.uptime_percent)),
      el("td", { class: "number minor" }, millis(component.p95_response_time_ms)),
    )), ["90 days", "95 % answer within"], "jobs"),
    renderMoreRows(answer, route, FEW_COMPONENTS),
  ];
}

const millis = (ms) => (ms === null ? NONE : duration(ms / 1000));

/** A bar a day, what was worst above the rest; where nobody knows there is no bar. */
function healthBars({ days, uptime_percent: uptime }, asOf, size = {}) {
  const known = new Map(days.map((day) => [day.day, day]));
  const words = `${plural(DAYS, "day")}: ${uptime === null ? "not known" : `${percent(uptime)} up`}, ${plural(days.filter((day) => day.unhealthy > 0).length, "day")} with trouble`;
  return dayBars(known, asOf, {
    days: DAYS, words, parts: (day) => (day.healthy + day.degraded + day.unhealthy > 0 ? STATES.map((name) => [name, day[name]]) : []), title: wordsOfDay, width: 3, ...size,
  });
}

function wordsOfDay(name, day) {
  if (!day) return `${name}: not known`;
  const parts = STATES.filter((state) => day[state] > 0).map((state) => `${state} ${day[state] >= DAY_SECONDS ? "all day" : duration(day[state])}`);
  return `${name}: ${parts.join(", ")}; ${plural(day.checks, "check")}`;
}

export const componentPage = {
  title: (route) => route.name,
  questions: (route) => ({
    component: () => get(`api/components/${encodeURIComponent(route.name)}`, {
      type: route.of, ...spanAsked(route), days: DAYS,
    }),
    componentChecks: () => get("api/component-checks", {
      component: route.name, type: route.of, status: route.query.get("found"), limit: rowsAsked(route, FEW_CHECKS),
    }),
    componentErrors: () => get("api/errors", { component: route.name, limit: 8 }),
  }),
  render: ({ route, data, refusalOf, now }) => [
    heading(route.name, { back: ["Components", hrefOf(["components"])], beside: data.component ? badge(data.component.component.status) : [] }),
    data.component ? renderComponent(data, route, refusalOf, now) : refusalOf("component"),
  ],
};

function renderComponent(data, route, refusalOf, now) {
  const { component, alerts, rules, other_types: others, as_of: asOf } = data.component;
  return [
    alertsAbout("component", alerts, now),
    panel("component", "How it is", null, renderState(component, others, now),
      el("div", { class: "whole-bars" }, healthBars(component, asOf, { height: 40, width: 9 })),
      el("p", { class: "faint" }, `Each bar is a day of the last ${plural(DAYS, "day")}, in UTC; where there is none nobody knows.`)),
    panel("component-by-time", "Over time", renderSpans(route), renderCharts(data.component)),
    data.componentErrors?.rows.length > 0 && panel("errors-of-component", "Its errors", null,
      renderErrors(data.componentErrors.rows, { isWhole: true, few: 8 }, now)),
    rulesAbout(rules, "components"),
    panel("checks", "Newest checks", choiceOf("found", "What was found", STATUSES, route.query.get("found")),
      data.componentChecks ? renderChecks(data.componentChecks, route, now) : refusalOf("componentChecks")),
  ];
}

function renderState(component, others, now) {
  return [
    component.status !== component.last_status && el("p", { class: "refusal" },
      "It was checked ", ago(component.last_check_at, now), ` ago, and was ${component.last_status} then: how it is now is not known.`),
    component.failure_reason && component.last_status !== "healthy" && el("p", { class: "error-text wrap" }, component.failure_reason),
    renderFacts([
      ["What", component.component_type],
      ...(others.length ? [["Others of that name", others.map((type, place) => [place > 0 && ", ",
        el("a", { href: hrefOfComponent({ ...component, component_type: type }) }, type)])]] : []),
      ["Last check", [ago(component.last_check_at, now), " ago"]],
      ["Answered within", millis(component.response_time_ms)],
      ["Up, 90 days", percent(component.uptime_percent)],
      ["Last unhealthy", time(component.last_unhealthy_at, now)],
      ["Checks, 90 days", count(component.checks)],
      ["Half answer within", millis(component.p50_response_time_ms)],
      ["95 % answer within", millis(component.p95_response_time_ms)],
      ["99 % answer within", millis(component.p99_response_time_ms)],
    ]),
  ];
}

function renderCharts({ buckets, ...span }) {
  const chart = (title, series, options) => renderChart(title, {
    ...span,
    rows: buckets.flatMap((bucket) => series.map(([name, column]) => ({ series: name, bucket_at: bucket.bucket_at, value: bucket[column] }))),
  }, { ...options, isSpanChosen: true });
  return el(
    "div",
    { class: "trends is-two" },
    chart("Answers", [["99 %", "p99_response_time_ms"], ["95 %", "p95_response_time_ms"], ["half", "p50_response_time_ms"]], { kind: "lines", format: (ms) => duration(ms / 1000) }),
    chart("Checks", STATES.map((name) => [name, `${name}_checks`]), { kind: "bars", order: STATES }),
  );
}

function renderChecks(answer, route, now) {
  if (!answer.rows.length) return nothing(route.query.get("found") ? "No check of 24 hours found that." : "None within 24 hours.");
  return [
    table("Checks", ["At", "Found", "Answered within#"], answer.rows.flatMap((check) => [
      el(
        "tr",
        { "data-key": String(check.probe_id) },
        el("th", { scope: "row" }, time(check.checked_at, now)),
        el("td", {}, badge(check.status)),
        el("td", { class: "number" }, millis(check.response_time_ms)),
      ),
      check.failure_reason && el("tr", { class: "why", "data-key": `why#${check.probe_id}` },
        el("td", { colspan: 3, class: "wrap" }, "Why: ", check.failure_reason, renderDocument(check.details))),
    ].filter(Boolean)), []),
    renderMoreRows(answer, route, FEW_CHECKS),
  ];
}
