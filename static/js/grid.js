// Moving in a grid of numbers: arrows at the edge of a box, and Enter, go to the next box.
const boxes = (row) => [...(row?.querySelectorAll("input:not([type=hidden])") ?? [])];

export function moveByKeys(table, addRow) {
  table.addEventListener("keydown", (event) => {
    const box = event.target;
    if (box.tagName !== "INPUT" || event.altKey || event.ctrlKey || event.metaKey) return;
    const row = box.closest("tr");
    const at = boxes(row).indexOf(box);
    const rows = [...table.querySelectorAll("thead tr, tbody tr")];
    const place = rows.indexOf(row);
    const down = () => rows[place + 1] ?? (event.key === "Enter" ? addRow() : null);
    const moves = {
      ArrowUp: () => boxes(rows[place - 1])[at],
      ArrowDown: () => boxes(down())[at],
      Enter: () => boxes(down())[at],
      ArrowLeft: () => box.selectionStart === 0 && box.selectionEnd === 0 && boxes(row)[at - 1],
      ArrowRight: () => box.selectionStart === box.value.length && boxes(row)[at + 1],
    };
    const next = moves[event.key]?.();
    if (event.key === "Enter") event.preventDefault(); // Enter in a grid does not send the form
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.select();
  });
}
