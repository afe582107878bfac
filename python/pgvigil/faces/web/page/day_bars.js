// A bar a day: parts of a whole, what is worst above the rest.

import { svg } from "./dom.js";

const DAY_MS = 86_400_000;

/**
 * Bars for the last days, in UTC.
 *
 * `known` has what is known of days by name; `parts(day)` names its parts with their sizes, the worst
 * first; `title(name, day)` is what it says where the pointer rests, and `words` what all of it says.
 */
export function dayBars(known, asOf, { days, words, parts, title, height = 26, width = 6 }) {
  const today = Math.floor(Date.parse(asOf) / DAY_MS);
  const bars = Array.from({ length: days }, (_, place) => {
    const name = new Date((today - days + 1 + place) * DAY_MS).toISOString().slice(0, 10);
    const day = known.get(name);
    return svg("g", { transform: `translate(${place * width} 0)` }, svg("title", {}, title(name, day)), barOf(day ? parts(day) : [], height, width));
  });
  return svg("svg", { class: "day-bars", viewBox: `0 0 ${days * width} ${height}`, width: days * width, height, role: "img", "aria-label": words }, bars);
}

function barOf(parts, height, width) {
  const gap = width < 5 ? 0.5 : 1;
  const all = parts.reduce((sum, [, number]) => sum + number, 0);
  if (!all) return svg("rect", { class: "is-none", x: gap / 2, width: width - gap, y: height - 2, height: 2 });
  let top = 0;
  return parts.filter(([, number]) => number).map(([kind, number], place, shown) => {
    const rest = (shown.length - place - 1) * 3;
    // However few they are, they are seen.
    const part = place === shown.length - 1 ? height - top : Math.min(height - top - rest, Math.max(3, (height * number) / all));
    const bar = svg("rect", { class: `is-${kind}`, x: gap / 2, width: width - gap, y: top, height: part });
    top += part;
    return bar;
  });
}
