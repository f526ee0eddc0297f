"""What can be done with several recommendations of the list at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from partnerships.kit.forms import AutocompleteSelect, DayField, Form, Helper
from partnerships.kit.lists import BulkAction
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation, OrganisationQuerySet
from partnerships.people.models import User
from partnerships.recommendations.models import Recommendation, Response, ResponseStatus
from partnerships.recommendations.queries.addressing import addressed_to, answering
from partnerships.recommendations.services import ResponseGiven, UnableToRespond, respond


class AssignForm(Form):
    """Who in one's own organisation looks after all that are chosen, and when they look again."""

    organisation = forms.ModelChoiceField(
        label="Organisation", queryset=Organisation.objects.none(), empty_label="Choose one"
    )
    owner = forms.ModelChoiceField(
        label="Owner",
        required=False,
        queryset=User.objects.none(),
        widget=AutocompleteSelect,
        empty_label="Keep the present owner",
        help_text="Only your organisation sees owner and review date.",
    )
    review_on = DayField(label="Review date", required=False, help_text="Leave it empty to keep the present date.")

    def __init__(self, data: QueryDict | None, person: User, _rows: Sequence[Recommendation]) -> None:
        super().__init__(data)
        organisation, owner = self.fields["organisation"], self.fields["owner"]
        assert isinstance(organisation, forms.ModelChoiceField)
        assert isinstance(owner, forms.ModelChoiceField)
        mine = _answered_for(person)
        organisation.queryset = mine
        if len(mine) == 1:
            organisation.empty_label = None
        acting = Membership.objects.current().filter(organisation__in=mine.values("pk")).values("person")
        owner.queryset = User.objects.filter(pk__in=acting).order_by("name", "pk")
        self.helper = Helper(self, submit="Save owner and review date")

    def clean(self) -> dict[str, Any]:
        """Require one of the two."""
        data = super().clean() or {}
        if not self.errors and not data.get("owner") and not data.get("review_on"):
            self.add_error("owner", "Choose an owner, or enter a review date")
        return data


def _answered_for(person: User) -> OrganisationQuerySet:
    return Organisation.objects.of_person(person, *EDITING_ROLES).order_by("name", "pk")


def _left_out(person: User, rows: Sequence[Recommendation], now: dt.datetime) -> dict[int, str]:
    """Recommendations to which no organisation of theirs responds.

    Two queries and more for each organisation, not each row.
    """
    numbers, day = [row.pk for row in rows], timezone.localdate(now)
    mine = list(_answered_for(person))
    answered: set[int] = set()
    for organisation in mine:
        addressed = addressed_to(answering(organisation, day)).filter(pk__in=numbers)
        answered |= set(addressed.values_list("pk", flat=True))
    responses = Response.objects.filter(organisation__in=mine, recommendation__in=numbers)
    answered |= set(responses.values_list("recommendation", flat=True))
    if not mine:
        reason = "Only editors and leads of an organisation can do this."
    else:
        reason = "These recommendations are not addressed to your organisation."
    return {number: reason for number in numbers if number not in answered}


def _assign(*, row: Recommendation, person: User, chosen: Mapping[str, Any], now: dt.datetime) -> None:
    """Change owner and review date of the organisation's response.

    One that is missing begins as not started.
    """
    organisation = chosen["organisation"]
    response = Response.objects.filter(recommendation=row, organisation=organisation).select_related("owner").first()
    if response is not None and not response.is_open:
        raise UnableToRespond(f"{organisation.display_name} says: {response.get_status_display().lower()}.")
    new_response = ResponseGiven(
        status=response.status if response else ResponseStatus.NOT_STARTED,
        reason=response.reason if response else "",
        owner=chosen["owner"] or (response.owner if response else None),
        review_on=chosen["review_on"] or (response.review_on if response else None),
        note=response.note if response else "",
    )
    revision = response.revision if response else 0
    respond(
        recommendation=row,
        organisation=organisation,
        new_response=new_response,
        author=person,
        now=now,
        revision=revision,
    )


ASSIGN = BulkAction(
    name="assign",
    label="Name an owner and a review date",
    done="owner and review date have been saved",
    form=AssignForm,
    left_out=_left_out,
    change=_assign,
    refusals=(UnableToRespond,),
)
