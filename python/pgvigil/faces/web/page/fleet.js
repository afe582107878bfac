// The fleet: other databases that this one reads, what each told last, and their open alerts.

import { actsOfFleetAlert, renderActs } from "./acts.js";
import { get } from "./api.js";
import { el, nothing } from "./dom.js";
import { NONE, ago, badge, count, duration, plural } from "./format.js";
import { table } from "./lists.js";
import { choiceOf, heading, renderMoreRows, rowsAsked } from "./parts.js";

const HEADS = ["State", "Member", "Alerts", "Running#", "Failed 24 h#", "Unhealthy#", "Heard#"];
const MINOR = ["Running", "Unhealthy", "Heard"];
const BADGES = { current: "healthy", stale: "degraded", silent: "unhealthy", waiting: "unknown", disabled: "unknown" };

export const fleetPage = {
  title: () => "Fleet",
  questions: (route) => ({
    members: () => get("api/fleet-members", { limit: 1000 }),
    fleetAlerts: () => get("api/fleet-alerts", { limit: rowsAsked(route), member: route.query.get("member") }),
  }),
  render: ({ route, data, refusalOf, now }) => {
    const { members, fleetAlerts } = data;
    const chosen = route.query.get("member");
    return [
      heading("Fleet", { beside: members?.rows.length ? [el("span", { class: "faint" }, summary(members.rows))] : [] }),
      members?.rows.length > 1 && el("div", { class: "choices", role: "search", "data-key": "choices" },
        choiceOf("member", "Member", [["", "All members"], ...members.rows.map(({ member_name: name }) => [name, name])], chosen)),
      el("section", { class: "panel", "aria-label": "Members", "data-key": "members" },
        members ? renderMembers(members.rows.filter((member) => !chosen || member.member_name === chosen), now) : refusalOf("members")),
      members?.rows.length !== 0 && el("section", { class: "panel", "aria-labelledby": "fleet-alerts-title", "data-key": "fleet-alerts" },
        el("div", { class: "panel-head" }, el("h2", { id: "fleet-alerts-title" }, "Open alerts")),
        fleetAlerts ? renderFleetAlerts(fleetAlerts, members?.rows ?? [], route, now) : refusalOf("fleetAlerts")),
    ];
  },
};

function summary(members) {
  const unknown = members.filter((member) => member.state !== "disabled" && !member.is_known).length;
  return unknown ? `${plural(members.length, "member")}, ${count(unknown)} not known` : plural(members.length, "member");
}

function renderMembers(members, now) {
  if (!members.length) {
    return nothing("This database reads no others. ", el("code", {}, "pgvigil fleet add NAME CONNECTION"), " has it read one.");
  }
  return table("Members", HEADS, members.map((member) => el(
    "tr",
    { "data-key": member.member_name },
    el("td", { class: "state" }, badge(BADGES[member.state], member.state)),
    el("th", { scope: "row" }, renderName(member), whyNotKnown(member)),
    el("td", {}, renderCounts(member)),
    el("td", { class: "number minor" }, count(member.running_tasks)),
    el("td", { class: "number" }, count(member.failed_tasks)),
    el("td", { class: "number minor" }, count(member.unhealthy_components)),
    el("td", { class: "number minor" }, member.heard_at ? [ago(member.heard_at, now), " ago"] : NONE),
  )), MINOR, "fleet");
}

function renderName({ member_name: name, page_url: url }) {
  const words = { class: "clip-2", title: name };
  return url ? el("a", { ...words, href: url, target: "_blank", rel: "noreferrer noopener" }, name) : el("span", words, name);
}

/** Why what is shown of a member may not be so any more. */
function whyNotKnown(member) {
  if (member.is_known) return null;
  const age = member.seconds_old === null ? "never heard" : `as it was ${duration(member.seconds_old)} ago`;
  return el("span", { class: "faint clip-2" }, [age, member.not_current ?? member.last_error].filter(Boolean).join(": "));
}

function renderCounts({ open_alerts: open, critical_alerts: critical, high_alerts: high, is_known: isKnown }) {
  if (open === null) return NONE;
  if (!open) return isKnown ? "none" : el("span", { title: "Not known" }, "?");
  return [
    critical > 0 && el("span", { class: "tag is-critical" }, `${count(critical)} critical`),
    high > 0 && el("span", { class: "tag is-high" }, `${count(high)} high`),
    open > critical + high && el("span", { class: "tag" }, `${count(open - critical - high)} other`),
  ];
}

function renderFleetAlerts(answer, members, route, now) {
  if (!answer.rows.length) {
    const isKnown = members.every((member) => member.is_known || member.state === "disabled");
    return nothing(isKnown ? "No alert is open." : "No alert was open when the members were last heard, which was not lately for all of them.");
  }
  return [
    el("ul", { class: "alerts" }, answer.rows.map((alert) => renderAlert(alert, now))),
    renderMoreRows(answer, route),
  ];
}

function renderAlert(alert, now) {
  const key = `${alert.member_name}/${alert.alert_id}`;
  const isQuiet = alert.status === "acknowledged" || !alert.is_known;
  return el(
    "li",
    { class: `alert is-${alert.severity} ${isQuiet ? "is-quiet" : ""}`, "data-key": key },
    el("div", { class: "alert-line" },
      badge(alert.severity),
      el("div", { class: "alert-words" },
        el("p", { class: "wrap" }, alert.summary ?? alert.rule_name),
        el("p", { class: "faint alert-meta" }, el("strong", {}, alert.member_name), " · for ", ago(alert.fired_at, now),
          " · ", el("span", { class: "clip" }, alert.rule_name), alert.owner && ` · ${alert.owner}`, stateWords(alert),
          alert.link && el("span", { class: "alert-links" }, el("a", { href: alert.link, target: "_blank", rel: "noreferrer noopener" }, "Link")))),
      el("div", { class: "acts" }, renderActs(actsOfFleetAlert(alert), "fleet", key, `alert ${alert.alert_id} of ${alert.member_name}`))),
  );
}

function stateWords(alert) {
  return [
    alert.status === "acknowledged" && ` · acknowledged by ${alert.acknowledged_by}`,
    alert.acknowledging_by && ` · acknowledged by ${alert.acknowledging_by}, on its way there`,
    alert.refusal && ` · the acknowledgement was not taken: ${alert.refusal}`,
    !alert.is_known && ` · as it was ${duration(alert.seconds_old)} ago`,
  ].filter(Boolean).join("");
}
