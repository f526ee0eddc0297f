// Pastes a block of cells from a spreadsheet into a table of lines, from the cell where the person is.
const bare = (words) => words.toLowerCase().replace(/[^a-z0-9]+/g, "");

// How people write a number of bedrooms: "2 bed", "3b", "studio".
const bedrooms = (words) => words.match(/^\s*(\d+)\s*-?\s*b(ed(room)?s?)?\s*$/i)?.[1] ?? words;

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

function fill(cell, words) {
  const field = cell?.querySelector("select, input");
  const said = words.trim();
  if (!field || !said) return true;
  if (field.tagName === "SELECT") return choose(field, said);
  field.value = "homesCount" in field.dataset ? said.replaceAll(",", "") : said;
  return true;
}

function addLine(table) {
  const last = table.querySelector("tbody tr:last-child");
  const total = table.closest("form")?.querySelector('input[name$="-TOTAL_FORMS"]');
  const limit = Number(table.closest("form")?.querySelector('input[name$="-MAX_NUM_FORMS"]')?.value ?? 0);
  const number = Number(total?.value);
  if (!total || number >= limit) return null;
  const line = last.cloneNode(true);
  for (const field of line.querySelectorAll("select, input")) {
    for (const name of ["name", "id"]) {
      field.setAttribute(name, field.getAttribute(name).replace(/-\d+-/, `-${number}-`));
    }
    field.setAttribute("aria-label", field.getAttribute("aria-label").replace(/\d+$/, String(number + 1)));
    if (field.tagName === "INPUT") field.value = "";
  }
  last.after(line);
  total.value = String(number + 1);
  return line;
}

export function pasteCells(table, onPasted) {
  const said = document.createElement("p");
  said.className = "govuk-hint";
  said.setAttribute("role", "status");
  table.parentElement.after(said);
  table.addEventListener("paste", (event) => {
    const text = (event.clipboardData?.getData("text/plain") ?? "").replaceAll("\r", "").replace(/\n+$/, "");
    const cell = event.target.closest("td");
    if (!cell || !/[\t\n]/.test(text)) return; // the browser pastes a single value itself
    event.preventDefault();
    const lines = [...table.querySelectorAll("tbody tr")];
    const first = lines.indexOf(cell.parentElement);
    const at = [...cell.parentElement.cells].indexOf(cell);
    let unread = 0;
    let pasted = 0;
    const copied = text.split("\n");
    for (const [down, row] of copied.entries()) {
      const line = lines[first + down] ?? addLine(table);
      if (!line) break;
      pasted += 1;
      for (const [across, words] of row.split("\t").entries()) {
        if (!fill(line.cells[at + across], words)) unread += 1;
      }
    }
    const rows = pasted === 1 ? "1 row" : `${pasted} rows`;
    const cells = unread === 1 ? "1 cell was" : `${unread} cells were`;
    const left = copied.length - pasted;
    const others = left === 1 ? "1 row does" : `${left} rows do`;
    said.textContent =
      `${rows} pasted.` +
      (left ? ` ${others} not fit into the table: import them from a spreadsheet.` : "") +
      (unread ? ` ${cells} not recognised: please check them.` : "");
    onPasted();
  });
}
