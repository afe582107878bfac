// What people can decide about alerts, groups of errors, rules and silences.

import { get } from "./api.js";
import { el } from "./dom.js";

const LENGTHS = [["1 hour", 1], ["4 hours", 4], ["1 day", 24], ["1 week", 168]];

/** What may be decided about an alert. */
export function actsOfAlert(alert) {
  const about = { what: alert.summary };
  const path = (verb) => `api/${verb}-alert/${alert.alert_id}`;
  const acts = {
    acknowledge: { ...about, title: "Acknowledge", path: path("acknowledge"), done: `Alert ${alert.alert_id} is acknowledged.` },
    unacknowledge: { ...about, title: "Take acknowledgement back", path: path("unacknowledge"), done: `Alert ${alert.alert_id} is not acknowledged any more.` },
    silence: {
      ...about, title: "Silence", path: path("silence"), done: `Alert ${alert.alert_id} is silenced.`,
      lengths: [...LENGTHS, ["until it resolves", null]],
    },
    resolve: { ...about, title: "Resolve", path: path("resolve"), done: `Alert ${alert.alert_id} is resolved.` },
  };
  const { acknowledge, unacknowledge, silence, resolve } = acts;
  if (alert.status === "firing") return { acknowledge, silence, resolve };
  return alert.status === "acknowledged" ? { unacknowledge, silence, resolve } : {};
}

/** What may be decided here about an alert of a member of the fleet. */
export function actsOfFleetAlert({ member_name: member, alert_id: alertId, status, summary, acknowledging_by: isOnItsWay }) {
  if (status !== "firing" || isOnItsWay) return {};
  const path = `api/fleet-members/${encodeURIComponent(member)}/acknowledge-alert/${alertId}`;
  return { acknowledge: { what: `${member}: ${summary ?? ""}`, title: "Acknowledge", path, done: `The acknowledgement is on its way to ${member}.` } };
}

/** What may be decided about a group of errors. */
export function actsOfGroup(group) {
  const about = { what: `${group.error_type}: ${group.example ?? ""}` };
  const path = (verb) => `api/${verb}-error-group/${encodeURIComponent(group.fingerprint)}`;
  const resolve = { ...about, title: "Resolve", path: path("resolve"), done: "The group is resolved." };
  const mute = {
    ...about, title: "Mute", path: path("mute"), done: "The group is muted.",
    lengths: [...LENGTHS, ["without end", null]],
    lasting: (hours) => ({ until: hours && new Date(Date.now() + hours * 3_600_000).toISOString() }),
  };
  const reopen = { ...about, title: "Reopen", path: path("reopen"), done: "The group is open again." };
  const merge = { ...about, title: "Merge", path: path("merge"), done: "The group is merged.", choices: () => othersThan(group) };
  if (group.status === "resolved") return { reopen, merge };
  return group.status === "muted" ? { reopen, resolve, merge } : { resolve, mute, merge };
}

/** Groups that one may become part of, those of its type first. */
async function othersThan(group) {
  const { rows } = await get("api/errors", { limit: 200 });
  const others = rows.filter(({ fingerprint }) => fingerprint !== group.fingerprint);
  const isAkin = ({ error_type: type }) => type === group.error_type;
  return [...others.filter(isAkin), ...others.filter((other) => !isAkin(other))]
    .map((other) => [`${other.error_type}: ${(other.example ?? "").slice(0, 100)}`, other.fingerprint]);
}

/** What may be decided about what was merged into a group: to take it out, each by itself. */
export function actsOfMerged(group) {
  return Object.fromEntries((group.merged_from ?? []).map((fingerprint) => [`split ${fingerprint}`, {
    title: "Take out", what: fingerprint, path: `api/split-error-group/${encodeURIComponent(fingerprint)}`, done: "It is a group of its own.",
  }]));
}

/** What may be decided about a rule; a change of it is decided where it is tried. */
export function actsOfRule(rule) {
  const path = (verb) => `api/${verb}-rule/${encodeURIComponent(rule.rule_name)}`;
  const about = { what: rule.rule_name };
  const enable = { ...about, title: "Switch on", path: path("enable"), done: "The rule is on." };
  const disable = { ...about, title: "Switch off", path: path("disable"), done: "The rule is off; its alerts resolve." };
  const reset = { ...about, title: "As shipped", path: path("reset"), done: "The rule is as it was shipped." };
  return {
    ...(rule.is_enabled ? { disable } : { enable }),
    ...(rule.changed_at && rule.family !== "own" && { reset }),
  };
}

/** A change of a rule, with what it is in words. */
export function changeOfRule(rule, { change, words }) {
  return {
    title: "Save", what: `${rule.rule_name}: ${words.join("; ")}`, path: `api/change-rule/${encodeURIComponent(rule.rule_name)}`,
    body: change, done: "The rule is changed.",
  };
}

/** What may be decided about a silence. */
export function actsOfSilence(silence) {
  return { end: { what: `Silence ${silence.silence_id}`, title: "End", path: `api/unsilence-alerts/${silence.silence_id}`, done: "The silence is ended." } };
}

/** A silence of all alerts with certain labels. */
export function actsOfMatchers(matchers, words) {
  return { silence: {
    what: words, title: "Silence", path: "api/silence-alerts", body: { matchers }, done: "The alerts are silenced.",
    lengths: [...LENGTHS, ["until all have resolved", null]],
  } };
}

/** A button for each of them; `name` tells whose they are. */
export function renderActs(acts, kind, key, label = "") {
  return Object.entries(acts).map(([verb, act]) => el("button", {
    type: "button", class: "small", "data-action": "decide", "data-kind": kind, "data-of": key, "data-verb": verb,
    "aria-label": label ? `${act.title} ${label}` : null,
  }, act.title));
}
