// Buttons that work only with a script, and so are hidden until one runs.
export function offerPrinting(button) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

export function offerCopying(button) {
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  const label = button.textContent;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.target).value);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = label; }, 3000);
  });
}
