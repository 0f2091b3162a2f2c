// Opens a page from a file in headless Chromium, at desktop and phone width, in light and dark and for
// print, and says what it found as one JSON object: console messages, requests beyond the file, widths,
// headings, and whether tables sort. Usage: node page.mjs CHROMIUM PAGE [FOLDER-FOR-PICTURES]
import { pathToFileURL } from "node:url";
import path from "node:path";
import { chromium } from "playwright-core";

const [executablePath, page, pictures] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const found = { messages: [], requests: [], views: {} };
const address = pathToFileURL(path.resolve(page)).href;

for (const [name, width, height, colorScheme] of [
  ["desktop-light", 1280, 900, "light"],
  ["desktop-dark", 1280, 900, "dark"],
  ["phone-light", 390, 844, "light"],
  ["phone-dark", 390, 844, "dark"],
]) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, offline: true });
  const tab = await context.newPage();
  tab.on("console", (message) => found.messages.push(message.text()));
  tab.on("pageerror", (error) => found.messages.push(String(error)));
  tab.on("request", (request) => {
    if (request.url() !== address) found.requests.push(request.url());
  });
  await tab.goto(address);
  const view = await tab.evaluate(() => {
    const seen = (element) => element.getClientRects().length > 0;
    const luminance = (colour) => {
      const [r, g, b] = colour.match(/[\d.]+/g).slice(0, 3).map((value) => {
        const v = Number(value) / 255;
        return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const style = getComputedStyle(document.body);
    const shades = [luminance(style.color), luminance(style.backgroundColor)].sort((a, b) => b - a);
    return {
      title: document.title,
      headings: [...document.querySelectorAll("h1, h2")].map((h) => h.textContent),
      marks: document.querySelectorAll("mark").length,
      pictures: [...document.querySelectorAll("figure")].filter(seen).length,
      rows: document.querySelectorAll("table.sortable tbody tr").length,
      overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      contrast: (shades[0] + 0.05) / (shades[1] + 0.05),
      dark: luminance(style.backgroundColor) < 0.2,
    };
  });
  const buttons = tab.locator("table.sortable th button");
  view.sorted = [];
  for (let i = 0; i < await buttons.count(); i++) {
    await buttons.nth(i).press("Enter");
    view.sorted.push(await tab.evaluate((column) => {
      const table = document.querySelector("table.sortable");
      const falling = table.tHead.rows[0].cells[column].getAttribute("aria-sort") === "descending";
      const cells = [...table.tBodies[0].rows].map((row) => row.cells[column].textContent.trim());
      const numbers = cells.map((cell) => parseFloat(cell.replaceAll(",", "")));
      const inOrder = (a, b) => falling ? a >= b : a <= b;
      return column === 0
        ? cells.every((cell, i) => i === 0 || inOrder(cells[i - 1].localeCompare(cell), 0))
        : numbers.filter((n) => !Number.isNaN(n)).every((n, i, all) => i === 0 || inOrder(all[i - 1], n));
    }, i));
  }
  found.views[name] = view;
  if (pictures) {
    await tab.reload();
    await tab.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true });
    if (name === "desktop-light") {
      await tab.pdf({ path: path.join(pictures, "print.pdf"), format: "A4" });
    }
  }
  if (name === "desktop-dark") {
    await tab.emulateMedia({ media: "print" });
    found.print = await tab.evaluate(() => ({
      background: getComputedStyle(document.body).backgroundColor,
      nav: document.querySelector("nav")?.getClientRects().length ?? 0,
      pictures: [...document.querySelectorAll("figure")].filter((f) => f.getClientRects().length > 0).length,
    }));
  }
  await context.close();
}
await browser.close();
console.log(JSON.stringify(found));
