// What a model file holds: network, settings, training and provenance.

import { at, bytes, counted, draw, grouped, make, percent, show } from "./dom.js";

/** Pairs of names and values. */
const pairs = (rows) => make("dl", { class: "facts" }, rows.filter(([, value]) => value !== null && value !== undefined && value !== "")
  .map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));

const KINDS = { single: "one label a text", multi: "any number of labels a text", soft: "a share of every class" };

function calibration({ kind, temperature, noise, scales }) {
  if (kind === "none") return "none";
  if (kind === "temperature") return `temperature ${temperature?.toFixed(3)}`;
  if (kind === "mixture") return `mixture: temperature ${temperature?.toFixed(3)}, label noise ${noise?.toFixed(3)}`;
  if (kind === "platt") return `Platt's, for each of ${scales?.length} classes`;
  return kind;
}

function decisions({ thresholds, fitted, min_confidence: least, max_unknown_words: unknown }) {
  const parts = [];
  if (fitted) parts.push(`thresholds fitted for ${fitted.aim} on ${counted(fitted.documents, "document")}`);
  else if (thresholds.length > 0) parts.push(new Set(thresholds).size === 1 ? `threshold ${thresholds[0].toFixed(2)}` : "a threshold for each class");
  if (least > 0) parts.push(`unknown below ${percent(least)} probability`);
  if (unknown < 1) parts.push(`unknown above ${percent(unknown)} new words`);
  return parts.join("; ") || "none: the most probable class is the answer";
}

/** The loss, epoch by epoch. */
function curve(history, best) {
  const known = (series) => (series ?? []).map((value, i) => [i, value]).filter(([, value]) => Number.isFinite(value));
  const loss = known(history.loss);
  const held = known(history.val_loss);
  if (loss.length < 2) return null;
  const [width, height, left, right, top, bottom] = [420, 180, 40, 10, 12, 28];
  const values = [...loss, ...held].map(([, value]) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const last = loss.at(-1)[0];
  const x = (i) => left + (i / last) * (width - left - right);
  const y = (value) => top + (1 - (value - low) / (high - low || 1)) * (height - top - bottom);
  const line = (series, name) => draw("polyline", { class: name, points: series.map(([i, value]) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(" ") });
  const label = (px, py, text, anchor) => draw("text", { x: px, y: py, "text-anchor": anchor }, text);
  const at_best = best >= 1 && best - 1 <= last ? x(best - 1) : null;
  const middle = Math.abs((at_best ?? 0) - left) > 40 && Math.abs(width - right - (at_best ?? 0)) > 40;
  const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "curve",
    "aria-label": `Loss by epoch: from ${loss[0][1].toFixed(2)} to ${loss.at(-1)[1].toFixed(2)} on the training documents${held.length ? `, from ${held[0][1].toFixed(2)} to ${held.at(-1)[1].toFixed(2)} on the validation documents` : ""}.` },
  draw("path", { class: "axis", d: `M${left} ${top}V${height - bottom}H${width - right}` }),
  at_best !== null && draw("line", { class: "best", x1: at_best, x2: at_best, y1: top, y2: height - bottom }),
  line(loss, "loss"), held.length > 1 && line(held, "val-loss"),
  label(left - 6, y(high) + 4, high.toFixed(2), "end"), label(left - 6, y(low) + 4, low.toFixed(2), "end"),
  label(left, height - 8, "epoch 1", "start"), label(width - right, height - 8, String(last + 1), "end"),
  at_best !== null && middle && label(at_best, height - 8, `best: ${best}`, "middle"));
  return make("figure", {}, picture, make("figcaption", { class: "quiet" }, make("span", { class: "key-loss" }, "loss"), held.length > 1 && make("span", { class: "key-val-loss" }, "val_loss")));
}

function layers(summary) {
  const row = ({ name, kind, units, parameters }) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, kind),
    make("td", { class: "number" }, grouped(units)), make("td", { class: "number" }, grouped(parameters)));
  const head = ["Layer", "Kind", "Units", "Parameters"].map((name, i) => make("th", { scope: "col", class: i > 1 ? "number" : null }, name));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Layers" },
    make("table", {}, make("thead", {}, make("tr", {}, head)), make("tbody", {}, summary.layers.map(row))));
}

function classes(model) {
  const counts = model.provenance.class_counts ?? [];
  const { thresholds } = model.decisions;
  const threshold = (value) => (value > 1 ? "never" : value.toFixed(3));
  const row = (name, i) => make("tr", {}, make("th", { scope: "row" }, name), make("td", { class: "number" }, counts[i] === undefined ? "–" : grouped(counts[i])),
    thresholds.length > 0 && make("td", { class: "number" }, threshold(thresholds[i])));
  const head = [make("th", { scope: "col" }, "Class"), make("th", { scope: "col", class: "number" }, "Training documents"),
    thresholds.length > 0 && make("th", { scope: "col", class: "number" }, "Threshold")];
  return make("details", {}, make("summary", {}, `The ${counted(model.classes.length, "class", "classes")}`),
    make("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Classes" },
      make("table", {}, make("thead", {}, make("tr", {}, head)), make("tbody", {}, model.classes.map(row)))));
}

/** Shows what a model is. */
export function showFacts(model, served) {
  const { provenance, summary } = model;
  const { corpus } = provenance;
  const loaded = served?.loaded ? new Date(served.loaded) : null;
  at("facts-title").textContent = `About the model ${model.model}`;
  at("facts-body").replaceChildren(
    make("div", { class: "halves" },
      make("div", {},
        make("h3", {}, "Model"),
        pairs([
          ["Classes", `${grouped(model.classes.length)}, ${KINDS[model.label_kind] ?? model.label_kind}`],
          ["Features", grouped(summary.input_width)],
          ["Words", model.words > 0 && model.words !== summary.input_width ? grouped(model.words) : null],
          ["Parameters", grouped(summary.parameters)],
          ["Calibration", calibration(model.calibration)],
          ["Thresholds", decisions(model.decisions)],
          ["Index", model.index ? counted(model.index.documents, "document") : null],
          ["File", bytes(model.size_bytes)],
          ["Checksum", make("code", {}, model.checksum)],
          ["Loaded", loaded && !Number.isNaN(loaded.getTime()) ? loaded.toLocaleString() : null],
        ])),
      make("div", {},
        make("h3", {}, "Training"),
        pairs([
          ["Documents", `${grouped(corpus.train_samples)} to train, ${grouped(corpus.validation_samples)} to validate`],
          ["Epochs", `${grouped(model.epochs)}, the best one ${grouped(model.best_epoch)} (${model.stop_reason})`],
        ]),
        curve(model.history, model.best_epoch))),
    layers(summary),
    classes(model),
    make("details", {}, make("summary", {}, "Where it comes from"), pairs([
      ["Trained by", `Slugline ${provenance.slugline_version}`],
      ["Corpus", corpus.name],
      ["Description", corpus.description],
      ["Fingerprint", make("code", {}, corpus.fingerprint)],
      ["Goes on from", provenance.ancestor ? `a model of ${provenance.ancestor.corpus?.name} (${provenance.ancestor.checksum})` : null],
      ["Command", provenance.command ? make("code", {}, provenance.command) : null],
    ])),
  );
  show(at("facts"));
}
