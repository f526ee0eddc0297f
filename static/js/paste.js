// Pastes cells from a spreadsheet into the grid of homes: a block from the cell where the person is, or a table with
// headings, with a column for each year or with a year in each row.
const bare = (words) => words.toLowerCase().replace(/[^a-z0-9]+/g, "");
const YEAR = /^\s*\d{4}(\s*[-/–]\s*(\d{2}|\d{4}))?\s*$/;
const COUNTS = new Set(["homes", "units", "number", "count", "dwellings", "numberofhomes"]);

// How people write a number of bedrooms: "2 bed", "3b", "studio".
const bedrooms = (words) => words.match(/^\s*(\d+)\s*-?\s*b(ed(room)?s?)?\s*$/i)?.[1] ?? words;
// "2027/2028" as the page writes it.
const spelled = (year) => year.trim().replace(/\s*[-/–]\s*(?:\d{2})?(\d{2})$/, "-$1");

function choose(select, words) {
  const said = select.name.endsWith("-bedrooms") ? bedrooms(words) : words.replace(/ needs$/i, "");
  const found = [...select.options].find((option) => [option.text, option.value].some((one) => bare(one) === bare(said)));
  if (!found) {
    // Better "not known" than the tenure that happened to stand there.
    if ([...select.options].some((option) => option.value === "unknown")) select.value = "unknown";
    return false;
  }
  select.value = found.value;
  return true;
}

function fill(field, words) {
  const said = words.trim();
  if (!field || !said) return true;
  if (field.tagName === "SELECT") return choose(field, said);
  field.value = said;
  return true;
}

// What the first row says each column is, where it has headings: tenure, bedrooms, needs, year, count or a year.
function headed(cells) {
  const kinds = cells.map((cell) => {
    const word = bare(cell);
    if (YEAR.test(cell)) return { year: spelled(cell) };
    if (word.startsWith("tenure")) return { field: "tenure" };
    if (word.startsWith("bed")) return { field: "bedrooms" };
    if (word.startsWith("need")) return { field: "needs" };
    if (word === "year" || word === "financialyear") return { field: "year" };
    return COUNTS.has(word) ? { field: "count" } : {};
  });
  return kinds.some((kind) => kind.field === "tenure") ? kinds : null;
}

// Five cells in a row with a year in the fourth are a line of a list: tenure, bedrooms, needs, year, homes.
const LISTED = ["tenure", "bedrooms", "needs", "year", "count"].map((field) => ({ field }));
const isListed = (rows) => rows.every((row) => row.length === 5) && rows.some((row) => YEAR.test(row[3]));

// The row for these kinds of homes: the one that says the same, or else the first without homes.
function rowFor(grid, said) {
  const fields = ["tenure", "bedrooms", "needs"];
  const probe = grid.rows()[0].cloneNode(true);
  const unread = fields.filter((name) => {
    const select = probe.querySelector(`select[name$="-${name}"]`);
    select.selectedIndex = 0;
    return !said[name]?.trim() ? false : !choose(select, said[name]);
  }).length;
  const values = fields.map((name) => probe.querySelector(`select[name$="-${name}"]`).value);
  const selects = (row) => fields.map((name) => row.querySelector(`select[name$="-${name}"]`));
  const isEmpty = (row) => grid.counts(row).every((box) => !box.value.trim());
  const same = grid.rows().find((row) => !isEmpty(row) && selects(row).every((select, at) => select.value === values[at]));
  const row = same ?? grid.rows().find(isEmpty) ?? grid.addRow();
  if (row) for (const [at, select] of selects(row).entries()) select.value = values[at];
  return [row, unread];
}

function columnFor(grid, year) {
  const found = grid.headings().lastIndexOf(year);
  return found >= 0 ? found : grid.addYear(year);
}

const isTotal = (words) => /^\s*(grand |sub-?)?totals?\b/i.test(words ?? "");
const number = (words) => Number.parseInt(words.replaceAll(",", ""), 10);

// Two rows for the same homes are added together, as the page says.
function enter(box, said, filled) {
  const sum = number(box.value) + number(said);
  box.value = filled.has(box) && !Number.isNaN(sum) ? String(sum) : said;
  filled.add(box);
}

function pasteTable(grid, kinds, rows) {
  const done = { pasted: 0, unread: 0, left: 0 };
  const filled = new Set();
  for (const cells of rows) {
    const said = {};
    const counts = [];
    for (const [at, kind] of kinds.entries()) {
      if (kind.year !== undefined) counts.push([kind.year, cells[at] ?? ""]);
      else if (kind.field) said[kind.field] = cells[at] ?? "";
    }
    if ("count" in said) counts.push([said.year?.trim() ? spelled(said.year) : "", said.count]);
    if (isTotal(said.tenure)) continue;
    const [row, unread] = rowFor(grid, said);
    done.unread += unread;
    const places = counts.filter(([, words]) => words.trim()).map(([year, words]) => [columnFor(grid, year), words]);
    if (!row || places.some(([place]) => place < 0)) { done.left += 1; continue; }
    for (const [place, words] of places) enter(grid.counts(row)[place], words.trim(), filled);
    done.pasted += 1;
  }
  return done;
}

function pasteBlock(grid, cell, rows) {
  const done = { pasted: 0, unread: 0, left: 0 };
  const first = grid.rows().indexOf(cell.parentElement);
  const at = [...cell.parentElement.cells].indexOf(cell);
  for (const [down, words] of rows.entries()) {
    const row = grid.rows()[first + down] ?? grid.addRow();
    if (!row) { done.left += 1; continue; }
    for (const [across, said] of words.entries()) {
      if (!fill(row.cells[at + across]?.querySelector("select, input"), said)) done.unread += 1;
    }
    done.pasted += 1;
  }
  return done;
}

function inWords({ pasted, unread, left }) {
  const rows = pasted === 1 ? "1 row" : `${pasted} rows`;
  const cells = unread === 1 ? "1 cell was" : `${unread} cells were`;
  const others = left === 1 ? "1 row does" : `${left} rows do`;
  return (
    `${rows} pasted.` +
    (left ? ` ${others} not fit into the table: import them from a spreadsheet.` : "") +
    (unread ? ` ${cells} not recognised: please check them.` : "")
  );
}

export function pasteCells(table, grid, onPasted) {
  const said = document.createElement("p");
  said.className = "govuk-hint";
  said.setAttribute("role", "status");
  table.parentElement.after(said);
  table.addEventListener("paste", (event) => {
    const text = (event.clipboardData?.getData("text/plain") ?? "").replaceAll("\r", "").replace(/\n+$/, "");
    if (!/[\t\n]/.test(text)) return; // the browser pastes a single value itself
    const rows = text.split("\n").map((row) => row.split("\t"));
    const kinds = headed(rows[0]);
    const cell = event.target.closest("td");
    if (!kinds && !cell) return;
    event.preventDefault();
    const listed = !kinds && isListed(rows);
    const done = kinds ? pasteTable(grid, kinds, rows.slice(1))
      : listed ? pasteTable(grid, LISTED, rows) : pasteBlock(grid, cell, rows);
    said.textContent = inWords(done);
    onPasted();
  });
}
