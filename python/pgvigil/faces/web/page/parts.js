// What several pages have: headings, panels, choices, values of any shape.

import { el, nothing } from "./dom.js";
import { count, figure } from "./format.js";

const PAGE_ROWS = 50;
const MOST_ROWS = 1000;

/** The heading of a page, with what stands beside it and the way back. */
export function heading(title, { back = null, beside = [] } = {}) {
  return el(
    "div",
    { class: "page-head", "data-key": "head" },
    back && el("p", { class: "back" }, el("a", { href: back[1] }, `‹ ${back[0]}`)),
    el("div", { class: "page-title" }, el("h2", { class: "wrap" }, title), beside),
  );
}

/** A part of a page under its own heading. */
export function panel(key, title, tools, ...content) {
  return el(
    "section",
    { class: "panel", "data-key": key, "aria-labelledby": `${key}-title` },
    el("div", { class: "panel-head" }, el("h2", { id: `${key}-title` }, title), tools && el("div", { class: "panel-tools" }, tools)),
    content,
  );
}

/** A box to search in; what is typed goes into the address. */
export function searchBox(choice, label, value) {
  return el("input", {
    type: "search", "data-choice": choice, "data-key": `choice-${choice}`, "aria-label": label, placeholder: `${label} (f)`,
    value: value ?? "", maxlength: 200, spellcheck: "false",
  });
}

/** A list to choose from; `options` are values with their words. */
export function choiceOf(choice, label, options, value) {
  return el("select", { "data-choice": choice, "data-key": `choice-${choice}`, "aria-label": label }, options.map(([known, words]) => el(
    "option", { value: known, selected: (value ?? "") === known }, words)));
}

/** How many rows a list asks for, by what has been chosen. */
export function rowsAsked(route, few = PAGE_ROWS) {
  const wanted = Number(route.query.get("show"));
  return wanted > 0 ? Math.min(MOST_ROWS, wanted) : few;
}

/** A button for more rows, where there are more. */
export function renderMoreRows(answer, route, few = PAGE_ROWS) {
  if (!answer.next) return null;
  const shown = rowsAsked(route, few);
  if (shown >= MOST_ROWS) return nothing(`The list ends here, after ${count(answer.rows.length)}: search or choose to see others.`);
  return el("p", { class: "more" }, el("button", {
    type: "button", "data-action": "choose", "data-name": "show", "data-value": Math.min(MOST_ROWS, shown * 2),
  }, "Show more"));
}

/** A document as names with values; nothing where it has none. */
export function renderDocument(document) {
  if (document === null || document === undefined) return null;
  if (typeof document !== "object") return el("p", { class: "wrap" }, String(document));
  const entries = Object.entries(document);
  if (!entries.length) return null;
  return el("dl", { class: "facts is-wide" }, entries.map(([name, value]) => el(
    "div", {}, el("dt", {}, name.replaceAll("_", " ")), el("dd", {}, valueText(value)))));
}

function valueText(value) {
  if (typeof value === "number") return figure(value);
  return value !== null && typeof value === "object" ? el("code", {}, JSON.stringify(value)) : String(value ?? "–");
}
