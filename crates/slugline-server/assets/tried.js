// What was tried before, in this tab.

import { at, beginning, make, percent, show } from "./dom.js";

const NAME = "slugline.history";
const MOST = 30;

let entries = read();

function read() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(NAME) ?? "[]");
    const whole = (entry) => typeof entry?.text === "string" && typeof entry.answer === "string";
    return Array.isArray(kept) ? kept.filter(whole).slice(0, MOST) : [];
  } catch {
    return []; // refused, or damaged
  }
}

function keep() {
  // Long texts may not all fit: the oldest go first. Where nothing may be stored the list lives on here.
  for (let count = entries.length; count >= 0; count = count > 1 ? count >> 1 : count - 1) {
    try {
      sessionStorage.setItem(NAME, JSON.stringify(entries.slice(0, count)));
      return;
    } catch { /* with fewer */ }
  }
}

/** Puts a text to the head of the list; the same text and model stand there only once. */
export function remember(entry, restore) {
  const same = (other) => other.text === entry.text && other.model === entry.model;
  entries = [entry, ...entries.filter((other) => !same(other))].slice(0, MOST);
  keep();
  list(restore);
}

/** Empties the list. */
export function forget() {
  entries = [];
  keep();
  list(() => {});
}

/** Shows the list; a click on an entry calls `restore` with it. */
export function list(restore) {
  const item = (entry) => make("li", {}, make("button", { type: "button", class: "pick", onclick: () => restore(entry) },
    make("span", { class: "pick-text" }, beginning(entry.text) || "(empty text)"),
    make("span", { class: "pick-about" }, `${entry.answer} `,
      typeof entry.probability === "number" && make("span", { class: "quiet" }, percent(entry.probability)),
      make("span", { class: "quiet" }, ` · ${entry.model}`))));
  at("history-list").replaceChildren(...entries.map(item));
  show(at("history-note"), entries.length === 0);
  show(at("clear-history"), entries.length > 0);
}
