"""Adoptions of recommendations by partnerships, with outcomes and responses, as a reader may see them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from partnerships.agreements.agenda import AgendaSuggestion, LookBack, Purpose, ids_of
from partnerships.agreements.models import Objective, ObjectiveStatus, Partnership, Party, PartyQuerySet
from partnerships.commitments.models import FINAL_STATUSES, Commitment
from partnerships.conversations.models import Meeting, MeetingStatus
from partnerships.kit.text import shorten
from partnerships.organisations.audience import Reader
from partnerships.organisations.statements import Lookup, lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.recommendations.models import (
    WORKING_STATUSES,
    Adoption,
    AdoptionStatus,
    Outcome,
    Recommendation,
    Response,
)

#: Limit of records that a form offers.
MAX_OFFERED = 200
#: Limit of characters of a text that is shown as a title.
_MAX_TEXT = 90


@dataclass(frozen=True, slots=True)
class ReadableOutcome:
    """An objective or a commitment that came from a recommendation, as a reader sees it."""

    pk: int
    what: str
    title: str
    path: str
    status: str
    status_code: str


@dataclass(frozen=True, slots=True)
class AdoptionRow:
    """A recommendation in a partnership, with its outcomes and the responses of the parties."""

    adoption: Adoption
    outcomes: Sequence[ReadableOutcome]
    responses: Sequence[Response]

    @property
    def recommendation(self) -> Recommendation:
        """Return the recommendation that was proposed or adopted."""
        return self.adoption.recommendation


def outcomes_of(adoptions: Sequence[Adoption], user: Reader) -> dict[int, list[ReadableOutcome]]:
    """Return by adoption (id) the objectives and commitments that came from it and that the reader may see."""
    return _by_adoption(_readable_outcomes(user).filter(adoption__in=[adoption.pk for adoption in adoptions]))


def _readable_outcomes(user: Reader) -> QuerySet[Outcome]:
    """Return the outcomes whose objective or commitment the reader may see, in order of their ids."""
    has_readable_objective = Q(objective__in=Objective.objects.visible_to(user).values("pk"))
    has_readable_commitment = Q(commitment__in=Commitment.objects.visible_to(user).values("pk"))
    outcomes = Outcome.objects.filter(has_readable_objective | has_readable_commitment)
    return outcomes.select_related("objective", "commitment").order_by("pk")


def _by_adoption(outcomes: Iterable[Outcome]) -> dict[int, list[ReadableOutcome]]:
    """Return these outcomes by id of their adoption."""
    outcomes_by_adoption: dict[int, list[ReadableOutcome]] = defaultdict(list)
    for outcome in outcomes:
        outcomes_by_adoption[outcome.adoption_id].append(_readable_outcome(outcome))
    return outcomes_by_adoption


def _readable_outcome(outcome: Outcome) -> ReadableOutcome:
    """Return an outcome for pages. Its objective and commitment should be fetched."""
    record = outcome.objective or outcome.commitment
    assert record is not None  # a constraint
    title = shorten(record.text, _MAX_TEXT)
    if isinstance(record, Commitment):
        title = f"{record.reference}: {title}"
    return ReadableOutcome(
        pk=outcome.pk,
        what="Commitment" if isinstance(record, Commitment) else "Objective",
        title=title,
        path=record.get_absolute_url(),
        status=record.get_status_display(),
        status_code=record.status,
    )


def adoptions_of_partnerships(user: Reader, partnerships: Sequence[Partnership]) -> list[AdoptionRow]:
    """Return the recommendations of these partnerships: adopted first, then proposed, then dropped.

    While a page is made, one query reads everything.
    """
    if not partnerships:
        return []
    partnership_ids = ids_of(partnerships)
    read_ahead(adoption_lookups(user, partnership_ids))
    order = [AdoptionStatus.ADOPTED.value, AdoptionStatus.PROPOSED.value, AdoptionStatus.DROPPED.value]
    newest_first = rows_for(_visible_adoptions, user, partnership_ids)
    adoptions = sorted(newest_first, key=lambda adoption: order.index(adoption.status))
    if not adoptions:
        return []

    outcomes_by_adoption = _by_adoption(rows_for(_outcomes_among, user, partnership_ids))
    partnerships_by_party: dict[int, list[int]] = defaultdict(list)
    for partnership_id, organisation_id in rows_for(_party_ids_among, user, partnership_ids):
        partnerships_by_party[organisation_id].append(partnership_id)

    # The key is partnership and recommendation.
    responses: dict[tuple[int, int], list[Response]] = defaultdict(list)
    for response in rows_for(_responses_among, user, partnership_ids):
        for partnership_id in partnerships_by_party[response.organisation_id]:
            responses[partnership_id, response.recommendation_id].append(response)
    return [
        AdoptionRow(
            adoption=adoption,
            outcomes=outcomes_by_adoption.get(adoption.pk, []),
            responses=responses.get((adoption.partnership_id, adoption.recommendation_id), []),
        )
        for adoption in adoptions
    ]


def adoption_lookups(user: Reader, partnership_ids: list[int]) -> list[Lookup]:
    """Return the lookups of `adoptions_of_partnerships`, for `read_ahead`."""
    queries = (_visible_adoptions, _outcomes_among, _party_ids_among, _responses_among)
    return [lookup(compose_rows, user, partnership_ids) for compose_rows in queries]


def _visible_adoptions(user: Reader, partnership_ids: list[int]) -> QuerySet[Adoption]:
    """Return the adoptions of these partnerships that the reader may see, the newest first."""
    visible = Adoption.objects.visible_to(user).filter(partnership__in=partnership_ids)
    return visible.for_listing().order_by("-changed_at", "-pk")


def _outcomes_among(user: Reader, partnership_ids: list[int]) -> QuerySet[Outcome]:
    """Return the outcomes of these partnerships' adoptions that the reader may see."""
    return _readable_outcomes(user).filter(adoption__partnership__in=partnership_ids)


def _party_ids_among(user: Reader, partnership_ids: list[int]) -> QuerySet[Party, tuple[int, int]]:
    """Return each of these partnerships with each present party that the reader may see, as ids."""
    return parties_visible_to(user, partnership_ids).values_list("partnership", "organisation")


def _responses_among(user: Reader, partnership_ids: list[int]) -> QuerySet[Response]:
    """Return the responses of parties to the recommendations of these partnerships, by name of the organisation."""
    adoptions = Adoption.objects.visible_to(user).filter(partnership__in=partnership_ids)
    bodies = parties_visible_to(user, partnership_ids).values("organisation")
    return _responses(user, bodies, adoptions.values("recommendation"))


def adoptions_of_partnership(user: Reader, partnership: Partnership) -> list[AdoptionRow]:
    """Return the recommendations of one partnership: adopted first, then proposed, then dropped."""
    return adoptions_of_partnerships(user, [partnership])


def parties_visible_to(reader: Reader, partnership_ids: Collection[int]) -> PartyQuerySet:
    """Return the present parties of these partnerships, for readers from present parties.

    Former parties may not learn who joined after they left.
    """
    present_partnerships = Partnership.objects.with_party_of(reader).filter(pk__in=partnership_ids)
    return Party.objects.accepted().filter(partnership__in=present_partnerships.values("pk"))


def responses_of_parties(user: Reader, partnership: Partnership, recommendations: Sequence[int]) -> list[Response]:
    """Return the present parties' responses to these recommendations (ids); none for readers from former parties."""
    bodies = parties_visible_to(user, [partnership.pk]).values("organisation")
    return list(_responses(user, bodies, recommendations))


def _responses(
    user: Reader, bodies: QuerySet[Party, Any], recommendations: Sequence[int] | QuerySet[Adoption, Any]
) -> QuerySet[Response]:
    """Return the responses of these organisations to these recommendations, by the name of the organisation."""
    rows = Response.objects.visible_to(user).filter(organisation__in=bodies, recommendation__in=recommendations)
    return rows.select_related("organisation").order_by("organisation__name", "pk")


def responses_without_adoption(user: User, partnership: Partnership) -> list[Response]:
    """Return responses of present parties that work on recommendations which the partnership has not adopted.

    Recommendations that are proposed to the partnership are left out too.
    """
    adoptions = Adoption.objects.visible_to(user).live().filter(partnership=partnership)
    parties = parties_visible_to(user, [partnership.pk])
    responses = (
        Response.objects.visible_to(user)
        .filter(organisation__in=parties.values("organisation"), status__in=WORKING_STATUSES)
        .exclude(recommendation__in=adoptions.values("recommendation"))
    )
    return list(
        responses.select_related("organisation", "recommendation__source").order_by(
            "recommendation", "organisation__name"
        )
    )


def meetings_to_adopt_at(partnership: Partnership, user: User) -> list[tuple[str, str]]:
    """Return past meetings of the partnership as choices, the newest first."""
    rows = Meeting.objects.visible_to(user).filter(partnership=partnership, starts_at__lte=timezone.now())
    meetings = rows.exclude(status=MeetingStatus.CALLED_OFF).order_by("-starts_at", "-pk")[:MAX_OFFERED]
    return [(str(meeting.pk), f"{meeting.title}, {meeting.date_and_time}") for meeting in meetings]


def objectives_to_link(adoption: Adoption, user: User) -> list[tuple[str, str]]:
    """Return open objectives of the partnership that are not linked yet, as choices."""
    linked_objectives = adoption.outcomes.exclude(objective=None).values("objective")
    rows = Objective.objects.visible_to(user).filter(partnership=adoption.partnership_id, status=ObjectiveStatus.OPEN)
    return [
        (f"objective-{row.pk}", row.text)
        for row in rows.exclude(pk__in=linked_objectives).order_by("position", "pk")[:MAX_OFFERED]
    ]


def commitments_to_link(adoption: Adoption, user: User) -> list[tuple[str, str]]:
    """Return commitments of the partnership that are not over and not linked yet, as choices."""
    linked_commitments = adoption.outcomes.exclude(commitment=None).values("commitment")
    rows = (
        Commitment.objects.visible_to(user)
        .filter(partnership=adoption.partnership_id)
        .exclude(status__in=FINAL_STATUSES)
    )
    return [
        (f"commitment-{row.pk}", f"{row.reference}: {shorten(row.text, _MAX_TEXT)}")
        for row in rows.exclude(pk__in=linked_commitments).order_by("-pk")[:MAX_OFFERED]
    ]


def agenda_suggestions(user: User, partnerships: Sequence[Partnership], since: LookBack) -> list[AgendaSuggestion]:
    """Suggest recommendations that a party proposes to adopt, for the agenda."""
    return [
        AgendaSuggestion(
            partnership_id=row.partnership_id,
            subject_kind="recommendation_adoption",
            subject_id=row.pk,
            title=f"Adopt the recommendation “{row.recommendation.title}”",
            path=row.get_absolute_url(),
            purpose=Purpose.DECISION,
            detail=shorten(str(row.recommendation.source), _MAX_TEXT),
        )
        for row in rows_for(proposed_rows, user, ids_of(partnerships), since.now)
    ]


def proposed_rows(user: User, partnership_ids: list[int], now: dt.datetime) -> QuerySet[Adoption]:
    """Return the recommendations that parties of these partnerships propose to adopt, the oldest proposal first."""
    proposed = Adoption.objects.visible_to(user).filter(partnership__in=partnership_ids, status=AdoptionStatus.PROPOSED)
    return proposed.select_related("recommendation__source").order_by("proposed_at", "pk")
