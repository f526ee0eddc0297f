"""The form of an agenda: order, time and presenter of each item, and an empty row for a new item."""

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
    """An item with the fields that the page shows for it; the row for a new item has no item."""

    def __init__(self, form: AgendaForm, item: AgendaItem | None) -> None:
        self.item = item
        key = str(item.pk) if item else "new"
        names = ("title", "place", "purpose", "minutes", "presenter", "kept")
        self.shape = "cg-agenda-row cg-agenda-row--dropped" if item and item.is_dropped else "cg-agenda-row"
        self.fields = [form[f"{name}_{key}"] for name in names if f"{name}_{key}" in form.fields]


class AgendaForm(Form):
    """The items of an agenda that the person may read, and an empty row for a new one.

    Items are ordered by the numbers in their field "Order". Items without a tick at "Keep" are dropped.
    `people` may present an item.
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
        for position, item in enumerate(self.items, start=1):
            self._add_fields(item, position=position, presenter_choices=choices)
        self._add_fields(None, position=len(self.items) + 1, presenter_choices=choices)
        self.rows = [ItemRow(self, item) for item in self.items]
        self.new_row = ItemRow(self, None)
        self.helper = Helper(self, submit="Save agenda", cancel=meeting.get_absolute_url())

    def _add_fields(self, item: AgendaItem | None, *, position: int, presenter_choices: list[tuple[str, str]]) -> None:
        """Add the fields of one row; without an item, those of a new one.

        An item about a record shows the title of that record, so only other items can be renamed.
        """
        key = str(item.pk) if item else "new"
        if item is None or not item.subject_kind:
            self.fields[f"title_{key}"] = forms.CharField(
                label="Item" if item else "New item",
                max_length=300,
                required=item is not None,
                initial=item.title if item else "",
            )
        short_number_input = forms.NumberInput(attrs={"class": "govuk-input--width-3"})
        self.fields[f"place_{key}"] = forms.IntegerField(
            label="Order",
            min_value=1,
            max_value=999,
            initial=position,
            widget=short_number_input,
            required=item is not None,
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
        presenter_pk = ""
        choices = list(presenter_choices)
        if item and item.presenter:
            presenter_pk = str(item.presenter.pk)
            if presenter_pk not in dict(choices):
                # Saving the agenda keeps a presenter who has left; without this choice it would refuse them.
                choices.append((presenter_pk, f"{item.presenter.display_name}, a former member"))
                self._people[presenter_pk] = item.presenter
        self.fields[f"presenter_{key}"] = forms.ChoiceField(
            label="Presenter", required=False, choices=choices, initial=presenter_pk
        )
        if item is not None:
            self.fields[f"kept_{key}"] = forms.BooleanField(label="Keep", required=False, initial=not item.is_dropped)

    @property
    def lines(self) -> list[AgendaLine]:
        """The agenda that a valid form describes, in its order; items that are dropped come last."""
        data = self.cleaned_data
        position_and_line = [(data[f"place_{item.pk}"], self._line(item)) for item in self.items]
        if data["title_new"]:
            new_position = data["place_new"] or len(self.items) + 1
            position_and_line.append((new_position, self._line(None)))

        # Sorting is stable: items with the same number keep their present order, and a new one follows them.
        position_and_line.sort(key=lambda pair: (not pair[1].is_kept, pair[0]))
        return [line for _, line in position_and_line]

    def _line(self, item: AgendaItem | None) -> AgendaLine:
        """The line of a valid form for one item, or for the new one."""
        data = self.cleaned_data
        key = str(item.pk) if item else "new"
        return AgendaLine(
            item=item,
            title=data.get(f"title_{key}") or (item.title if item else ""),
            purpose=data[f"purpose_{key}"],
            minutes=data[f"minutes_{key}"],
            presenter=self._people.get(data[f"presenter_{key}"]),
            is_kept=data.get(f"kept_{key}", True),
        )


class CirculateForm(Form):
    """The form to circulate the agenda. Its revision shows which agenda the person has seen."""

    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, meeting: Meeting, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["revision"].initial = meeting.revision
        self.helper = Helper(self, submit="Circulate agenda", cancel=meeting.get_absolute_url())
