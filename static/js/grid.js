// Moving in a grid of numbers: Enter, and arrow keys at the edge of a box, go to the next box.
const boxesOf = (row) => [...(row?.querySelectorAll("input:not([type=hidden])") ?? [])];

export function moveByKeys(table, addRow) {
  table.addEventListener("keydown", (event) => {
    const box = event.target;
    if (box.tagName !== "INPUT" || event.altKey || event.ctrlKey || event.metaKey) return;
    const row = box.closest("tr");
    const column = boxesOf(row).indexOf(box);
    const rows = [...table.querySelectorAll("thead tr, tbody tr")];
    const rowIndex = rows.indexOf(row);
    const rowBelow = () => rows[rowIndex + 1] ?? (event.key === "Enter" ? addRow() : null);
    const nextBoxByKey = {
      ArrowUp: () => boxesOf(rows[rowIndex - 1])[column],
      ArrowDown: () => boxesOf(rowBelow())[column],
      Enter: () => boxesOf(rowBelow())[column],
      ArrowLeft: () => box.selectionStart === 0 && box.selectionEnd === 0 && boxesOf(row)[column - 1],
      ArrowRight: () => box.selectionStart === box.value.length && boxesOf(row)[column + 1],
    };
    const nextBox = nextBoxByKey[event.key]?.();
    if (event.key === "Enter") event.preventDefault(); // Enter in a grid does not send the form
    if (!nextBox) return;
    event.preventDefault();
    nextBox.focus();
    nextBox.select();
  });
}
