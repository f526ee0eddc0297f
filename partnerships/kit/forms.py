"""Forms for GOV.UK Frontend: layout, sections, dates, long lists."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
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

from partnerships.kit.dates import long_date
from partnerships.kit.http import posted

# Forms take their fields from here, with the layout.
from partnerships.kit.value_fields import AmountField as AmountField
from partnerships.kit.value_fields import CountField as CountField
from partnerships.kit.value_fields import DayField as DayField
from partnerships.kit.value_fields import MoneyField as MoneyField
from partnerships.kit.value_fields import PartialDateField as PartialDateField

#: Parameters of paging, dropped when filters change.
PAGING_PARAMETERS = ("page", "after", "before", "cursor")

_Form = TypeVar("_Form", bound=forms.BaseForm)

_DEFAULT_REQUIRED = str(forms.Field.default_error_messages["required"])
#: Replacements for Django's error texts that do not name the field.
_NAMED_ERRORS = {
    str(forms.IntegerField.default_error_messages["invalid"]): "{} must be a whole number, like 60",
    str(forms.FloatField.default_error_messages["invalid"]): "{} must be a number, like 51.5",
    str(forms.DateField.default_error_messages["invalid"]): "{} must be a date, like 2027-04-11",
    str(forms.TimeField.default_error_messages["invalid"]): "{} must be a time, like 09:30",
    str(validate_email.message): "{} must be an email address, like name@example.org",
    str(forms.URLField.default_error_messages["invalid"]): "{} must be a web address, like https://www.example.org",
}
#: Bounds of a number, as Django says them.
_LIMITS = re.compile(r"Ensure this value is (?P<side>greater|less) than or equal to (?P<limit>.+)\.")
_BOUND = {"greater": "least", "less": "most"}
#: Labels with these first words are not nouns, and are quoted within sentences.
_QUESTION_WORDS = frozenset(
    ["how", "why", "what", "when", "where", "which", "who", "needed", "available", "is", "are", "do", "does"]
)
_OTHER_WORDS = frozenset(["in", "on", "at", "for", "whom", "make"])


class Section(LayoutObject):  # type: ignore[misc]  # crispy-forms carries no types
    """Fields below a heading, with an optional sentence."""

    template = "common_ground/section.html"
    is_open = False

    def __init__(self, heading: str, *fields: object, hint: str = "") -> None:
        self.heading = heading
        self.fields = list(fields)
        self.hint = hint

    def render(self, form: forms.BaseForm, context: Context, **kwargs: Any) -> SafeString:
        """The section as HTML; crispy-forms calls this."""
        inner = format_html_join("", "{}", ((render_field(field, form, context),) for field in self.fields))
        return render_to_string(self.template, {"section": self, "inner": inner})


class Fold(Section):
    """Fields that few people need, folded under their heading; open if one has a value or an error."""

    template = "common_ground/fold.html"

    def render(self, form: forms.BaseForm, context: Context, **kwargs: Any) -> SafeString:
        """The fold as HTML; crispy-forms calls this. Nothing where the form has none of its fields."""
        inside = [form[str(name)] for name in self.fields if str(name) in form.fields]
        self.fields = [field.name for field in inside]
        self.is_open = any(field.errors or field.value() not in _NOTHING for field in inside)
        return super().render(form, context, **kwargs) if inside else SafeString("")


#: What a field's value is where nobody has filled it in.
_NOTHING: tuple[Any, ...] = (None, "", False, [], ())


class Helper(FormHelper):  # type: ignore[misc]  # crispy-forms carries no types
    """The layout of a form: fields or sections, buttons and cancel link.

    `submit` is the text of the button; `secondary` is a second button as (name, text); `danger` makes it a warning
    button, for what cannot be undone. Without fields or sections, all fields are shown.
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
    """The base of all forms: a line break counts as one character.

    The counter below the box counts it so, but browsers send two (CR LF, by the HTML standard).
    """

    def full_clean(self) -> None:
        """Validate, with each line break as one character."""
        names = [self.add_prefix(name) for name, field in self.fields.items() if _is_long(field)]
        sent = {name: self.data[name] for name in names if name in self.data}
        counted = {name: text.replace("\r\n", "\n").replace("\r", "\n") for name, text in sent.items()}
        if counted != sent:
            data: Any = copy(self.data)  # a copied QueryDict can be changed
            for name, text in counted.items():
                data[name] = text
            self.data = data
        super().full_clean()


def _is_long(field: forms.Field) -> bool:
    return isinstance(field.widget, forms.Textarea)


class ScaleSelect(forms.RadioSelect):
    """Radios side by side, for a few short answers, such as a scale; where there is no room they wrap."""


class ReasonForm(Form):
    """A step that needs a reason.

    A room with its own words declares `reason` again, and sets `danger` if the step cannot be undone.
    """

    danger = False
    reason = forms.CharField(label="Why?", max_length=1_000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, submit: str, cancel: str, danger: bool | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = Helper(self, submit=submit, cancel=cancel, danger=self.danger if danger is None else danger)


class VerdictForm(Form):
    """An answer that needs words in some cases, such as a refusal.

    A room declares both fields, names them here, and says for each such answer what to write.
    """

    verdict_field = "verdict"
    words_field = "reason"
    needs_words: Mapping[str, str] = {}

    def clean(self) -> dict[str, Any]:
        """Require words where the answer needs them."""
        data = super().clean() or {}
        problem = self.needs_words.get(data.get(self.verdict_field, ""))
        if problem and not data.get(self.words_field, "").strip():
            self.add_error(self.words_field, problem)
        return data


def error_words(field: BoundField) -> list[str]:
    """A field's errors, which name it and say what to do, instead of Django's own words."""
    return [_named_words(field, str(text)) for text in field.errors]


def _named_words(field: BoundField, text: str) -> str:
    if text == _DEFAULT_REQUIRED:
        return _missing_words(field)
    if named := _NAMED_ERRORS.get(text):
        return named.format(field.label)
    limit = _LIMITS.fullmatch(text)
    return f"{field.label} must be at {_BOUND[limit['side']]} {limit['limit']}" if limit else text


def _missing_words(field: BoundField) -> str:
    label, widget = str(field.label), field.field.widget
    if isinstance(widget, forms.CheckboxInput):
        return f"Tick “{label}” to continue"
    if label.endswith("?"):
        return f"Answer “{label}”"
    if label.startswith("Choose "):
        return label
    if isinstance(widget, forms.FileInput):
        return f"Choose a file for “{label}”"
    chosen = isinstance(widget, forms.Select | forms.RadioSelect | forms.CheckboxSelectMultiple)
    return f"{'Choose' if chosen else 'Enter'} {_in_a_sentence(label)}"


def _in_a_sentence(label: str) -> str:
    """A label within a sentence: `Title` becomes `the title`.

    Labels that are not nouns are quoted.
    """
    first = label.split()[0]
    if first.lower() in _QUESTION_WORDS | _OTHER_WORDS:
        return f"an answer to “{label}”"
    lowered = label if first.isupper() and len(first) > 1 else label[:1].lower() + label[1:]
    return lowered if first.lower() in ("your", "their", "the", "a", "an") else f"the {lowered}"


def shown_when(form: forms.BaseForm, name: str, other: str, *values: str) -> None:
    """Show a field only while another has one of these values; always shown without JavaScript."""
    if name in form.fields and other in form.fields:
        form.fields[name].widget.attrs["data-shown-when"] = f"{form.add_prefix(other)}={','.join(values)}"


class AutocompleteSelect(forms.Select):
    """One of a long list with autocomplete; a select without JavaScript."""

    def __init__(self, attrs: dict[str, Any] | None = None, choices: Any = ()) -> None:
        super().__init__({"data-module": "cg-autocomplete", **(attrs or {})}, choices)


class AutocompleteSelectMultiple(forms.SelectMultiple):
    """Several of a long list, as chips; a plain list without JavaScript."""

    def __init__(self, attrs: dict[str, Any] | None = None, choices: Any = ()) -> None:
        super().__init__({"data-module": "cg-autocomplete-multiple", **(attrs or {})}, choices)


#: Choices that a search by name shows, at most; a list of no more is shown as a whole.
MAX_FOUND = 40


class _Find(forms.Select):
    """A list of hundreds: without JavaScript, it shows what a search by name found.

    The view answers its button with `searching_form`, which looks in the fields `find_by` of the rows, or in the words
    of the choices.
    """

    template_name = "common_ground/widgets/find_select.html"
    #: The words that were sought; None before a search.
    words: str | None = None

    def __init__(self, attrs: dict[str, Any] | None = None, choices: Any = (), *, find_by: Sequence[str] = ("name",)):
        super().__init__(attrs, choices)
        self.find_by = find_by

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """With what was sought and chosen, and whether the list is short enough to be shown."""
        context = super().get_context(name, value, attrs)
        options = [
            option for _, group, _ in context["widget"]["optgroups"] for option in group if option["value"] != ""
        ]
        is_narrowed = self.words is not None
        context["widget"] |= {
            "words": self.words or "",
            "is_narrowed": is_narrowed,
            "is_shown": bool(options) if is_narrowed else len(options) <= MAX_FOUND,
            "chosen": [option["label"] for option in options if option["selected"]],
        }
        return context


class FindSelect(_Find, AutocompleteSelect):
    """One of hundreds; see `_Find`."""


class FindSelectMultiple(_Find, AutocompleteSelectMultiple):
    """Several of hundreds; see `_Find`."""


def found_by_name(form: forms.BaseForm, posted: QueryDict) -> None:
    """Fill an unbound form with what was typed, and reduce each list of hundreds to what has the name."""
    for name, field in form.fields.items():
        several = isinstance(field, forms.MultipleChoiceField | forms.ModelMultipleChoiceField)
        form.initial[name] = posted.getlist(name) if several else posted.get(name, "")
        if isinstance(field.widget, _Find):
            field.widget.words = posted.get(f"{name}-find", "").strip()
            _narrow(field, field.widget.words, field.widget.find_by, posted.getlist(name))


def _narrow(field: forms.Field, words: str, find_by: Sequence[str], chosen: Sequence[str]) -> None:
    """Leave of a field's choices those with the words, and those that are chosen."""
    if isinstance(field, forms.ModelChoiceField):
        parts = [Q(**{f"{part}__icontains": words}) for part in find_by] if words else [Q(pk__in=[])]
        rows = field.queryset
        assert rows is not None  # a form gives its rows before it is shown
        matching_ids = rows.filter(Q(*parts, _connector=Q.OR)).values_list("pk", flat=True)[:MAX_FOUND]
        numbers = [int(pk) for pk in chosen if pk.isdecimal() and len(pk) < 10]
        field.queryset = rows.filter(pk__in=[*matching_ids, *numbers])
    elif isinstance(field, forms.ChoiceField):
        offered: Any = field.choices  # pairs, in the lists of hundreds
        every = [(str(code), str(label)) for code, label in offered]
        named = [code for code, label in every if words and words.lower() in label.lower()][:MAX_FOUND]
        field.choices = [(code, label) for code, label in every if code in ("", *named, *chosen)]


def is_search(posted: QueryDict) -> bool:
    """Whether somebody searches a long list by name, instead of saving the form.

    Its button was pressed, or Enter without JavaScript, which sends "enter" from any field: with words that were not
    sought yet, it is a search.
    """
    if "find" in posted:
        return True
    boxes = [name.removesuffix("-find") for name in posted if name.endswith("-find")]
    typed = [(str(posted[f"{name}-find"]).strip(), str(posted.get(f"{name}-sought", "")).strip()) for name in boxes]
    return "enter" in posted and any(words and words != sought for words, sought in typed)


def searching_form(request: HttpRequest, make: Callable[[QueryDict | None], _Form]) -> _Form:
    """The form, which `make` makes of the POST data; after a search by name, with what that found."""
    if not is_search(request.POST):
        return make(posted(request))
    form = make(None)
    found_by_name(form, request.POST)
    return form


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter: its text, and the address of the list without it."""

    label: str
    href: str


def active_filters(form: forms.BaseForm, parameters: QueryDict) -> list[Chip]:
    """The active filters of a valid GET form, each with its removal link."""
    if not form.is_valid():
        return []
    chips: list[Chip] = []
    for name, field in form.fields.items():
        chosen = form.cleaned_data.get(name)
        if chosen in (None, "", False) or not parameters.getlist(form.add_prefix(name)):
            continue
        several = isinstance(field, forms.MultipleChoiceField | forms.ModelMultipleChoiceField)
        chips += [_chip(form, name, field, value, parameters) for value in (chosen if several else [chosen])]
    return chips


def _chip(form: forms.BaseForm, name: str, field: forms.Field, value: Any, parameters: QueryDict) -> Chip:
    rest = parameters.copy()
    for parameter in PAGING_PARAMETERS:
        rest.pop(parameter, None)
    key = form.add_prefix(name)
    raw = str(field.prepare_value(value))
    others = [other for other in rest.getlist(key) if other != raw]
    if others and len(others) < len(rest.getlist(key)):
        rest.setlist(key, others)
    else:
        rest.pop(key, None)
    return Chip(_chip_label(field, name, value), f"?{rest.urlencode()}")


def _chip_label(field: forms.Field, name: str, value: Any) -> str:
    label = str(field.label or name.replace("_", " ").capitalize())
    if isinstance(field, forms.ModelChoiceField):
        return str(field.label_from_instance(value))
    if isinstance(field, forms.BooleanField):
        return label
    if isinstance(value, dt.date):
        return f"{label} {long_date(value)}"
    if isinstance(field, forms.ChoiceField):
        return _flat(field.choices).get(str(value), str(value))
    return f"{label}: {value}"


def _flat(choices: Any) -> Mapping[str, str]:
    """Labels of choices by value, groups flattened."""
    words: dict[str, str] = {}
    for value, label in choices:
        if isinstance(label, list | tuple):
            words |= _flat(label)
        else:
            words[str(value)] = str(label)
    return words
