// The browser asks before somebody leaves a long form with changes that are not saved.
export function keepDraftWarning(form) {
  let hasChanges = false;
  form.addEventListener("input", () => { hasChanges = true; });
  form.addEventListener("submit", () => { hasChanges = false; });
  window.addEventListener("beforeunload", (event) => { if (hasChanges) event.preventDefault(); });
}
