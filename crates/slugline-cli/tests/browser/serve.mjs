// Opens the page and the documentation of a running server in headless Chromium, at desktop and phone
// width, in light and dark, uses them as a reader would, once by keyboard alone, and says what it found as
// one JSON object. The server needs no API key; where it keeps corrections, two are sent a view.
// Usage: node serve.mjs CHROMIUM URL [FOLDER-FOR-PICTURES]
import path from "node:path";
import { chromium } from "playwright-core";

const [executablePath, url, pictures] = process.argv.slice(2);
const origin = new URL(url).origin;
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const found = { messages: [], requests: [], violations: [], views: {} };

/** Sideways overflow, and the least contrast of all text that is seen, with what it stands in. */
function look() {
  const parse = (colour) => {
    const parts = colour.match(/-?[\d.]+(e-?\d+)?/g).map(Number);
    const scale = colour.startsWith("color(") ? 255 : 1;
    return [...parts.slice(0, 3).map((v) => v * scale), parts[3] ?? 1];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((v, i) => v * a + under[i] * (1 - a));
  const luminance = (colour) => {
    const [r, g, b] = colour.map((value) => {
      const v = value / 255;
      return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
    const white = [255, 255, 255];
    return layers.reverse().reduce((under, layer) => (layer[3] === 0 ? under : over(layer, under)), white);
  };
  const dull = [];
  let contrast = 21;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (seen.has(element) || walker.currentNode.data.trim() === "") continue;
    seen.add(element);
    const visible = element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true });
    if (!visible || element.closest(".hidden, .skip, option, noscript, svg, :disabled")) continue;
    const under = ground(element);
    const colour = over(parse(getComputedStyle(element).color), under);
    const shades = [luminance(colour), luminance(under)].sort((a, b) => b - a);
    const ratio = (shades[0] + 0.05) / (shades[1] + 0.05);
    if (ratio < contrast) contrast = ratio;
    if (ratio < 4.5) dull.push(`${element.tagName}.${element.className}: ${element.textContent.slice(0, 40)} ${ratio.toFixed(2)}`);
  }
  const unnamed = [...document.querySelectorAll("button, input, select, textarea, a")]
    .filter((e) => e.checkVisibility())
    .filter((e) => !(e.labels?.length > 0 || e.getAttribute("aria-label") || e.textContent.trim()))
    .map((e) => e.outerHTML.slice(0, 80));
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  return {
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    contrast,
    dull,
    unnamed,
    twice: ids.filter((id, i) => ids.indexOf(id) !== i),
    dark: luminance(ground(document.body)) < 0.2,
  };
}

/** The worst of what was seen of a page in several states. */
function worst(view, seen) {
  view.overflow = Math.max(view.overflow ?? 0, seen.overflow);
  view.contrast = Math.min(view.contrast ?? 21, seen.contrast);
  view.dark = seen.dark;
  for (const list of ["dull", "unnamed", "twice"]) {
    view[list] = [...new Set([...(view[list] ?? []), ...seen[list]])];
  }
}

async function open(context, address) {
  const tab = await context.newPage();
  tab.setDefaultTimeout(20_000);
  tab.on("console", (message) => found.messages.push(message.text()));
  tab.on("pageerror", (error) => found.messages.push(String(error)));
  tab.on("request", (request) => {
    if (new URL(request.url()).origin !== origin) found.requests.push(request.url());
  });
  await tab.addInitScript(() => {
    globalThis.violations = [];
    addEventListener("securitypolicyviolation", (event) => {
      violations.push(`${event.effectiveDirective} ${event.blockedURI}`);
    });
  });
  await tab.goto(address);
  return tab;
}

async function close(tab) {
  found.violations.push(...await tab.evaluate(() => violations));
  await tab.close();
}

const shot = (tab, name) => pictures
  && tab.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true });

/** Waits until the answer is there, and why. */
async function settled(tab) {
  await tab.locator("#answer .head").waitFor();
  await tab.waitForFunction(() => document.querySelector("#results").getAttribute("aria-busy") === "false"
    && document.querySelector("#why").getAttribute("aria-busy") === "false"
    && document.querySelector("#explanation").childElementCount > 0);
}

/** What the answer and its explanation are. */
const shown = (tab) => tab.evaluate(() => {
  const text = (selector) => document.querySelector(selector)?.textContent ?? null;
  return {
    answer: text("#answer .label"),
    why: text("#why-title"),
    marks: document.querySelectorAll("#marked mark").length,
    same: text("#marked") === document.querySelector("#text").value,
    bars: document.querySelectorAll("#classes .bar").length,
    pressed: text('#classes .bar[aria-pressed="true"] .name'),
    alert: document.querySelector("#error").hidden ? null : text("#error"),
  };
});

/** Moves on by Tab until an element has the focus, and says how many steps that took. */
async function tabTo(tab, selector, most = 400) {
  for (let step = 1; step <= most; step++) {
    await tab.keyboard.press("Tab");
    if (await tab.evaluate((s) => document.activeElement?.matches(s), selector)) return step;
  }
  throw new Error(`${selector} is not reached by Tab`);
}

async function page(context, name) {
  const view = {};
  const tab = await open(context, url);
  await tab.locator("#facts:not([hidden])").waitFor();
  view.title = await tab.title();
  view.samples = await tab.locator("#sample-list button").count();
  view.models = await tab.locator("#model option").count();
  view.facts = await tab.locator("#facts-body dt").allTextContents();
  worst(view, await tab.evaluate(look));
  await shot(tab, `${name}-empty`);

  // A sample, or else a text; with a letter beyond 16 bits before its words, so that places must be right.
  if (view.samples > 0) {
    await tab.locator("#sample-list button").first().click();
    await settled(tab);
  }
  const text = await tab.locator("#text").inputValue() || "The ministry said that prices rose again.";
  await tab.locator("#text").fill(`\u{1F4F0} ${text}`);
  await tab.locator("#classify").click();
  await tab.waitForFunction(() => document.querySelector("#marked")?.textContent === document.querySelector("#text").value);
  await settled(tab);
  view.classified = await shown(tab);
  await tab.evaluate(() => document.querySelectorAll("#why details").forEach((d) => { d.open = true; }));
  view.rows = await tab.locator("#word-table tbody tr").count();
  worst(view, await tab.evaluate(look));
  await shot(tab, `${name}-answered`);

  // Another class, by its bar, and then against the first one.
  const bars = tab.locator("#classes .bar");
  if (await bars.count() > 1) {
    const first = await bars.nth(0).getAttribute("data-class");
    const other = await bars.nth(1).getAttribute("data-class");
    await bars.nth(1).click();
    await tab.waitForFunction((c) => document.querySelector("#why-title").textContent === `Why ${c}`, other);
    await settled(tab);
    view.explained = await shown(tab);
    await tab.locator("#explain-against").selectOption(`=${first}`);
    await tab.waitForFunction(([c, a]) => document.querySelector("#why-title").textContent === `Why ${c} rather than ${a}`, [other, first]);
    await settled(tab);
    view.against = await shown(tab);
    worst(view, await tab.evaluate(look));
    await shot(tab, `${name}-against`);
  }
  if (await tab.locator("#show-all").isVisible()) {
    await tab.locator("#show-all").click();
    view.all = await bars.count();
    await tab.locator("#show-all").click();
  }

  // A correction with a class of the model, and one with a new class, which asks again.
  view.feedback = await tab.locator("#correct").isVisible();
  if (view.feedback) {
    const known = await tab.locator("#explain-class option").last().getAttribute("value");
    await tab.locator("#right-label").fill(known);
    await tab.locator("#send-correction").click();
    await tab.waitForFunction(() => document.querySelector("#correct-note").textContent.includes("Thank you"));
    view.thanks = await tab.locator("#correct-note").textContent();
    await tab.locator("#right-label").fill("a class of tomorrow");
    await tab.locator("#send-correction").click();
    await tab.waitForFunction(() => document.querySelector("#correct-note").textContent.includes("not a class"));
    view.confirm = await tab.locator("#correct-note").textContent();
    await tab.locator("#send-correction").click();
    await tab.waitForFunction(() => document.querySelector("#correct-note").textContent.includes("Thank you"));
    worst(view, await tab.evaluate(look));
    await shot(tab, `${name}-corrected`);
  }

  // Another model, where there is one.
  if (view.models > 1) {
    const next = await tab.locator("#model option").nth(1).getAttribute("value");
    await tab.locator("#model").selectOption(next);
    await tab.waitForFunction((n) => document.querySelector("#facts-title").textContent === `About the model ${n}`
      && document.querySelector("#answer").textContent.includes(`model ${n}`), next);
    await settled(tab);
    view.otherModel = await shown(tab);
    await tab.locator("#model").selectOption({ index: 0 });
    await tab.waitForFunction((n) => !document.querySelector("#answer").textContent.includes(`model ${n}`), next);
    await settled(tab);
  }

  // A file that is not UTF-8, and one that is.
  await tab.locator("#file").setInputFiles({ name: "latin1.txt", mimeType: "text/plain", buffer: Buffer.from([0x63, 0x61, 0x66, 0xe9]) });
  await tab.locator("#error:not([hidden])").waitFor();
  view.notUtf8 = await tab.locator("#error").textContent();
  worst(view, await tab.evaluate(look));
  await shot(tab, `${name}-error`);
  await tab.locator("#file").setInputFiles({ name: "wire.txt", mimeType: "text/plain", buffer: Buffer.from("A file with a few words.") });
  await tab.waitForFunction(() => document.querySelector("#text").value === "A file with a few words."
    && document.querySelector("#marked")?.textContent === "A file with a few words.");
  await settled(tab);
  view.file = await shown(tab);

  // A text of nothing known gets a sentence.
  await tab.locator("#text").fill("\u{1F9FF}");
  await tab.locator("#text").press("Control+Enter");
  await tab.waitForFunction(() => document.querySelector("#answer .unsure") !== null
    || document.querySelector("#marked")?.textContent === "\u{1F9FF}");
  await settled(tab);
  view.unknown = await tab.locator("#answer").textContent();
  worst(view, await tab.evaluate(look));
  await shot(tab, `${name}-unknown`);

  // The list of what was tried, which lasts over a reload.
  view.tried = await tab.locator("#history-list button").count();
  await tab.reload();
  await tab.locator("#facts:not([hidden])").waitFor();
  const last = tab.locator("#history-list button").last();
  await last.click();
  await settled(tab);
  view.restored = await tab.locator("#text").inputValue();
  await tab.locator("#clear-history").click();
  view.cleared = await tab.locator("#history-list button").count();
  await close(tab);
  return view;
}

/** The whole way by keyboard alone. */
async function keyboard(context) {
  const view = { steps: {} };
  const tab = await open(context, url);
  await tab.locator("#facts:not([hidden])").waitFor();
  await tab.keyboard.press("Tab");
  view.skip = await tab.evaluate(() => document.activeElement.className);
  await tab.keyboard.press("Enter");
  await tab.waitForFunction(() => document.activeElement.id === "text");
  await tab.keyboard.type("The bank raised its rates, and the price of wheat fell.");
  view.steps.classify = await tabTo(tab, "#classify");
  view.outline = await tab.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  await tab.keyboard.press("Enter");
  await settled(tab);
  view.classified = await shown(tab);
  view.steps.bar = await tabTo(tab, "#classes .bar:not([aria-pressed=true])");
  const chosen = await tab.evaluate(() => document.activeElement.dataset.class);
  await tab.keyboard.press("Enter");
  await tab.waitForFunction((c) => document.querySelector("#why-title").textContent === `Why ${c}`, chosen);
  await settled(tab);
  view.explained = await shown(tab);
  view.focusKept = await tab.evaluate(() => document.activeElement.matches("#classes .bar"));
  view.steps.against = await tabTo(tab, "#explain-against");
  if (await tab.locator("#word-table summary").count() > 0) {
    view.steps.table = await tabTo(tab, "#word-table summary");
    await tab.keyboard.press("Enter");
    view.rows = await tab.locator("#word-table tbody tr").count();
  }
  if (await tab.locator("#correct").isVisible()) {
    view.steps.correct = await tabTo(tab, "#right-label");
    await tab.keyboard.type("a class of tomorrow");
    await tab.keyboard.press("Enter");
    await tab.waitForFunction(() => document.querySelector("#correct-note").textContent.includes("not a class"));
    await tab.keyboard.press("Enter");
    await tab.waitForFunction(() => document.querySelector("#correct-note").textContent.includes("Thank you"));
    view.thanks = await tab.locator("#correct-note").textContent();
  }
  if (await tab.locator("#sample-list button").count() > 0) {
    view.steps.sample = await tabTo(tab, "#sample-list button");
    await tab.keyboard.press("Enter");
    await tab.waitForFunction(() => document.querySelector("#marked")?.textContent === document.querySelector("#text").value);
    await settled(tab);
    view.sample = await shown(tab);
  }
  view.steps.history = await tabTo(tab, "#history-list button");
  await tab.keyboard.press("Space");
  await settled(tab);
  await close(tab);
  return view;
}

async function docs(context, name) {
  const view = {};
  const tab = await open(context, `${origin}/docs#unknown_class`);
  await tab.locator('#routes[aria-busy="false"]').waitFor();
  await tab.waitForFunction(() => {
    const { top } = document.getElementById("unknown_class").getBoundingClientRect();
    return top >= -1 && top < innerHeight;
  });
  view.title = await tab.title();
  view.version = await tab.locator("#version").textContent();
  view.operations = await tab.locator(".operation").count();
  view.problems = await tab.locator(".problem").count();
  view.broken = await tab.evaluate(() => [...document.querySelectorAll('a[href^="#"]')]
    .map((a) => a.getAttribute("href").slice(1)).filter((id) => !document.getElementById(id)));
  const classify = tab.locator("#operation-classify");
  await classify.locator("textarea").fill('{"text": "The bank raised its rates."}');
  view.curl = await classify.locator('pre[aria-label="Command line"]').textContent();
  await classify.locator(".send").press("Enter");
  view.status = await classify.locator(".response .status").textContent();
  view.body = await classify.locator(".response-body").textContent();
  await tab.evaluate(() => document.querySelectorAll("#operation-classify details").forEach((d) => { d.open = true; }));
  view.headers = await classify.locator(".response-headers").textContent();
  worst(view, await tab.evaluate(look));
  if (pictures) {
    await tab.evaluate(() => scrollTo(0, 0));
    await tab.screenshot({ path: path.join(pictures, `${name}-docs.png`) });
    await classify.screenshot({ path: path.join(pictures, `${name}-docs-classify.png`) });
  }
  await close(tab);
  return view;
}

try {
  for (const [name, width, height, colorScheme] of [
    ["desktop-light", 1280, 900, "light"],
    ["desktop-dark", 1280, 900, "dark"],
    ["phone-light", 390, 844, "light"],
    ["phone-dark", 390, 844, "dark"],
  ]) {
    // Without motion nothing is seen half-way.
    const options = { viewport: { width, height }, colorScheme, reducedMotion: "reduce" };
    const context = await browser.newContext(options);
    const view = await page(context, name);
    view.docs = await docs(context, name);
    if (name === "desktop-light" || name === "phone-dark") view.keyboard = await keyboard(context);
    found.views[name] = view;
    await context.close();
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify(found));
