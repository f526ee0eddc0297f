"""Answers about a plan, for owners, readers and the person who gave them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from partnerships.answers.models import Answer, AnswerKind, AnswerStatus, PlanQuestion, Trust
from partnerships.answers.models.answers import DECIDED_BY_OWNER, AnswerQuerySet
from partnerships.answers.models.questions import PlanQuestionQuerySet
from partnerships.organisations.models import Membership, Role
from partnerships.people.models import User
from partnerships.plans.models import Plan


@dataclass(frozen=True, slots=True)
class Concern:
    """How many people have read the plan, and how many it concerns or not."""

    read: int
    concerned: int
    unconcerned: int


def answers_on(user: User, plan: Plan) -> AnswerQuerySet:
    """The answers with words, and named colleagues, that the person may see."""
    return Answer.objects.visible_to(user).filter(plan=plan, kind__in=DECIDED_BY_OWNER).for_listing()


def questions_on(plan: Plan) -> PlanQuestionQuerySet:
    """The questions about a plan, newest first, with their shown answers."""
    shown = Count("answers", filter=Q(answers__status=AnswerStatus.SHOWN))
    return PlanQuestion.objects.filter(plan=plan).annotate(shown=shown).order_by("-asked_at", "-pk")


def concerns_on(plan: Plan, version_number: int) -> Concern:
    """Counts of people who have read this version, and who say that it concerns them or not."""
    read = Answer.objects.filter(plan=plan, kind=AnswerKind.ACKNOWLEDGED, version_number=version_number).count()
    answers = Answer.objects.filter(plan=plan, kind__in=(AnswerKind.CONCERNED, AnswerKind.UNCONCERNED))
    last = dict(answers.order_by("made_at", "pk").values_list("person", "kind"))
    kinds = list(last.values())
    return Concern(read, kinds.count(AnswerKind.CONCERNED), kinds.count(AnswerKind.UNCONCERNED))


def own_answers(person: User, plan: Plan) -> AnswerQuerySet:
    """What a stakeholder has answered about a plan, newest first."""
    return Answer.objects.filter(person=person, plan=plan).select_related("question").order_by("-made_at", "-pk")


def concern_of(person: User, plan: Plan) -> str:
    """The last answer on whether the plan concerns the person; "" if none."""
    answers = own_answers(person, plan).filter(kind__in=(AnswerKind.CONCERNED, AnswerKind.UNCONCERNED))
    return answers.values_list("kind", flat=True).first() or ""


def trusting(user: User, plan: Plan) -> list[Trust]:
    """Trust that this person may end, as a lead of an owner of the plan."""
    led = Membership.objects.organisations_of(user, Role.LEAD)
    owners = plan.owners.filter(organisation__in=led).values("organisation")
    rows = Trust.objects.current().filter(organisation__in=owners)
    return list(rows.select_related("person", "organisation").order_by("set_at", "pk"))
