"""Template tags for form fields: component, and control with classes."""

from __future__ import annotations

from typing import Any

from django import forms, template
from django.forms.boundfield import BoundField
from django.forms.utils import flatatt
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

from partnerships.kit.forms import ScaleSelect, error_words

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


register.filter("error_words", error_words)


@register.simple_tag
def sentence_labels(form: forms.BaseForm) -> str:
    """Labels in sentence case, for forms of packages.

    `New Password (again)` becomes `New password (again)`.
    """
    for field in form.fields.values():
        words = str(field.label or "").split(" ")
        field.label = " ".join([words[0], *(word if word.isupper() else word.lower() for word in words[1:])])
    return ""


@register.simple_tag
def field_shape(field: BoundField) -> str:
    """The field's component: in `_CONTROL_CLASSES`, radios or checkboxes."""
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
            counted = getattr(field.field, "max_length", None) and "data-uncounted" not in widget.attrs
            return "counted" if counted else "text_area"
    return "input"


#: The extra class of a field's group, by its component; with a space before it.
_GROUP_CLASSES = {"counted": " govuk-character-count", "password": " govuk-password-input"}


@register.filter
def group_class(shape: str) -> str:
    """The extra class of the field's group; "" for most components."""
    return _GROUP_CLASSES.get(shape, "")


@register.filter
def scale_class(field: BoundField) -> str:
    """The extra classes of radios that stand side by side."""
    return " govuk-radios--small cg-scale" if isinstance(field.field.widget, ScaleSelect) else ""


@register.simple_tag
def govuk_widget(field: BoundField) -> SafeString:
    """The field's control with its component's classes and error state."""
    shape = field_shape(field)
    base = _CONTROL_CLASSES.get(shape, "govuk-input")
    own = field.field.widget.attrs.get("class", "")
    wrong = f"{base.split()[0]}--error" if field.errors and shape != "checkbox" else ""
    # A placeholder disappears while typing: its text belongs in the label or hint. False removes it.
    attrs: dict[str, Any] = {"class": " ".join(part for part in (base, own, wrong) if part), "placeholder": False}
    if shape == "counted":
        described = [field.aria_describedby or "", f"{field.auto_id}-info"]
        attrs["aria-describedby"] = " ".join(part for part in described if part)
    widget = field.field.widget
    if isinstance(widget, forms.Select) and widget.template_name == forms.Select.template_name:
        attrs = field.build_widget_attrs(attrs, widget)
        if field.auto_id and "id" not in widget.attrs:
            attrs.setdefault("id", field.auto_id)
        return _select(widget.get_context(field.html_name, field.value(), attrs)["widget"])
    return field.as_widget(attrs=attrs)


def _select(shown: dict[str, Any]) -> SafeString:
    """The same HTML as Django's template of a select, in a tenth of the time."""
    parts: list[str] = [format_html('<select name="{}"{}>', shown["name"], flatatt(shown["attrs"]))]
    for group, options, _ in shown["optgroups"]:
        if group:
            parts.append(format_html('\n  <optgroup label="{}">', group))
        for option in options:
            value, label = conditional_escape(option["value"]), conditional_escape(option["label"])
            attributes = flatatt(option["attrs"]) if option["attrs"] else ""
            parts.append(f'\n  <option value="{value}"{attributes}>{label}</option>')
        if group:
            parts.append("\n  </optgroup>")
    parts.append("\n</select>")
    return SafeString("".join(parts))  # every value was escaped above


@register.simple_tag
def choice_items(field: BoundField) -> list[dict[str, Any]]:
    """The choices of radios or checkboxes: input, id, label and new group."""
    kind = "radios" if field_shape(field) == "radios" else "checkboxes"
    groups = _groups_of(field)
    items: list[dict[str, Any]] = []
    group: object = None
    for choice in field.subwidgets:
        data = choice.data
        shown = f"govuk-{kind}__input {data['attrs'].get('class', '')}".strip()
        data["attrs"] = {**data["attrs"], "class": shown}
        label = str(choice.choice_label)
        starts = groups.get(str(data["value"]), "")
        items.append(
            {
                # Written here: a template for each input takes four times as long.
                "tag": format_html(
                    '<input type="{}" name="{}" value="{}"{}>',
                    data["type"],
                    data["name"],
                    data["value"],
                    flatatt(data["attrs"]),
                ),
                "id": choice.id_for_label,
                "label": label,
                "group": starts if starts != group else "",
            }
        )
        group = starts
    return items


def _groups_of(field: BoundField) -> dict[str, str]:
    """The name of the group of each grouped choice, by its value."""
    groups: dict[str, str] = {}
    for group, choices in getattr(field.field, "choices", ()):
        if isinstance(choices, list | tuple):
            for key, _ in choices:
                groups.setdefault(str(key), str(group))
    return groups
