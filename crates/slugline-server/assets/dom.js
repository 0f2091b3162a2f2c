// Small helpers to build what both pages show. Text is only ever set as text.

/** The element with an id. */
export const at = (id) => document.getElementById(id);

/**
 * An element with attributes and children. Functions under `onclick` and the like become listeners,
 * `true` an attribute without a value; what is null or false is left out.
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  return fill(set(element, attributes), ...children);
}

/** The same for pictures. */
export function draw(tag, attributes = {}, ...children) {
  return fill(set(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes), ...children);
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  return element;
}

function fill(element, ...children) {
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Shows an element, or hides it. */
export function show(element, shown = true) {
  element.hidden = !shown;
}

const shares = new Intl.NumberFormat("en", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** A share in percent; never 0 or 100 where it is not quite that. */
export function percent(share) {
  if (share > 0 && share < 0.0005) return "<0.1%";
  if (share < 1 && share > 0.9995) return ">99.9%";
  return shares.format(share);
}

/** A whole number with its thousands apart. */
export const grouped = (number) => Number(number).toLocaleString("en");

/** A number of things: `1 word`, `2 words`. */
export const counted = (number, one, many = `${one}s`) => `${grouped(number)} ${number === 1 ? one : many}`;

/** A number with two decimals; rounded to nothing it has no minus. */
export function decimal(value) {
  const text = Math.abs(value).toFixed(2);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** A contribution with its sign. */
export function signed(value) {
  const text = decimal(value);
  return text.startsWith("−") ? text : `+${text}`;
}

/** A number of bytes for people. */
export function bytes(number) {
  if (number < 1024) return `${number} bytes`;
  const [value, unit] = number < 1024 ** 2 ? [number / 1024, "KiB"] : [number / 1024 ** 2, "MiB"];
  return `${value < 10 && value % 1 !== 0 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** The beginning of a text, on one line. */
export function beginning(text, length = 90) {
  const line = text.slice(0, 4 * length).replace(/\s+/g, " ").trim();
  const characters = Array.from(line);
  return characters.length > length ? `${characters.slice(0, length).join("")}…` : line;
}
