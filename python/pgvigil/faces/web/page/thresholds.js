// Thresholds of rules, as people read and write them.

import { el } from "./dom.js";
import { measured } from "./format.js";
import { state } from "./state.js";

/** Severities, the least first, as the database counts alerts by them. */
export const severities = () => Object.keys(state.data.critical?.counts.by_severity ?? {});

/** How a value passes a threshold, in a word. */
export const COMPARED = { ">": "above", ">=": "from", "<": "below", "<=": "up to" };

/** Each threshold as a tag, the worst first. */
export function thresholdTags(thresholds, { comparison, unit }) {
  return severities().filter((name) => thresholds?.[name] !== undefined && thresholds[name] !== null).reverse()
    .map((name) => el("span", { class: `tag is-${name}` }, `${name} ${COMPARED[comparison]} ${measured(thresholds[name], unit)}`));
}

const OPERATORS = { "=": (text) => text, "!=": (text) => ({ not: text }), "=~": (regex) => ({ regex }), "!~": (regex) => ({ not: { regex } }) };

/** Labels of alerts as matchers, from such as queue=mail, rule!=job_late; null when they cannot be read. */
export function readMatchers(text) {
  const found = {};
  for (const word of text.split(/[,\s]+(?=[A-Za-z_]\w*(?:=~|!~|!=|=))/)) {
    if (!word.trim()) continue;
    const parts = /^([A-Za-z_]\w*)(=~|!~|!=|=)(.*)$/s.exec(word.trim());
    if (!parts || found[parts[1]] !== undefined) return null;
    found[parts[1]] = OPERATORS[parts[2]](parts[3]);
  }
  return found;
}

/** Labels, from such as queue=mail; null when they cannot be read. */
export function readLabels(text) {
  const found = readMatchers(text);
  return found && Object.values(found).every((value) => typeof value === "string") ? found : null;
}

/** Matchers as they are typed, as the terminal spells them too. */
export function spellMatchers(matchers) {
  return Object.entries(matchers).map(([label, matcher]) => label + spell(matcher)).join(", ");
}

function spell(matcher, isNegated = false) {
  if (Array.isArray(matcher)) return `${isNegated ? "!~" : "=~"}${matcher.join("|")}`;
  if (typeof matcher === "object" && matcher !== null) {
    return "not" in matcher ? spell(matcher.not, !isNegated) : `${isNegated ? "!~" : "=~"}${matcher.regex}`;
  }
  return `${isNegated ? "!=" : "="}${matcher}`;
}
