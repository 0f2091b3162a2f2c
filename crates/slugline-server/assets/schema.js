// JSON Schemas as nested lists.

import { make } from "./dom.js";

/** Deeper than this nothing is told; schemas might hold themselves. */
const DEEPEST = 8;

const code = (value) => JSON.stringify(value);

/** The kind of a value in a few words. */
function kind(schema) {
  if (schema.const !== undefined) return `always ${code(schema.const)}`;
  if (schema.enum) return `one of ${schema.enum.map(code).join(", ")}`;
  const either = schema.oneOf ?? schema.anyOf;
  if (either) return "one of these";
  const types = [schema.type ?? "anything"].flat().map((type) => (type === "null" ? "null" : type)).join(" or ");
  const limits = [];
  const { minimum, maximum, minLength, maxLength, minItems, maxItems } = schema;
  if (minimum !== undefined) limits.push(maximum === undefined ? `at least ${minimum}` : `from ${minimum} to ${maximum}`);
  if (minLength !== undefined || maxLength !== undefined) limits.push(maxLength === undefined ? `at least ${minLength} characters` : `${minLength ?? 0} to ${maxLength} characters`);
  if (minItems !== undefined) limits.push(maxItems === undefined ? `at least ${minItems}` : `${minItems} to ${maxItems}`);
  else if (maxItems !== undefined) limits.push(`at most ${maxItems}`);
  if (schema.default !== undefined) limits.push(`default ${code(schema.default)}`);
  return [types, ...limits].join(", ");
}

/** The parts of a value, if it has some. */
function parts(schema, follow, prose, depth) {
  if (depth >= DEEPEST) return null;
  const either = schema.oneOf ?? schema.anyOf;
  if (either) return make("ul", { class: "schema" }, either.map((part) => entry(null, part, false, follow, prose, depth + 1)));
  if (schema.properties) {
    const required = schema.required ?? [];
    return make("ul", { class: "schema" }, Object.entries(schema.properties).map(([name, part]) => entry(name, part, required.includes(name), follow, prose, depth + 1)));
  }
  if (schema.items) return make("ul", { class: "schema" }, entry("each", schema.items, false, follow, prose, depth + 1));
  if (schema.additionalProperties?.type) return make("ul", { class: "schema" }, entry("any name", schema.additionalProperties, false, follow, prose, depth + 1));
  return null;
}

function entry(name, reference, required, follow, prose, depth) {
  const schema = follow(reference);
  return make("li", {},
    name !== null && [make("code", {}, name), " "],
    make("span", { class: "quiet" }, kind(schema), required && ", required"),
    schema.description && [" – ", prose(schema.description)],
    parts(schema, follow, prose, depth));
}

/** A schema as a list. `follow` resolves references, `prose` makes text with code in it. */
export function schemaList(schema, follow, prose) {
  return make("ul", { class: "schema" }, entry(null, schema, false, follow, prose, 0));
}
