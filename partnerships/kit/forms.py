"""Base classes, layout, buttons, the link “Cancel”, error messages and long lists for forms, as GOV.UK Frontend."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, TypeVar

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout, LayoutObject
from crispy_forms.utils import render_field
from django import forms
from django.core.validators import validate_email
from django.db.models import Q
from django.forms.boundfield import BoundField
from django.http import HttpRequest, QueryDict
from django.template import Context
from django.template.loader import render_to_string
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from partnerships.kit.http import post_data

# Re-exported, so that forms import their fields and their layout from one module.
from partnerships.kit.value_fields import AmountField as AmountField
from partnerships.kit.value_fields import CountField as CountField
from partnerships.kit.value_fields import DayField as DayField
from partnerships.kit.value_fields import MoneyField as MoneyField
from partnerships.kit.value_fields import PartialDateField as PartialDateField

_Form = TypeVar("_Form", bound=forms.BaseForm)

_DEFAULT_REQUIRED = str(forms.Field.default_error_messages["required"])
#: Replacements for Django's error texts that do not name the field.
_NAMED_ERRORS = {
    str(forms.IntegerField.default_error_messages["invalid"]): "{} must be a whole number, like 60.",
    str(forms.FloatField.default_error_messages["invalid"]): "{} must be a number, like 51.5.",
    str(forms.DateField.default_error_messages["invalid"]): "{} must be a date, like 2027-04-11.",
    str(forms.TimeField.default_error_messages["invalid"]): "{} must be a time, like 09:30.",
    str(validate_email.message): "{} must be an email address, like name@example.org.",
    str(forms.URLField.default_error_messages["invalid"]): "{} must be a web address, like https://www.example.org.",
}
#: Django's error text for a number below its minimum or above its maximum.
_LIMIT_ERROR = re.compile(r"Ensure this value is (?P<side>greater|less) than or equal to (?P<limit>.+)\.")
_BOUND_WORDS = {"greater": "least", "less": "most"}
#: A label that begins with one of these words is not a noun phrase, so error messages quote the label.
_NOT_NOUNS = frozenset(
    [
        *("how", "why", "what", "when", "where", "which", "who", "whom"),
        *("is", "are", "do", "does", "make", "needed", "available"),
        *("in", "on", "at", "for"),
    ]
)


class Section(LayoutObject):  # type: ignore[misc]  # crispy-forms carries no types
    """Fields below a heading, with an optional hint."""

    template = "common_ground/section.html"
    is_open = False

    def __init__(self, heading: str, *fields: object, hint: str = "") -> None:
        self.heading = heading
        self.fields = list(fields)
        self.hint = hint

    def render(self, form: forms.BaseForm, context: Context, **kwargs: Any) -> SafeString:
        """Return the section as HTML. Called by crispy-forms."""
        inner = format_html_join("", "{}", ((render_field(field, form, context),) for field in self.fields))
        return render_to_string(self.template, {"section": self, "inner": inner})


class Fold(Section):
    """Fields that few people need, hidden behind their heading until somebody clicks it.

    The fold is open from the start if one of its fields has a value or an error.
    """

    template = "common_ground/fold.html"

    def render(self, form: forms.BaseForm, context: Context, **kwargs: Any) -> SafeString:
        """Return the fold as HTML, or "" if the form has none of its fields. Called by crispy-forms."""
        bound_fields = [form[str(name)] for name in self.fields if str(name) in form.fields]
        if not bound_fields:
            return SafeString("")
        self.fields = [field.name for field in bound_fields]
        self.is_open = any(field.errors or field.value() not in _EMPTY_VALUES for field in bound_fields)
        return super().render(form, context, **kwargs)


#: The possible values of a field that was left empty.
_EMPTY_VALUES: tuple[Any, ...] = (None, "", False, [], ())


class Helper(FormHelper):  # type: ignore[misc]  # crispy-forms carries no types
    """The layout of a form, with its fields or sections, its buttons and its cancel link.

    Without fields or sections, all fields are shown.

    - `submit` is the text of the button. `danger` makes it a warning button, for actions that cannot be undone.
    - `cancel` is the address of the cancel link, and `cancel_words` its text. Without an address there is no link.
    - `secondary` is the name and the text of a second button, such as `("drop", "Delete email")`.
    - `method` is "get" for filters. Only forms that are posted mark their optional fields.
    - `action` is the address to which the form is sent, by default that of its page.
    - `tag` is False if the template has the `<form>` element itself.
    """

    def __init__(
        self,
        form: forms.BaseForm,
        *layout: object,
        submit: str = "Save",
        cancel: str = "",
        cancel_words: str = "Cancel",
        secondary: tuple[str, str] | None = None,
        danger: bool = False,
        method: str = "post",
        action: str = "",
        tag: bool = True,
    ) -> None:
        super().__init__()
        self.layout = Layout(*(layout or tuple(form.fields)))
        self.form_method = method
        self.form_action = action
        self.form_tag = tag
        self.form_class = "cg-form"
        self.render_hidden_fields = True
        self.submit_words = submit
        self.cancel_href = cancel
        self.cancel_words = cancel_words
        self.secondary_button = secondary
        self.danger = danger
        self.mark_optional = method == "post"


class Form(forms.Form):
    """The base of all forms, which counts a line break in a text area as one character of the maximum length.

    The character count below the box does the same, but browsers send two characters (CR LF, by the HTML standard).
    """

    def full_clean(self) -> None:
        """Validate the form after replacing CR LF by LF in its text areas."""
        normalised_texts: dict[str, str] = {}
        for name, field in self.fields.items():
            html_name = self.add_prefix(name)
            if isinstance(field.widget, forms.Textarea) and html_name in self.data:
                normalised_texts[html_name] = self.data[html_name].replace("\r\n", "\n").replace("\r", "\n")
        if normalised_texts:
            data: Any = copy(self.data)  # a QueryDict is immutable, its copy is not
            for html_name, text in normalised_texts.items():
                data[html_name] = text
            self.data = data
        super().full_clean()


class ScaleSelect(forms.RadioSelect):
    """Radio buttons side by side, for a few short answers such as a scale. They wrap if the line is full."""


class ReasonForm(Form):
    """A form that asks only for a reason.

    `submit` is the text of the button, and `cancel` is the address of the cancel link. A subclass may declare `reason`
    with another label, and sets `danger` if the action cannot be undone.
    """

    danger = False
    reason = forms.CharField(label="Reason", max_length=1_000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, submit: str, cancel: str, danger: bool | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit=submit, cancel=cancel, danger=self.danger if danger is None else danger)


class VerdictForm(Form):
    """A form with a choice that needs an explanation in some cases, such as a refusal.

    A subclass declares both fields, and sets `verdict_field` and `words_field` to their names. `needs_words` has the
    error for each choice that needs an explanation, such as `{"declined": "Enter a reason."}`.
    """

    verdict_field = "verdict"
    words_field = "reason"
    needs_words: Mapping[str, str] = {}

    def clean(self) -> dict[str, Any]:
        """Require the explanation if the choice needs one."""
        data = super().clean() or {}
        error = self.needs_words.get(data.get(self.verdict_field, ""))
        if error and not data.get(self.words_field, "").strip():
            self.add_error(self.words_field, error)
        return data


def error_words(field: BoundField) -> list[str]:
    """Return the error messages of a field.

    Django's own messages are replaced by messages that name the field and say what to do.
    """
    return [_named_error(field, str(error)) for error in field.errors]


def _named_error(field: BoundField, error: str) -> str:
    """Return our message for an error of Django. Any other error is returned unchanged."""
    if error == _DEFAULT_REQUIRED:
        return _required_error(field)
    if template := _NAMED_ERRORS.get(error):
        return template.format(field.label)
    if limit_error := _LIMIT_ERROR.fullmatch(error):
        return f"{field.label} must be at {_BOUND_WORDS[limit_error['side']]} {limit_error['limit']}."
    return error


def _required_error(field: BoundField) -> str:
    """Return the message for a field that was left empty, in words that fit its widget and its label."""
    label, widget = str(field.label), field.field.widget
    if isinstance(widget, forms.CheckboxInput):
        return f"Tick “{label}” to continue."
    if label.endswith("?"):
        return f"Answer “{label}”."
    if label.startswith("Choose "):
        return f"{label}."
    if isinstance(widget, forms.FileInput):
        return f"Choose a file for “{label}”."
    has_choices = isinstance(widget, forms.Select | forms.RadioSelect | forms.CheckboxSelectMultiple)
    return f"{'Choose' if has_choices else 'Enter'} {_in_a_sentence(label)}."


def _in_a_sentence(label: str) -> str:
    """Return a label for use within a sentence, such as `the title` for `Title`. A question is quoted."""
    first_word = label.split()[0]
    if first_word.lower() in _NOT_NOUNS:
        return f"an answer to “{label}”"
    is_acronym = first_word.isupper() and len(first_word) > 1
    lowered = label if is_acronym else label[:1].lower() + label[1:]
    return lowered if first_word.lower() in ("your", "their", "the", "a", "an") else f"the {lowered}"


def shown_when(form: forms.BaseForm, name: str, other_name: str, *values: str) -> None:
    """Show a field only while another field has one of these values. Without JavaScript, it is always shown."""
    if name in form.fields and other_name in form.fields:
        form.fields[name].widget.attrs["data-shown-when"] = f"{form.add_prefix(other_name)}={','.join(values)}"


class AutocompleteSelect(forms.Select):
    """One choice from a long list, with autocomplete. Without JavaScript, it is a plain select."""

    def __init__(self, attrs: dict[str, Any] | None = None, choices: Any = ()) -> None:
        super().__init__({"data-module": "cg-autocomplete", **(attrs or {})}, choices)


class AutocompleteSelectMultiple(forms.SelectMultiple):
    """Several choices from a long list, shown as chips. Without JavaScript, it is a plain list."""

    def __init__(self, attrs: dict[str, Any] | None = None, choices: Any = ()) -> None:
        super().__init__({"data-module": "cg-autocomplete-multiple", **(attrs or {})}, choices)


#: A search by name shows at most this many choices. A list of at most this many choices is shown without a search.
MAX_SEARCH_MATCHES = 40


class _Find(forms.Select):
    """A select with hundreds of choices. Without JavaScript, people search by name and see only the matches.

    The view must build its form with `searching_form`. The search looks in the fields `find_by` of the rows, or in the
    labels of the choices.
    """

    template_name = "common_ground/widgets/find_select.html"
    #: The search words, or None before a search.
    words: str | None = None

    def __init__(self, attrs: dict[str, Any] | None = None, choices: Any = (), *, find_by: Sequence[str] = ("name",)):
        super().__init__(attrs, choices)
        self.find_by = find_by

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Add the search words, the labels of the chosen options, and whether the options are shown."""
        context = super().get_context(name, value, attrs)
        options = [
            option for _, group, _ in context["widget"]["optgroups"] for option in group if option["value"] != ""
        ]
        is_narrowed = self.words is not None
        context["widget"] |= {
            "words": self.words or "",
            "is_narrowed": is_narrowed,
            "is_shown": bool(options) if is_narrowed else len(options) <= MAX_SEARCH_MATCHES,
            "chosen": [option["label"] for option in options if option["selected"]],
        }
        return context


class FindSelect(_Find, AutocompleteSelect):
    """A select of one choice from hundreds, which people can search by name without JavaScript."""


class FindSelectMultiple(_Find, AutocompleteSelectMultiple):
    """A select of several choices from hundreds, which people can search by name without JavaScript."""


def apply_name_search(form: forms.BaseForm, data: QueryDict) -> None:
    """Fill an unbound form with the posted values, and reduce each long list to the matches of its search."""
    for name, field in form.fields.items():
        is_multiple = isinstance(field, forms.MultipleChoiceField | forms.ModelMultipleChoiceField)
        form.initial[name] = data.getlist(name) if is_multiple else data.get(name, "")
        if isinstance(field.widget, _Find):
            field.widget.words = data.get(f"{name}-find", "").strip()
            _reduce_choices(field, words=field.widget.words, find_by=field.widget.find_by, chosen=data.getlist(name))


def _reduce_choices(field: forms.Field, *, words: str, find_by: Sequence[str], chosen: Sequence[str]) -> None:
    """Remove the choices that neither match the search words nor are selected."""
    if isinstance(field, forms.ModelChoiceField):
        _reduce_rows(field, words=words, find_by=find_by, chosen=chosen)
    elif isinstance(field, forms.ChoiceField):
        ungrouped_choices: Any = field.choices  # long lists have no groups
        choices = [(str(code), str(label)) for code, label in ungrouped_choices]
        matching_codes = [code for code, label in choices if words and words.lower() in label.lower()]
        codes_to_keep = {"", *matching_codes[:MAX_SEARCH_MATCHES], *chosen}
        field.choices = [(code, label) for code, label in choices if code in codes_to_keep]


def _reduce_rows(
    field: forms.ModelChoiceField[Any], *, words: str, find_by: Sequence[str], chosen: Sequence[str]
) -> None:
    """Remove the rows that are not selected and do not have the search words in one of the fields `find_by`."""
    rows = field.queryset
    assert rows is not None  # a form sets its rows before it is shown
    matching_ids: list[int] = []
    if words:
        has_words = Q()
        for field_path in find_by:
            has_words |= Q((f"{field_path}__icontains", words))
        matching_ids = list(rows.filter(has_words).values_list("pk", flat=True)[:MAX_SEARCH_MATCHES])
    # Browsers can post anything. Text and numbers too large for an id column would raise a database error.
    chosen_ids = [int(pk) for pk in chosen if pk.isdecimal() and len(pk) < 10]
    field.queryset = rows.filter(pk__in=[*matching_ids, *chosen_ids])


def is_search(data: QueryDict) -> bool:
    """Return whether a form was sent to search a long list by name, not to save.

    It is a search if a person pressed its search button. Without JavaScript, the Enter key in any field sends "enter",
    which is a search if a search box has new words.
    """
    return "find" in data or ("enter" in data and _has_new_search_words(data))


def _has_new_search_words(data: QueryDict) -> bool:
    """Return whether a search box has words other than those of the last search, which the page sends back."""
    for name in data:
        if name.endswith("-find"):
            words = str(data[name]).strip()
            last_words = str(data.get(f"{name.removesuffix('-find')}-sought", "")).strip()
            if words and words != last_words:
                return True
    return False


def searching_form(request: HttpRequest, form_class: type[_Form], **form_arguments: Any) -> _Form:
    """Return the form for the POST data.

    A search by name in a long list posts the form too. The form is then unbound, so that nothing is saved, and has the
    posted values and the matches.
    """
    if not is_search(request.POST):
        return form_class(post_data(request), **form_arguments)
    form = form_class(None, **form_arguments)
    apply_name_search(form, request.POST)
    return form
