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

// Which answer this tab had last at an address: it may be told what other tabs were told since.
const had = new Map();
const MOST_HAD = 200;
// Half of the time between two refreshes: then many tabs cost little more than two.
const OLDEST_SECONDS = 7;
let age = 0;

/** Fetch a document. */
export async function get(path, parameters = {}) {
  const query = new URLSearchParams(
    Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined),
  ).toString();
  const address = query ? `${path}?${query}` : path;
  const headers = { "Cache-Control": `max-age=${OLDEST_SECONDS}`, ...(had.has(address) && { "If-None-Match": had.get(address) }) };
  return ask(address, { headers }, { onAnswer: (answer) => {
    if (had.size >= MOST_HAD) had.clear();
    had.set(address, answer.headers.get("ETag") ?? "");
    age = Math.max(age, Number(answer.headers.get("Age") ?? 0));
  } });
}

/** How many seconds old the oldest answer was since this was last asked. */
export function takeAge() {
  const oldest = age;
  age = 0;
  return oldest;
}

/** Have all that is asked for from now on be answered anew. */
export const forgetAnswers = () => had.clear();

/** Send a document, with the token of this tab. */
export function post(path, body, patience = PATIENCE_MS) {
  const token = knownToken();
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  return ask(path, { method: "POST", headers, body: JSON.stringify(body) }, { patience });
}

async function ask(path, options, { patience = PATIENCE_MS, onAnswer = () => {} } = {}) {
  let answer;
  try {
    answer = await fetch(urlOf(path), {
      cache: "no-store",
      credentials: "same-origin",
      signal: AbortSignal.timeout(patience),
      ...options,
    });
  } catch (error) {
    throw new ApiError(error.name === "TimeoutError" ? `no answer within ${patience / 1000} s` : "the server cannot be reached", 0);
  }
  const document = await answer.json().catch(() => null);
  if (!answer.ok) throw new ApiError(refusal(document, answer), answer.status);
  if (document === null) throw new ApiError("the answer is not JSON", answer.status);
  onAnswer(answer);
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
