import { pasteCells } from "./paste.js";

// Totals as you type: sums the homes of a table of lines, in all and by each way of dividing them.
const figure = (count) => count.toLocaleString("en-GB");

// What a box of a line says, in the words of the page that the server wrote.
const chosen = (row, name) => row.querySelector(`select[name$="-${name}"]`)?.selectedOptions[0]?.text ?? "";
const said = {
  tenure: (row) => chosen(row, "tenure"),
  "needs-type": (row) => chosen(row, "needs"),
  bedrooms: (row) => {
    const words = chosen(row, "bedrooms");
    if (words === "Not known") return "Bedrooms not known";
    return /^\d+$/.test(words) ? `${words} bedroom${words === "1" ? "" : "s"}` : words;
  },
  year: (row) => row.querySelector('input[name$="-year"]')?.value.trim() || "Year not given",
};

export function totalHomes(table) {
  const total = table.querySelector("[data-homes-total]");
  if (!total) return;
  const form = table.closest("form");
  const places = [...(form?.querySelectorAll("[data-homes-by]") ?? [])];
  form?.querySelector("[data-homes-work-out]")?.setAttribute("hidden", "");
  const sum = () => {
    const divided = new Map(places.map((place) => [place, new Map()]));
    let all = 0;
    for (const row of table.querySelectorAll("tbody tr")) {
      const count = Number.parseInt(row.querySelector("[data-homes-count]")?.value ?? "", 10) || 0;
      if (!count) continue;
      all += count;
      for (const [place, sums] of divided) {
        const words = said[place.dataset.homesBy]?.(row) ?? "";
        sums.set(words, (sums.get(words) ?? 0) + count);
      }
    }
    total.textContent = figure(all);
    for (const [place, sums] of divided) {
      place.textContent = [...sums].map(([words, count]) => `${words}: ${figure(count)}`).join(", ") || "None yet";
    }
  };
  table.addEventListener("input", sum);
  pasteCells(table, sum);
  sum();
}
