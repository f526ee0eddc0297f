"""Template tags for form fields: component, and control with classes."""

from __future__ import annotations

from typing import Any

from django import forms, template
from django.forms.boundfield import BoundField
from django.utils.safestring import SafeString

from partnerships.kit.forms import ScaleSelect, error_words
from partnerships.kit.html import attributes, escaped

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
    own_classes = field.field.widget.attrs.get("class", "")
    wrong = f"{base.split()[0]}--error" if field.errors and shape != "checkbox" else ""
    # A placeholder disappears while typing: its text belongs in the label or hint. False removes it.
    attrs: dict[str, Any] = {
        "class": " ".join(part for part in (base, own_classes, wrong) if part),
        "placeholder": False,
    }
    if shape == "counted":
        described = [field.aria_describedby or "", f"{field.auto_id}-info"]
        attrs["aria-describedby"] = " ".join(part for part in described if part)
    widget = field.field.widget
    is_select = isinstance(widget, forms.Select) and widget.template_name == forms.Select.template_name
    if not is_select and widget.template_name not in _INPUT_TEMPLATES:
        return field.as_widget(attrs=attrs)

    attrs = field.build_widget_attrs(attrs, widget)
    if field.auto_id and "id" not in widget.attrs:
        attrs.setdefault("id", field.auto_id)
    return _select(widget, field, attrs) if isinstance(widget, forms.Select) else _input(widget, field, attrs)


#: Django's templates that consist of one `<input>`.
_INPUT_TEMPLATES = frozenset(
    f"django/forms/widgets/{name}.html"
    for name in ("checkbox", "date", "email", "file", "number", "password", "search", "tel", "text", "time", "url")
)


def _input(widget: forms.Widget, field: BoundField, attrs: dict[str, Any]) -> SafeString:
    """The same HTML as Django's template of an input, in a small part of the time."""
    widget_context = widget.get_context(field.html_name, field.value(), attrs)["widget"]
    value = "" if widget_context["value"] is None else f' value="{escaped(widget_context["value"])}"'
    name, other_attributes = escaped(widget_context["name"]), attributes(widget_context["attrs"])
    return SafeString(f'<input type="{widget_context["type"]}" name="{name}"{value}{other_attributes}>')


def _select(widget: forms.Select, field: BoundField, attrs: dict[str, Any]) -> SafeString:
    """The same HTML as Django's template of a select, in a small part of the time."""
    name, value = field.html_name, field.value()
    kind = type(widget)
    if all(getattr(kind, one) is getattr(forms.Select, one) for one in ("get_context", "optgroups", "create_option")):
        attrs = widget.build_attrs(widget.attrs, attrs)
        if widget.allow_multiple_selected:
            attrs["multiple"] = True
        parts = [_opened(name, attrs), *_options(widget, value)]
    else:
        widget_context = widget.get_context(name, value, attrs)["widget"]
        parts = [_opened(widget_context["name"], widget_context["attrs"])]
        for group, options, _ in widget_context["optgroups"]:
            written = [_option(one["value"], one["label"], attributes(one["attrs"])) for one in options]
            parts += _grouped(group, written)
    return SafeString("".join([*parts, "\n</select>"]))  # every value is escaped


def _options(widget: forms.Select, value: Any) -> list[str]:
    """The options of a select, without Django's dictionary for each."""
    chosen, has_chosen, parts = widget.format_value(value), False, []
    for key, label in widget.choices:
        several = isinstance(label, list | tuple)
        written = []
        for one, words in label if several else [(key, label)]:
            is_chosen = (widget.allow_multiple_selected or not has_chosen) and str("" if one is None else one) in chosen
            has_chosen = has_chosen or is_chosen
            written.append(_option("" if one is None else one, words, " selected" if is_chosen else ""))
        parts += _grouped(key, written) if several else written
    return parts


def _grouped(group: object, options: list[str]) -> list[str]:
    if not group:
        return options
    return [f'\n  <optgroup label="{escaped(group)}">', *options, "\n  </optgroup>"]


def _opened(name: str, attrs: dict[str, Any]) -> str:
    return f'<select name="{escaped(name)}"{attributes(attrs)}>'


def _option(value: object, label: object, attributes: str) -> str:
    return f'\n  <option value="{escaped(value)}"{attributes}>{escaped(label)}</option>'


@register.simple_tag
def choice_items(field: BoundField) -> list[dict[str, Any]]:
    """The choices of radios or checkboxes: input, id, label and new group."""
    kind = "radios" if field_shape(field) == "radios" else "checkboxes"
    groups = _groups_of(field)
    items: list[dict[str, Any]] = []
    group: object = None
    for choice in field.subwidgets:
        data = choice.data
        own_classes = data["attrs"].get("class", "")
        attrs = {**data["attrs"], "class": f"govuk-{kind}__input {own_classes}".strip()}
        starts = groups.get(str(data["value"]), "")
        items.append(
            {
                # Written here: a template for each input takes four times as long.
                "tag": SafeString(
                    f'<input type="{data["type"]}" name="{escaped(data["name"])}"'
                    f' value="{escaped(data["value"])}"{attributes(attrs)}>'
                ),
                "id": choice.id_for_label,
                "label": str(choice.choice_label),
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
