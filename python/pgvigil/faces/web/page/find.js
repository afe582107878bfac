// The search in the head of every page: what fits while one types, and a page of all that fits.

import { get } from "./api.js";
import { announce, el, show } from "./dom.js";
import { plural } from "./format.js";
import { go, hrefOf, hrefOfAlert, hrefOfGroup, hrefOfJob, hrefOfRun, routeOf } from "./router.js";

const TYPING_MS = 180;
const LEAST = 2;
const box = document.getElementById("search");
const list = document.getElementById("search-results");

// The newest question; the answer to an earlier one comes too late.
let asked = "";
let found = [];
let active = -1;
let typing = null;

/** Where a thing that was found is shown; the first page where it has none of its own. */
export function hrefOfFound({ kind, name, place }) {
  const href = {
    alert: () => hrefOfAlert(name),
    job: () => hrefOfJob(name),
    run: () => hrefOfRun(name),
    error: () => hrefOfGroup(name),
    queue: () => hrefOf(["queues", name]),
    component: () => hrefOf(["components", name]),
    dataset: () => hrefOf(["records", name]),
    record: () => hrefOf(["records", place, name]),
    rule: () => hrefOf(["rules", name]),
  }[kind]();
  return routeOf(href).page === "missing" ? hrefOf([]) : href;
}

/** What a thing is, beside its name. */
export const kindWords = ({ kind, place }) => (place ? `${kind} · ${place}` : kind);

async function ask() {
  const words = box.value.trim();
  asked = words;
  if (words.length < LEAST) return close();
  try {
    const { rows } = await get("api/search", { q: words, limit: 5 });
    if (words !== asked || document.activeElement !== box) return;
    found = rows;
    active = -1;
    render();
    announce(rows.length ? `${plural(rows.length, "result")}` : "Nothing fits");
  } catch {
    // The page that Enter leads to says what is wrong.
    close();
  }
}

function render() {
  show(list, found.length ? found.map((each, place) => el(
    "li",
    { id: `found-${place}`, role: "option", "aria-selected": String(place === active), "data-place": place, "data-key": `${each.kind} ${each.place} ${each.name}` },
    el("span", { class: "clip" }, each.title), el("span", { class: "faint clip" }, kindWords(each)),
  )) : el("li", { class: "nothing", role: "option", "aria-disabled": "true", "aria-selected": "false" }, `Nothing fits “${asked}”.`));
  list.hidden = false;
  box.setAttribute("aria-expanded", "true");
  if (active >= 0) box.setAttribute("aria-activedescendant", `found-${active}`);
  else box.removeAttribute("aria-activedescendant");
  list.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
}

function close() {
  [found, active] = [[], -1];
  list.hidden = true;
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
}

function open(href) {
  clearTimeout(typing);
  asked = "";
  close();
  box.value = "";
  box.blur();
  go(href);
}

box.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(ask, TYPING_MS);
});
box.addEventListener("focus", () => box.value && ask());
box.addEventListener("blur", () => setTimeout(close, 150));
box.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && found.length) {
    event.preventDefault();
    active = (active + step + (active < 0 && step < 0 ? 1 : 0) + found.length) % found.length;
    render();
  } else if (event.key === "Escape") {
    if (list.hidden) box.blur();
    else close();
  } else if (event.key === "Enter" && box.value.trim()) {
    event.preventDefault();
    open(active >= 0 ? hrefOfFound(found[active]) : hrefOf(["search"], { q: box.value.trim() }));
  }
});
list.addEventListener("mousedown", (event) => {
  const chosen = event.target.closest("[data-place]");
  event.preventDefault();
  if (chosen) open(hrefOfFound(found[Number(chosen.dataset.place)]));
});
