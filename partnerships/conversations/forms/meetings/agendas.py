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
    """A row of the form: an agenda item with its fields, or the fields of a new item (`item` is None).

    The names of the fields in a row end in the id of the item, or in "new". For example, `title_12` is the title of
    item 12. `shape` has the CSS classes of the row.
    """

    def __init__(self, form: AgendaForm, item: AgendaItem | None) -> None:
        self.item = item
        key = str(item.pk) if item else "new"
        names = ("title", "place", "purpose", "minutes", "presenter", "kept")
        self.shape = "cg-agenda-row cg-agenda-row--dropped" if item and item.is_dropped else "cg-agenda-row"
        self.fields = [form[f"{name}_{key}"] for name in names if f"{name}_{key}" in form.fields]


class AgendaForm(Form):
    """The form of the agenda items that the person may read, with an empty row for a new item.

    Items are ordered by the numbers in their field "Order". An item without a tick at "Keep" is dropped.
    Each of `people` may be chosen as a presenter.
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
        """Add the fields of one row: those of an item, or those of a new item if `item` is None.

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
        self.fields[f"place_{key}"] = forms.IntegerField(
            label="Order",
            min_value=1,
            max_value=999,
            initial=position,
            widget=forms.NumberInput(attrs={"class": "govuk-input--width-3"}),
            required=item is not None,
        )
        self.fields[f"purpose_{key}"] = forms.ChoiceField(
            label="Purpose",
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
        self.fields[f"presenter_{key}"] = self._presenter_field(item, presenter_choices)
        if item is not None:
            self.fields[f"kept_{key}"] = forms.BooleanField(label="Keep", required=False, initial=not item.is_dropped)

    def _presenter_field(self, item: AgendaItem | None, choices: list[tuple[str, str]]) -> forms.ChoiceField:
        """Return the field for the presenter of an item."""
        if item is None or item.presenter is None:
            return forms.ChoiceField(label="Presenter", required=False, choices=choices, initial="")
        presenter = item.presenter
        presenter_pk = str(presenter.pk)
        if presenter_pk not in dict(choices):
            # A presenter who has left stays on the agenda. Without this choice the form would be invalid.
            choices = [*choices, (presenter_pk, f"{presenter.display_name}, a former member")]
            self._people[presenter_pk] = presenter
        return forms.ChoiceField(label="Presenter", required=False, choices=choices, initial=presenter_pk)

    @property
    def lines(self) -> list[AgendaLine]:
        """Return the agenda that a valid form describes, in its order, with dropped items last."""
        data = self.cleaned_data
        numbered_lines = [(data[f"place_{item.pk}"], self._line(item)) for item in self.items]
        if data["title_new"]:
            new_number = data["place_new"] or len(self.items) + 1
            numbered_lines.append((new_number, self._line(None)))

        # Sorting is stable: items with the same number stay in their present order, and a new item follows them.
        numbered_lines.sort(key=lambda numbered_line: numbered_line[0])
        sorted_lines = [line for _number, line in numbered_lines]
        kept_lines = [line for line in sorted_lines if line.is_kept]
        dropped_lines = [line for line in sorted_lines if not line.is_kept]
        return [*kept_lines, *dropped_lines]

    def _line(self, item: AgendaItem | None) -> AgendaLine:
        """Return what a valid form says about an item, or about the new item if `item` is None."""
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


class CirculateAgendaForm(Form):
    """The form to circulate the agenda. The hidden `revision` is the revision that the person read."""

    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, meeting: Meeting, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["revision"].initial = meeting.revision
        self.helper = Helper(self, submit="Circulate agenda", cancel=meeting.get_absolute_url())
