"""Rounds of a partnership, the partnerships that run a round together, and the people who are asked."""

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
    """Return all rounds that a partnership runs, alone or with others, newest first."""
    return Round.objects.of_partnerships([partnership.pk]).for_pages().order_by("-created_at", "-pk")


def partnerships_of(survey_round: Round) -> list[Partnership]:
    """Return the partnership that prepared a round, and then those that run it too, by title.

    The round should be fetched with its partnership.
    """
    joinings = Joining.objects.accepted().filter(round=survey_round).select_related("partnership")
    joined_partnerships = [joining.partnership for joining in joinings.order_by("partnership__title", "pk")]
    return [survey_round.partnership, *joined_partnerships]


def joinings_of(survey_round: Round, user: User) -> list[Joining]:
    """Return the partnerships that were asked to run a draft too, by title.

    A partnership that has not accepted is in the list only for people who may see that partnership.
    """
    readable = Q(partnership__in=Partnership.objects.visible_to(user).values("pk"))
    joinings = Joining.objects.filter(Q(accepted_at__isnull=False) | readable, round=survey_round)
    return list(joinings.select_related("partnership").order_by("partnership__title", "pk"))


def requests_to_join(partnership: Partnership) -> list[Joining]:
    """Return unanswered requests to a partnership to run a draft together with another."""
    requests = Joining.objects.filter(partnership=partnership, accepted_at=None, round__status=RoundStatus.DRAFT)
    return list(requests.select_related("round__partnership", "round__question_set").order_by("asked_at", "pk"))


def partnerships_to_ask(survey_round: Round, user: User) -> QuerySet[Partnership]:
    """Return the partnerships that a lead can ask to run a draft too, by title."""
    other_partnerships = Partnership.objects.visible_to(user).live().exclude(pk=survey_round.partnership_id)
    already_asked = Joining.objects.filter(round=survey_round).values("partnership")
    return other_partnerships.exclude(pk__in=already_asked).order_by("title", "pk")


def ids_of_leads_who_run(partnership: Partnership) -> list[int]:
    """Return the ids of the people who may run the partnership's surveys.

    These are leads of present parties that are not observers.
    """
    parties = partnership.parties.accepted().exclude(role=PartyRole.OBSERVER).select_related("organisation")
    leads = leads_with_account([party.organisation for party in parties])
    return sorted(leads.values_list("pk", flat=True))


def newest_question_sets() -> list[QuestionSet]:
    """Return the newest version of each question set, by name."""
    newest: dict[str, QuestionSet] = {}
    for question_set in QuestionSet.objects.order_by("code", "version"):
        newest[question_set.code] = question_set
    return sorted(newest.values(), key=str)


def invitations_of(survey_round: Round) -> Sequence[Invitation]:
    """Return the invitations of a round, by address. Once the round is over, they have been deleted."""
    return list(survey_round.invitations.select_related("person").order_by("person__email"))


def invited_domains(survey_round: Round) -> list[tuple[str, str, int]]:
    """Return groups, email domains and numbers of people, such as `("council", "fareham.gov.uk", 4)`.

    They help a moderator to notice an address that does not belong in a group.
    """
    groups_and_addresses = survey_round.invitations.values_list("group", "person__email")
    people_counts = Counter((group, address.rpartition("@")[2].lower()) for group, address in groups_and_addresses)
    return [(group, domain, count) for (group, domain), count in sorted(people_counts.items())]


def invitation_list_hash(survey_round: Round) -> str:
    """Return a hash of the people, their groups and the partnerships to which a moderator agrees."""
    ids_and_groups = survey_round.invitations.order_by("pk").values_list("pk", "group")
    partnership_ids = [partnership.pk for partnership in partnerships_of(survey_round)]
    return sha256(json.dumps([list(ids_and_groups), partnership_ids]).encode()).hexdigest()


def people_asked_by_group(survey_round: Round) -> dict[str, int]:
    """Return the number of people asked by group. Once the round has opened, it is the number at the opening."""
    if not survey_round.is_draft:
        return dict(survey_round.asked)
    return dict(Counter(survey_round.invitations.values_list("group", flat=True)))


def open_rounds(**conditions: object) -> QuerySet[Round]:
    """Return rounds with the status open. Some may be past their last day, until a worker closes them."""
    return Round.objects.filter(status=RoundStatus.OPEN, **conditions)
