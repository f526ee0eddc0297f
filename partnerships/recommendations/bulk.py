"""Actions on several recommendations of the list at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.forms import AutocompleteSelect, DayField, Form, Helper
from partnerships.kit.lists import BulkAction
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation, OrganisationQuerySet
from partnerships.people.models import User
from partnerships.recommendations.models import Recommendation, Response, ResponseStatus
from partnerships.recommendations.queries.addressing import addressed_to, responding_bodies
from partnerships.recommendations.services import ResponseDetails, UnableToRespond, respond


class AssignForm(Form):
    """The form to choose the owner and review date of an organisation's responses to several recommendations."""

    organisation = forms.ModelChoiceField(
        label="Organisation", queryset=Organisation.objects.none(), empty_label="Choose one"
    )
    owner = forms.ModelChoiceField(
        label="Owner",
        required=False,
        queryset=User.objects.none(),
        widget=AutocompleteSelect,
        empty_label="Keep the present owner",
        help_text="Only your organisation can see the owner and the review date.",
    )
    review_on = DayField(
        label="Review date", required=False, help_text="Leave this empty to keep the review date as it is."
    )

    # Every bulk form receives the rows; this one needs none of them.
    def __init__(self, data: QueryDict | None, person: User, _rows: Sequence[Recommendation]) -> None:
        super().__init__(data)
        organisation = model_choice_field(self, "organisation")
        own_organisations = _edited_organisations(person)
        organisation.queryset = own_organisations
        if len(own_organisations) == 1:
            organisation.empty_label = None
        memberships = Membership.objects.current().filter(organisation__in=own_organisations.values("pk"))
        owner = model_choice_field(self, "owner")
        owner.queryset = User.objects.filter(pk__in=memberships.values("person")).order_by("name", "pk")
        self.helper = Helper(self, submit="Save owner and review date")

    def clean(self) -> dict[str, Any]:
        """Require an owner or a review date."""
        data = super().clean() or {}
        if not self.errors and not data.get("owner") and not data.get("review_on"):
            self.add_error("owner", "Choose an owner, or enter a review date.")
        return data


def _edited_organisations(person: User) -> OrganisationQuerySet:
    """Return the organisations for which the person is an editor or lead."""
    return Organisation.objects.of_person(person, *EDITING_ROLES).order_by("name", "pk")


def _recommendations_left_out(person: User, rows: Sequence[Recommendation], now: dt.datetime) -> dict[int, str]:
    """Return why the person cannot respond to some of these recommendations, by the recommendation's id.

    There are a few queries for each of the person's organisations, however many recommendations there are.
    """
    recommendation_ids = [row.pk for row in rows]
    day = timezone.localdate(now)
    own_organisations = list(_edited_organisations(person))
    if not own_organisations:
        return dict.fromkeys(
            recommendation_ids,
            "Only editors and leads can change these recommendations. Ask a lead of your organisation.",
        )

    responses = Response.objects.filter(organisation__in=own_organisations, recommendation__in=recommendation_ids)
    answerable_ids = set(responses.values_list("recommendation", flat=True))
    for organisation in own_organisations:
        addressed = addressed_to(responding_bodies(organisation, day)).filter(pk__in=recommendation_ids)
        answerable_ids |= set(addressed.values_list("pk", flat=True))
    reason = "These recommendations are not addressed to your organisation, so you cannot respond to them."
    return {pk: reason for pk in recommendation_ids if pk not in answerable_ids}


def _assign(*, row: Recommendation, person: User, chosen: Mapping[str, Any], now: dt.datetime) -> None:
    """Change the owner and review date of the organisation's response.

    A new response has the status “not started”. A response that is done, declined or superseded is refused.
    """
    organisation = chosen["organisation"]
    response = Response.objects.filter(recommendation=row, organisation=organisation).select_related("owner").first()
    if response is None:
        response = Response(status=ResponseStatus.NOT_STARTED, revision=0)
    if not response.is_open:
        status = response.get_status_display().lower()
        raise UnableToRespond(
            f"The response of {organisation.display_name} is {status}, so you do not need to review it."
        )
    new_response = ResponseDetails(
        status=response.status,
        reason=response.reason,
        owner=chosen["owner"] or response.owner,
        review_on=chosen["review_on"] or response.review_on,
        note=response.note,
    )
    respond(
        recommendation=row,
        organisation=organisation,
        new_response=new_response,
        author=person,
        now=now,
        revision=response.revision,
    )


ASSIGN = BulkAction(
    name="assign",
    label="Set an owner and a review date",
    done="the owner and the review date have been saved",
    form=AssignForm,
    left_out=_recommendations_left_out,
    change=_assign,
    refusals=(UnableToRespond,),
)
