// Totals as you type: sums the homes of a table of lines, in all and by tenure.
export function totalHomes(table) {
  const total = table.querySelector("[data-homes-total]");
  if (!total) return;
  const sum = () => {
    const byTenure = new Map();
    let all = 0;
    for (const row of table.querySelectorAll("tbody tr")) {
      const count = Number.parseInt(row.querySelector("[data-homes-count]")?.value ?? "", 10) || 0;
      const tenure = row.querySelector("select")?.selectedOptions[0]?.text ?? "";
      if (count) byTenure.set(tenure, (byTenure.get(tenure) ?? 0) + count);
      all += count;
    }
    const parts = [...byTenure].map(([tenure, count]) => `${count.toLocaleString("en-GB")} ${tenure}`);
    total.textContent = parts.length > 1 ? `${all.toLocaleString("en-GB")} (${parts.join(", ")})` : all.toLocaleString("en-GB");
  };
  table.addEventListener("input", sum);
  sum();
}
