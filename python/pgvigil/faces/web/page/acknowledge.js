// The dialog in which an alert is acknowledged.

import { keepToken, knownToken, post } from "./api.js";
import { announce } from "./dom.js";
import { ofTab } from "./storage.js";

const dialog = document.getElementById("acknowledge");
const form = dialog.querySelector("form");
const trouble = document.getElementById("acknowledge-trouble");
const tokenField = document.getElementById("token-field");
const NAME = "pgvigil-name";
let current = null;

/** Ask for a note and a name, and for the token where none is known; `onDone` runs after success. */
export function askToAcknowledge(alert, onDone) {
  current = { alert, onDone };
  document.getElementById("acknowledge-what").textContent = alert.summary;
  form.elements.note.value = "";
  form.elements.by.value = ofTab.getItem(NAME) ?? "";
  form.elements.token.value = "";
  trouble.textContent = "";
  askForToken(!knownToken());
  dialog.showModal();
  form.elements.note.focus();
}

function askForToken(isAsked) {
  tokenField.hidden = !isAsked;
  form.elements.token.required = isAsked;
}

document.getElementById("acknowledge-cancel").addEventListener("click", () => dialog.close());

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { note, by, token } = form.elements;
  if (!tokenField.hidden) keepToken(token.value.trim());
  ofTab.setItem(NAME, by.value.trim());
  const submit = form.querySelector("[type=submit]");
  submit.disabled = true;
  trouble.textContent = "";
  try {
    await post(`api/acknowledge-alert/${current.alert.alert_id}`, { note: note.value.trim() || null, by: by.value.trim() });
    dialog.close();
    announce(`Alert ${current.alert.alert_id} is acknowledged.`);
    current.onDone();
  } catch (error) {
    if (error.status === 401) {
      keepToken("");
      askForToken(true);
      token.select();
    }
    trouble.textContent = `Not acknowledged: ${error.message}`;
  } finally {
    submit.disabled = false;
  }
});
