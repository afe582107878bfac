// In which time zone times are written: the browser's, UTC, or one that work goes by.

import { get } from "./api.js";
import { el } from "./dom.js";
import { useZone, zoneName } from "./format.js";
import { ofBrowser } from "./storage.js";

const KEPT = "pgvigil-zone";
const ofThisBrowser = Intl.DateTimeFormat().resolvedOptions().timeZone;
let others = [];

/** The zone that the address names, else the one that this browser remembers, else the browser's. */
export const applyZone = () => useZone(new URLSearchParams(location.search).get("zone") || ofBrowser.getItem(KEPT));

/** Learn which zones the work goes by. */
export async function loadZones() {
  try {
    others = (await get("api/time-zones")).rows;
  } catch {
    // Those of the browser and UTC are there all the same.
  }
}

/** Write times in another zone from now on. */
export function chooseZone(name) {
  if (name === ofThisBrowser) ofBrowser.removeItem(KEPT);
  else ofBrowser.setItem(KEPT, name);
  useZone(name);
}

/** A list of zones to choose from. */
export function renderZones() {
  const words = new Map([[ofThisBrowser, "this browser"], ["UTC", null]]);
  for (const { time_zone: zone, used_by: user } of others) words.set(zone, words.get(zone) ?? user);
  if (!words.has(zoneName())) words.set(zoneName(), null);
  return el("label", { class: "zone" }, "Times are of ", el("select", { "data-zone": true }, [...words].map(([zone, user]) => el(
    "option", { value: zone, selected: zone === zoneName() }, user ? `${zone} (${user})` : zone))));
}
