// Queues: the list, and one with how deep it was, how old its oldest item, and what was done.

import { alertsAbout, rulesAbout } from "./about.js";
import { get } from "./api.js";
import { renderChart, sparkline } from "./charts.js";
import { el, nothing } from "./dom.js";
import { NONE, ago, count, duration, figure, percent, plural, time } from "./format.js";
import { isStaleSample, table } from "./lists.js";
import { choiceOf, heading, panel, renderMoreRows, rowsAsked, searchBox } from "./parts.js";
import { hrefOf, hrefOfQueue } from "./router.js";
import { renderSpans, spanAsked } from "./spans.js";
import { renderFacts } from "./step.js";

const TROUBLE = [["", "With and without alerts"], ["true", "With alerts"], ["false", "Without alerts"]];
const FEW_SAMPLES = 12;
const MINOR = ["24 hours", "In/min", "Done/min"];

export const queuesPage = {
  title: () => "Queues",
  questions: (route) => ({
    queueList: () => get("api/queue-states", {
      limit: rowsAsked(route), search: route.query.get("search"), troubled: route.query.get("troubled"),
    }),
  }),
  render: ({ route, data, refusalOf, now }) => [
    heading("Queues"),
    el("div", { class: "choices", role: "search", "data-key": "choices" },
      searchBox("search", "Search queues", route.query.get("search")),
      choiceOf("troubled", "State", TROUBLE, route.query.get("troubled"))),
    el("section", { class: "panel", "aria-label": "Queues", "data-key": "queues" },
      data.queueList ? renderQueues(data.queueList, route, now) : refusalOf("queueList")),
  ],
};

function renderQueues(answer, route, now) {
  const isChosen = ["search", "troubled"].some((name) => route.query.get(name));
  if (!answer.rows.length) return nothing(isChosen ? "No queue fits." : "No queue was sampled within 24 hours.");
  return [
    table("Queues", ["Queue", "24 hours", "Waiting#", "Oldest#", "In/min#", "Done/min#", "Empty#"], answer.rows.map((queue) => {
      const isStale = isStaleSample(queue, now);
      return el(
        "tr",
        { "data-key": queue.queue_name, class: isStale ? "is-quiet" : null },
        el("th", { scope: "row" }, el("a", { class: "clip-2", href: hrefOfQueue(queue.queue_name), title: queue.queue_name }, queue.queue_name),
          queue.alerts > 0 && el("span", { class: `tag is-${queue.worst_severity}` }, plural(queue.alerts, "alert")),
          isStale && el("span", { class: "faint" }, " sampled ", ago(queue.recorded_at, now), " ago")),
        el("td", { class: "minor" }, sparkline(queue.depths.map((depth) => depth ?? 0))),
        el("td", { class: "number" }, el("strong", {}, count(queue.pending))),
        el("td", { class: "number" }, duration(queue.oldest_ready_seconds)),
        el("td", { class: "number minor" }, figure(queue.arrived_per_minute)),
        el("td", { class: "number minor" }, figure(queue.completed_per_minute)),
        el("td", { class: "number" }, emptyWords(queue)),
      );
    }), MINOR, "narrow-names"),
    renderMoreRows(answer, route),
  ];
}

/** When nothing will wait any more if it goes on like this, or by how much it grows. */
function emptyWords({ pending, pending_per_minute: change, seconds_to_empty: seconds }) {
  if (pending === 0) return el("span", { class: "faint" }, "now");
  if (seconds !== null) return `in ${duration(seconds)}`;
  if (change > 0) return el("span", { class: isFast(pending, change) ? "is-late" : "faint" }, "never: +", perTime(change));
  return change === 0 ? el("span", { class: "faint" }, "stays") : NONE;
}

/** Whether it would grow by a quarter within an hour. */
const isFast = (pending, change) => change * 60 >= pending / 4;

const perTime = (change) => (change >= 1 ? `${figure(change)} a minute` : `${figure(change * 60)} an hour`);

export const queuePage = {
  title: (route) => route.name,
  questions: (route) => ({
    queue: () => get(`api/queues/${encodeURIComponent(route.name)}`, spanAsked(route)),
    queueSamples: () => get("api/queue-samples", { queue: route.name, limit: rowsAsked(route, FEW_SAMPLES) }),
  }),
  render: ({ route, data, refusalOf, now }) => [
    heading(route.name, { back: ["Queues", hrefOf(["queues"])] }),
    data.queue ? renderQueue(data, route, refusalOf, now) : refusalOf("queue"),
  ],
};

function renderQueue(data, route, refusalOf, now) {
  const { queue, alerts, rules } = data.queue;
  return [
    alertsAbout("queue", alerts, now),
    panel("queue", "How it is", null, renderState(queue, now)),
    panel("queue-by-time", "Over time", renderSpans(route), renderCharts(data.queue)),
    rulesAbout(rules, "queues"),
    panel("samples", "Newest samples", null, data.queueSamples ? renderSamples(data.queueSamples, route, now) : refusalOf("queueSamples")),
  ];
}

function renderState(queue, now) {
  const span = queue.rate_seconds === null ? "" : ` of ${duration(queue.rate_seconds)}`;
  return [
    isStaleSample(queue, now) && el("p", { class: "refusal" }, "It was sampled ", ago(queue.recorded_at, now), " ago: how it is now is not known."),
    renderFacts([
      ["Waiting", count(queue.pending)],
      ["Oldest has waited", duration(queue.oldest_ready_seconds)],
      ["Being worked on", count(queue.processing)],
      ["Empty at this rate", emptyFact(queue)],
      ["Come in a minute", figure(queue.arrived_per_minute)],
      ["Done a minute", figure(queue.completed_per_minute)],
      ["Failed a minute", figure(queue.failed_per_minute)],
      ["Done so far", count(queue.completed)],
      ["Failed so far", [count(queue.failed), queue.failed_percent === null ? null : `, ${percent(queue.failed_percent)}`]],
      ["Sampled", time(queue.recorded_at, now)],
    ]),
    el("p", { class: "faint" }, queue.rate_seconds === null ? "Rates take two samples within an hour." : `Rates are those${span} before the newest sample.`),
  ];
}

function emptyFact({ pending, pending_per_minute: change, seconds_to_empty: seconds }) {
  if (pending === 0) return "nothing waits";
  if (seconds !== null) return `in ${duration(seconds)}`;
  if (change > 0) return el("span", { class: isFast(pending, change) ? "is-late" : null }, "never: grows by ", perTime(change));
  return change === 0 ? "never: neither grows nor shrinks" : NONE;
}

function renderCharts({ buckets, ...span }) {
  const chart = (title, series, options) => renderChart(title, {
    ...span,
    rows: buckets.flatMap((bucket) => series.map(([name, column]) => ({ series: name, bucket_at: bucket.bucket_at, value: bucket[column] }))),
  }, { ...options, isSpanChosen: true });
  return el(
    "div",
    { class: "trends" },
    chart("Waiting", [["most", "max_pending"], ["mean", "avg_pending"]], { kind: "lines" }),
    chart("Oldest", [["longest wait", "max_oldest_ready_seconds"]], { kind: "lines", format: duration }),
    chart("Done", [["failed", "failed"], ["completed", "completed"]], { kind: "bars", order: ["failed", "completed"] }),
  );
}

function renderSamples(answer, route, now) {
  if (!answer.rows.length) return nothing("None within 24 hours.");
  return [
    table("Samples", ["At", "Waiting#", "Worked on#", "Oldest#", "Done so far#", "Failed so far#"], answer.rows.map((sample) => el(
      "tr",
      { "data-key": String(sample.sample_id) },
      el("th", { scope: "row" }, time(sample.recorded_at, now)),
      el("td", { class: "number" }, count(sample.pending)),
      el("td", { class: "number" }, count(sample.processing)),
      el("td", { class: "number" }, duration(sample.oldest_ready_seconds)),
      el("td", { class: "number minor" }, count(sample.completed)),
      el("td", { class: "number minor" }, count(sample.failed)),
    )), ["Done so far", "Failed so far"]),
    renderMoreRows(answer, route, FEW_SAMPLES),
  ];
}
