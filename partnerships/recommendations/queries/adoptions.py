"""What partnerships do about recommendations, as a reader may see it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from partnerships.agreements.agenda import Purpose, Since, Suggestion
from partnerships.agreements.models import Objective, ObjectiveStatus, Partnership, Party, PartyQuerySet
from partnerships.commitments.models import OVER, Commitment
from partnerships.conversations.models import Meeting, MeetingStatus
from partnerships.kit.text import shorten
from partnerships.organisations.audience import Reader
from partnerships.people.models import User
from partnerships.recommendations.models import (
    WORKING,
    Adoption,
    AdoptionStatus,
    Outcome,
    Recommendation,
    Response,
)

#: Records that a form offers.
OFFERED = 200
#: Characters of a record in that form.
_MAX_TEXT = 90


@dataclass(frozen=True, slots=True)
class Became:
    """An objective or a commitment that a recommendation became, as its reader sees it."""

    pk: int
    what: str
    title: str
    path: str
    status: str
    status_code: str


@dataclass(frozen=True, slots=True)
class Adopted:
    """A recommendation in a partnership: what came of it, and what the parties say."""

    adoption: Adoption
    became: Sequence[Became]
    responses: Sequence[Response]

    @property
    def recommendation(self) -> Recommendation:
        """What was adopted."""
        return self.adoption.recommendation


def outcomes_of(adoptions: Sequence[Adoption], user: Reader) -> dict[int, list[Became]]:
    """What each adoption (id) became, as far as the reader may see the objective or commitment."""
    readable = Q(objective__in=Objective.objects.visible_to(user).values("pk")) | Q(
        commitment__in=Commitment.objects.visible_to(user).values("pk")
    )
    rows = Outcome.objects.filter(readable, adoption__in=[adoption.pk for adoption in adoptions])
    outcomes: dict[int, list[Became]] = defaultdict(list)
    for row in rows.select_related("objective", "commitment").order_by("pk"):
        record = row.objective or row.commitment
        assert record is not None  # a constraint
        is_objective = isinstance(record, Objective)
        reference = "" if is_objective else f"{row.commitment.reference}: "  # type: ignore[union-attr]  # the same
        outcomes[row.adoption_id].append(
            Became(
                pk=row.pk,
                what="Objective" if is_objective else "Commitment",
                title=f"{reference}{shorten(record.text, _MAX_TEXT)}",
                path=record.get_absolute_url(),
                status=record.get_status_display(),
                status_code=record.status,
            )
        )
    return outcomes


def of_partnerships(user: Reader, partnerships: Sequence[Partnership]) -> list[Adopted]:
    """What the partnerships do about recommendations: adopted first, then proposed, then dropped; four queries."""
    rows = Adoption.objects.visible_to(user).filter(partnership__in=partnerships).for_listing()
    order = [AdoptionStatus.ADOPTED.value, AdoptionStatus.PROPOSED.value, AdoptionStatus.DROPPED.value]
    adoptions = sorted(rows.order_by("-changed_at", "-pk"), key=lambda row: order.index(row.status))
    if not adoptions:
        return []
    became = outcomes_of(adoptions, user)
    parties = parties_known_to(user, {row.partnership_id for row in adoptions})
    partnerships_of: dict[int, list[int]] = defaultdict(list)
    for partnership, organisation in parties.values_list("partnership", "organisation"):
        partnerships_of[organisation].append(partnership)
    responses: dict[tuple[int, int], list[Response]] = defaultdict(list)
    for response in _responses(user, [*partnerships_of], [adoption.recommendation_id for adoption in adoptions]):
        for partnership in partnerships_of[response.organisation_id]:
            responses[partnership, response.recommendation_id].append(response)
    return [
        Adopted(
            adoption,
            became.get(adoption.pk, []),
            responses.get((adoption.partnership_id, adoption.recommendation_id), []),
        )
        for adoption in adoptions
    ]


def of_partnership(user: Reader, partnership: Partnership) -> list[Adopted]:
    """What one partnership does about recommendations."""
    return of_partnerships(user, [partnership])


def parties_known_to(reader: Reader, partnerships: Collection[int]) -> PartyQuerySet:
    """The present parties of these partnerships (ids), for their people alone: who left may not learn who joined."""
    known = Partnership.objects.present_for(reader).filter(pk__in=partnerships)
    return Party.objects.present().filter(partnership__in=known.values("pk"))


def responses_of_parties(user: Reader, partnership: Partnership, recommendations: Sequence[int]) -> list[Response]:
    """What the present parties say about these recommendations (ids), by organisation; nothing for former parties."""
    return _responses(user, parties_known_to(user, [partnership.pk]).values("organisation"), recommendations)


def _responses(
    user: Reader, bodies: Sequence[int] | QuerySet[Party, Any], recommendations: Sequence[int]
) -> list[Response]:
    rows = Response.objects.visible_to(user).filter(organisation__in=bodies, recommendation__in=recommendations)
    return list(rows.select_related("organisation").order_by("organisation__name", "pk"))


def also_under_way(user: User, partnership: Partnership) -> list[Response]:
    """What the present parties work on by themselves: recommendations that the partnership has not taken up."""
    taken_up = Adoption.objects.visible_to(user).live().filter(partnership=partnership)
    parties = parties_known_to(user, [partnership.pk])
    rows = Response.objects.visible_to(user).filter(organisation__in=parties.values("organisation"), status__in=WORKING)
    rows = rows.exclude(recommendation__in=taken_up.values("recommendation"))
    return list(
        rows.select_related("organisation", "recommendation__source").order_by("recommendation", "organisation__name")
    )


def meetings_to_adopt_at(partnership: Partnership, user: User) -> list[tuple[str, str]]:
    """Meetings of the partnership that have taken place, the newest first."""
    rows = Meeting.objects.visible_to(user).filter(partnership=partnership, starts_at__lte=timezone.now())
    meetings = rows.exclude(status=MeetingStatus.CALLED_OFF).order_by("-starts_at", "-pk")[:OFFERED]
    return [(str(meeting.pk), f"{meeting.title}, {meeting.when}") for meeting in meetings]


def objectives_to_link(adoption: Adoption, user: User) -> list[tuple[str, str]]:
    """Open objectives of the partnership that are not linked yet."""
    linked = adoption.outcomes.exclude(objective=None).values("objective")
    rows = Objective.objects.visible_to(user).filter(partnership=adoption.partnership_id, status=ObjectiveStatus.OPEN)
    return [
        (f"objective-{row.pk}", row.text) for row in rows.exclude(pk__in=linked).order_by("position", "pk")[:OFFERED]
    ]


def commitments_to_link(adoption: Adoption, user: User) -> list[tuple[str, str]]:
    """Commitments of the partnership that are not over and not linked yet."""
    linked = adoption.outcomes.exclude(commitment=None).values("commitment")
    rows = Commitment.objects.visible_to(user).filter(partnership=adoption.partnership_id).exclude(status__in=OVER)
    return [
        (f"commitment-{row.pk}", f"{row.reference}: {shorten(row.text, _MAX_TEXT)}")
        for row in rows.exclude(pk__in=linked).order_by("-pk")[:OFFERED]
    ]


def proposed_here(user: User, partnerships: Sequence[Partnership], since: Since) -> list[Suggestion]:
    """Recommendations that a party proposes to adopt, for the agenda."""
    rows = Adoption.objects.visible_to(user).filter(partnership__in=partnerships, status=AdoptionStatus.PROPOSED)
    return [
        Suggestion(
            partnership=row.partnership_id,
            subject_kind="recommendation_adoption",
            subject_id=row.pk,
            title=f"Adopt the recommendation “{row.recommendation.title}”",
            path=row.get_absolute_url(),
            purpose=Purpose.DECISION,
            detail=shorten(str(row.recommendation.source), _MAX_TEXT),
        )
        for row in rows.select_related("recommendation__source").order_by("proposed_at", "pk")
    ]
