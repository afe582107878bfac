// Building and updating the document. Text reaches it as text nodes only, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element; `style` goes through the CSSOM, as the page's policy refuses style attributes. */
export function el(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/** The same for SVG. */
export function svg(tag, properties = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), properties, children);
}

function filled(node, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "style") {
      for (const [key, setting] of Object.entries(value)) node.style.setProperty(key, setting);
    } else {
      node.setAttribute(name, value === true ? "" : String(value));
    }
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

/** Make the children of `parent` look like `nodes`, keeping what is there: focus, scroll, selection. */
export function show(parent, ...nodes) {
  const focused = document.activeElement;
  updateChildren(parent, nodes.flat(Infinity).filter((node) => node instanceof Node));
  if (focused && focused !== document.activeElement && parent.contains(focused)) focused.focus();
}

function updateChildren(parent, wanted) {
  const keyed = new Map();
  for (const child of parent.childNodes) if (keyOf(child)) keyed.set(keyOf(child), child);
  const wantedKeys = new Set(wanted.map(keyOf).filter(Boolean));
  let here = parent.firstChild;
  for (const node of wanted) {
    while (here && keyOf(here) && !wantedKeys.has(keyOf(here))) here = removed(here);
    const key = keyOf(node);
    const match = key ? keyed.get(key) : here;
    if (!match || !isAlike(match, node)) {
      parent.insertBefore(node, here);
      continue;
    }
    if (match === here) here = here.nextSibling;
    else parent.insertBefore(match, here);
    update(match, node);
  }
  while (here) here = removed(here);
}

function removed(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

function keyOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null;
}

function isAlike(one, other) {
  return one.nodeName === other.nodeName && keyOf(one) === keyOf(other);
}

function update(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    // What people have unfolded stays so.
    if (name !== "style" && name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name !== "style" && name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.style.cssText !== fresh.style.cssText) old.style.cssText = fresh.style.cssText;
  updateChildren(old, [...fresh.childNodes]);
  // What was chosen may have been taken back in the address; what is being typed is left alone.
  if ("value" in old && old.matches("input, select") && !old.closest("[data-own]") && old !== document.activeElement && old.value !== fresh.value) old.value = fresh.value;
}

const actions = new Map();

/** What a click on an element with `data-action` of this name does. */
export function onAction(name, act) {
  actions.set(name, act);
}

document.addEventListener("click", (event) => {
  const element = event.target.closest?.("[data-action]");
  if (element) actions.get(element.dataset.action)?.(element);
});

/** Tell people who cannot see that something has changed. */
export function announce(text) {
  document.getElementById("announcements").textContent = text;
}

/** A paragraph for where there is nothing to show. */
export function nothing(...children) {
  return el("p", { class: "nothing" }, ...children);
}
