// Figures and times as people read them. Times are those of the zone that has been chosen.

import { el } from "./dom.js";

export const NONE = "–";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const fine = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

// Times: a formatter for each form, all of the zone that has been chosen.
const FORMS = {
  clock: { hour: "2-digit", minute: "2-digit" },
  precise: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  dayAndTime: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  weekday: { weekday: "short", day: "numeric" },
  date: { day: "numeric", month: "short" },
  full: { dateStyle: "medium", timeStyle: "long" },
};
const ofUtc = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
let zone;
let forms;

/** Write all times in this zone from now on; of the browser's where none is given, or it is not known. */
export function useZone(name) {
  try {
    forms = formsIn(name || undefined);
    zone = name || undefined;
  } catch {
    useZone(undefined);
  }
}

function formsIn(timeZone) {
  return Object.fromEntries(Object.entries(FORMS).map(([form, options]) => [form, new Intl.DateTimeFormat("en-GB", { ...options, timeZone })]));
}

useZone(undefined);

/** The zone that times are written in. */
export const zoneName = () => zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The day that a moment lies in, in the chosen zone, as 2026-03-02. */
export const dayIn = (at) => new Date(at).toLocaleDateString("sv-SE", { timeZone: zone });

/** The time of day of a moment, in the chosen zone, as 09:30. */
export const timeIn = (at) => forms.clock.format(new Date(at));

/** The moment at which clocks of the chosen zone show a time of a day; where they go forward over it, just after. */
export function instantOf(day, timeOfDay) {
  const asUtc = Date.parse(`${day}T${timeOfDay}Z`);
  let at = asUtc;
  // Once by the offset there and once more by that of the moment found, which a clock change moves.
  for (let times = 0; times < 2; times += 1) at = asUtc - (Date.parse(`${dayIn(at)}T${timeIn(at)}Z`) - at);
  return at;
}

/** A moment with its day. */
export const momentText = (at) => forms.dayAndTime.format(new Date(at));

/** What a bucket of a chart spans; days are those of UTC. */
export function bucketText(at, { step }) {
  if (step >= 86_400_000) return `${ofUtc.format(at)}, UTC`;
  return `${momentText(at)} – ${timeIn(at + step)}`;
}

/** A place on the axis of a chart, by how long that is; days of UTC where each point is one. */
export function axisText(at, { from, to, step }) {
  if (step >= 86_400_000) return FORMS_OF_DAYS.format(at);
  const days = (to - from) / 86_400_000;
  return (days > 14 ? forms.date : days > 2 ? forms.weekday : Math.abs(to - Date.now()) < 43_200_000 && days <= 1 ? forms.clock : forms.dayAndTime).format(at);
}

const FORMS_OF_DAYS = new Intl.DateTimeFormat("en-GB", { ...FORMS.date, timeZone: "UTC" });

const isMissing = (value) => value === null || value === undefined || value === "";

/** A whole number, with all digits up to a million. */
export function count(value) {
  if (isMissing(value)) return NONE;
  return (Math.abs(value) < 1e6 ? whole : short).format(value);
}

/** Three digits that matter, or all before the point. */
export function figure(value) {
  if (isMissing(value)) return NONE;
  if (Math.abs(value) >= 1e6) return short.format(value);
  return (Math.abs(value) >= 1000 ? whole : fine).format(value);
}

/** Percent, cut rather than rounded: 99.96 is not 100. */
export function percent(value) {
  if (isMissing(value)) return NONE;
  return `${fine.format(Math.floor(Number(value) * 10) / 10)} %`;
}

/** A length of time in at most two units; the database and the terminal spell it alike. */
export function duration(seconds) {
  if (isMissing(seconds)) return NONE;
  const all = Number(seconds);
  if (!(all < 3e11)) return "10000 years or more";
  if (all <= 0) return "0 s";
  if (all < 0.9995) return `${rounded(1000 * all)} ms`;
  if (all < 10) return `${rounded(all)} s`;
  if (all < 60) return `${Math.floor(all)} s`;
  if (all < 600) return inTwo(all, 60, "min", 1, "s");
  // Of half an hour nobody wants the seconds.
  if (all < 3600) return `${Math.floor(all / 60)} min`;
  if (all < 86400) return inTwo(all, 3600, "h", 60, "min");
  return inTwo(all, 86400, "d", 3600, "h");
}

function inTwo(seconds, size, unit, nextSize, nextUnit) {
  const first = Math.floor(seconds / size);
  const more = Math.floor((seconds - first * size) / nextSize);
  return more ? `${first} ${unit} ${more} ${nextUnit}` : `${first} ${unit}`;
}

/** Without decimals from 100 up, with one from 1 up, with three below; half a digit counts up. */
function rounded(value) {
  if (value < 1e-4) return 0;
  const places = value >= 100 ? 0 : value >= 1 ? 1 : 3;
  return Number(`${Math.round(`${value.toPrecision(15)}e${places}`)}e-${places}`);
}

/** How long ago, in whole seconds. */
export function age(at, now) {
  if (isMissing(at)) return NONE;
  return duration(Math.max(0, Math.floor((now - new Date(at)) / 1000)));
}

/** Time of day with seconds. */
export const exactTime = (date) => forms.precise.format(date);

/** Time of day, with the date where that alone could be another one. */
export function timeText(at, now) {
  if (isMissing(at)) return NONE;
  const date = new Date(at);
  return (Math.abs(date - now) < 12 * 3_600_000 ? forms.clock : forms.dayAndTime).format(date);
}

/** The same as an element that tells the whole of it. */
export function time(at, now) {
  if (isMissing(at)) return NONE;
  const date = new Date(at);
  return el("time", { datetime: date.toISOString(), title: forms.full.format(date) }, timeText(at, now));
}

/** How long ago, as an element that tells when. */
export function ago(at, now) {
  if (isMissing(at)) return NONE;
  const date = new Date(at);
  return el("time", { datetime: date.toISOString(), title: forms.full.format(date) }, age(at, now));
}

/** A measured value with its unit. */
export function measured(value, unit) {
  if (isMissing(value)) return NONE;
  if (unit === "seconds") return duration(value);
  if (unit === "hours") return duration(value * 3600);
  if (unit === "ms" || unit === "milliseconds") return duration(value / 1000);
  if (unit === "percent" || unit === "%") return percent(value);
  return isMissing(unit) ? figure(value) : `${figure(value)} ${unit}`;
}

/** A count with its noun. */
export function plural(number, noun) {
  return `${count(number)} ${noun}${Number(number) === 1 ? "" : "s"}`;
}

/** A bar of how much of something is done. */
export function progressBar(label, share) {
  return el(
    "div",
    { class: "progress", role: "progressbar", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": share },
    el("span", { style: { width: `${Math.max(0, Math.min(100, share))}%` } }),
  );
}

/** A name of a severity or status as a badge; its words carry the meaning, its colour helps. */
export function badge(kind, text = kind) {
  return el("span", { class: `badge is-${kind}` }, text);
}
