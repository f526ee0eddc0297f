"""Lets people create commitments and objectives from an adopted recommendation, and shows links back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import QuerySet

from partnerships.agreements.models import Objective, Partnership
from partnerships.agreements.origin import Origin as ObjectiveOrigin
from partnerships.agreements.origin import OriginSuggestion, UnableToLinkOrigin
from partnerships.commitments.models import Commitment
from partnerships.commitments.origins import CommitmentSuggestion, Origin, OriginLink
from partnerships.commitments.services import UnableToPropose
from partnerships.kit.text import shorten
from partnerships.people.models import User
from partnerships.recommendations.models import Adoption, Outcome
from partnerships.recommendations.services import UnableToAdopt, UnableToLink, link_outcome

#: An objective quotes at most this many characters of a recommendation.
MAX_OBJECTIVE = 300


def suggest_commitment(*, user: User, record_id: int) -> CommitmentSuggestion | None:
    """Suggest a commitment of the partnership with the text of the recommendation."""
    adoptions = Adoption.objects.visible_to(user).adopted().for_listing()
    adoption = adoptions.filter(pk=record_id).first()
    if adoption is None:
        return None
    return CommitmentSuggestion(
        words=f"the recommendation “{adoption.recommendation.title}”",
        href=adoption.get_absolute_url(),
        partnership=adoption.partnership,
        text=adoption.recommendation.text,
    )


def link_commitment(*, commitment: Commitment, record_id: int, author: User, now: dt.datetime) -> None:
    """Link the commitment to the adoption."""
    try:
        link_outcome(adoption=Adoption.objects.get(pk=record_id), record=commitment, author=author, now=now)
    except (UnableToAdopt, UnableToLink) as error:
        raise UnableToPropose(str(error)) from error


def links_of(*, commitment: Commitment, user: User) -> Sequence[OriginLink]:
    """Return links to the recommendations that led to the commitment."""
    adoptions = Adoption.objects.visible_to(user).filter(outcomes__commitment=commitment).for_listing()
    return [
        OriginLink(f"Recommendation: {adoption.recommendation.title}", adoption.get_absolute_url())
        for adoption in adoptions.order_by("pk")
    ]


def copy_links(*, old: Commitment, new: Commitment) -> None:
    """Link the replacement commitment as an outcome of the same adoptions."""
    outcomes_to_copy = Outcome.objects.filter(commitment=old).exclude(adoption__outcomes__commitment=new)
    Outcome.objects.bulk_create(
        Outcome(
            adoption_id=outcome.adoption_id,
            commitment=new,
            linked_by_id=outcome.linked_by_id,
            linked_at=outcome.linked_at,
        )
        for outcome in outcomes_to_copy
    )


def _outcomes(commitment_id: int) -> QuerySet[Outcome]:
    return Outcome.objects.filter(commitment=commitment_id)


RECOMMENDATION = Origin(
    name="recommendation",
    suggest=suggest_commitment,
    link=link_commitment,
    links_of=links_of,
    copy_links=copy_links,
    rows=(_outcomes,),
)


def suggest_objective(user: User, partnership: Partnership, record_id: int) -> OriginSuggestion | None:
    """Suggest an objective with the text of a recommendation that this partnership adopted."""
    adoptions = Adoption.objects.visible_to(user).adopted().filter(partnership=partnership)
    adoption = adoptions.select_related("recommendation").filter(pk=record_id).first()
    return _suggestion_from(adoption) if adoption else None


def _suggestion_from(adoption: Adoption) -> OriginSuggestion:
    recommendation = adoption.recommendation
    text = shorten(recommendation.text, MAX_OBJECTIVE)
    return OriginSuggestion(f"the recommendation “{recommendation.title}”", adoption.get_absolute_url(), text)


def link_objective(objective: Objective, record_id: int, author: User, now: dt.datetime) -> None:
    """Link the objective to the adoption."""
    try:
        link_outcome(adoption=Adoption.objects.get(pk=record_id), record=objective, author=author, now=now)
    except (UnableToAdopt, UnableToLink) as error:
        raise UnableToLinkOrigin(str(error)) from error


def links_of_objective(objective: Objective, user: User) -> list[OriginSuggestion]:
    """Return links to the recommendations that led to the objective."""
    adoptions = Adoption.objects.visible_to(user).filter(outcomes__objective=objective)
    return [_suggestion_from(adoption) for adoption in adoptions.select_related("recommendation").order_by("pk")]


OBJECTIVE = ObjectiveOrigin("recommendation", suggest_objective, link_objective, links_of_objective)
