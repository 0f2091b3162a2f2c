// Why a text has a class: its words marked, and the strongest of them as a table.

import { at, counted, decimal, make, percent, signed } from "./dom.js";

/** Marks weaker than this share of the strongest one are not drawn. */
const FAINTEST = 0.1;
const ROWS = 12;

const side = (contribution) => (contribution < 0 ? "against" : "for");

function mark(text, share, contribution) {
  const element = make("mark", { class: side(contribution), title: signed(contribution) }, text);
  element.style.setProperty("--share", share.toFixed(2));
  return element;
}

/** The text with its tokens marked. Their places count Unicode scalar values, not UTF-16 units. */
export function marked(text, tokens) {
  const characters = Array.from(text);
  const between = (start, end) => characters.slice(start, end).join("");
  const most = tokens.reduce((most, { contribution }) => Math.max(most, Math.abs(contribution)), 0);
  const pieces = [];
  let done = 0;
  for (const { start, end, contribution } of [...tokens].sort((a, b) => a.start - b.start)) {
    const share = Math.abs(contribution) / most;
    if (!(share > FAINTEST) || start < done) continue;
    pieces.push(between(done, start), mark(between(start, end), share, contribution));
    done = end;
  }
  pieces.push(between(done, characters.length));
  return pieces.filter((piece) => piece !== "");
}

/** Spans added up by what is written there, the strongest first. */
export function strongest(spans) {
  const sums = new Map();
  for (const { text, contribution } of spans) {
    const key = text.toLowerCase();
    const sum = sums.get(key) ?? { text, times: 0, contribution: 0 };
    sum.times += 1;
    sum.contribution += contribution;
    sums.set(key, sum);
  }
  return [...sums.values()]
    .filter(({ contribution }) => contribution !== 0)
    .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
}

function table(rows) {
  const most = Math.abs(rows[0].contribution);
  const row = ({ text, times, contribution }) => {
    const meter = make("span", { class: `meter ${side(contribution)}`, "aria-hidden": "true" });
    meter.style.width = `${(Math.abs(contribution) / most) * 8}rem`;
    return make("tr", {}, make("th", { scope: "row" }, text), make("td", { class: "number" }, String(times)),
      make("td", {}, side(contribution)), make("td", { class: "number" }, signed(contribution)), make("td", { class: "meters" }, meter));
  };
  const head = ["Word or n-gram", "Times", "Side", "Contribution"].map((name, i) =>
    make("th", { scope: "col", class: i % 2 ? "number" : null }, name));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Strongest words" },
    make("table", {}, make("thead", {}, make("tr", {}, head, make("td", { class: "meters" }))), make("tbody", {}, rows.map(row))));
}

function legend(why) {
  const sample = (name, text) => {
    const element = make("mark", { class: name }, text);
    element.style.setProperty("--share", "0.8");
    return element;
  };
  const what = why.against === undefined ? why.label : `${why.label} rather than ${why.against}`;
  return make("p", { class: "quiet legend" }, sample("for", "Blue"), ` words speak for ${what}, `,
    sample("against", "orange and underlined"), " ones against it. The stronger, the more.");
}

/** Shows an explanation of a text. */
export function showWhy(why, text) {
  const rows = strongest(why.spans);
  const against = why.against !== undefined;
  const rise = why.logit - why.baseline;
  at("why-title").textContent = against ? `Why ${why.label} rather than ${why.against}` : `Why ${why.label}`;
  const first = rows.slice(0, 5).map((row) => `${row.text} ${signed(row.contribution)}`).join(", ");
  const told = rows.length === 0 ? "No word speaks for or against it." : `The strongest words: ${first}.`;
  at("explanation").replaceChildren(
    make("p", {}, make("b", {}, percent(why.probability)), " probability. ", make("span", { id: "why-words" }, told)),
    ...(rows.length > 0 ? [legend(why)] : []),
    make("div", { id: "marked", class: "text", tabindex: "0", role: "region", "aria-label": "The text with its words marked", "aria-describedby": "why-words" },
      marked(text, why.tokens)),
    ...(rows.length > 0 ? [make("details", { id: "word-table" }, make("summary", {}, "The strongest words as a table"),
      make("p", { class: "quiet" }, `The ${against ? "difference of the logits" : "logit"} is ${decimal(why.logit)}: ${decimal(why.baseline)} for the empty text, and ${signed(rise)} from ${counted(why.words, "word")}.`),
      table(rows.slice(0, ROWS)))] : []),
    ...(why.nearest?.length > 0 ? [make("details", { id: "nearest" }, make("summary", {}, "The nearest training documents"), why.nearest.map((near) => make("div", { class: "near" },
      make("p", {}, make("b", {}, near.labels.join(", ") || "no label"), make("span", { class: "quiet" }, ` similarity ${near.similarity.toFixed(3)}`)),
      make("p", { class: "near-text" }, near.text))))] : []),
  );
}
