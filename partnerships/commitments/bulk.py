"""Actions on several commitments of the list at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.http import QueryDict

from partnerships.commitments import services
from partnerships.commitments.forms.fields import PersonField, with_memberships
from partnerships.commitments.forms.terms import DueDateForm
from partnerships.commitments.models import Commitment
from partnerships.commitments.queries import possible_owners
from partnerships.commitments.rights import Rights, rights_over_each
from partnerships.kit.forms import AutocompleteSelect, Form, Helper
from partnerships.kit.lists import BulkAction, only_button
from partnerships.people.models import User

_NOT_UNDER_WAY = "These commitments have not been agreed, have been delivered or have ended"
_NO_RIGHT = "Only editors and leads of the organisation that made the promise can change these commitments."
_NO_RIGHT_TO_REMIND = "Only editors and leads of the two organisations can remind these owners."


class OwnerForm(Form):
    """The form in which a person chooses a new owner for several commitments."""

    def __init__(self, data: QueryDict | None, _person: User, rows: Sequence[Commitment]) -> None:
        super().__init__(data)
        self.fields["owner"] = PersonField(
            label="New owner",
            queryset=with_memberships(possible_owners(*{row.owner_organisation for row in rows})),
            widget=AutocompleteSelect,
            help_text="The owner of a commitment changes only if this person acts for the organisation that made the "
            "promise.",
        )
        self.helper = Helper(self, submit="Change owner")


def _left_out_finder(
    why_not: Callable[[Rights], str],
) -> Callable[[User, Sequence[Commitment], dt.datetime], dict[int, str]]:
    """Return a function that finds the commitments that an action leaves out, with the reason by id.

    `why_not` returns the reason for one commitment, or "" if the action may change it.
    """

    def find_left_out(person: User, rows: Sequence[Commitment], now: dt.datetime) -> dict[int, str]:
        reasons_by_pk = {rights.commitment.pk: why_not(rights) for rights in rights_over_each(rows, person, now)}
        return {pk: reason for pk, reason in reasons_by_pk.items() if reason}

    return find_left_out


def _why_not_assign_owner(rights: Rights) -> str:
    """Return why the person cannot change the owner, or "" if they can."""
    if rights.commitment.is_over:
        return "These commitments have ended, so you can no longer change their owner."
    return "" if rights.may_change_owner else _NO_RIGHT


def _why_not_change_due_date(rights: Rights) -> str:
    """Return why the person cannot change the due date, or "" if they can."""
    if not rights.commitment.is_under_way:
        return f"{_NOT_UNDER_WAY}, so you cannot change their due date."
    return "" if rights.may_report else _NO_RIGHT


def _why_not_remind(rights: Rights) -> str:
    """Return why the person cannot remind the owner, or "" if they can."""
    if not rights.commitment.is_under_way:
        return f"{_NOT_UNDER_WAY}, so their owners need no reminder."
    if not rights.may_escalate:
        return _NO_RIGHT_TO_REMIND
    if rights.commitment.owner_id in (None, rights.person_id):
        return "These commitments have no owner, or you own them, so there is nobody to remind."
    return ""


def _assign_owner(*, row: Commitment, person: User, chosen: Mapping[str, Any], now: dt.datetime) -> None:
    # The owner would otherwise get an email although nothing has changed.
    if row.owner_id == chosen["owner"].pk:
        raise services.UnableToChangeOwner(
            f"{chosen['owner'].display_name} already owns these commitments. Choose another person."
        )
    services.change_owner(commitment=row, owner=chosen["owner"], author=person, now=now)


def _change_due_date(*, row: Commitment, person: User, chosen: Mapping[str, Any], now: dt.datetime) -> None:
    services.change_due_date(commitment=row, due_on=chosen["due_on"], reason=chosen["reason"], author=person, now=now)


def _remind(*, row: Commitment, person: User, chosen: Mapping[str, Any], now: dt.datetime) -> None:
    services.remind_owner(commitment=row, author=person, now=now)


def _owners_notifier(*, reminds: bool) -> Callable[..., None]:
    """Return a function that sends each owner one email about all their commitments among the chosen ones."""

    def send_emails(*, rows: Sequence[Commitment], person: User, chosen: Mapping[str, Any], now: dt.datetime) -> None:
        services.email_owners(commitments=rows, author=person, reminds=reminds, now=now)

    return send_emails


ACTIONS = (
    BulkAction(
        name="assign",
        label="Change the owner",
        done="the owner has been changed",
        form=OwnerForm,
        left_out=_left_out_finder(_why_not_assign_owner),
        change=_assign_owner,
        refusals=(services.UnableToChangeOwner,),
        tell=_owners_notifier(reminds=False),
    ),
    BulkAction(
        name="due",
        label="Change the due date",
        done="the due date has been changed",
        form=lambda data, _person, _rows: DueDateForm(data),
        left_out=_left_out_finder(_why_not_change_due_date),
        change=_change_due_date,
        refusals=(services.UnableToChangeDueDate,),
    ),
    BulkAction(
        name="remind",
        label="Remind the owners",
        done="the owners have been reminded",
        form=only_button("Remind owners"),
        left_out=_left_out_finder(_why_not_remind),
        change=_remind,
        refusals=(services.UnableToRemind,),
        tell=_owners_notifier(reminds=True),
    ),
)
