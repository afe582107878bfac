// What keys do, wherever nothing is typed.

import { go, hrefOf } from "./router.js";

const GO = { n: [], j: ["jobs"], e: ["errors"] };
const dialog = document.getElementById("keys");
let isGoing = false;

const press = (id) => document.getElementById(id).click();

function focus(event, field) {
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
}

const KEYS = {
  r: () => press("refresh"),
  p: () => press("pause"),
  "/": (event) => focus(event, document.getElementById("search")),
  f: (event) => focus(event, document.querySelector("#page:not([hidden]) input[type=search]")),
  "?": () => dialog.showModal(),
  g: () => { isGoing = true; },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select, dialog *")) return;
  const isSecond = isGoing;
  isGoing = false;
  if (isSecond && GO[event.key]) go(hrefOf(GO[event.key]));
  else KEYS[event.key]?.(event);
});
document.getElementById("show-keys").addEventListener("click", () => dialog.showModal());
