// "This is wrong, it is …": the right label of a text, kept by the server for the next training.

import { call } from "./api.js";
import { at, make, show } from "./dom.js";

/** Characters that the server takes of a label. */
const LONGEST = 200;
/** What is confirmed where a text has no label; no name is quoted like this. */
const NONE = "none";

let asked = null; // text and model of the answer that may be wrong
let known = [];
let multi = false;
let confirmed = ""; // what the reader was told of: new labels, or that there is none

const note = (text) => { at("correct-note").textContent = text; };
const button = () => at("send-correction");

/** The labels that are typed. A name that has a comma in it counts as one where it is a class. */
function typed() {
  const whole = at("right-label").value.trim();
  if (!multi || known.includes(whole)) return whole ? [whole] : [];
  return [...new Set(whole.split(",").map((name) => name.trim()).filter(Boolean))];
}

/** Offers classes; for several labels each goes on from what is typed before the last comma. */
function offer() {
  const value = at("right-label").value;
  const before = multi ? value.slice(0, value.lastIndexOf(",") + 1) : "";
  const start = before && `${before} `;
  at("known-labels").replaceChildren(...known.map((name) => make("option", { value: start + name })));
}

function plain() {
  confirmed = "";
  button().textContent = "Save the correction";
}

/** Gets the form ready for another answer. */
export function offerCorrection(text, model, facts) {
  asked = { text, model };
  known = facts?.classes ?? [];
  multi = facts?.label_kind === "multi";
  at("correct-form").reset();
  at("right-name").textContent = multi ? "The labels are" : "It is";
  at("right-label").required = !multi;
  at("right-label").placeholder = multi ? "labels with commas between" : "label";
  plain();
  note("");
  offer();
  show(at("correct"));
}

/** Binds the form; `guard` runs what may be refused, and shows why. */
export function bindCorrections(guard) {
  at("right-label").addEventListener("input", () => {
    plain();
    note("");
    offer();
  });
  at("correct-form").addEventListener("submit", (event) => {
    event.preventDefault();
    guard(send);
  });
}

async function send() {
  const labels = typed();
  if (labels.length === 0 && !multi) {
    note("Type the right label first.");
    return;
  }
  if (labels.length === 0 && confirmed !== NONE) {
    confirmed = NONE;
    note("There is no label. Press again to save that none fits.");
    button().textContent = "Save without a label";
    return;
  }
  const long = labels.find((name) => [...name].length > LONGEST);
  if (long !== undefined) {
    note(`A label has at most ${LONGEST} characters.`);
    return;
  }
  const fresh = labels.filter((name) => !known.includes(name));
  const quoted = fresh.map((name) => `“${name}”`).join(", ");
  if (fresh.length > 0 && confirmed !== quoted) {
    confirmed = quoted;
    note(`${quoted} ${fresh.length === 1 ? "is not a class" : "are not classes"} of this model yet. Press again to save it as new.`);
    button().textContent = "Save with the new class";
    return;
  }
  const body = { text: asked.text, model: asked.model, ...(multi ? { labels } : { label: labels[0] }) };
  const why = at("right-note").value.trim();
  if (why) body.note = why;
  button().disabled = true;
  const of = asked;
  try {
    const { id } = await call("/v1/feedback", { body });
    if (of !== asked) return; // another text is answered meanwhile
    at("correct-form").reset();
    plain();
    note(`Thank you. This is correction number ${id}: ${labels.join(", ") || "no label"}.`);
  } finally {
    button().disabled = false;
  }
}
