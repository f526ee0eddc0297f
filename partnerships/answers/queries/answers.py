"""Answers about a plan, for its owners, for its readers and for the person who answered."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from partnerships.answers.models import Answer, AnswerKind, AnswerStatus, PlanQuestion, Trust
from partnerships.answers.models.answers import DECIDED_BY_OWNER, AnswerQuerySet
from partnerships.answers.models.questions import PlanQuestionQuerySet
from partnerships.organisations.models import Membership, Role
from partnerships.organisations.statements import Lookup, count_for, count_lookup, lookup, rows_for
from partnerships.people.models import User
from partnerships.plans.models import Plan, PlanOwner


@dataclass(frozen=True, slots=True)
class ConcernCounts:
    """How many people have read a version of a plan, and how many say that the plan concerns them or not."""

    read: int
    concerned: int
    unconcerned: int


def answers_on(user: User, plan: Plan) -> AnswerQuerySet:
    """Return the comments, answers to questions and named colleagues that the person may see."""
    return Answer.objects.visible_to(user).filter(plan=plan, kind__in=DECIDED_BY_OWNER).for_listing()


def lookups_about(user: User, plan: Plan, version_number: int) -> list[Lookup]:
    """Return the lookups of `questions_on`, `concern_counts` and `manageable_trust`, for `read_ahead`."""
    return [
        lookup(_questions, plan.pk),
        count_lookup(_readings, plan.pk, [version_number]),
        lookup(_concerns, plan.pk),
        lookup(_manageable_trust, user, plan.pk),
    ]


def questions_on(plan: Plan) -> list[PlanQuestion]:
    """Return the questions about a plan, newest first. `shown` is the number of answers that readers see."""
    return rows_for(_questions, plan.pk)


def _questions(plan_id: int) -> PlanQuestionQuerySet:
    """Return the questions about a plan, newest first, with the number of shown answers."""
    shown_answers = Count("answers", filter=Q(answers__status=AnswerStatus.SHOWN))
    return PlanQuestion.objects.filter(plan=plan_id).annotate(shown=shown_answers).order_by("-asked_at", "-pk")


def concern_counts(plan: Plan, version_number: int) -> ConcernCounts:
    """Count the people who say that they have read this version, that the plan concerns them, or that it does not.

    If a person has changed their mind about whether the plan concerns them, only their last answer is counted.
    """
    # Answers are in order of time, so the last answer of a person replaces the earlier ones.
    last_kind_by_person = dict(rows_for(_concerns, plan.pk))
    last_kinds = list(last_kind_by_person.values())
    return ConcernCounts(
        read=count_for(_readings, plan.pk, [version_number]),
        concerned=last_kinds.count(AnswerKind.CONCERNED),
        unconcerned=last_kinds.count(AnswerKind.UNCONCERNED),
    )


def _readings(plan_id: int, version_numbers: list[int]) -> AnswerQuerySet:
    """Return the answers that say that a person has read one of these versions of a plan."""
    return Answer.objects.filter(plan=plan_id, kind=AnswerKind.ACKNOWLEDGED, version_number__in=version_numbers)


def _concerns(plan_id: int) -> QuerySet[Answer, tuple[int, str]]:
    """Return the person and the kind of each answer on whether a plan concerns the person, the oldest first."""
    answers = Answer.objects.filter(plan=plan_id, kind__in=(AnswerKind.CONCERNED, AnswerKind.UNCONCERNED))
    return answers.order_by("made_at", "pk").values_list("person", "kind")


def own_answers(person_id: int, plan_id: int, *, limit: int) -> AnswerQuerySet:
    """Return the newest answers of a stakeholder about a plan, at most `limit`."""
    return _answers_of(person_id, plan_id)[:limit]


def last_concerns(person_id: int, plan_id: int) -> QuerySet[Answer, str]:
    """Return the kind of the person's last answer on whether the plan concerns them, or nothing without an answer."""
    answers = _answers_of(person_id, plan_id).filter(kind__in=(AnswerKind.CONCERNED, AnswerKind.UNCONCERNED))
    return answers.values_list("kind", flat=True)[:1]


def _answers_of(person_id: int, plan_id: int) -> AnswerQuerySet:
    """Return the answers of a stakeholder about a plan, newest first."""
    return Answer.objects.filter(person=person_id, plan=plan_id).select_related("question").order_by("-made_at", "-pk")


def manageable_trust(user: User, plan: Plan) -> list[Trust]:
    """Return the current trust in stakeholders that the person may end, as a lead of an owner of the plan."""
    return rows_for(_manageable_trust, user, plan.pk)


def _manageable_trust(user: User, plan_id: int) -> QuerySet[Trust]:
    """Return the current trust in stakeholders by owners of the plan that the person leads, the oldest first."""
    led_organisations = Membership.objects.organisations_of(user, Role.LEAD)
    led_owners = PlanOwner.objects.filter(plan=plan_id, organisation__in=led_organisations).values("organisation")
    trust = Trust.objects.current().filter(organisation__in=led_owners)
    return trust.select_related("person", "organisation").order_by("set_at", "pk")
