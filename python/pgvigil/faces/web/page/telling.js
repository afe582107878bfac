// What keeps alerts from being told, and where they are told: silences and channels.

import { actsOfMatchers, actsOfSilence, renderActs } from "./acts.js";
import { get } from "./api.js";
import { el, nothing } from "./dom.js";
import { NONE, ago, badge, count, duration, plural, time } from "./format.js";
import { table } from "./lists.js";
import { choiceOf, heading, panel, renderMoreRows, rowsAsked } from "./parts.js";
import { inhibitionWords } from "./rule.js";
import { ruleTabs } from "./rules.js";
import { readMatchers, spellMatchers } from "./thresholds.js";

const STATES = [["", "In any state"], ["active", "Active"], ["coming", "To come"], ["ended", "Ended"]];
const MESSAGES = [["", "However it went"], ["waiting", "Waiting"], ["sending", "Being sent"], ["sent", "Sent"], ["dead", "Given up"]];

export const silencesPage = {
  title: () => "Silences",
  questions: (route) => ({
    silences: () => get("api/silences", { limit: rowsAsked(route), state: route.query.get("state") }),
    suppressed: () => get("api/suppressed-alerts"),
    inhibitions: () => get("api/inhibitions"),
  }),
  render: ({ route, data, refusalOf, now }) => [
    heading("Silences", { beside: ruleTabs("silences") }),
    panel("new-silence", "Silence alerts", null, renderNew(route)),
    panel("silences", "Silences", choiceOf("state", "State", STATES, route.query.get("state")),
      data.silences ? renderSilences(data.silences, data.suppressed?.rows ?? [], route, now) : refusalOf("silences")),
    panel("inhibitions", "Inhibitions", null,
      data.inhibitions ? renderInhibitions(data.inhibitions.rows, data.suppressed?.rows ?? []) : refusalOf("inhibitions")),
  ],
};

/** What is to be silenced is in the address, so that it can be sent to whoever has the token. */
function renderNew(route) {
  const typed = route.query.get("match") ?? "";
  const matchers = readMatchers(typed);
  const isRead = matchers !== null && Object.keys(matchers).length > 0;
  return [
    el("div", { class: "choices" },
      el("input", {
        type: "text", "data-choice": "match", "data-key": "choice-match", "aria-label": "Labels of the alerts", value: typed, maxlength: 500,
        placeholder: "queue=mail, severity!=critical, rule=~task.*", spellcheck: "false", autocomplete: "off",
      }),
      el("div", { class: "acts" }, isRead
        ? renderActs(actsOfMatchers(matchers, spellMatchers(matchers)), "matchers", typed)
        : el("button", { type: "button", disabled: true }, "Silence"))),
    el("p", { class: typed && !isRead ? "refusal" : "faint" }, typed && !isRead
      ? "Write label=text, label!=text, label=~regex or label!~regex, each label once."
      : "Alerts with all of these labels are not told meanwhile; rule, family, severity and fingerprint are labels of every alert. They stay on the page."),
  ];
}

const quietWords = (suppressed, reason) => {
  const alerts = suppressed.find((each) => each.suppressed_by === reason)?.alerts;
  return alerts ? plural(alerts, "alert") : "no alert";
};

function renderSilences(answer, suppressed, route, now) {
  if (!answer.rows.length) return nothing(route.query.get("state") ? "No silence is in that state." : "Nothing has been silenced.");
  return [
    table("Silences", ["State", "Alerts with", "Keeps quiet now", "From", "Until", "By"], answer.rows.map((silence) => el(
      "tr",
      { "data-key": String(silence.silence_id), class: silence.state === "ended" ? "is-quiet" : null },
      el("td", { class: "state" }, badge(silence.state)),
      el("th", { scope: "row" }, el("span", { class: "wrap" }, spellMatchers(silence.matchers)),
        silence.note && el("div", { class: "faint wrap" }, `“${silence.note}”`)),
      el("td", { class: "minor" }, silence.state === "active" ? quietWords(suppressed, `silence ${silence.silence_id}`) : NONE),
      el("td", { class: "last" }, el("span", { class: "only-narrow faint" }, "from "), time(silence.starts_at, now)),
      el("td", { class: "next" }, el("span", { class: "only-narrow faint" }, "until "), endWords(silence, now)),
      el("td", { class: "by" }, silence.created_by,
        silence.state !== "ended" && el("div", { class: "acts" }, renderActs(actsOfSilence(silence), "silence", silence.silence_id, `silence ${silence.silence_id}`))),
    )), ["Keeps quiet now"], "jobs silences"),
    renderMoreRows(answer, route),
  ];
}

function endWords({ ends_at: endsAt, is_until_resolved: isUntilResolved, ended_by: endedBy }, now) {
  return [
    endsAt ? time(endsAt, now) : isUntilResolved ? "all have resolved" : "somebody ends it",
    endedBy && el("div", { class: "faint" }, `ended by ${endedBy}`),
  ];
}

function renderInhibitions(rows, suppressed) {
  if (!rows.length) return nothing("No rule keeps another quiet.");
  return el("ul", { class: "plain" }, rows.map((each) => {
    const alerts = suppressed.find((one) => one.suppressed_by === `inhibited by ${each.source_rule}`)?.alerts;
    return el("li", { "data-key": `${each.source_rule} ${each.target_rule}` }, inhibitionWords(each), alerts && el("strong", {}, ` ${plural(alerts, "alert")} now.`));
  }));
}

export const channelsPage = {
  title: () => "Channels",
  questions: (route) => ({
    channels: () => get("api/channels"),
    messages: () => get("api/notifications", { limit: rowsAsked(route), channel: route.query.get("channel"), status: route.query.get("status") }),
  }),
  render: ({ route, data, refusalOf, now }) => [
    heading("Channels", { beside: ruleTabs("channels") }),
    panel("channels", "Where alerts are told", null, data.channels ? renderChannels(data.channels.rows, now) : refusalOf("channels")),
    panel("messages", "Messages", [
      choiceOf("channel", "Channel", [["", "All channels"], ...channelNames(data, route).map((name) => [name, name])], route.query.get("channel")),
      choiceOf("status", "How it went", MESSAGES, route.query.get("status"))],
    data.messages ? renderMessages(data.messages, route, now) : refusalOf("messages")),
  ],
};

/** Those that there are, and the one chosen though it may be gone. */
function channelNames(data, route) {
  return [...new Set([...(data.channels?.rows ?? []).map((each) => each.channel_name), route.query.get("channel")])].filter(Boolean);
}

function renderChannels(rows, now) {
  if (!rows.length) return nothing("Nobody is told of anything: no channel is defined. ", el("code", {}, "select monitoring.define_notification_channel(…)"));
  return el("ul", { class: "components channels" }, rows.map((channel) => el(
    "li",
    { class: `component ${!channel.is_enabled ? "is-quiet" : channel.failing || channel.dead_1_day ? "is-unhealthy" : ""}`, "data-key": channel.channel_name },
    el("div", { class: "component-head" }, el("strong", { class: "clip" }, channel.channel_name), badge(channel.is_enabled ? channel.kind : "off")),
    el("p", {}, `${channel.minimum_severity} and worse`, spellMatchers(channel.matchers) && [", ", el("span", { class: "wrap" }, spellMatchers(channel.matchers))],
      channel.has_resolved_notices ? "" : ", not when resolved"),
    el("p", {}, `24 h: ${count(channel.sent_1_day)} sent, `, failedWords(channel.dead_1_day), ` · 7 days: ${count(channel.sent_7_days)} sent, `, failedWords(channel.dead_7_days)),
    el("p", {}, `${count(channel.waiting)} to be sent`, channel.failing > 0 && el("strong", { class: "is-late" }, `, ${count(channel.failing)} failed at least once`),
      channel.held_back > 0 && `, ${count(channel.held_back)} held back by the hourly limit`),
    channel.last_error && el("p", { class: "refusal clip-2", title: channel.last_error }, channel.last_error),
    el("p", { class: "faint" }, "last sent ", channel.last_sent_at ? [ago(channel.last_sent_at, now), " ago"] : "never",
      ` · ${channel.targets.join(", ")}`,
      channel.repeat_seconds ? ` · again after ${duration(channel.repeat_seconds)}` : null,
      channel.summary_time ? ` · summary at ${channel.summary_time} ${channel.time_zone}` : null),
  )));
}

const failedWords = (failed) => (failed ? el("strong", { class: "is-late" }, `${count(failed)} given up`) : "none given up");

function renderMessages(answer, route, now) {
  if (!answer.rows.length) return nothing(route.query.get("channel") || route.query.get("status") ? "No message fits." : "No message is kept.");
  return [
    el("ul", { class: "errors" }, answer.rows.map((message) => el(
      "li",
      { class: "error", "data-key": String(message.notification_id) },
      el("div", { class: "error-head" }, badge(message.status === "dead" ? "failed" : message.status, message.status === "dead" ? "given up" : message.status),
        el("strong", { class: "clip" }, message.subject),
        el("span", { class: "error-count faint" }, time(message.finished_at ?? message.created_at, now))),
      message.last_error && el("p", { class: "refusal wrap" }, message.last_error),
      el("p", { class: "faint" }, `${message.channel_name} to ${message.target}`, message.attempts > 1 && ` · ${plural(message.attempts, "attempt")}`,
        message.next_attempt_at && message.status === "waiting" && [" · next ", time(message.next_attempt_at, now)]),
      el("details", {}, el("summary", {}, "Text"), el("pre", { tabindex: 0 }, message.body)),
    ))),
    renderMoreRows(answer, route),
  ];
}
