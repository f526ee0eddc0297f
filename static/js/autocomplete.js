// Long lists to choose from: people type to find a choice. The select stays in the form and keeps the value.
import accessibleAutocomplete from "accessible-autocomplete";

const MAX_SHOWN = 60;

function choicesOf(select) {
  return [...select.options].filter((option) => option.value !== "");
}

// Finds choices in the list itself. Those that begin with what was typed come before those that only contain it.
function findInList(select, isExcluded = () => false) {
  return (query, show) => {
    const typed = query.trim().toLowerCase();
    const matches = choicesOf(select).filter((option) => !isExcluded(option) && option.text.toLowerCase().includes(typed));
    const rank = (option) => (option.text.toLowerCase().startsWith(typed) ? 0 : 1);
    matches.sort((first, second) => rank(first) - rank(second));
    show(matches.slice(0, MAX_SHOWN).map((option) => option.text));
  };
}

// Fetches choices from the page with the filter: the list itself has only what was chosen before.
function findOnServer(select, isExcluded = () => false) {
  let timer;
  let latestSearch = 0;
  return (query, show) => {
    const search = ++latestSearch;
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const address = new URL(select.form.getAttribute("action") || "", window.location.href);
      address.search = new URLSearchParams({ suggest: select.name, words: query.trim() });
      const response = await fetch(address);
      const choices = response.ok ? (await response.json()).choices : [];
      if (search !== latestSearch) return; // something else was typed since
      const options = choices.map(([number, text]) => {
        const existing = choicesOf(select).find((option) => option.value === String(number));
        return existing ?? select.appendChild(new Option(text, number));
      });
      show(options.filter((option) => !isExcluded(option)).map((option) => option.text));
    }, 200);
  };
}

const sourceFor = (select, isExcluded) => (select.dataset.suggests ? findOnServer : findInList)(select, isExcluded);

// Hints and errors of the select are read aloud at the box too.
function copyDescription(select, input) {
  for (const attribute of ["aria-describedby", "aria-invalid"]) {
    const value = select.getAttribute(attribute);
    if (value) {
      const ownValue = attribute === "aria-describedby" ? input.getAttribute(attribute) : "";
      input.setAttribute(attribute, [value, ownValue].filter(Boolean).join(" "));
    }
  }
}

// A select with one value becomes a box to type in.
export function enhanceSelect(select) {
  const id = select.id;
  accessibleAutocomplete.enhanceSelectElement({
    selectElement: select,
    source: sourceFor(select),
    minLength: select.dataset.suggests ? 2 : 0,
    defaultValue: select.value ? select.selectedOptions[0]?.text ?? "" : "",
    confirmOnBlur: true,
    showAllValues: !select.dataset.suggests && choicesOf(select).length <= MAX_SHOWN,
    displayMenu: "overlay",
    onConfirm: (text) => {
      // Nothing found for what was typed: the field is empty again, and the server says so.
      const typed = text ?? document.getElementById(id)?.value ?? "";
      const match = choicesOf(select).find((option) => option.text === typed);
      select.value = match ? match.value : "";
      select.dispatchEvent(new Event("change", { bubbles: true }));
    },
  });
  const input = document.getElementById(id);
  if (input) copyDescription(select, input);
}

// A select with several values becomes a box to type in, above a list of what was chosen.
export function enhanceMultiple(select) {
  const id = select.id;
  const label = document.querySelector(`label[for="${id}"]`)?.childNodes[0]?.textContent.trim() ?? "";
  const container = document.createElement("div");
  const chosenList = document.createElement("ul");
  const announcement = document.createElement("p");
  chosenList.className = "cg-picked";
  chosenList.setAttribute("aria-label", `Chosen: ${label}`);
  announcement.className = "govuk-visually-hidden";
  announcement.setAttribute("role", "status");
  select.after(container, chosenList, announcement);
  select.id = `${id}-select`;
  select.hidden = true;

  const showChosen = () => {
    chosenList.replaceChildren(...[...select.selectedOptions].map((option) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      const verb = document.createElement("span");
      const cross = document.createElement("span");
      button.type = "button";
      button.className = "cg-picked__remove";
      verb.className = "govuk-visually-hidden";
      verb.textContent = "Remove ";
      cross.textContent = "×";
      cross.setAttribute("aria-hidden", "true");
      button.append(verb, option.text, cross);
      button.addEventListener("click", () => {
        option.selected = false;
        announcement.textContent = `${option.text} removed`;
        showChosen();
        select.dispatchEvent(new Event("change", { bubbles: true }));
        document.getElementById(id)?.focus();
      });
      item.append(button);
      return item;
    }));
    chosenList.hidden = select.selectedOptions.length === 0;
  };

  accessibleAutocomplete({
    element: container,
    id,
    name: "",
    source: sourceFor(select, (option) => option.selected),
    minLength: select.dataset.suggests ? 2 : 0,
    displayMenu: "overlay",
    confirmOnBlur: false,
    showAllValues: false,
    onConfirm: (text) => {
      const match = choicesOf(select).find((option) => option.text === text && !option.selected);
      if (!match) return;
      match.selected = true;
      announcement.textContent = `${match.text} added`;
      showChosen();
      select.dispatchEvent(new Event("change", { bubbles: true }));
      // Empty the box for the next choice, once the component has written this one into it. The component notices the
      // change only if the value is set as the browser sets it.
      setTimeout(() => {
        const input = document.getElementById(id);
        const setValue = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
        setValue.call(input, "");
        input.dispatchEvent(new Event("input", { bubbles: true }));
      });
    },
  });
  const input = document.getElementById(id);
  if (input) copyDescription(select, input);
  showChosen();
}
