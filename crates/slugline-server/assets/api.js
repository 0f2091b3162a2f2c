// Calls to the server that the page came from.

const KEY = "slugline.key";

// Storage may be refused, such as by a browser's privacy settings: the key then lives as long as the page.
let key = null;
try {
  key = sessionStorage.getItem(KEY);
} catch { /* as above */ }

/** Whether there is an API key. */
export const hasKey = () => Boolean(key);

/** Takes an API key for all further calls, or forgets it. */
export function setKey(value) {
  key = value || null;
  try {
    if (key) sessionStorage.setItem(KEY, key);
    else sessionStorage.removeItem(KEY);
  } catch { /* it lives as long as the page */ }
}

/** The headers that carry the API key. */
export const keyHeaders = () => (key ? { authorization: `Bearer ${key}` } : {});

/** What a server refuses, by its problem details (RFC 9457). */
export class Problem extends Error {
  constructor(status, problem, retryAfter) {
    super(problem.detail || problem.title || `The server answers ${status}.`);
    this.status = status;
    this.code = problem.code ?? "";
    this.requestId = problem.request_id ?? "";
    this.retryAfter = retryAfter;
  }
}

/** Asks for a path, with a body where there is one, and gives the JSON of the answer. */
export async function call(path, { body, signal } = {}) {
  const headers = { accept: "application/json", ...keyHeaders() };
  const options = { headers, signal, method: "GET", cache: "no-store" };
  if (body !== undefined) {
    options.method = "POST";
    options.body = JSON.stringify(body);
    headers["content-type"] = "application/json";
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: "The server does not answer. Is it still running?" }, null);
  }
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Problem(response.status, problem, response.headers.get("retry-after"));
}

/** What to tell of a failure, in sentences. */
export function told(error) {
  if (!(error instanceof Problem)) return `Something went wrong on this page: ${error.message}`;
  const wait = { 429: true, 503: true }[error.status] && error.retryAfter;
  const seconds = /^\d+$/.test(wait || "") ? `${wait} s` : wait;
  return wait ? `${error.message} Try again after ${seconds}.` : error.message;
}

/** Whether a call was given up for a newer one. */
export const aborted = (error) => error.name === "AbortError";
