"""The actions on several asks and offers of the list at once.

They name a facilitator, change the closing date, and send reminders.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from partnerships.exchange import services
from partnerships.exchange.models import Entry
from partnerships.exchange.queries.permission_sql import reader_of
from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.forms import AutocompleteSelect, DayField, Form, Helper
from partnerships.kit.lists import BulkAction, only_button
from partnerships.organisations.models import Membership
from partnerships.people.models import User

_NO_RIGHT = "Only editors and leads of the organisation that shared these asks and offers can change them."


_ENDED = "These asks and offers have ended, so you can no longer change them."
_NOT_WAITING = "These asks and offers are not waiting for an answer, so nobody needs a reminder."


class FacilitatorForm(Form):
    """The form to choose a facilitator, who helps both sides of the chosen asks and offers to agree."""

    person = forms.ModelChoiceField(
        label="Facilitator",
        queryset=User.objects.none(),
        widget=AutocompleteSelect,
        help_text="Only asks and offers from organisations that this person acts for will change.",
    )

    def __init__(self, data: QueryDict | None, _person: User, rows: Sequence[Entry]) -> None:
        super().__init__(data)
        field = model_choice_field(self, "person")
        memberships = Membership.objects.current().filter(organisation__in={row.organisation_id for row in rows})
        field.queryset = User.objects.filter(pk__in=memberships.values("person")).order_by("name", "pk")
        self.helper = Helper(self, submit="Name facilitator")


class ClosingForm(Form):
    """The form to choose the day after which the chosen asks and offers lapse."""

    closes_on = DayField(label="New closing date", help_text="The chosen asks and offers lapse after this date.")

    def __init__(self, data: QueryDict | None, _person: User, _rows: Sequence[Entry]) -> None:
        super().__init__(data)
        self.helper = Helper(self, submit="Change closing date")


def _reasons_not_to_edit(person: User, rows: Sequence[Entry], _now: dt.datetime) -> dict[int, str]:
    """Return why the person cannot change some of the entries, by the id of the entry."""
    edited_ids = reader_of(person).editing
    reason_by_entry = {}
    for row in rows:
        if row.is_over:
            reason_by_entry[row.pk] = _ENDED
        elif row.organisation_id not in edited_ids:
            reason_by_entry[row.pk] = _NO_RIGHT
    return reason_by_entry


def _reasons_not_to_remind(person: User, rows: Sequence[Entry], now: dt.datetime) -> dict[int, str]:
    """Return why the person cannot send reminders for some of the entries, by the id of the entry."""
    reason_by_entry = {row.pk: _NOT_WAITING for row in rows if not row.is_unanswered}
    # If several reasons apply, a missing right or the end of the entry replaces the reason "not waiting".
    return reason_by_entry | _reasons_not_to_edit(person, rows, now)


def _name_facilitator(*, row: Entry, person: User, chosen: Mapping[str, Any], now: dt.datetime) -> None:
    services.name_entry_facilitator(
        entry=row, organisation=row.organisation, person=chosen["person"], author=person, now=now, sends_email=False
    )


def _email_facilitators(*, rows: Sequence[Entry], person: User, chosen: Mapping[str, Any], now: dt.datetime) -> None:
    services.email_facilitators(entries=rows, person=chosen["person"], author=person, now=now)


def _set_closing_date(*, row: Entry, person: User, chosen: Mapping[str, Any], now: dt.datetime) -> None:
    if row.closes_on == chosen["closes_on"]:
        raise services.UnableToEditEntry("These asks and offers already have this closing date. Choose another date.")
    services.edit_entry(entry=row, author=person, now=now, closes_on=chosen["closes_on"])


def _remind(*, row: Entry, person: User, chosen: Mapping[str, Any], now: dt.datetime) -> None:
    services.remind_of_entry(entry=row, author=person, now=now)


def _email_waiting(*, rows: Sequence[Entry], person: User, chosen: Mapping[str, Any], now: dt.datetime) -> None:
    services.email_about_waiting_entries(entries=rows, author=person, now=now)


ACTIONS = (
    BulkAction(
        name="assign",
        label="Name a facilitator",
        done="a facilitator has been named",
        form=FacilitatorForm,
        left_out=_reasons_not_to_edit,
        change=_name_facilitator,
        refusals=(services.UnableToFacilitate,),
        tell=_email_facilitators,
    ),
    BulkAction(
        name="due",
        label="Change the closing date",
        done="the closing date has been changed",
        form=ClosingForm,
        left_out=_reasons_not_to_edit,
        change=_set_closing_date,
        refusals=(services.UnableToEditEntry, services.UnableToWriteEntry),
    ),
    BulkAction(
        name="remind",
        label="Remind organisations that have not answered",
        done="organisations that have not answered have been reminded",
        form=only_button("Send reminders"),
        left_out=_reasons_not_to_remind,
        change=_remind,
        refusals=(services.UnableToRemindOfEntry,),
        tell=_email_waiting,
    ),
)
