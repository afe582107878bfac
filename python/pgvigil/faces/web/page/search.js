// All that fits what was searched for.

import { get } from "./api.js";
import { el, nothing } from "./dom.js";
import { count, time } from "./format.js";
import { hrefOfFound, kindWords } from "./find.js";
import { table } from "./lists.js";
import { heading, searchBox } from "./parts.js";

const MOST_OF_A_KIND = 50;

export const searchPage = {
  title: (route) => (route.query.get("q") ? `Search: ${route.query.get("q")}` : "Search"),
  questions: (route) => (route.query.get("q") ? { found: () => get("api/search", { q: route.query.get("q"), limit: MOST_OF_A_KIND }) } : {}),
  render: ({ route, data, refusalOf, now }) => [
    heading("Search"),
    el("div", { class: "choices", role: "search", "data-key": "choices" }, searchBox("q", "Search in this page", route.query.get("q"))),
    el("section", { class: "panel", "aria-label": "What was found", "data-key": "found" },
      !route.query.get("q") ? nothing("Jobs, queues, components, errors, alerts, rules and datasets are found by a part of their name, runs and records by its beginning.")
        : data.found ? renderFound(data.found.rows, now) : refusalOf("found")),
  ],
};

function renderFound(rows, now) {
  if (!rows.length) return nothing("Nothing fits. Runs and records are found by how their name begins, as it is written.");
  const isCut = Object.values(Object.groupBy?.(rows, ({ kind }) => kind) ?? {}).some((each) => each.length >= MOST_OF_A_KIND);
  return [
    table("What was found", ["What", "Kind", "Seen"], rows.map((each) => el(
      "tr",
      { "data-key": `${each.kind} ${each.place} ${each.name}` },
      el("th", { scope: "row" }, el("a", { class: "clip-2", href: hrefOfFound(each), title: each.title }, each.title)),
      el("td", {}, el("span", { class: "clip-2" }, kindWords(each))),
      el("td", { class: "minor" }, time(each.seen_at, now)),
    )), ["Seen"]),
    isCut && nothing(`Of each kind the first ${count(MOST_OF_A_KIND)}: write more of the name to see others.`),
  ];
}
