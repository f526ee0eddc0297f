"""The form of an agenda: order, time and presenter of each item, and one of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet

from partnerships.conversations.models import AgendaItem, ItemPurpose, Meeting
from partnerships.conversations.services import AgendaLine
from partnerships.kit.forms import Form, Helper
from partnerships.people.models import User


class ItemRow:
    """An item with the fields that the page shows for it."""

    def __init__(self, form: AgendaForm, item: AgendaItem | None) -> None:
        self.item = item
        key = str(item.pk) if item else "new"
        names = ("title", "place", "purpose", "minutes", "presenter", "kept")
        self.shape = "cg-agenda-row cg-agenda-row--dropped" if item and item.is_dropped else "cg-agenda-row"
        self.fields = [form[f"{name}_{key}"] for name in names if f"{name}_{key}" in form.fields]


class AgendaForm(Form):
    """Every item the person may read, and an empty one.

    Items keep their order by number. Items that are not kept are dropped.
    """

    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, meeting: Meeting, items: Sequence[AgendaItem], people: QuerySet[User], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.items = list(items)
        self.fields["revision"].initial = meeting.revision
        choices = [("", "Nobody yet"), *((str(person.pk), person.display_name) for person in people)]
        self._people = {str(person.pk): person for person in people}
        for place, item in enumerate(self.items, start=1):
            self._add(str(item.pk), place, item, choices)
        self._add("new", len(self.items) + 1, None, choices)
        self.rows = [ItemRow(self, item) for item in self.items]
        self.new_row = ItemRow(self, None)
        self.helper = Helper(self, submit="Save agenda", cancel=meeting.get_absolute_url())

    def _add(self, key: str, place: int, item: AgendaItem | None, choices: list[tuple[str, str]]) -> None:
        """The fields of one line.

        A subject's title is its record's, so only own items can be renamed.
        """
        if item is None or not item.subject_kind:
            self.fields[f"title_{key}"] = forms.CharField(
                label="Item" if item else "New item",
                max_length=300,
                required=item is not None,
                initial=item.title if item else "",
            )
        number = forms.NumberInput(attrs={"class": "govuk-input--width-3"})
        self.fields[f"place_{key}"] = forms.IntegerField(
            label="Order", min_value=1, max_value=999, initial=place, widget=number, required=item is not None
        )
        self.fields[f"purpose_{key}"] = forms.ChoiceField(
            label="For",
            choices=ItemPurpose.choices,
            initial=item.purpose if item else ItemPurpose.DISCUSSION,
        )
        self.fields[f"minutes_{key}"] = forms.IntegerField(
            label="Minutes",
            required=False,
            min_value=1,
            max_value=600,
            initial=item.minutes if item else None,
            widget=forms.NumberInput(attrs={"class": "govuk-input--width-3"}),
        )
        presenter = str(item.presenter_id) if item and item.presenter_id else ""
        known = dict(choices)
        gone = [(presenter, "A former member")] if presenter and presenter not in known else []
        self.fields[f"presenter_{key}"] = forms.ChoiceField(
            label="Presenter", required=False, choices=[*choices, *gone], initial=presenter
        )
        if item is not None:
            self.fields[f"kept_{key}"] = forms.BooleanField(label="Keep", required=False, initial=not item.is_dropped)

    @property
    def lines(self) -> list[AgendaLine]:
        """The agenda that a valid form describes, in its order."""
        data = self.cleaned_data
        placed = [
            (data[f"place_{item.pk}"], number, self._line(str(item.pk), item)) for number, item in enumerate(self.items)
        ]
        if data["title_new"]:
            last = data["place_new"] or len(placed) + 1
            placed.append((last, len(placed), self._line("new", None)))
        kept = sorted(placed, key=lambda placed_line: (not placed_line[2].is_kept, placed_line[0], placed_line[1]))
        return [line for _, _, line in kept]

    def _line(self, key: str, item: AgendaItem | None) -> AgendaLine:
        data = self.cleaned_data
        return AgendaLine(
            item=item,
            title=data.get(f"title_{key}") or (item.title if item else ""),
            purpose=data[f"purpose_{key}"],
            minutes=data[f"minutes_{key}"],
            presenter=self._people.get(data[f"presenter_{key}"]),
            is_kept=data.get(f"kept_{key}", True),
        )


class CirculateForm(Form):
    """Confirms that the agenda seen is the one to circulate."""

    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, meeting: Meeting, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["revision"].initial = meeting.revision
        self.helper = Helper(self, submit="Circulate agenda", cancel=meeting.get_absolute_url())
