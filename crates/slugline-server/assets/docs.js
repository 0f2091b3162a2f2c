// The documentation, made of /openapi.json.

import { call, hasKey, keyHeaders, setKey, told } from "./api.js";
import { at, make, show } from "./dom.js";
import { schemaList } from "./schema.js";

const METHODS = ["get", "post", "put", "delete"];
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
/** Text with the code in it, which stands between backticks. */
const prose = (text) => text.split("`").map((piece, i) => (i % 2 ? make("code", {}, piece) : piece));

let api;

/** What a reference stands for. */
function follow(value) {
  let found = value;
  while (found?.$ref) {
    found = found.$ref.slice(2).split("/").reduce((part, name) => part?.[name.replaceAll("~1", "/").replaceAll("~0", "~")], api);
  }
  return found ?? {};
}

/** All operations, in the order of the document. */
function* operations() {
  for (const [path, item] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (METHODS.includes(method)) yield { path, method, ...operation };
    }
  }
}

const anchor = (operation) => `operation-${operation.operationId}`;

function heading(operation) {
  return make("p", { class: "route" }, make("span", { class: `method ${operation.method}` }, operation.method.toUpperCase()), operation.path);
}

/** The parts of a request that can be filled in, and what they make together. */
function request(operation) {
  const id = anchor(operation);
  const fields = (operation.parameters ?? []).map(follow).map((parameter) => {
    const name = `${id}-${parameter.name}`;
    const only = parameter.schema?.enum ?? [];
    const input = make("input", { id: name, autocomplete: "off", "aria-describedby": `${name}-note`, required: parameter.required, value: parameter.example ?? (only.length === 1 ? only[0] : null),
      "data-model": parameter.name === "model" && parameter.in === "path" });
    const kind = `${parameter.in}${parameter.required ? ", required" : ""}`;
    return { parameter, input, element: make("div", { class: "field" }, make("label", { for: name }, make("code", {}, parameter.name), make("span", { class: "quiet" }, ` in ${kind}`)), input,
      make("span", { id: `${name}-note`, class: "quiet" }, prose(parameter.description ?? ""))) };
  });
  const media = follow(operation.requestBody).content?.["application/json"];
  const examples = Object.values(media?.examples ?? {});
  const written = (example) => JSON.stringify(example?.value, null, 2);
  const area = media && make("textarea", { id: `${id}-body`, rows: "8", spellcheck: "false", class: "wide" }, written(examples[0]) ?? "{}");
  const choice = examples.length > 1 && make("select", { id: `${id}-example` }, examples.map((example, i) => make("option", { value: String(i) }, example.summary)));

  const made = () => {
    const headers = { ...(operation.security?.length === 0 ? {} : keyHeaders()) };
    let path = operation.path;
    const query = new URLSearchParams();
    for (const { parameter, input } of fields) {
      if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      else if (input.value === "") continue;
      else if (parameter.in === "query") query.append(parameter.name, input.value);
      else headers[parameter.name.toLowerCase()] = input.value;
    }
    if (area) headers["content-type"] = "application/json";
    const address = query.size > 0 ? `${path}?${query}` : path;
    return { address, headers, method: operation.method.toUpperCase(), body: area?.value };
  };
  const element = make("div", {},
    fields.length > 0 && make("h4", {}, "Parameters"), fields.map((field) => field.element),
    area && make("h4", {}, "Body"),
    choice && make("div", { class: "line" }, make("label", { for: `${id}-example` }, "Example"), choice),
    area && make("div", { class: "field" }, make("label", { for: `${id}-body`, class: choice ? "hidden" : "quiet" }, "JSON to send"), area));
  const changed = (then) => element.addEventListener("input", then);
  if (choice) {
    choice.addEventListener("input", () => { area.value = written(examples[Number(choice.value)]); });
  }
  return { element, made, changed, inputs: fields.map(({ input }) => input) };
}

/** The same request for a terminal. The key is not shown. */
function curl({ address, headers, method, body }) {
  const parts = ["curl", ...(method === "GET" ? [] : ["-X", method]), quoted(location.origin + address)];
  for (const [name, value] of Object.entries(headers)) {
    parts.push("-H", name === "authorization" ? '"authorization: Bearer $KEY"' : quoted(`${name}: ${value}`));
  }
  if (body !== undefined) {
    let short = body;
    try {
      short = JSON.stringify(JSON.parse(body));
    } catch { /* as it stands: the server says what is wrong */ }
    parts.push("--data-raw", quoted(short));
  }
  return parts.join(" ");
}

async function answered(response) {
  const text = await response.text();
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** The controls that send a request and show what comes back. */
function sender(operation, form) {
  const line = make("pre", { tabindex: "0", role: "region", "aria-label": "Command line" });
  const update = () => { line.textContent = curl(form.made()); };
  form.changed(update);
  addEventListener("slugline-key", update);
  addEventListener("slugline-model", update);
  update();
  const copied = make("span", { class: "quiet", role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(line.textContent);
      copied.textContent = "Copied.";
    } catch {
      // Pages that are not from this machine may not, without TLS.
      getSelection().selectAllChildren(line);
      copied.textContent = "Selected: copy it with Ctrl or Cmd + C.";
    }
  };
  const out = make("div", { class: "response", "aria-live": "polite" });
  let running = null;
  const send = async () => {
    const empty = form.inputs.find((input) => !input.reportValidity());
    if (empty) return;
    running?.abort();
    running = new AbortController();
    const { signal } = running;
    out.setAttribute("aria-busy", "true");
    const { address, headers, method, body } = form.made();
    try {
      const before = performance.now();
      const response = await fetch(address, { method, headers, body, signal, cache: "no-store" });
      const text = await answered(response);
      const took = performance.now() - before;
      const lines = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
      out.replaceChildren(
        make("h4", {}, "Response"),
        make("p", {}, make("b", { class: "status" }, `${response.status} ${response.statusText}`.trim()), make("span", { class: "quiet" }, ` in ${took.toFixed(took < 10 ? 1 : 0)} ms`)),
        make("details", {}, make("summary", {}, "Headers"), make("pre", { class: "response-headers" }, lines)),
        make("pre", { class: "response-body", tabindex: "0", role: "region", "aria-label": "Response body" }, text));
    } catch (error) {
      if (error.name === "AbortError") return;
      out.replaceChildren(make("p", { class: "alert" }, "The server does not answer."));
    }
    out.setAttribute("aria-busy", "false");
  };
  return make("div", {},
    make("div", { class: "line" }, make("button", { type: "button", class: "primary send", onclick: send, "aria-label": `Send ${operation.method.toUpperCase()} ${operation.path}` }, "Send")),
    out,
    make("h4", {}, "On the command line"), line,
    make("div", { class: "line" }, make("button", { type: "button", class: "small", onclick: copy, "aria-label": `Copy the command of ${operation.summary}` }, "Copy"), copied));
}

function responses(operation) {
  const one = ([status, reference]) => {
    const response = follow(reference);
    const kinds = Object.entries(response.content ?? {});
    const good = Number(status) < 400;
    const codes = kinds.flatMap(([, media]) => Object.keys(media.examples ?? {}));
    const links = codes.flatMap((code, i) => [i > 0 && ", ", make("a", { href: `#${code}` }, code)]);
    return make("li", {}, make("b", {}, status), " ", good ? prose(response.description) : links,
      good && kinds.map(([kind, media]) => make("details", {}, make("summary", {}, kind), schemaList(media.schema, follow, prose))));
  };
  return make("ul", { class: "statuses" }, Object.entries(operation.responses).map(one));
}

function section(operation) {
  const form = request(operation);
  const body = follow(operation.requestBody);
  return make("section", { id: anchor(operation), class: "card operation", "aria-labelledby": `${anchor(operation)}-title`, tabindex: "-1" },
    heading(operation),
    make("h3", { id: `${anchor(operation)}-title` }, operation.summary),
    make("p", {}, prose(operation.description)),
    form.element,
    sender(operation, form),
    body.content && make("h4", {}, "Request"),
    Object.entries(body.content ?? {}).map(([kind, media]) => make("details", {}, make("summary", {}, kind), schemaList(media.schema, follow, prose))),
    make("h4", {}, "Responses"), responses(operation));
}

function problem({ code, status, title, meaning, action }) {
  return make("section", { id: code, class: "card problem", tabindex: "-1" },
    make("h3", {}, make("code", {}, code), make("span", { class: "quiet" }, ` ${status} · ${title}`)),
    make("p", {}, prose(meaning)), make("p", {}, prose(action)));
}

function contents(groups) {
  const link = (to, text) => make("li", {}, make("a", { href: `#${to}` }, text));
  at("contents").replaceChildren(...groups.flatMap(({ name, list }) => [make("h3", {}, name), make("ul", {}, list.map((operation) => link(anchor(operation), operation.summary)))]),
    make("h3", {}, "Problems"), make("ul", {}, link("problems", "What the codes mean")));
}

/** The part of the page that the address names exists only now. */
function toAnchor() {
  let target = null;
  try {
    target = at(decodeURIComponent(location.hash.slice(1)));
  } catch {
    return; // such as a lone %
  }
  if (!target || location.hash === "") return;
  target.scrollIntoView();
  target.focus({ preventScroll: true });
}

function bindKey() {
  at("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    setKey(at("key").value.trim());
    at("key").value = "";
    at("key-note").textContent = hasKey() ? "The key goes with every request from here on." : "No key.";
    dispatchEvent(new Event("slugline-key"));
    offerModel();
  });
  if (hasKey()) at("key-note").textContent = "There is a key from before; another one takes its place.";
}

/** Fills the name of the default model in where a path needs one. */
async function offerModel() {
  try {
    const { models } = await call("/v1/models");
    const name = (models.find((model) => model.default) ?? models[0])?.name;
    for (const input of document.querySelectorAll("input[data-model]")) input.value ||= name;
    dispatchEvent(new Event("slugline-model"));
  } catch { /* it can be typed */ }
}

async function begin() {
  bindKey();
  try {
    api = await call("/openapi.json");
  } catch (error) {
    at("error").textContent = told(error);
    show(at("error"));
    return;
  }
  at("version").textContent = api.info.version;
  at("about").replaceChildren(...prose(api.info.description));
  const all = [...operations()];
  const groups = api.tags.map(({ name, description }) => ({ name, description, list: all.filter(({ tags }) => tags.includes(name)) }));
  contents(groups);
  at("routes").append(...groups.flatMap(({ name, description, list }) => [
    make("div", {}, make("h2", { class: "tag" }, name), make("p", { class: "quiet" }, prose(description ?? ""))),
    ...list.map(section)]),
  make("div", { id: "problems", tabindex: "-1" }, make("h2", { class: "tag" }, "Problems"), make("p", { class: "quiet" }, "What is refused comes with one of these codes, as application/problem+json.")),
  ...api.components["x-problems"].map(problem));
  at("routes").setAttribute("aria-busy", "false");
  toAnchor();
  addEventListener("hashchange", toAnchor);
  offerModel();
}

begin();
