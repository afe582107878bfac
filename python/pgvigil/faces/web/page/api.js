// Talking to the server that the page came from.

import { urlOf } from "./router.js";
import { ofTab } from "./storage.js";

const PATIENCE_MS = 10_000;
const TOKEN = "pgvigil-token";

/** An answer that says no; `status` is 0 when there was no answer at all. */
export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** Fetch a document. */
export function get(path, parameters = {}) {
  const query = new URLSearchParams(
    Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined),
  ).toString();
  return ask(query ? `${path}?${query}` : path, {});
}

/** Send a document, with the token of this tab. */
export function post(path, body) {
  const token = knownToken();
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  return ask(path, { method: "POST", headers, body: JSON.stringify(body) });
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(urlOf(path), {
      cache: "no-store",
      credentials: "same-origin",
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...options,
    });
  } catch (error) {
    throw new ApiError(error.name === "TimeoutError" ? "no answer within 10 s" : "the server cannot be reached", 0);
  }
  const document = await answer.json().catch(() => null);
  if (!answer.ok) throw new ApiError(refusal(document, answer), answer.status);
  if (document === null) throw new ApiError("the answer is not JSON", answer.status);
  return document;
}

function refusal(document, answer) {
  if (typeof document?.detail !== "string") return `${answer.status} ${answer.statusText}`.trim();
  const more = document.errors?.[0]?.detail ?? document.hint;
  return more ? `${document.detail}. ${more}` : document.detail;
}

/** The token, for as long as the tab is open. */
export function knownToken() {
  return ofTab.getItem(TOKEN) ?? "";
}

/** Keep or forget the token. */
export function keepToken(token) {
  if (token) ofTab.setItem(TOKEN, token);
  else ofTab.removeItem(TOKEN);
}
