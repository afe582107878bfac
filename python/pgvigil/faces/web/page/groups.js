// Errors by group: the list, and one group with how often and where it occurred.

import { actsOfGroup, actsOfMerged, renderActs } from "./acts.js";
import { get } from "./api.js";
import { renderChart } from "./charts.js";
import { el, nothing } from "./dom.js";
import { NONE, age, badge, count, time } from "./format.js";
import { renderErrors } from "./lists.js";
import { choiceOf, heading, panel, renderDocument, renderMoreRows, rowsAsked, searchBox } from "./parts.js";
import { hrefOf, hrefOfJob, hrefOfRun } from "./router.js";
import { markOfRelease } from "./marks.js";
import { renderStack } from "./run.js";
import { renderSpans, spanAsked } from "./spans.js";
import { renderFacts } from "./step.js";

/** Severities, the worst first, as the database counts alerts by them. */
const worstFirst = (data) => Object.keys(data.critical?.counts.by_severity ?? {}).reverse();

const STATUSES = [["", "In any state"], ["open", "Open"], ["regressed", "Regressed"], ["muted", "Muted"], ["resolved", "Resolved"]];
const RELEASES = ["release", "version", "app_version"];

export const groupsPage = {
  title: () => "Errors",
  questions: (route) => ({
    groups: () => get("api/errors", {
      limit: rowsAsked(route), search: route.query.get("search"), status: route.query.get("status"),
      severity: route.query.get("severity"), component: route.query.get("component"),
    }),
  }),
  render: ({ route, data, refusalOf, now }) => [
    heading("Errors by group"),
    el("div", { class: "choices", role: "search", "data-key": "choices" },
      searchBox("search", "Search errors", route.query.get("search")),
      choiceOf("status", "State", STATUSES, route.query.get("status")),
      choiceOf("severity", "Severity", [["", "Any severity"], ...[...new Set([...worstFirst(data), route.query.get("severity")])].filter(Boolean).map((name) => [name, name])], route.query.get("severity")),
      route.query.get("component") && el("button", { type: "button", class: "small", "data-action": "choose", "data-name": "component" },
        `only ${route.query.get("component")} ×`)),
    el("section", { class: "panel", "aria-label": "Groups of errors", "data-key": "groups" },
      data.groups ? renderGroups(data.groups, route, now) : refusalOf("groups")),
  ],
};

function renderGroups(answer, route, now) {
  const isChosen = ["search", "status", "severity", "component"].some((name) => route.query.get(name));
  if (!answer.rows.length) return nothing(isChosen ? "No group fits." : "No error has been recorded.");
  return [renderErrors(answer.rows, { isWhole: true, few: 0 }, now), renderMoreRows(answer, route)];
}

export const groupPage = {
  title: (route, data) => data.group?.group.error_type ?? "Error",
  questions: (route) => ({
    group: () => get(`api/errors/${encodeURIComponent(route.name)}`, spanAsked(route, 168)),
  }),
  render: ({ route, data, refusalOf, now }) => {
    const group = data.group?.group;
    return [
      heading(group?.error_type ?? "Error", {
        back: ["Errors", hrefOf(["errors"])],
        beside: group ? [badge(group.severity), group.status !== "open" && el("span", { class: "tag" }, group.status),
          el("div", { class: "acts" }, renderActs(actsOfGroup(group), "group", group.fingerprint))] : [],
      }),
      group ? renderGroup(data.group, route, worstFirst(data), now) : refusalOf("group"),
    ];
  },
};

function renderGroup({ group, points, occurrences, releases, running_at_first: running, ...span }, route, severities, now) {
  return [
    panel("group", "What", null,
      el("p", { class: "error-text wrap example" }, group.example ?? NONE),
      group.template && group.template !== group.example && el("p", { class: "faint wrap" }, "As a group: ", el("code", {}, group.template)),
      renderFacts([
        ["Occurrences", count(group.occurrences)],
        ["First seen", time(group.first_seen_at, now)],
        ["In which release", running.length ? running.map((release) => el("div", {}, `${release.component} ${release.version}, `, age(release.released_at, new Date(group.first_seen_at)), " old")) : NONE],
        ["Last seen", time(group.last_seen_at, now)],
        ["Components", group.components?.length ? group.components.map((name, place) => [
          place > 0 && ", ", el("a", { href: hrefOf(["errors"], { component: name }) }, name)]) : NONE],
        ["Jobs", linksTo([...new Set(occurrences.map((each) => each.task_type).filter(Boolean))])],
        ["Releases", releasesOf(occurrences).join(", ") || NONE],
        ...decisionFacts(group, now),
      ]),
      group.merged_from && renderMerged(group)),
    panel("occurrences-by-time", "How often", renderSpans(route, { usual: 168, most: 720 }), renderChart("Occurrences", { ...span, rows: points }, { kind: "bars", isSpanChosen: true, marks: { rows: releases.map(markOfRelease) }, order: severities.filter((name) => name === group.severity || points.some(({ series }) => series === name)) })),
    panel("occurrences", "Newest occurrences", null, el("ul", { class: "errors" }, occurrences.map((each, place) => renderOccurrence(each, place, now)))),
  ];
}

function renderMerged(group) {
  const acts = actsOfMerged(group);
  return el("details", { "data-key": "merged" }, el("summary", {}, `Merged from ${group.merged_from.length + 1} fingerprints`),
    el("ul", { class: "plain" }, Object.entries(acts).map(([verb, act]) => el("li", {}, el("code", {}, act.what), " ",
      renderActs({ [verb]: act }, "group", group.fingerprint, act.what)))));
}

function decisionFacts(group, now) {
  if (!group.changed_at) return [];
  return [
    ["Decided by", group.changed_by ?? NONE],
    ["Decided", time(group.changed_at, now)],
    ...(group.status === "muted" ? [["Muted until", group.muted_until ? time(group.muted_until, now) : "somebody reopens it"]] : []),
    ["Note", group.note ?? NONE],
  ];
}

function linksTo(names) {
  return names.length ? names.map((name, place) => [place > 0 && ", ", el("a", { href: hrefOfJob(name) }, name)]) : NONE;
}

/** Releases that the newest occurrences name in their details. */
function releasesOf(occurrences) {
  const named = occurrences.flatMap(({ details }) => RELEASES.map((name) => details?.[name]).filter((value) => typeof value === "string"));
  return [...new Set(named)].slice(0, 8);
}

function renderOccurrence(each, place, now) {
  return el(
    "li",
    { class: "error", "data-key": String(each.error_id) },
    el("div", { class: "error-head" }, time(each.occurred_at, now), each.component && el("span", { class: "faint clip" }, each.component),
      each.task_id && el("a", { class: "clip", href: hrefOfRun(each.task_id) }, each.task_id)),
    el("p", { class: "error-text wrap" }, each.message),
    renderStack(each.stack, place === 0),
    renderDocument(each.details),
  );
}
