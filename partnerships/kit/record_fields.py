"""Filters by one or several records.

Listed if they are few, otherwise suggested while somebody types.

Without JavaScript, a box beside the filter finds records by a part of their name; they are then offered in the list.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, JsonResponse, QueryDict

from partnerships.kit.http import row_number

#: Up to this many records are all in the list.
MAX_LISTED = 100
#: More are suggested by their names, this many at a time.
MAX_SUGGESTED = 40
_Named = tuple[int, str]


class RecordSelect(forms.Select):
    """One of the records of its field.

    `named_by` is the field of theirs that names them.
    """

    module = "cg-autocomplete"
    #: Those of a ModelChoiceField, which knows its records.
    choices: Any
    #: A part of a name, as it was typed without JavaScript.
    words = ""

    def __init__(self, attrs: dict[str, Any] | None = None, choices: Any = (), *, named_by: str = "title") -> None:
        super().__init__({"data-module": self.module, **(attrs or {})}, choices)
        self.named_by = named_by

    @property
    def template_name(self) -> str:  # type: ignore[override]  # a plain text in Django
        """The template of a select; the box to find by is below a long one."""
        return "common_ground/widgets/record_select.html" if self.is_long else forms.Select.template_name

    @property
    def is_long(self) -> bool:
        """Whether there are too many records for a list."""
        return self._listed is None

    @cached_property
    def _listed(self) -> list[_Named] | None:
        listed = list(self._named[: MAX_LISTED + 1])
        return listed if len(listed) <= MAX_LISTED else None

    @property
    def _named(self) -> QuerySet[Any, _Named]:
        rows: QuerySet[Any] = self.choices.queryset
        return rows.values_list("pk", self.named_by)

    def suggested(self, words: str) -> list[_Named]:
        """Records whose name has the words.

        Records whose name begins with the words come first.
        """
        words = " ".join(words.replace("\x00", "").split())
        if not words:
            return []
        suggestions: dict[int, str] = {}
        for lookup in ("istartswith", "icontains"):
            suggestions |= dict(self._named.filter(**{f"{self.named_by}__{lookup}": words})[:MAX_SUGGESTED])
        return list(suggestions.items())[:MAX_SUGGESTED]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """With the words that were typed and what they find.

        A long select says that it has suggestions.
        """
        context = super().get_context(name, value, attrs)
        if self.is_long:
            context["widget"]["attrs"]["data-suggests"] = "yes"
        context["widget"] |= {"words": self.words, "sought": self.choices.field.label or ""}
        return context

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> Any:
        """The options: all records, or those that are chosen and those that have the words."""
        every, self.choices = self.choices, self._offered(value)
        try:
            return super().optgroups(name, value, attrs)
        finally:
            self.choices = every

    def _offered(self, value: Iterable[str]) -> list[tuple[Any, str]]:
        empty = self.choices.field.empty_label
        first = [] if empty is None else [("", str(empty))]
        if self._listed is not None:
            return [*first, *self._listed]
        numbers = [number for item in value if (number := row_number(str(item))) is not None]
        chosen = list(self._named.filter(pk__in=numbers)) if numbers else []
        return list(dict([*first, *chosen, *self.suggested(self.words)]).items())


class RecordSelectMultiple(RecordSelect, forms.SelectMultiple):
    """Several records of its field."""

    module = "cg-autocomplete-multiple"


def suggestions(form: forms.BaseForm, sent: QueryDict) -> JsonResponse | None:
    """The answer to `?suggest=partnership&words=har`, where `form` is that of a filter; None to other requests."""
    if "suggest" not in sent:
        return None
    field = form.fields.get(str(sent["suggest"]))
    if field is None or not isinstance(field.widget, RecordSelect):
        raise Http404
    return JsonResponse({"choices": field.widget.suggested(sent.get("words", "")[:200])})


def find_without_script(form: forms.BaseForm, sent: QueryDict) -> None:
    """Let each filter offer what has the words that were typed in the box beside it."""
    for name, field in form.fields.items():
        if isinstance(field.widget, RecordSelect):
            field.widget.words = sent.get(f"{form.add_prefix(name)}-find", "")[:200]


class Unreadable:
    """A record that a filter names and the reader cannot see.

    It finds nothing.
    """

    def __str__(self) -> str:
        return "a record you cannot see"


UNREADABLE = Unreadable()


class RecordField(forms.ModelChoiceField):  # type: ignore[type-arg]  # of any model with a title or name
    """A filter by one record that the reader can see.

    The number of another record is kept and finds nothing, so that a shared view does not tell its reader whether that
    record exists.
    """

    def __init__(self, *, named_by: str = "title", **kwargs: Any) -> None:
        super().__init__(**{"required": False, "widget": RecordSelect(named_by=named_by), **kwargs})

    def to_python(self, value: Any) -> Any:
        """The record, None, or `UNREADABLE`."""
        try:
            return super().to_python(value)
        except ValidationError:
            if str(value).isdecimal():
                return UNREADABLE
            raise

    def validate(self, value: Any) -> None:
        """Any record that was found, and `UNREADABLE`."""

    def prepare_value(self, value: Any) -> Any:
        """The number of the record."""
        return "" if value is UNREADABLE else super().prepare_value(value)


class RecordsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # of any model with a title or name
    """A filter by several records that the reader can see.

    Others are kept as `UNREADABLE` and add nothing.
    """

    def __init__(self, *, named_by: str = "title", **kwargs: Any) -> None:
        super().__init__(**{"required": False, "widget": RecordSelectMultiple(named_by=named_by), **kwargs})

    def clean(self, value: Any) -> Any:
        """The records, in order of number, and `UNREADABLE` if there were others."""
        numbers = {number for item in value or () if (number := row_number(str(item))) is not None}
        queryset = self.queryset  # None before one is set; whether it is empty would read every record of it
        records = list(queryset.filter(pk__in=numbers).order_by("pk")) if numbers and queryset is not None else []
        return [*records, UNREADABLE] if len(records) < len(set(value or ())) else records

    def prepare_value(self, value: Any) -> Any:
        """The numbers of the records."""
        return "" if value is UNREADABLE else super().prepare_value(value)
