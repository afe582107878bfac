// Addresses: which page is shown, what it is about, and what has been chosen there. All of it is in
// the address, so that it survives a reload and can be sent to a colleague.

// Where the page is: a proxy may have it below a path of its own.
const ROOT = new URL("../../", import.meta.url);

const listeners = [];

/** What the address says: the page, what it is about, and what has been chosen. */
export const readRoute = () => routeOf(location.href);

/** What an address of ours says. */
export function routeOf(href) {
  const { pathname, search } = new URL(href, location.href);
  const path = pathname.slice(ROOT.pathname.length);
  const [page, ...rest] = path.split("/").map(decoded);
  const query = new URLSearchParams(search);
  const route = (name, about = {}) => ({ page: name, ...about, query, key: `${path}${search}` });
  const subject = rest.join("/");
  if (path === "" || path === "index.html") return route("now");
  if (page === "jobs") return subject ? route("job", { name: subject }) : route("jobs");
  if (page === "errors") return subject ? route("group", { name: subject }) : route("errors");
  if (page === "fleet" && !subject) return route("fleet");
  if (page === "rules") return subject ? route("rule", { name: subject }) : route("rules");
  if ((page === "silences" || page === "channels") && !subject) return route(page);
  if (page === "queues") return subject ? route("queue", { name: subject }) : route("queues");
  if (page === "components") return subject ? route("component", { name: subject, of: query.get("type") }) : route("components");
  if (page === "records") {
    if (rest.length < 2) return subject ? route("dataset", { name: subject }) : route("records");
    return route("record", { of: rest[0], name: rest.slice(1).join("/") });
  }
  if (page === "alerts" && /^\d+$/.test(subject)) return route("alert", { name: subject });
  if (page === "runs" && rest[0]) {
    const attempt = rest.length > 1 && /^\d+$/.test(rest.at(-1)) ? rest.at(-1) : null;
    return route("run", { name: attempt ? rest.slice(0, -1).join("/") : subject, attempt });
  }
  if (page === "search" && !subject) return route("search");
  return route("missing");
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a page within ours; what is null is left out of the query. */
export function hrefOf(parts, query = {}) {
  const path = parts.map((part) => encodeURIComponent(part)).join("/");
  const words = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== ""));
  return `${ROOT.pathname}${path}${words.size ? `?${words}` : ""}`;
}

export const hrefOfJob = (name) => hrefOf(["jobs", name]);
export const hrefOfRun = (taskId, attempt) => hrefOf(attempt ? ["runs", taskId, attempt] : ["runs", taskId]);
export const hrefOfGroup = (fingerprint) => hrefOf(["errors", fingerprint]);
export const hrefOfRule = (name) => hrefOf(["rules", name]);
export const hrefOfQueue = (name) => hrefOf(["queues", name]);
export const hrefOfComponent = ({ component_name: name, component_type: type }) => hrefOf(["components", name], { type });
export const hrefOfDataset = (dataset) => hrefOf(["records", dataset]);
export const hrefOfRecord = (dataset, key) => hrefOf(["records", dataset, key]);
export const hrefOfAlert = (alertId) => hrefOf(["alerts", alertId]);

/** Where the API is. */
export const urlOf = (path) => new URL(path, ROOT).href;

/** Show another page. */
export function go(href) {
  history.pushState(null, "", href);
  tell({ isNew: true });
}

/** Choose something on the page that is shown; null takes it back. */
export function choose(changes, { isStep = false } = {}) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") query.delete(name);
    else query.set(name, value);
  }
  const href = `${location.pathname}${query.size ? `?${query}` : ""}`;
  if (href === `${location.pathname}${location.search}`) return;
  // While somebody types, going back should not lead through the letters.
  if (isStep) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  tell({ isNew: false });
}

/** What to do when the address is another one. */
export function onRoute(listener) {
  listeners.push(listener);
}

function tell(how) {
  for (const listener of listeners) listener(readRoute(), how);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button !== 0) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || link.target) return;
  const to = new URL(link.href);
  if (to.origin !== ROOT.origin || !to.pathname.startsWith(ROOT.pathname) || (to.hash && to.pathname === location.pathname)) return;
  event.preventDefault();
  go(`${to.pathname}${to.search}`);
});
window.addEventListener("popstate", () => tell({ isNew: true }));
