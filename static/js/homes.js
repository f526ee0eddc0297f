import { moveByKeys } from "./grid.js";
import { pasteCells } from "./paste.js";

// The grid of a site's homes: totals as you type, keys and paste.
const figure = (count) => count.toLocaleString("en-GB");
export const counted = (box) => Number.parseInt((box?.value ?? "").replaceAll(",", ""), 10) || 0;

const headings = (table) => [...table.querySelectorAll("thead input")];
const rowsOf = (table) => [...table.querySelectorAll("tbody tr")];
const counts = (row) => [...row.querySelectorAll("[data-homes-count]")];
const boxesIn = (part) => part.querySelectorAll("select, input").length;
// A page can send this many boxes.
const fits = (table, more) => boxesIn(table) + more <= Number(table.dataset.homesBoxes);

// The server made the last row: a new one is its copy, with the next number in each name.
function addRow(table) {
  const last = rowsOf(table).at(-1);
  const form = table.closest("form");
  const total = form?.querySelector('input[name$="-TOTAL_FORMS"]');
  const number = Number(total?.value);
  if (!total || number >= Number(form.querySelector('input[name$="-MAX_NUM_FORMS"]')?.value)) return null;
  if (!fits(table, boxesIn(last))) return null;
  const row = last.cloneNode(true);
  for (const field of row.querySelectorAll("select, input")) {
    for (const name of ["name", "id"]) {
      field.setAttribute(name, field.getAttribute(name).replace(/-\d+-/, `-${number}-`));
    }
    field.setAttribute("aria-label", field.getAttribute("aria-label").replace(/\d+$/, String(number + 1)));
    if (field.tagName === "INPUT") field.value = "";
  }
  last.after(row);
  total.value = String(number + 1);
  return row;
}

// A new column stands last.
function addYear(table, year) {
  const free = headings(table).find((box, place) => !box.value && !rowsOf(table).some((row) => counted(counts(row)[place])));
  if (free && free !== headings(table).at(-1)) {
    free.value = year;
    return headings(table).indexOf(free);
  }
  const number = headings(table).length;
  const known = table.closest("form").querySelector('input[name="homes-YEARS"]');
  if (number >= 20 || !fits(table, rowsOf(table).length + 1)) return -1;
  const copy = (cell, field) => {
    const made = cell.cloneNode(true);
    const box = made.querySelector("input");
    if (box) {
      for (const name of ["name", "id"]) box.setAttribute(name, box.getAttribute(name).replace(/\d+$/, String(number)));
      box.setAttribute("aria-label", field(box.getAttribute("aria-label")));
      box.value = "";
    }
    cell.after(made);
    return box;
  };
  const heading = copy(headings(table).at(-1).closest("th"), () => `Year of column ${number + 1}`);
  heading.value = year;
  for (const row of rowsOf(table)) {
    copy(counts(row).at(-1).closest("td"), (label) => label.replace(/, [^,]+, /, `, ${year}, `));
  }
  const totals = [...table.querySelectorAll("[data-homes-column]")];
  totals.at(-1).after(totals.at(-1).cloneNode(true));
  known.value = String(number + 1);
  return number;
}

export function totalHomes(table) {
  const total = table.querySelector("[data-homes-total]");
  if (!total) return;
  table.closest("form")?.querySelector("[data-homes-work-out]")?.setAttribute("hidden", "");
  const sum = () => {
    const columns = headings(table).map(() => 0);
    const years = headings(table).map((box) => box.value.trim() || "No year");
    for (const row of rowsOf(table)) {
      for (const [place, box] of counts(row).entries()) box.closest("td").dataset.label = years[place];
      const numbers = counts(row).map(counted);
      for (const [place, number] of numbers.entries()) columns[place] += number;
      row.querySelector("[data-homes-row]").textContent = figure(numbers.reduce((all, one) => all + one, 0));
    }
    for (const [place, cell] of [...table.querySelectorAll("[data-homes-column]")].entries()) {
      cell.textContent = figure(columns[place] ?? 0);
    }
    total.textContent = figure(columns.reduce((all, one) => all + one, 0));
  };
  const grid = {
    headings: () => headings(table).map((box) => box.value.trim()),
    rows: () => rowsOf(table),
    counts,
    addRow: () => addRow(table),
    addYear: (year) => addYear(table, year),
  };
  table.addEventListener("input", sum);
  moveByKeys(table, grid.addRow);
  pasteCells(table, grid, sum);
  sum();
}
