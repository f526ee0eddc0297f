// Fields that depend on another: shown while it has one of some values, or with fewer choices.
const valueOf = (form, name) => new FormData(form).get(name) ?? "";

export function showWhen(field) {
  const form = field.form;
  const group = field.closest(".govuk-form-group");
  const [name, values] = field.dataset.shownWhen.split("=");
  if (!form || !group || !form.elements[name]) return;
  const fit = () => { group.hidden = !values.split(",").includes(valueOf(form, name)); };
  form.addEventListener("change", fit);
  fit();
}

export function narrowChoices(select) {
  const target = select.form?.elements[select.dataset.narrows];
  const allowed = JSON.parse(select.dataset.allowed);
  if (!target) return;
  const all = [...target.options];
  const fit = () => {
    const chosen = target.value;
    const some = allowed[select.value];
    const kept = all.filter((option) => !some || !option.value || some.includes(option.value) || option.defaultSelected);
    target.replaceChildren(...kept);
    target.value = kept.some((option) => option.value === chosen) ? chosen : "";
    if (!target.value && some?.length === 1) target.value = some[0];
  };
  select.addEventListener("change", fit);
  fit();
}
