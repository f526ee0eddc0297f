"""Template tags for form fields, which return the component of a field, or its control with classes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django import forms, template
from django.forms.boundfield import BoundField
from django.forms.models import ModelChoiceIterator
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

from partnerships.kit.forms import ScaleSelect, error_words
from partnerships.kit.html import attributes, escaped, input_element

register = template.Library()

_CONTROL_CLASSES = {
    "select": "govuk-select",
    "text_area": "govuk-textarea",
    "counted": "govuk-textarea govuk-js-character-count",
    "file": "govuk-file-upload",
    "checkbox": "govuk-checkboxes__input",
    "password": "govuk-input govuk-password-input__input govuk-js-password-input-input",
    "input": "govuk-input",
}


@register.simple_tag
def sentence_labels(form: forms.BaseForm) -> str:
    """Change the labels of a package's form to sentence case, and return "".

    `New Password (again)` becomes `New password (again)`.
    """
    for field in form.fields.values():
        words = str(field.label or "").split(" ")
        field.label = " ".join([words[0], *(word if word.isupper() else word.lower() for word in words[1:])])
    return ""


@register.simple_tag
def govuk_field(field: BoundField, *, small: bool = False, mark_optional: bool = False) -> SafeString:
    """Return the component of GOV.UK Frontend for a field, with its label, hint, errors and control.

    `small` makes radios and checkboxes small, as in a filter. `mark_optional` adds “(optional)” to the label of a field
    that may be left empty.

    No template is used, because a list has up to ten filters, and a form up to 27 fields. See
    `partnerships.kit.html`.
    """
    if field.is_hidden:
        return SafeString(str(field))
    shape = field_shape(field)
    optional_mark = _OPTIONAL_MARK if mark_optional and not field.field.required else ""
    if shape in ("radios", "checkboxes"):
        inside = _choices_with_legend(field, shape, optional_mark, small=small)
    elif shape == "checkbox":
        inside = _one_checkbox(field, small=small)
    else:
        inside = _control_with_label(field, shape, optional_mark)
    return SafeString(f"<div{group_attributes(field, shape)}>{inside}</div>")


_OPTIONAL_MARK = ' <span class="cg-optional">(optional)</span>'


def _choices_with_legend(field: BoundField, shape: str, optional_mark: str, *, small: bool) -> str:
    """Return the radios or checkboxes of a field within a fieldset, whose legend is the field's label."""
    classes = f"govuk-{shape}"
    if small:
        classes += f" govuk-{shape}--small"
    if isinstance(field.field.widget, ScaleSelect):
        classes += " govuk-radios--small cg-scale"
    fieldset_attributes = attributes({"aria-describedby": field.aria_describedby or None, "class": "govuk-fieldset"})
    choices_attributes = attributes({"class": classes, "data-module": f"govuk-{shape}", "id": field.auto_id})
    legend = f"{conditional_escape(field.label)}{optional_mark}"
    return (
        f"<fieldset{fieldset_attributes}>"
        f'<legend class="govuk-fieldset__legend govuk-fieldset__legend--s">{legend}</legend>'
        f"{_hint_and_errors(field)}<div{choices_attributes}>{choice_items(field, shape)}</div></fieldset>"
    )


def _one_checkbox(field: BoundField, *, small: bool) -> str:
    """Return the checkbox of a yes-or-no field. Its label and hint follow the box."""
    error = ""
    if errors := error_words(field):
        error = f'<p id="{field.auto_id}_error" class="govuk-error-message">{_ERROR_PREFIX}{escaped(errors[0])}</p>'
    hint = ""
    if field.help_text:
        hint = _hint(field, "govuk-hint govuk-checkboxes__hint")
    small_class = " govuk-checkboxes--small" if small else ""
    label = conditional_escape(field.label)
    return (
        f'<div class="govuk-checkboxes{small_class}" data-module="govuk-checkboxes">{error}'
        f'<div class="govuk-checkboxes__item">{govuk_widget(field)}'
        f'<label class="govuk-label govuk-checkboxes__label" for="{field.id_for_label}">{label}</label>'
        f"{hint}</div></div>"
    )


def _control_with_label(field: BoundField, shape: str, optional_mark: str) -> str:
    """Return a select, a box or a text area below its label, its hint and its errors."""
    control = str(govuk_widget(field))
    if shape == "password":
        control = (
            f'<div class="govuk-input__wrapper govuk-password-input__wrapper">{control}'
            '<button type="button" class="govuk-button govuk-button--secondary govuk-password-input__toggle'
            ' govuk-js-password-input-toggle" data-module="govuk-button"'
            f' aria-controls="{field.id_for_label}" aria-label="Show password" hidden>Show</button></div>'
        )
    elif shape == "counted":
        control += (
            f'<div id="{field.auto_id}-info" class="govuk-hint govuk-character-count__message">'
            f"You can enter up to {getattr(field.field, 'max_length', None)} characters</div>"
        )
    label = f"{conditional_escape(field.label)}{optional_mark}"
    return (
        f'<label class="govuk-label govuk-label--s" for="{field.id_for_label}">{label}</label>'
        f"{_hint_and_errors(field)}{control}"
    )


_ERROR_PREFIX = '<span class="govuk-visually-hidden">Error:</span> '


def _hint_and_errors(field: BoundField) -> str:
    """Return the hint and the error messages of a field, or "" if it has neither."""
    parts = []
    if field.help_text:
        parts.append(_hint(field, "govuk-hint"))
    if errors := error_words(field):
        lines = [f'<p class="cg-error-line">{_ERROR_PREFIX}{escaped(error)}</p>' for error in errors]
        parts.append(f'<div id="{field.auto_id}_error" class="govuk-error-message">{"".join(lines)}</div>')
    return "".join(parts)


def _hint(field: BoundField, classes: str) -> str:
    """Return the hint of a field. Django's `aria-describedby` of the control refers to its id."""
    return f'<div id="{field.auto_id}_helptext" class="{classes}">{conditional_escape(field.help_text)}</div>'


def field_shape(field: BoundField) -> str:
    """Return the name of the field's component, which is a key of `_CONTROL_CLASSES`, "radios" or "checkboxes"."""
    widget = field.field.widget
    match widget:
        case forms.CheckboxSelectMultiple():
            return "checkboxes"
        case forms.RadioSelect():
            return "radios"
        case forms.CheckboxInput():
            return "checkbox"
        case forms.Select():
            return "select"
        case forms.FileInput():
            return "file"
        case forms.PasswordInput():
            return "password"
        case forms.Textarea():
            is_counted = getattr(field.field, "max_length", None) and "data-uncounted" not in widget.attrs
            return "counted" if is_counted else "text_area"
    return "input"


def group_attributes(field: BoundField, shape: str) -> str:
    """Return the attributes of the element around a field, with its id, its classes, and what its script needs."""
    classes = ["govuk-form-group"]
    script_attributes: dict[str, object] = {}
    if field.errors:
        classes.append("govuk-form-group--error")
    if shape == "counted":
        classes.append("govuk-character-count")
        script_attributes = {
            "data-module": "govuk-character-count",
            "data-maxlength": getattr(field.field, "max_length", None),
            "data-threshold": 75,
        }
    elif shape == "password":
        classes.append("govuk-password-input")
        script_attributes = {"data-module": "govuk-password-input"}
    return attributes({"id": f"div_{field.auto_id}", "class": " ".join(classes), **script_attributes})


def govuk_widget(field: BoundField) -> SafeString:
    """Return the field's control with its component's classes and error state."""
    shape = field_shape(field)
    attrs = _control_attributes(field, shape)
    widget = field.field.widget
    if not (isinstance(widget, forms.Select) and widget.template_name == forms.Select.template_name):
        return field.as_widget(attrs=attrs)

    # Plain selects are written without their template, for speed. These steps are those of `BoundField.as_widget`.
    attrs = field.build_widget_attrs(attrs, widget)
    if field.auto_id and "id" not in widget.attrs:
        attrs.setdefault("id", field.auto_id)
    return _select(widget, field, attrs)


def _control_attributes(field: BoundField, shape: str) -> dict[str, Any]:
    """Return the classes of a field's control, and the ids of the texts that describe it."""
    component_classes = _CONTROL_CLASSES.get(shape, "govuk-input")
    classes = [component_classes, field.field.widget.attrs.get("class", "")]
    if field.errors and shape != "checkbox":
        classes.append(f"{component_classes.split()[0]}--error")
    # False removes a placeholder. It disappears while typing, so its text belongs in the label or hint.
    attrs: dict[str, Any] = {"class": " ".join(filter(None, classes)), "placeholder": False}
    if shape == "counted":
        description_ids = [field.aria_describedby, f"{field.auto_id}-info"]
        attrs["aria-describedby"] = " ".join(filter(None, description_ids))
    return attrs


def _select(widget: forms.Select, field: BoundField, attrs: dict[str, Any]) -> SafeString:
    """Return the same HTML as Django's template of a select, in a fraction of the time."""
    name, value = field.html_name, field.value()
    methods = ("get_context", "optgroups", "create_option")
    overrides_django = any(getattr(type(widget), method) is not getattr(forms.Select, method) for method in methods)
    if overrides_django:
        return select_element(widget.get_context(name, value, attrs)["widget"])
    attrs = widget.build_attrs(widget.attrs, attrs)
    if widget.allow_multiple_selected:
        attrs["multiple"] = True
    parts = [_select_start_tag(name, attrs), *_options(widget, value), "\n</select>"]
    return SafeString("".join(parts))  # every value is already escaped


@register.simple_tag
def select_element(widget: dict[str, Any]) -> SafeString:
    """Return a select from the context of its widget, with the same HTML as Django's template of a select."""
    parts = [_select_start_tag(widget["name"], widget["attrs"])]
    for group, options, _ in widget["optgroups"]:
        options_html = [
            _option(str(option["value"]), option["label"], attributes(option["attrs"])) for option in options
        ]
        parts += _grouped(group, options_html)
    return SafeString("".join([*parts, "\n</select>"]))  # every value is already escaped


def _options(widget: forms.Select, value: Any) -> list[str]:
    """Return the options of a select as HTML, without Django's dictionary for each option."""
    chosen_values, has_chosen, parts = widget.format_value(value), False, []
    for key, label in widget.choices:
        is_group = isinstance(label, list | tuple)
        options_html = []
        for code, words in label if is_group else [(key, label)]:
            option_value = "" if code is None else code
            # As in Django, a select of one choice selects only the first option with its value.
            may_be_chosen = widget.allow_multiple_selected or not has_chosen
            is_chosen = may_be_chosen and str(option_value) in chosen_values
            has_chosen = has_chosen or is_chosen
            options_html.append(_option(str(option_value), str(words), " selected" if is_chosen else ""))
        parts += _grouped(key, options_html) if is_group else options_html
    return parts


def _grouped(group: object, options: list[str]) -> list[str]:
    """Return the options within an `<optgroup>`, or unchanged if they have no group."""
    if not group:
        return options
    return [f'\n  <optgroup label="{escaped(group)}">', *options, "\n  </optgroup>"]


def _select_start_tag(name: str, attrs: dict[str, Any]) -> str:
    """Return the start tag of a select."""
    return f'<select name="{escaped(name)}"{attributes(attrs)}>'


@register.simple_tag
def options(choices: Iterable[tuple[str, str]], chosen: str | None) -> SafeString:
    """Return the options of a select that is not a form's field, such as the order of a list."""
    return SafeString(
        "".join(_option(value, label, " selected" if value == chosen else "") for value, label in choices)
    )


# Most options are the same on every page. Typed, because texts that are equal may differ in whether they are escaped.
@lru_cache(maxsize=4_000, typed=True)
def _option(value: object, label: object, attributes: str) -> str:
    """Return the HTML of an option. `attributes` are its attributes besides the value."""
    return f'\n  <option value="{escaped(value)}"{attributes}>{escaped(label)}</option>'


def choice_items(field: BoundField, shape: str) -> SafeString:
    """Return the radios or checkboxes of a field with their labels, each group below its heading.

    `shape` is "radios" or "checkboxes".
    """
    group_by_value = _groups_of(field)
    parts: list[str] = []
    last_group = ""
    for choice in field.subwidgets:
        data = choice.data
        group = group_by_value.get(str(data["value"]), "")
        if group and group != last_group:
            parts.append(f'<p class="cg-choices__group">{escaped(group)}</p>')
        last_group = group
        own_classes = data["attrs"].get("class", "")
        attrs = {**data["attrs"], "class": f"govuk-{shape}__input {own_classes}".strip()}
        parts.append(
            f'<div class="govuk-{shape}__item">{input_element(data["type"], data["name"], str(data["value"]), attrs)}'
            f'<label class="govuk-label govuk-{shape}__label" for="{choice.id_for_label}">'
            f"{escaped(choice.choice_label)}</label></div>"
        )
    return SafeString("\n".join(parts))


def _groups_of(field: BoundField) -> dict[str, str]:
    """Return the group heading of each grouped choice, by the choice's value."""
    group_by_value: dict[str, str] = {}
    all_choices = getattr(field.field, "choices", ())
    if isinstance(all_choices, ModelChoiceIterator):
        return {}  # A query of records has no groups, and reading its choices would query them again.
    for group, choices in all_choices:
        if isinstance(choices, list | tuple):
            for key, _ in choices:
                group_by_value.setdefault(str(key), str(group))
    return group_by_value
