// Notifications of the browser about new critical alerts.

import { ofBrowser } from "./storage.js";

const WANTED = "pgvigil-notifications";
const button = document.getElementById("notify");
const isPossible = "Notification" in window && window.isSecureContext;
// Null until the first answer: what fires when the page is opened is on the page.
let known = null;

/** Tell of those that were not critical, or not there, the last time. */
export function tellNewCritical(alerts) {
  const critical = alerts.filter((alert) => alert.severity === "critical" && alert.status === "firing");
  const fresh = known === null ? [] : critical.filter((alert) => !known.has(alert.alert_id));
  known = new Set(critical.map((alert) => alert.alert_id));
  if (fresh.length && isWanted()) tell(fresh);
  return fresh;
}

function tell(alerts) {
  const title = alerts.length === 1 ? "pgvigil: critical" : `pgvigil: ${alerts.length} new critical alerts`;
  try {
    const notice = new Notification(title, {
      body: alerts.map((alert) => alert.summary).slice(0, 5).join("\n"),
      tag: `pgvigil-${alerts.map((alert) => alert.alert_id).join("-")}`,
    });
    notice.addEventListener("click", () => { window.focus(); notice.close(); });
  } catch {
    // Some browsers on phones allow them only to service workers.
  }
}

function isWanted() {
  return isPossible && Notification.permission === "granted" && ofBrowser.getItem(WANTED) !== "no";
}

function show() {
  button.hidden = !isPossible;
  button.setAttribute("aria-pressed", String(isWanted()));
  const isRefused = isPossible && Notification.permission === "denied";
  button.disabled = isRefused;
  button.textContent = isRefused ? "Notifications blocked" : isWanted() ? "Notifying" : "Notify me";
}

button.addEventListener("click", async () => {
  const isOn = isWanted();
  ofBrowser.setItem(WANTED, isOn ? "no" : "yes");
  if (!isOn && Notification.permission === "default") await Notification.requestPermission();
  show();
});
show();
