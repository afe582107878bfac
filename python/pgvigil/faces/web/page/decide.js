// The dialog in which people decide, and say who they are and why.

import { get, keepToken, knownToken, post } from "./api.js";
import { announce, el } from "./dom.js";
import { ofTab } from "./storage.js";

const dialog = document.getElementById("decide");
const form = dialog.querySelector("form");
const place = (name) => document.getElementById(`decide-${name}`);
const tokenField = document.getElementById("token-field");
const NAME = "pgvigil-name";
let current = null;
let user = null;

/**
 * Ask for a note and a name, and for the token where none is known.
 *
 * `act` has `title`, `what` it is about, the `path` to send to, what is `done` then in words, and
 * perhaps `lengths`: names and hours of how long it is to last, null for without end (what they are
 * sent as is `lasting`), or `choices`, which fetches names and fingerprints of groups to merge into.
 * `body` is sent besides. What is a trial (`isTrial`) decides nothing, and takes no note.
 */
export function askToDecide(act, onDone) {
  current = { act, onDone };
  place("title").textContent = act.title;
  place("submit").textContent = act.title;
  place("what").textContent = act.what;
  place("until").hidden = !act.lengths;
  form.elements.hours.replaceChildren(...(act.lengths ?? []).map(([name, hours]) => el("option", { value: hours ?? "" }, name)));
  place("into").hidden = !act.choices;
  form.elements.into.required = Boolean(act.choices);
  form.elements.into.replaceChildren();
  if (act.choices) offer(act);
  form.elements.note.value = "";
  form.elements.by.value = ofTab.getItem(NAME) ?? "";
  form.elements.token.value = "";
  place("trouble").textContent = "";
  for (const { name, parentElement } of [form.elements.note, form.elements.by]) {
    parentElement.hidden = Boolean(act.isTrial);
    form.elements[name].required = name === "by" && !act.isTrial;
  }
  askForToken(!user && !knownToken());
  dialog.showModal();
  askWhoThisIs();
  form.elements[act.isTrial ? "token" : "note"].focus();
}

/** Whom the proxy in front names needs no token, and has a name already. */
async function askWhoThisIs() {
  try {
    ({ user } = await get("api/whoami"));
  } catch {
    return;
  }
  form.elements.by.readOnly = Boolean(user);
  if (!user) return;
  form.elements.by.value = user;
  askForToken(false);
}

async function offer(act) {
  const options = await act.choices().catch((error) => [[`They cannot be read: ${error.message}`, ""]]);
  if (current.act !== act) return;
  form.elements.into.replaceChildren(...(options.length ? options : [["There is no other group", ""]])
    .map(([name, fingerprint]) => el("option", { value: fingerprint }, name)));
}

function askForToken(isAsked) {
  tokenField.hidden = !isAsked;
  form.elements.token.required = isAsked;
}

place("cancel").addEventListener("click", () => dialog.close());

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { note, by, token, hours, into } = form.elements;
  const { act, onDone } = current;
  if (!tokenField.hidden) keepToken(token.value.trim());
  if (!user && !act.isTrial) ofTab.setItem(NAME, by.value.trim());
  place("submit").disabled = true;
  place("trouble").textContent = "";
  const said = act.isTrial ? {} : { note: note.value.trim() || null, by: by.value.trim() };
  try {
    const answer = await post(act.path, { ...act.body, ...said, ...(act.choices && { into: into.value }), ...(act.lengths && (act.lasting ?? lastingHours)(hours.value ? Number(hours.value) : null)) }, act.patience);
    dialog.close();
    announce(act.done);
    onDone(answer);
  } catch (error) {
    if (error.status === 401) {
      keepToken("");
      askForToken(true);
      token.select();
    }
    // The hint of that refusal is for programs.
    const words = error.status === 401 ? "the token is missing or wrong" : error.message;
    place("trouble").textContent = `Not done: ${words}`;
  } finally {
    place("submit").disabled = false;
  }
});

const lastingHours = (hours) => ({ hours });
