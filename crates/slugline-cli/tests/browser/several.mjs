// Corrects answers of a model that gives any number of labels: to none, and to one that is new. Says what the
// page says as one JSON object.
// Usage: node several.mjs CHROMIUM URL
import { chromium } from "playwright-core";

const [executablePath, url] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const page = await browser.newPage();
const found = { messages: [], said: [] };
page.on("console", (message) => found.messages.push(message.text()));
page.on("pageerror", (error) => found.messages.push(String(error)));

/** Sends the form and waits until the page says what begins so. */
async function send(beginning) {
  await page.locator("#send-correction").click();
  const note = page.locator("#correct-note", { hasText: beginning });
  await note.waitFor();
  found.said.push(await note.textContent());
}

/** Has a text answered, and waits for its empty form. */
async function classify(text) {
  await page.locator("textarea").first().fill(text);
  await page.keyboard.press("Control+Enter");
  await page.locator("#correct").waitFor();
  await page.waitForFunction(() => document.getElementById("correct-note").textContent === "");
}

await page.goto(url);
await classify("nothing of all that");
await send("There is no label");
await send("Thank you");
await classify("gold and silver rose");
await page.locator("#right-label").fill("gold, silver");
await send("“silver”");
await send("Thank you");
await browser.close();
console.log(JSON.stringify(found));
