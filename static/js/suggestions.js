// Escape closes the suggestions below a search box and keeps what was typed.
export function dismissSuggestions(input) {
  const list = document.querySelector(input.getAttribute("hx-target"));
  input.form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") list.replaceChildren();
  });
  list.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    list.replaceChildren();
    input.focus();
  });
}
