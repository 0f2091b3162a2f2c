// The page to try texts.

import { aborted, call, hasKey, Problem, setKey, told } from "./api.js";
import { explained, inShort, press, ranked, showAnswer, showClasses } from "./answer.js";
import { bindCorrections, offerCorrection } from "./correct.js";
import { at, beginning, make, show } from "./dom.js";
import { showFacts } from "./facts.js";
import { bindFiles } from "./files.js";
import { forget, list, remember } from "./tried.js";
import { showWhy } from "./why.js";

/** Training documents to show beside an explanation, where the model keeps them. */
const NEAREST = 3;
/** Bytes of a text that the server takes if it does not say. */
const MOST_BYTES = 256 * 1024;

let server = null; // the answer of /v1/models
let facts = null; // the model that is chosen
let current = null; // what is shown: text, model and answer
let again = null; // what to do once there is a key
// Newer work gives up older work of its kind, so that a late answer never replaces a newer one.
const running = { models: null, facts: null, ask: null, explain: null };

function start(kind) {
  running[kind]?.abort();
  running[kind] = new AbortController();
  return running[kind].signal;
}

const well = (text) => text.toWellFormed?.() ?? text; // half a surrogate pair is no text
const chosen = () => at("model").value;

function complain(error) {
  const box = at("error");
  box.textContent = typeof error === "string" ? error : told(error);
  if (error instanceof Problem && error.requestId) {
    box.append(" ", make("small", {}, `Request ${error.requestId}`));
  }
  show(box);
}

const calm = () => {
  at("error").replaceChildren();
  show(at("error"), false);
};

/** Runs what asks the server, and shows what goes wrong; where a key is wanted, it runs again with it. */
async function guard(work) {
  calm();
  try {
    await work();
  } catch (error) {
    if (aborted(error)) return;
    if (error.status === 401) wantKey(error, work);
    else complain(error);
  }
}

function wantKey(error, work) {
  again = work;
  at("key-note").textContent = hasKey()
    ? `${error.message} It is another key that this server wants.`
    : "This server wants an API key. It stays in this tab.";
  show(at("key-wanted"));
  at("key").focus();
}

/** The models, and then what is known of the chosen one. */
async function begin() {
  server = await call("/v1/models", { signal: start("models") });
  const before = chosen();
  at("model").replaceChildren(...server.models.map(({ name, default: first }) => {
    const option = make("option", { value: name }, first ? `${name} (default)` : name);
    option.selected = before ? name === before : first;
    return option;
  }));
  show(at("picker"), server.models.length > 1);
  at("only-model").textContent = server.models.length === 1 ? `model ${server.models[0].name}` : "";
  at("version").textContent = `Slugline ${server.version}`;
  show(at("forget-key"), hasKey());
  await choose();
}

/** What is known of the chosen model. */
async function choose() {
  const signal = start("facts");
  const query = `?model=${encodeURIComponent(chosen())}`;
  facts = null;
  const [model, samples] = await Promise.all([
    call(`/v1/model${query}`, { signal }),
    // A model without samples is still of use.
    call(`/v1/samples${query}`, { signal }).catch((error) => {
      if (aborted(error) || error.status === 401) throw error;
      return { samples: [] };
    }),
  ]);
  facts = model;
  showFacts(model, server.models.find(({ name }) => name === model.model));
  showSamples(samples.samples);
}

function showSamples(samples) {
  at("sample-list").replaceChildren(...samples.map(({ text, labels, origin }) =>
    make("li", {}, make("button", { type: "button", class: "pick", onclick: () => take(text) },
      make("span", { class: "pick-text" }, beginning(text)),
      make("span", { class: "pick-about quiet" }, labels.join(", ") || "no label", origin === "generated" && " · made up")))));
  show(at("samples"), samples.length > 0);
}

/** Puts a text into the field and asks. */
function take(text) {
  at("text").value = text;
  guard(classify);
}

async function classify() {
  const signal = start("ask");
  running.explain?.abort();
  const text = well(at("text").value);
  const model = chosen();
  if (text.trim() === "") {
    busy(false);
    complain("Paste or type a text first.");
    at("text").focus();
    return;
  }
  busy(true);
  try {
    const body = { text, top_k: "all", ...(model && { model }) };
    const answer = await call("/v1/classify", { body, signal });
    current = { text, model, answer };
    // A model that was chosen a moment ago may not be described yet; the explanation needs no facts.
    showAnswer(answer, model);
    showClasses(answer, (name) => guard(() => explain(name)));
    offerClasses(answer);
    show(at("correct"), false);
    if (server?.feedback) offerCorrection(text, model, facts?.model === model ? facts : { classes: ranked(answer).map(([name]) => name), label_kind: answer.labels ? "multi" : "single" });
    show(at("results"));
    reveal();
    const [, probability] = ranked(answer).find(([name]) => name === explained(answer)) ?? [];
    remember({ text, model, answer: inShort(answer), probability: answer.reason ? null : probability }, restore);
    busy(false);
    await explain(explained(answer), "");
  } catch (error) {
    if (aborted(error)) return;
    busy(false);
    if (current?.text !== text) show(at("results"), false); // of another text
    throw error;
  }
}

function busy(on) {
  at("results").setAttribute("aria-busy", String(on));
  at("ask").classList.toggle("busy", on);
  at("classify").textContent = on ? "Classifying …" : "Classify";
}

/** Brings the answer into sight where it is out of it, such as below on a phone. */
function reveal() {
  const { top, bottom } = at("answer").getBoundingClientRect();
  if (top >= 0 && bottom <= innerHeight) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  at("answer").scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" });
}

function offerClasses(answer) {
  const option = (value, text = value) => make("option", { value }, text);
  const names = ranked(answer).map(([name]) => name);
  at("explain-class").replaceChildren(...names.map((name) => option(name)));
  at("explain-against").replaceChildren(option("", "nothing else"), ...names.map((name) => option(`=${name}`, name)));
}

/** Explains a class of what is shown. */
async function explain(name, against = at("explain-against").value) {
  const signal = start("explain");
  const { text, model } = current;
  const other = against.startsWith("=") ? against.slice(1) : undefined;
  if (name === undefined) return;
  at("explain-class").value = name;
  at("explain-against").value = other === name ? "" : against;
  press(name);
  at("why").setAttribute("aria-busy", "true");
  try {
    const body = { text, class: name, ...(model && { model }) };
    if (other !== undefined && other !== name) body.against = other;
    if (facts?.model === model && facts.index) body.nearest = Math.min(NEAREST, facts.index.documents) || undefined;
    showWhy(await call("/v1/explain", { body, signal }), text);
  } catch (error) {
    if (!aborted(error)) {
      at("why-title").textContent = "Why";
      at("explanation").replaceChildren(make("p", { class: "quiet" }, "There is no explanation."));
    }
    throw error;
  } finally {
    // A newer explanation that gave this one up is still on its way.
    if (running.explain?.signal === signal) at("why").setAttribute("aria-busy", "false");
  }
}

function restore({ text, model }) {
  const there = server?.models.some(({ name }) => name === model);
  if (there && model !== chosen()) {
    at("model").value = model;
    guard(choose);
  }
  take(text);
}

function bind() {
  at("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    guard(classify);
  });
  at("text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
      event.preventDefault();
      at("ask").requestSubmit();
    }
  });
  at("clear").addEventListener("click", () => {
    running.ask?.abort();
    running.explain?.abort();
    busy(false);
    calm();
    current = null;
    at("text").value = "";
    show(at("results"), false);
    at("text").focus();
  });
  at("model").addEventListener("change", () => guard(async () => {
    // Both at once: the answer of the other model, and what it is.
    const work = [choose()];
    if (current) work.push(classify());
    await Promise.all(work);
  }));
  at("explain-class").addEventListener("change", () => guard(() => explain(at("explain-class").value)));
  at("explain-against").addEventListener("change", () => guard(() => explain(at("explain-class").value)));
  at("clear-history").addEventListener("click", () => {
    forget();
    at("history-title").tabIndex = -1;
    at("history-title").focus(); // the button is gone
  });
  at("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    setKey(at("key").value.trim());
    at("key").value = "";
    show(at("key-wanted"), false);
    at("text").focus();
    const work = again ?? (() => {});
    again = null;
    guard(async () => {
      if (!server) await begin();
      if (work !== begin) await work();
      show(at("forget-key"), hasKey());
    });
  });
  at("forget-key").addEventListener("click", () => {
    setKey(null);
    server = null;
    show(at("forget-key"), false);
    guard(begin);
  });
  bindCorrections(guard);
  bindFiles(
    (text, told) => {
      take(text);
      if (told) complain(told);
    },
    (sentence) => complain(sentence),
    () => server?.limits?.max_text ?? MOST_BYTES,
  );
}

bind();
list(restore);
guard(begin);
