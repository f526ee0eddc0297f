// Pastes cells from a spreadsheet into the grid of homes: a block from the cell where the person is, or a table with
// headings, with a column for each year or with a year in each row.
const simplified = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "");
const YEAR = /^\s*\d{4}(\s*[-/–]\s*(\d{2}|\d{4}))?\s*$/;
const COUNT_HEADINGS = new Set(["homes", "units", "number", "count", "dwellings", "numberofhomes"]);

// How people write a number of bedrooms: "2 bed", "3b", "studio".
const bedroomsIn = (text) => text.match(/^\s*(\d+)\s*-?\s*b(ed(room)?s?)?\s*$/i)?.[1] ?? text;
// "2027/2028" becomes "2027-28", as the page writes it.
const asOnPage = (year) => year.trim().replace(/\s*[-/–]\s*(?:\d{2})?(\d{2})$/, "-$1");

// Chooses the option that a pasted cell means. Returns whether there is one.
function choose(select, cell) {
  const text = select.name.endsWith("-bedrooms") ? bedroomsIn(cell) : cell.replace(/ needs$/i, "");
  const isMeant = (name) => simplified(name) === simplified(text);
  const match = [...select.options].find((option) => [option.text, option.value].some(isMeant));
  if (!match) {
    // "Not known" is better than the tenure that happened to be chosen before.
    if ([...select.options].some((option) => option.value === "unknown")) select.value = "unknown";
    return false;
  }
  select.value = match.value;
  return true;
}

// Enters a pasted cell into a field. Returns whether the cell was understood.
function fill(field, cell) {
  const text = cell.trim();
  if (!field || !text) return true;
  if (field.tagName === "SELECT") return choose(field, text);
  field.value = text;
  return true;
}

// Returns what each column has, if the first row has headings: tenure, bedrooms, needs, year, count, or homes of one year.
function kindsOfColumns(cells) {
  const kinds = cells.map((cell) => {
    const heading = simplified(cell);
    if (YEAR.test(cell)) return { year: asOnPage(cell) };
    if (heading.startsWith("tenure")) return { field: "tenure" };
    if (heading.startsWith("bed")) return { field: "bedrooms" };
    if (heading.startsWith("need")) return { field: "needs" };
    if (heading === "year" || heading === "financialyear") return { field: "year" };
    return COUNT_HEADINGS.has(heading) ? { field: "count" } : {};
  });
  return kinds.some((kind) => kind.field === "tenure") ? kinds : null;
}

// Five cells in a row with a year in the fourth are a line of a list: tenure, bedrooms, needs, year, homes.
const KINDS_IN_LIST = ["tenure", "bedrooms", "needs", "year", "count"].map((field) => ({ field }));
const isList = (rows) => rows.every((row) => row.length === 5) && rows.some((row) => YEAR.test(row[3]));

// Returns the row for these kinds of homes, and how many of their cells were not understood: the row that has the same
// kinds, or else the first row without homes, or else a new row. The row is null if there is no room for it.
function rowFor(grid, cellByField) {
  const fields = ["tenure", "bedrooms", "needs"];
  const probe = grid.rows()[0].cloneNode(true);
  const unread = fields.filter((name) => {
    const select = probe.querySelector(`select[name$="-${name}"]`);
    select.selectedIndex = 0;
    return !cellByField[name]?.trim() ? false : !choose(select, cellByField[name]);
  }).length;
  const values = fields.map((name) => probe.querySelector(`select[name$="-${name}"]`).value);
  const selectsOf = (row) => fields.map((name) => row.querySelector(`select[name$="-${name}"]`));
  const isEmpty = (row) => grid.counts(row).every((box) => !box.value.trim());
  const hasSameKinds = (row) => selectsOf(row).every((select, index) => select.value === values[index]);
  const sameRow = grid.rows().find((row) => !isEmpty(row) && hasSameKinds(row));
  const row = sameRow ?? grid.rows().find(isEmpty) ?? grid.addRow();
  if (row) for (const [index, select] of selectsOf(row).entries()) select.value = values[index];
  return [row, unread];
}

// Returns the index of the column of a year, which is added if need be; -1 if there is no room for it.
function columnFor(grid, year) {
  const column = grid.headings().lastIndexOf(year);
  return column >= 0 ? column : grid.addYear(year);
}

const isTotal = (text) => /^\s*(grand |sub-?)?totals?\b/i.test(text ?? "");
const numberIn = (text) => Number.parseInt(text.replaceAll(",", ""), 10);

// Enters a number of homes. Two pasted rows for the same homes are added together, as the page says.
function enter(box, text, filledBoxes) {
  const sum = numberIn(box.value) + numberIn(text);
  box.value = filledBoxes.has(box) && !Number.isNaN(sum) ? String(sum) : text;
  filledBoxes.add(box);
}

function pasteTable(grid, kinds, rows) {
  const result = { pasted: 0, unread: 0, left: 0 };
  const filledBoxes = new Set();
  for (const cells of rows) {
    const cellByField = {};
    const counts = [];
    for (const [index, kind] of kinds.entries()) {
      if (kind.year !== undefined) counts.push([kind.year, cells[index] ?? ""]);
      else if (kind.field) cellByField[kind.field] = cells[index] ?? "";
    }
    if ("count" in cellByField) counts.push([cellByField.year?.trim() ? asOnPage(cellByField.year) : "", cellByField.count]);
    if (isTotal(cellByField.tenure)) continue;
    const [row, unread] = rowFor(grid, cellByField);
    result.unread += unread;
    const entries = counts.filter(([, text]) => text.trim()).map(([year, text]) => [columnFor(grid, year), text]);
    if (!row || entries.some(([column]) => column < 0)) { result.left += 1; continue; }
    for (const [column, text] of entries) enter(grid.counts(row)[column], text.trim(), filledBoxes);
    result.pasted += 1;
  }
  return result;
}

function pasteBlock(grid, firstCell, rows) {
  const result = { pasted: 0, unread: 0, left: 0 };
  const firstRow = grid.rows().indexOf(firstCell.parentElement);
  const firstColumn = [...firstCell.parentElement.cells].indexOf(firstCell);
  for (const [down, cells] of rows.entries()) {
    const row = grid.rows()[firstRow + down] ?? grid.addRow();
    if (!row) { result.left += 1; continue; }
    for (const [across, cell] of cells.entries()) {
      if (!fill(row.cells[firstColumn + across]?.querySelector("select, input"), cell)) result.unread += 1;
    }
    result.pasted += 1;
  }
  return result;
}

function inWords({ pasted, unread, left }) {
  const pastedRows = pasted === 1 ? "1 row" : `${pasted} rows`;
  const unreadCells = unread === 1 ? "1 cell was" : `${unread} cells were`;
  const rowsLeft = left === 1 ? "1 row does" : `${left} rows do`;
  return (
    `${pastedRows} pasted.` +
    (left ? ` ${rowsLeft} not fit into the table: import them from a spreadsheet.` : "") +
    (unread ? ` ${unreadCells} not recognised: please check them.` : "")
  );
}

export function pasteCells(table, grid, onPasted) {
  const message = document.createElement("p");
  message.className = "govuk-hint";
  message.setAttribute("role", "status");
  table.parentElement.after(message);
  table.addEventListener("paste", (event) => {
    const text = (event.clipboardData?.getData("text/plain") ?? "").replaceAll("\r", "").replace(/\n+$/, "");
    if (!/[\t\n]/.test(text)) return; // the browser pastes a single value itself
    const rows = text.split("\n").map((row) => row.split("\t"));
    const kinds = kindsOfColumns(rows[0]);
    const cell = event.target.closest("td");
    if (!kinds && !cell) return;
    event.preventDefault();
    const pastesList = !kinds && isList(rows);
    const result = kinds ? pasteTable(grid, kinds, rows.slice(1))
      : pastesList ? pasteTable(grid, KINDS_IN_LIST, rows) : pasteBlock(grid, cell, rows);
    message.textContent = inWords(result);
    onPasted();
  });
}
