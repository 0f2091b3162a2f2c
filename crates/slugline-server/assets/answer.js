// The answer for a text, and how probable each class is.

import { at, counted, grouped, make, percent, show } from "./dom.js";

const SHOWN = 8;

const REASONS = {
  nothing_known: "The model knows nothing of this text: no word, and no part of one.",
  unknown_words: "Too many words are new to the model.",
  confidence: "No class is probable enough.",
  threshold: "No class reaches its threshold.",
};

/** Classes and probabilities, falling. Names that are numbers come in another order out of JSON. */
export const ranked = (answer) => Object.entries(answer.probabilities).sort((a, b) => b[1] - a[1]);

/** The answer in a word or a few. */
export function inShort(answer) {
  if (answer.reason) return "unknown";
  if (answer.labels) return answer.labels.join(", ") || "no label";
  return answer.label ?? "no label";
}

/** The class that an explanation begins with: the answer, else the most probable one. */
export function explained(answer) {
  const first = answer.reason ? undefined : answer.labels?.[0] ?? answer.label;
  return first ?? ranked(answer)[0]?.[0];
}

/** Shows the answer. */
export function showAnswer(answer, model) {
  const classes = new Map(ranked(answer));
  const label = (name) => make("span", { class: "label" }, name);
  const [best] = classes;
  let head;
  let sentence = "";
  if (answer.reason) {
    head = [make("span", { class: "label unsure" }, "unknown")];
    sentence = REASONS[answer.reason] ?? `The model gives no label (${answer.reason}).`;
    if (best && answer.reason !== "nothing_known") sentence += ` The most probable class is ${best[0]} with ${percent(best[1])}.`;
  } else if (answer.labels) {
    head = answer.labels.map((name) => make("span", { class: "labelled" }, label(name), " ",
      make("span", { class: "sure" }, percent(classes.get(name) ?? 0))));
    if (head.length === 0) {
      head = [make("span", { class: "label unsure" }, "no label")];
      sentence = "No class is probable enough to be a label of this text.";
    }
  } else {
    head = [label(answer.label), " ", make("span", { class: "sure" }, percent(classes.get(answer.label) ?? 0))];
  }
  const unknown = answer.unknown_words === 0
    ? "all known to the model"
    : `${grouped(answer.unknown_words)} of them unknown (${percent(answer.unknown_share)})`;
  at("answer").replaceChildren(
    make("h2", { class: "over" }, answer.labels?.length > 1 ? "Labels" : "Answer"),
    make("p", { class: "head" }, head),
    ...(sentence ? [make("p", {}, sentence)] : []),
    make("p", { class: "quiet" }, answer.words === 0 ? "No words" : `${counted(answer.words, "word")}, ${unknown}`, ` · model ${model}`),
  );
}

/** Shows the classes as bars. A click on one calls `choose` with its name. */
export function showClasses(answer, choose) {
  const all = ranked(answer);
  const labels = new Set(answer.reason ? [] : answer.labels ?? [answer.label]);
  const bar = ([name, probability]) => {
    const length = make("span", { class: "length" });
    length.style.width = `${Math.max(0, Math.min(1, probability)) * 100}%`;
    return make("li", {}, make("button", { type: "button", class: "bar", "data-class": name, "aria-pressed": "false", onclick: () => choose(name) },
      make("span", { class: "name" }, name, labels.has(name) && make("span", { class: "tick" }, " ✓", make("span", { class: "hidden" }, " the answer"))),
      make("span", { class: "track", "aria-hidden": "true" }, length),
      make("span", { class: "number" }, percent(probability))));
  };
  const more = at("show-all");
  const render = (open) => {
    at("classes").replaceChildren(...all.slice(0, open ? all.length : SHOWN).map(bar));
    more.setAttribute("aria-expanded", String(open));
    more.textContent = open ? `Show the top ${SHOWN}` : `Show all ${all.length} classes`;
    press(more.dataset.pressed ?? "");
  };
  more.onclick = () => render(more.getAttribute("aria-expanded") !== "true");
  show(more, all.length > SHOWN);
  more.dataset.pressed = "";
  render(false);
}

/** Marks the bar of the class that is explained. */
export function press(name) {
  at("show-all").dataset.pressed = name;
  for (const button of at("classes").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.class === name));
  }
}
