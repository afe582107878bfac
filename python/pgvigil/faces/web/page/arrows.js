// Arrows from each step to those that come after it, over the tracks of the timeline.

import { svg } from "./dom.js";

const TURN = 7;
const HEAD = 5;

/** Draw them anew in every timeline; `afterOf(workflow, step)` names the steps before a step. */
export function drawArrows(afterOf) {
  for (const gantt of document.querySelectorAll("[data-gantt]")) {
    gantt.querySelector(":scope > .arrows")?.remove();
    const frame = gantt.getBoundingClientRect();
    const bars = new Map();
    for (const bar of gantt.querySelectorAll("[data-bar]")) {
      const box = bar.getBoundingClientRect();
      if (box.height) bars.set(bar.dataset.bar, moved(box, frame));
    }
    const paths = [];
    for (const [step, to] of bars) {
      for (const before of afterOf(gantt.dataset.gantt, step)) {
        const from = bars.get(before);
        if (from && from.middle < to.middle) paths.push(svg("path", { d: route(from, to) }), svg("path", { class: "head", d: head(to) }));
      }
    }
    if (paths.length) {
      gantt.append(svg("svg", { class: "arrows", "aria-hidden": "true", width: frame.width, height: frame.height }, paths));
    }
  }
}

function moved(box, frame) {
  return {
    left: box.left - frame.left,
    right: box.right - frame.left,
    top: box.top - frame.top,
    bottom: box.bottom - frame.top,
    middle: (box.top + box.bottom) / 2 - frame.top,
  };
}

/** Down from the end of one and into the beginning of the other; round about where that lies before. */
function route(from, to) {
  const down = Math.max(from.left + 1, from.right - 3);
  const tip = to.left - HEAD;
  if (tip >= down) return `M${down} ${from.bottom}V${to.middle}H${tip}`;
  const between = from.bottom + (to.top - from.bottom) / 2;
  return `M${down} ${from.bottom}V${between}H${to.left - HEAD - TURN}V${to.middle}H${tip}`;
}

function head(to) {
  return `M${to.left - HEAD} ${to.middle - 3.5}L${to.left} ${to.middle}L${to.left - HEAD} ${to.middle + 3.5}Z`;
}
