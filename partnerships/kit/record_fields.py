"""Filters by one or several records, for lists.

If there are few records, the select has all of them. If there are many, matches are suggested while a person types.
Without JavaScript, a search box next to the select finds records by a part of their name, and the select then offers
the matches.
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

#: The select has all records if there are at most this many.
MAX_LISTED = 100
#: Limit of matches that are suggested at a time.
MAX_SUGGESTED = 40
#: A record's id and name.
_Named = tuple[int, str]


class RecordSelect(forms.Select):
    """A select of one record. `named_by` is the field with the record's name."""

    module = "cg-autocomplete"
    #: The choices with the records' queryset, set by ModelChoiceField.
    choices: Any
    #: The search words from the box for people without JavaScript.
    words = ""

    def __init__(self, attrs: dict[str, Any] | None = None, choices: Any = (), *, named_by: str = "title") -> None:
        super().__init__({"data-module": self.module, **(attrs or {})}, choices)
        self.named_by = named_by

    @property
    def template_name(self) -> str:  # type: ignore[override]  # a plain text in Django
        """Django's template of a select, or our template with a search box if there are too many records."""
        return "common_ground/widgets/record_select.html" if self.is_long else forms.Select.template_name

    @property
    def is_long(self) -> bool:
        """Return whether there are too many records for the select to have all of them."""
        return self._all_records is None

    @cached_property
    def _all_records(self) -> list[_Named] | None:
        """All records, or None if there are too many."""
        records = self.first_records(MAX_LISTED + 1)
        return records if len(records) <= MAX_LISTED else None

    def first_records(self, limit: int) -> list[_Named]:
        """Return the ids and names of the first records, at most `limit`."""
        return list(self._named[:limit])

    @property
    def _named(self) -> QuerySet[Any, _Named]:
        rows: QuerySet[Any] = self.choices.queryset
        return rows.values_list("pk", self.named_by)

    def suggested(self, words: str) -> list[_Named]:
        """Return the records whose name contains the words; first those whose name begins with the words."""
        search_words = " ".join(words.replace("\x00", "").split())
        if not search_words:
            return []
        names_by_id: dict[int, str] = {}
        for lookup in ("istartswith", "icontains"):
            matches = self._named.filter(**{f"{self.named_by}__{lookup}": search_words})
            names_by_id |= dict(matches[:MAX_SUGGESTED])
        return list(names_by_id.items())[:MAX_SUGGESTED]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Add the search words and the label of the search box, and whether JavaScript should suggest records."""
        context = super().get_context(name, value, attrs)
        if self.is_long:
            context["widget"]["attrs"]["data-suggests"] = "yes"
        context["widget"] |= {"words": self.words, "sought": self.choices.field.label or ""}
        return context

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> Any:
        """Return the options: all records, or if there are too many the chosen ones and the search's matches."""
        field_choices, self.choices = self.choices, self._offered(value)
        try:
            return super().optgroups(name, value, attrs)
        finally:
            self.choices = field_choices

    def _offered(self, value: Iterable[str]) -> list[tuple[Any, str]]:
        """Return the choices that the select offers; see `optgroups`."""
        empty_label = self.choices.field.empty_label
        empty_choice = [] if empty_label is None else [("", str(empty_label))]
        if self._all_records is not None:
            return [*empty_choice, *self._all_records]
        numbers = [row_number(str(item)) for item in value]
        chosen_ids = [number for number in numbers if number is not None]
        chosen = list(self._named.filter(pk__in=chosen_ids)) if chosen_ids else []
        # A dict, because a chosen record may also be among the suggestions.
        return list(dict([*empty_choice, *chosen, *self.suggested(self.words)]).items())


class RecordSelectMultiple(RecordSelect, forms.SelectMultiple):
    """A select of several records."""

    module = "cg-autocomplete-multiple"


def suggestions(form: forms.BaseForm, parameters: QueryDict) -> JsonResponse | None:
    """Return the response to `?suggest=partnership&words=har` for a form of filters, or None for other requests.

    Raises `Http404` if the form has no such filter.
    """
    if "suggest" not in parameters:
        return None
    field = form.fields.get(str(parameters["suggest"]))
    if field is None or not isinstance(field.widget, RecordSelect):
        raise Http404
    return JsonResponse({"choices": field.widget.suggested(parameters.get("words", "")[:200])})


def find_without_script(form: forms.BaseForm, parameters: QueryDict) -> None:
    """Set the words from each filter's search box, so that the filter offers the matches."""
    for name, field in form.fields.items():
        if isinstance(field.widget, RecordSelect):
            field.widget.words = parameters.get(f"{form.add_prefix(name)}-find", "")[:200]


class Unreadable:
    """What a filter has instead of a record that the reader may not see. No row matches it."""

    def __str__(self) -> str:
        return "a record you cannot see"


UNREADABLE = Unreadable()


class RecordField(forms.ModelChoiceField):  # type: ignore[type-arg]  # of any model with a title or name
    """A filter by one record that the reader may see.

    The id of any other record becomes `UNREADABLE`, which no row matches. So a view shared with the reader does not
    reveal whether that record exists.
    """

    def __init__(self, *, named_by: str = "title", **kwargs: Any) -> None:
        super().__init__(**{"required": False, "widget": RecordSelect(named_by=named_by), **kwargs})

    def to_python(self, value: Any) -> Any:
        """Return the record, None, or `UNREADABLE`."""
        try:
            return super().to_python(value)
        except ValidationError:
            if str(value).isdecimal():
                return UNREADABLE
            raise

    def validate(self, value: Any) -> None:
        """Accept every record, and `UNREADABLE`, which Django would refuse."""

    def prepare_value(self, value: Any) -> Any:
        """Return the id of the record, or "" for `UNREADABLE`."""
        return "" if value is UNREADABLE else super().prepare_value(value)


class RecordsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # of any model with a title or name
    """A filter by several records that the reader may see.

    All other ids together become one `UNREADABLE`, which adds no rows.
    """

    def __init__(self, *, named_by: str = "title", **kwargs: Any) -> None:
        super().__init__(**{"required": False, "widget": RecordSelectMultiple(named_by=named_by), **kwargs})

    def clean(self, value: Any) -> Any:
        """Return the records in order of their ids, then `UNREADABLE` if the value has other ids."""
        values = set(value or ())
        ids = {row_number(str(item)) for item in values} - {None}
        queryset = self.queryset  # compared with None below: `if queryset` would read all its records
        records = list(queryset.filter(pk__in=ids).order_by("pk")) if ids and queryset is not None else []
        return [*records, UNREADABLE] if len(records) < len(values) else records

    def prepare_value(self, value: Any) -> Any:
        """Return the id of a record, or "" for `UNREADABLE`."""
        return "" if value is UNREADABLE else super().prepare_value(value)
