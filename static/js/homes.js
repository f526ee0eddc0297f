import { moveByKeys } from "./grid.js";
import { pasteCells } from "./paste.js";

// The grid of a site's homes: totals while somebody types, arrow keys, and cells pasted from a spreadsheet.
const formatted = (count) => count.toLocaleString("en-GB");
export const numberIn = (box) => Number.parseInt((box?.value ?? "").replaceAll(",", ""), 10) || 0;

const headings = (table) => [...table.querySelectorAll("thead input")];
const rowsOf = (table) => [...table.querySelectorAll("tbody tr")];
const countBoxes = (row) => [...row.querySelectorAll("[data-homes-count]")];
const numberOfBoxes = (part) => part.querySelectorAll("select, input").length;
// Django refuses a form with more boxes than this.
const hasRoomFor = (table, more) => numberOfBoxes(table) + more <= Number(table.dataset.homesBoxes);

// A new row is a copy of the last one, which the server made, with the next number in each name. Returns null if no row
// can be added.
function addRow(table) {
  const lastRow = rowsOf(table).at(-1);
  const form = table.closest("form");
  const total = form?.querySelector('input[name$="-TOTAL_FORMS"]');
  const number = Number(total?.value);
  if (!total || number >= Number(form.querySelector('input[name$="-MAX_NUM_FORMS"]')?.value)) return null;
  if (!hasRoomFor(table, numberOfBoxes(lastRow))) return null;
  const row = lastRow.cloneNode(true);
  for (const field of row.querySelectorAll("select, input")) {
    for (const attribute of ["name", "id"]) {
      field.setAttribute(attribute, field.getAttribute(attribute).replace(/-\d+-/, `-${number}-`));
    }
    field.setAttribute("aria-label", field.getAttribute("aria-label").replace(/\d+$/, String(number + 1)));
    if (field.tagName === "INPUT") field.value = "";
  }
  lastRow.after(row);
  total.value = String(number + 1);
  return row;
}

// Gives a year to the first empty column, or else to a new last column. Returns the index of the column, or -1 if there
// can be no more columns.
function addYear(table, year) {
  const hasHomes = (column) => rowsOf(table).some((row) => numberIn(countBoxes(row)[column]));
  const emptyHeading = headings(table).find((box, column) => !box.value && !hasHomes(column));
  // The last column is for homes without a year.
  if (emptyHeading && emptyHeading !== headings(table).at(-1)) {
    emptyHeading.value = year;
    return headings(table).indexOf(emptyHeading);
  }
  const number = headings(table).length;
  const numberOfYears = table.closest("form").querySelector('input[name="homes-YEARS"]');
  if (number >= 20 || !hasRoomFor(table, rowsOf(table).length + 1)) return -1;
  const copyCell = (cell, newLabel) => {
    const newCell = cell.cloneNode(true);
    const box = newCell.querySelector("input");
    if (box) {
      for (const attribute of ["name", "id"]) {
        box.setAttribute(attribute, box.getAttribute(attribute).replace(/\d+$/, String(number)));
      }
      box.setAttribute("aria-label", newLabel(box.getAttribute("aria-label")));
      box.value = "";
    }
    cell.after(newCell);
    return box;
  };
  const heading = copyCell(headings(table).at(-1).closest("th"), () => `Year of column ${number + 1}`);
  heading.value = year;
  for (const row of rowsOf(table)) {
    copyCell(countBoxes(row).at(-1).closest("td"), (label) => label.replace(/, [^,]+, /, `, ${year}, `));
  }
  const columnTotals = [...table.querySelectorAll("[data-homes-column]")];
  columnTotals.at(-1).after(columnTotals.at(-1).cloneNode(true));
  numberOfYears.value = String(number + 1);
  return number;
}

export function totalHomes(table) {
  const grandTotal = table.querySelector("[data-homes-total]");
  if (!grandTotal) return;
  // The button “Update totals” is for people without scripts.
  table.closest("form")?.querySelector("[data-homes-work-out]")?.setAttribute("hidden", "");
  const updateTotals = () => {
    const columnTotals = headings(table).map(() => 0);
    const years = headings(table).map((box) => box.value.trim() || "No year");
    for (const row of rowsOf(table)) {
      for (const [column, box] of countBoxes(row).entries()) box.closest("td").dataset.label = years[column];
      const numbers = countBoxes(row).map(numberIn);
      for (const [column, number] of numbers.entries()) columnTotals[column] += number;
      row.querySelector("[data-homes-row]").textContent = formatted(numbers.reduce((sum, number) => sum + number, 0));
    }
    for (const [column, cell] of [...table.querySelectorAll("[data-homes-column]")].entries()) {
      cell.textContent = formatted(columnTotals[column] ?? 0);
    }
    grandTotal.textContent = formatted(columnTotals.reduce((sum, number) => sum + number, 0));
  };
  const grid = {
    headings: () => headings(table).map((box) => box.value.trim()),
    rows: () => rowsOf(table),
    counts: countBoxes,
    addRow: () => addRow(table),
    addYear: (year) => addYear(table, year),
  };
  table.addEventListener("input", updateTotals);
  moveByKeys(table, grid.addRow);
  pasteCells(table, grid, updateTotals);
  updateTotals();
}
