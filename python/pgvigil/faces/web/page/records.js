// Records: datasets with what is invalid in them and for how long, one dataset, and all that
// happened to one record.

import { alertsAbout, rulesAbout } from "./about.js";
import { get } from "./api.js";
import { renderChart } from "./charts.js";
import { el, nothing } from "./dom.js";
import { NONE, ago, badge, count, duration, plural, time } from "./format.js";
import { table } from "./lists.js";
import { choiceOf, heading, panel, renderDocument, renderMoreRows, rowsAsked, searchBox } from "./parts.js";
import { hrefOf, hrefOfAlert, hrefOfDataset, hrefOfJob, hrefOfRecord, hrefOfRun } from "./router.js";
import { renderFacts } from "./step.js";

const DAYS = 30;
// How long records have been open: column, words, and the days from and below which that is.
const AGES = [
  ["open_below_1_day", "< 1 day", null, 1], ["open_1_to_7_days", "1–7 days", 1, 7],
  ["open_7_to_30_days", "7–30 days", 7, 30], ["open_above_30_days", "> 30 days", 30, null],
];
const STATUSES = [["open", "Open"], ["resolved", "Resolved"], ["all", "Open and resolved"]];
const LATE_AGES = new Set(["open_7_to_30_days", "open_above_30_days"]);
const FEW_RECORDS = 25;
const FEW_EVENTS = 100;

export const datasetsPage = {
  title: () => "Records",
  questions: (route) => ({
    datasets: () => get("api/datasets", { limit: rowsAsked(route), search: route.query.get("search") }),
  }),
  render: ({ route, data, refusalOf, now }) => [
    heading("Records"),
    el("div", { class: "choices", role: "search", "data-key": "choices" },
      searchBox("search", "Search datasets", route.query.get("search"))),
    el("section", { class: "panel", "aria-label": "Datasets", "data-key": "datasets" },
      data.datasets ? renderDatasets(data.datasets, route, now) : refusalOf("datasets")),
  ],
};

function renderDatasets(answer, route, now) {
  if (!answer.rows.length) return nothing(route.query.get("search") ? "No dataset fits." : "Nothing has been recorded of any record.");
  return [
    table("Datasets", ["Dataset", "Invalid#", ...AGES.map(([, words]) => `${words}#`), "Oldest#"], answer.rows.map((dataset) => el(
      "tr",
      { "data-key": dataset.dataset },
      el("th", { scope: "row" }, el("a", { class: "clip-2", href: hrefOfDataset(dataset.dataset), title: dataset.dataset }, dataset.dataset),
        dataset.description && el("span", { class: "faint clip" }, dataset.description),
        dataset.alerts > 0 && el("span", { class: `tag is-${dataset.worst_severity}` }, plural(dataset.alerts, "alert"))),
      el("td", { class: "number" }, el("strong", {}, count(dataset.open_records))),
      AGES.map(([column]) => ageCell(dataset, column)),
      el("td", { class: "number" }, ago(dataset.oldest_opened_at, now)),
    )), AGES.map(([, words]) => words), "narrow-names"),
    renderMoreRows(answer, route),
  ];
}

function ageCell(row, column, href = null) {
  const number = row[column];
  const words = href && number ? el("a", { href }, count(number)) : count(number);
  return el("td", { class: `number minor ${number && LATE_AGES.has(column) ? "is-late" : ""}` }, number ? words : el("span", { class: "faint" }, "0"));
}

export const datasetPage = {
  title: (route) => route.name,
  questions: (route) => ({
    dataset: () => get(`api/datasets/${encodeURIComponent(route.name)}`, { days: DAYS }),
    records: () => get("api/records", {
      dataset: route.name, type: route.query.get("type"), search: route.query.get("search"), group: route.query.get("group"),
      status: statusOf(route) === "all" ? null : statusOf(route), ...daysOf(route), limit: rowsAsked(route, FEW_RECORDS),
    }),
  }),
  render: ({ route, data, refusalOf, now }) => [
    heading(route.name, { back: ["Records", hrefOf(["records"])] }),
    data.dataset ? renderDataset(data, route, refusalOf, now) : refusalOf("dataset"),
  ],
};

const statusOf = (route) => route.query.get("status") ?? "open";

/** The days that records are to have been open for, at least and less than. */
function daysOf(route) {
  const [, , atLeast, below] = AGES.find(([column]) => column === route.query.get("age")) ?? [];
  return { open_days: atLeast, open_days_below: below };
}

function renderDataset(data, route, refusalOf, now) {
  const { dataset, types, days, runs, alerts, rules, as_of: asOf } = data.dataset;
  return [
    alertsAbout("dataset", alerts, now),
    panel("dataset", "How it is", null, renderState(dataset, now), renderTypes(types, route, now)),
    panel("dataset-by-day", "The last 30 days", null, renderDays(days, asOf)),
    panel("records", "Records", null,
      el("div", { class: "choices", role: "search", "data-key": "choices" },
        searchBox("search", "Search records", route.query.get("search")),
        choiceOf("status", "State", STATUSES, statusOf(route)),
        choiceOf("type", "What they failed", [["", "Any validation"], ...namesOf(types, route.query.get("type")).map((name) => [name, name])], route.query.get("type")),
        choiceOf("age", "Open for", [["", "For however long"], ...AGES.map(([column, words]) => [column, words])], route.query.get("age"))),
      data.records ? renderRecords(data.records, route, now) : refusalOf("records")),
    runs.length > 0 && panel("runs-of-dataset", "Runs that looked at it", null, renderRuns(runs, now)),
    rulesAbout(rules, "records"),
  ];
}

const namesOf = (types, chosen) => [...new Set([...types.map((type) => type.validation_type), chosen].filter(Boolean))];

function renderState(dataset, now) {
  return renderFacts([
    ["What", dataset.description ?? NONE],
    ["Invalid", count(dataset.open_records)],
    ["Oldest since", time(dataset.oldest_opened_at, now)],
    ["Last found", time(dataset.last_detected_at, now)],
    ["People were told of", count(dataset.alerted_records)],
    ["Its bot", dataset.bot_task_type ? el("a", { href: hrefOfJob(dataset.bot_task_type) }, dataset.bot_task_type) : NONE],
    ["Time zone", dataset.time_zone],
  ]);
}

function renderTypes(types, route, now) {
  if (!types.length) return nothing("No record of it is invalid.");
  const chosen = (type, age) => hrefOf(["records", route.name], { type, age });
  return table("Invalid by validation and age", ["What they failed", "Invalid#", ...AGES.map(([, words]) => `${words}#`), "Oldest#"], types.map((type) => el(
    "tr",
    { "data-key": type.validation_type },
    el("th", { scope: "row" }, el("a", { class: "clip-2", href: chosen(type.validation_type), title: type.validation_type }, type.validation_type)),
    el("td", { class: "number" }, el("strong", {}, count(type.open_records))),
    AGES.map(([column]) => ageCell(type, column, chosen(type.validation_type, column))),
    el("td", { class: "number" }, ago(type.oldest_opened_at, now)),
  )), AGES.map(([, words]) => words), "narrow-names");
}

function renderDays(days, asOf) {
  const chart = (title, series, options) => renderChart(title, {
    resolution: "day", from_at: `${days[0].day}T00:00:00Z`, as_of: asOf,
    rows: days.flatMap((day) => series.map(([name, column]) => ({ series: name, bucket_at: `${day.day}T00:00:00Z`, value: day[column] }))),
  }, options);
  return el(
    "div",
    { class: "trends is-two" },
    chart("Invalid at the end of the day", [["invalid", "open_records"]], { kind: "lines" }),
    chart("Became invalid, and were resolved", [["opened", "opened"], ["resolved", "resolved"]], { kind: "bars", order: ["opened", "resolved"] }),
  );
}

function renderRecords(answer, route, now) {
  if (!answer.rows.length) return nothing("No record fits.");
  return [
    table("Records", ["Record", "What it failed", "Since", "Found#", "How it is"], answer.rows.map((record) => el(
      "tr",
      { "data-key": `${record.record_key}#${record.validation_type}` },
      el("th", { scope: "row" }, el("a", { class: "clip-2", href: hrefOfRecord(record.dataset, record.record_key), title: record.record_key }, record.record_key)),
      el("td", { class: "wrap" }, record.validation_type, record.group_name && el("span", { class: "faint" }, ` ${record.group_name}`),
        (record.message ?? record.reported_value) && el("div", { class: "faint clip-2" }, record.message ?? record.reported_value)),
      el("td", {}, time(record.opened_at, now)),
      el("td", { class: "number minor" }, plural(record.times_detected, "time")),
      el("td", {}, record.resolved_at ? [`${record.resolution} by ${record.resolved_by ?? NONE} `, time(record.resolved_at, now)] : ["for ", duration(record.seconds_open)]),
    )), ["Found"], "narrow-names"),
    renderMoreRows(answer, route, FEW_RECORDS),
  ];
}

function renderRuns(runs, now) {
  return table("Runs", ["Run", "Of the day", "Ended", "Looked at#", "Invalid#", "How"], runs.map((run) => el(
    "tr",
    { "data-key": `${run.task_id}#${run.finished_at}` },
    el("th", { scope: "row" }, el("a", { class: "clip-2", href: hrefOfRun(run.task_id), title: run.task_id }, run.task_id)),
    el("td", {}, run.target_date),
    el("td", { class: "minor" }, time(run.finished_at, now)),
    el("td", { class: "number minor" }, count(run.total_records_queried)),
    el("td", { class: "number" }, count(run.invalid_records)),
    el("td", {}, badge(run.status)),
  )), ["Ended", "Looked at"]);
}

export const recordPage = {
  title: (route) => route.name,
  questions: (route) => ({
    record: () => get("api/record-state", { dataset: route.of, record_key: route.name }),
    recordTimeline: () => get("api/record-timeline", { dataset: route.of, record_key: route.name, limit: rowsAsked(route, FEW_EVENTS) }),
  }),
  render: ({ route, data, refusalOf, now }) => [
    heading(route.name, {
      back: [route.of, hrefOfDataset(route.of)],
      beside: data.record?.status?.status ? el("span", { class: "tag" }, data.record.status.status) : [],
    }),
    data.record ? renderRecord(data, refusalOf, now) : refusalOf("record"),
    data.record && panel("timeline", "All that happened to it", null,
      data.recordTimeline ? renderTimeline(data.recordTimeline, route, now) : refusalOf("recordTimeline")),
  ],
};

function renderRecord({ record }, refusalOf, now) {
  const { status, validations, products } = record;
  return [
    status && panel("status", "Status", null, renderFacts([
      ["Status", status.status ?? "gone"],
      ["Before", status.previous_status ?? NONE],
      ["Since", time(status.effective_at, now)],
      ["Changed by", [status.change_source, status.actor && ` ${status.actor}`]],
    ])),
    panel("validations", "Validations that it failed", null, validations.length ? table("Validations", ["Validation", "State", "Since", "Found#"], validations.map((each) => el(
      "tr",
      { "data-key": each.validation_type },
      el("th", { scope: "row" }, each.validation_type, (each.message ?? each.reported_value) && el("div", { class: "faint wrap" }, each.message ?? each.reported_value)),
      el("td", {}, badge(each.status === "open" ? "failed" : "ok", each.status),
        each.resolved_at && el("div", { class: "faint wrap" }, `by ${each.resolved_by ?? NONE}, `, time(each.resolved_at, now), each.resolution_reason && `: ${each.resolution_reason}`)),
      el("td", {}, time(each.opened_at, now)),
      el("td", { class: "number minor" }, plural(each.times_detected, "time")),
    )), ["Found"]) : nothing("It has failed none.")),
    products.length > 0 && panel("products", "Products", null, el("ul", { class: "plain" }, products.map((each) => el(
      "li", { "data-key": each.product }, el("strong", {}, each.product), each.quantity === null ? null : ` × ${each.quantity}`,
      el("span", { class: "faint" }, " since ", time(each.first_seen_at, now)))))),
  ];
}

function renderTimeline(answer, route, now) {
  if (!answer.rows.length) return nothing("Nothing has been recorded of it.");
  return [
    el("ol", { class: "events" }, answer.rows.map((event) => renderEvent(event, now))),
    answer.rows.length >= rowsAsked(route, FEW_EVENTS) && renderMoreRows({ ...answer, next: "more" }, route, FEW_EVENTS),
  ];
}

function renderEvent({ happened_at: at, kind, summary, details }, now) {
  // Of a change of status the summary says who.
  const { task_id: taskId, attempt, alert_id: alertId, actor, resolved_by: who, reason, ...rest } = details ?? {};
  return el(
    "li",
    {},
    time(at, now),
    el("span", { class: "tag" }, kind),
    el("div", {},
      el("span", { class: "wrap" }, summary),
      el("span", { class: "faint" }, who && ` by ${who}`, reason && `: ${reason}`),
      " ",
      el("span", { class: "alert-links" }, taskId && el("a", { href: hrefOfRun(taskId, attempt) }, "Run"), alertId && el("a", { href: hrefOfAlert(alertId) }, "Alert")),
      Object.keys(rest).length > 0 && el("details", {}, el("summary", { class: "faint" }, "Details"), renderDocument(rest))),
  );
}
