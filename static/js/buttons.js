// Buttons that only a script can serve: they stay hidden without one.
export function offerPrinting(button) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

export function offerCopying(button) {
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  const words = button.textContent;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.target).value);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = words; }, 3000);
  });
}
