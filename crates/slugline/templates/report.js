"use strict";
// Sorts a table by the column whose heading is pressed: numbers as numbers, the largest first.
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  headings.forEach((heading, column) => {
    heading.querySelector("button")?.addEventListener("click", () => {
      const numbers = heading.classList.contains("number");
      const before = heading.getAttribute("aria-sort");
      const falling = before === "none" ? numbers : before === "ascending";
      for (const other of headings) {
        if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
      }
      heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const text = (row) => row.cells[column].textContent.trim();
      const number = (row) => {
        const value = parseFloat(text(row).replaceAll(",", ""));
        return Number.isNaN(value) ? -Infinity : value;
      };
      const rising = (a, b) =>
        numbers ? number(a) - number(b) : text(a).localeCompare(text(b));
      const rows = [...body.rows].sort((a, b) => (falling ? -rising(a, b) : rising(a, b)));
      body.append(...rows);
    });
  });
}
