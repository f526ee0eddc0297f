// Fields that depend on another field.
const valueOf = (form, name) => new FormData(form).get(name) ?? "";

// Shows a field only while another one has certain values: `data-shown-when="name=value,value"`.
export function showWhen(field) {
  const form = field.form;
  const group = field.closest(".govuk-form-group");
  const [name, values] = field.dataset.shownWhen.split("=");
  if (!form || !group || !form.elements[name]) return;
  const update = () => { group.hidden = !values.split(",").includes(valueOf(form, name)); };
  form.addEventListener("change", update);
  update();
}

// Offers only some choices of another select: `data-narrows` names it, and `data-allowed` has its values by ours.
export function narrowChoices(select) {
  const target = select.form?.elements[select.dataset.narrows];
  const allowedByValue = JSON.parse(select.dataset.allowed);
  if (!target) return;
  const allOptions = [...target.options];
  const update = () => {
    const chosen = target.value;
    const allowed = allowedByValue[select.value];
    const isOffered = (option) => (
      !allowed || !option.value || allowed.includes(option.value) || option.defaultSelected
    );
    const options = allOptions.filter(isOffered);
    target.replaceChildren(...options);
    target.value = options.some((option) => option.value === chosen) ? chosen : "";
    if (!target.value && allowed?.length === 1) target.value = allowed[0];
  };
  select.addEventListener("change", update);
  update();
}
