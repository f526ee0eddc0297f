"""Answers about a plan, for its owners, for its readers and for the person who answered."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from partnerships.answers.models import Answer, AnswerKind, AnswerStatus, PlanQuestion, Trust
from partnerships.answers.models.answers import DECIDED_BY_OWNER, AnswerQuerySet
from partnerships.answers.models.questions import PlanQuestionQuerySet
from partnerships.organisations.models import Membership, Role
from partnerships.people.models import User
from partnerships.plans.models import Plan


@dataclass(frozen=True, slots=True)
class ConcernCounts:
    """How many people have read a version of a plan, and how many say that the plan concerns them or not."""

    read: int
    concerned: int
    unconcerned: int


def answers_on(user: User, plan: Plan) -> AnswerQuerySet:
    """Return the comments, answers to questions and named colleagues that the person may see."""
    return Answer.objects.visible_to(user).filter(plan=plan, kind__in=DECIDED_BY_OWNER).for_listing()


def questions_on(plan: Plan) -> PlanQuestionQuerySet:
    """Return the questions about a plan, newest first. `shown` is the number of answers that readers see."""
    shown_answers = Count("answers", filter=Q(answers__status=AnswerStatus.SHOWN))
    return PlanQuestion.objects.filter(plan=plan).annotate(shown=shown_answers).order_by("-asked_at", "-pk")


def concern_counts(plan: Plan, version_number: int) -> ConcernCounts:
    """Count the people who say that they have read this version, that the plan concerns them, or that it does not.

    If a person has changed their mind about whether the plan concerns them, only their last answer is counted.
    """
    read_count = Answer.objects.filter(plan=plan, kind=AnswerKind.ACKNOWLEDGED, version_number=version_number).count()
    answers = Answer.objects.filter(plan=plan, kind__in=(AnswerKind.CONCERNED, AnswerKind.UNCONCERNED))
    # Answers are in order of time, so the last answer of a person replaces the earlier ones.
    last_kind_by_person = dict(answers.order_by("made_at", "pk").values_list("person", "kind"))
    last_kinds = list(last_kind_by_person.values())
    return ConcernCounts(
        read=read_count,
        concerned=last_kinds.count(AnswerKind.CONCERNED),
        unconcerned=last_kinds.count(AnswerKind.UNCONCERNED),
    )


def own_answers(person: int, plan: int, *, limit: int) -> AnswerQuerySet:
    """Return the newest answers of a stakeholder about a plan, at most `limit`."""
    return _answers_of(person, plan)[:limit]


def last_concerns(person: int, plan: int) -> QuerySet[Answer, str]:
    """Return the kind of the person's last answer on whether the plan concerns them, or nothing without an answer."""
    answers = _answers_of(person, plan).filter(kind__in=(AnswerKind.CONCERNED, AnswerKind.UNCONCERNED))
    return answers.values_list("kind", flat=True)[:1]


def _answers_of(person: int, plan: int) -> AnswerQuerySet:
    """Return the answers of a stakeholder about a plan, newest first."""
    return Answer.objects.filter(person=person, plan=plan).select_related("question").order_by("-made_at", "-pk")


def manageable_trust(user: User, plan: Plan) -> list[Trust]:
    """Return the current trust in stakeholders that the person may end, as a lead of an owner of the plan."""
    led_organisations = Membership.objects.organisations_of(user, Role.LEAD)
    led_owners = plan.owners.filter(organisation__in=led_organisations).values("organisation")
    trust = Trust.objects.current().filter(organisation__in=led_owners)
    return list(trust.select_related("person", "organisation").order_by("set_at", "pk"))
