// Long lists to choose from: type to find. The select stays in the form and keeps the value.
import accessibleAutocomplete from "accessible-autocomplete";

const ENOUGH = 60;

function options(select) {
  return [...select.options].filter((option) => option.value !== "");
}

// Names that begin with what was typed come before those that only contain it.
function finder(select, except = () => false) {
  return (query, show) => {
    const sought = query.trim().toLowerCase();
    const fits = options(select).filter((option) => !except(option) && option.text.toLowerCase().includes(sought));
    const begins = (option) => (option.text.toLowerCase().startsWith(sought) ? 0 : 1);
    fits.sort((one, other) => begins(one) - begins(other));
    show(fits.slice(0, ENOUGH).map((option) => option.text));
  };
}

// Names from the server: the list has only what was chosen. The page with the filter answers.
function fetcher(select, except = () => false) {
  let waits;
  let latest = 0;
  return (query, show) => {
    const turn = ++latest;
    clearTimeout(waits);
    waits = setTimeout(async () => {
      const address = new URL(select.form.getAttribute("action") || "", window.location.href);
      address.search = new URLSearchParams({ suggest: select.name, words: query.trim() });
      const answer = await fetch(address);
      const found = answer.ok ? (await answer.json()).choices : [];
      if (turn !== latest) return; // something else was typed since
      const offered = found.map(([number, text]) => {
        const known = options(select).find((option) => option.value === String(number));
        return known ?? select.appendChild(new Option(text, number));
      });
      show(offered.filter((option) => !except(option)).map((option) => option.text));
    }, 200);
  };
}

const source = (select, except) => (select.dataset.suggests ? fetcher : finder)(select, except);

function describedBy(select, input) {
  for (const name of ["aria-describedby", "aria-invalid"]) {
    const value = select.getAttribute(name);
    if (value) {
      const own = name === "aria-describedby" ? input.getAttribute(name) : "";
      input.setAttribute(name, [value, own].filter(Boolean).join(" "));
    }
  }
}

export function enhanceSelect(select) {
  const id = select.id;
  accessibleAutocomplete.enhanceSelectElement({
    selectElement: select,
    source: source(select),
    minLength: select.dataset.suggests ? 2 : 0,
    defaultValue: select.value ? select.selectedOptions[0]?.text ?? "" : "",
    confirmOnBlur: true,
    showAllValues: !select.dataset.suggests && options(select).length <= ENOUGH,
    displayMenu: "overlay",
    onConfirm: (text) => {
      // Nothing found for what was typed: the field is empty again, and the server says so.
      const typed = text ?? document.getElementById(id)?.value ?? "";
      const match = options(select).find((option) => option.text === typed);
      select.value = match ? match.value : "";
      select.dispatchEvent(new Event("change", { bubbles: true }));
    },
  });
  const input = document.getElementById(id);
  if (input) describedBy(select, input);
}

export function enhanceMultiple(select) {
  const id = select.id;
  const label = document.querySelector(`label[for="${id}"]`)?.childNodes[0]?.textContent.trim() ?? "";
  const holder = document.createElement("div");
  const chosen = document.createElement("ul");
  const said = document.createElement("p");
  chosen.className = "cg-picked";
  chosen.setAttribute("aria-label", `Chosen: ${label}`);
  said.className = "govuk-visually-hidden";
  said.setAttribute("role", "status");
  select.after(holder, chosen, said);
  select.id = `${id}-select`;
  select.hidden = true;

  const show = () => {
    chosen.replaceChildren(...[...select.selectedOptions].map((option) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      const hidden = document.createElement("span");
      const cross = document.createElement("span");
      button.type = "button";
      button.className = "cg-picked__remove";
      hidden.className = "govuk-visually-hidden";
      hidden.textContent = "Remove ";
      cross.textContent = "×";
      cross.setAttribute("aria-hidden", "true");
      button.append(hidden, option.text, cross);
      button.addEventListener("click", () => {
        option.selected = false;
        said.textContent = `${option.text} removed`;
        show();
        select.dispatchEvent(new Event("change", { bubbles: true }));
        document.getElementById(id)?.focus();
      });
      item.append(button);
      return item;
    }));
    chosen.hidden = select.selectedOptions.length === 0;
  };

  accessibleAutocomplete({
    element: holder,
    id,
    name: "",
    source: source(select, (option) => option.selected),
    minLength: select.dataset.suggests ? 2 : 0,
    displayMenu: "overlay",
    confirmOnBlur: false,
    showAllValues: false,
    onConfirm: (text) => {
      const match = options(select).find((option) => option.text === text && !option.selected);
      if (!match) return;
      match.selected = true;
      said.textContent = `${match.text} added`;
      show();
      select.dispatchEvent(new Event("change", { bubbles: true }));
      // The box empties for the next one, once the component has written its choice into it.
      setTimeout(() => {
        const input = document.getElementById(id);
        const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
        set.call(input, "");
        input.dispatchEvent(new Event("input", { bubbles: true }));
      });
    },
  });
  const input = document.getElementById(id);
  if (input) describedBy(select, input);
  show();
}
