"""Rounds of a partnership, and who is asked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from django.db.models import Q, QuerySet

from partnerships.agreements.models import Partnership, PartyRole
from partnerships.organisations.queries import leads_with_account
from partnerships.people.models import User
from partnerships.surveys.models import Invitation, Joining, QuestionSet, Round, RoundStatus


def rounds_of(partnership: Partnership) -> QuerySet[Round]:
    """All rounds that a partnership runs, alone or with others, newest first."""
    return Round.objects.of_any([partnership.pk]).for_pages().order_by("-created_at", "-pk")


def partnerships_of(survey_round: Round) -> list[Partnership]:
    """The partnerships that run a round.

    Its own first, then those that joined, by title. Needs its partnership.
    """
    joined = Joining.objects.accepted().filter(round=survey_round).select_related("partnership")
    return [survey_round.partnership, *(joining.partnership for joining in joined.order_by("partnership__title", "pk"))]


def joinings_of(survey_round: Round, user: User) -> list[Joining]:
    """Partnerships that run a draft too.

    Only people who know of a partnership anyway see that it was asked and has not said yes.
    """
    readable = Q(partnership__in=Partnership.objects.visible_to(user).values("pk"))
    rows = Joining.objects.filter(Q(accepted_at__isnull=False) | readable, round=survey_round).select_related(
        "partnership"
    )
    return list(rows.order_by("partnership__title", "pk"))


def asked_to_join(partnership: Partnership) -> list[Joining]:
    """Drafts that others ask a partnership to run with them, without its answer."""
    rows = Joining.objects.filter(partnership=partnership, accepted_at=None, round__status=RoundStatus.DRAFT)
    return list(rows.select_related("round__partnership", "round__question_set").order_by("asked_at", "pk"))


def partnerships_to_ask(survey_round: Round, user: User) -> QuerySet[Partnership]:
    """Partnerships that the person knows of and that can still be asked to run a draft too."""
    candidates = Partnership.objects.visible_to(user).live().exclude(pk=survey_round.partnership_id)
    return candidates.exclude(pk__in=Joining.objects.filter(round=survey_round).values("partnership")).order_by(
        "title", "pk"
    )


def leads_who_run(partnership: Partnership) -> list[int]:
    """The ids of those who may run its surveys and have an account.

    They lead its present parties, except observers.
    """
    parties = partnership.parties.present().exclude(role=PartyRole.OBSERVER).select_related("organisation")
    leads = leads_with_account([party.organisation for party in parties])
    return sorted(leads.values_list("pk", flat=True))


def newest_question_sets() -> list[QuestionSet]:
    """The newest version of each question set, by name."""
    newest: dict[str, QuestionSet] = {}
    for question_set in QuestionSet.objects.order_by("code", "version"):
        newest[question_set.code] = question_set
    return sorted(newest.values(), key=str)


def invited_to(survey_round: Round) -> Sequence[Invitation]:
    """Who is asked, by address; nobody once the round is over."""
    return list(survey_round.invitations.select_related("person").order_by("person__email"))


def domains_of(survey_round: Round) -> list[tuple[str, str, int]]:
    """How many people of each group have an address at each domain, so that a stranger among them shows."""
    rows = survey_round.invitations.values_list("group", "person__email")
    counted = Counter((group, address.rpartition("@")[2].lower()) for group, address in rows)
    return [(group, domain, number) for (group, domain), number in sorted(counted.items())]


def seal_of_list(survey_round: Round) -> str:
    """A hash of who is asked in which group, and by which partnerships.

    It shows what somebody agreed to.
    """
    rows = survey_round.invitations.order_by("pk").values_list("pk", "group")
    partnerships = [partnership.pk for partnership in partnerships_of(survey_round)]
    return sha256(json.dumps([list(rows), partnerships]).encode()).hexdigest()


def asked_by_group(survey_round: Round) -> dict[str, int]:
    """How many people are asked, by group.

    From the invitations of a draft, else as fixed at opening.
    """
    if not survey_round.is_draft:
        return dict(survey_round.asked)
    return dict(Counter(survey_round.invitations.values_list("group", flat=True)))


def open_rounds(**on: object) -> QuerySet[Round]:
    """Rounds that are open, or whose days are over but whose answers are not opened yet."""
    return Round.objects.filter(status=RoundStatus.OPEN, **on)
