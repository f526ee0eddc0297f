"""The answers that stakeholders give through the links in their emails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.db import models
from django.db.models import Q

from partnerships.answers.models.questions import PlanQuestion
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models import Plan

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class AnswerKind(models.TextChoices):
    """The kinds of answer."""

    ACKNOWLEDGED = "acknowledged", "Has read the plan"
    CONCERNED = "concerned", "Says that the plan concerns them"
    UNCONCERNED = "unconcerned", "Says that the plan does not concern them"
    COMMENT = "comment", "Comment"
    QUESTION = "question", "Answer to a question"
    COLLEAGUE = "colleague", "Named a colleague"


#: The kinds with text. An owner approves the text before others see it.
WITH_TEXT = (AnswerKind.COMMENT, AnswerKind.QUESTION)
#: The kinds on which an owner must decide.
DECIDED_BY_OWNER = (*WITH_TEXT, AnswerKind.COLLEAGUE)


class AnswerStatus(models.TextChoices):
    """The status of an answer: waiting → shown or refused.

    Answers without text and answers of a trusted person are shown at once. An answer that names a colleague becomes
    "shown" when the colleague is asked.
    """

    WAITING = "waiting", "Waiting for approval"
    SHOWN = "shown", "Shown"
    REFUSED = "refused", "Refused"


class AnswerQuerySet(models.QuerySet["Answer"]):
    """Filters for answers by status and by who may see them."""

    def visible_to(self, user: User | AnonymousUser) -> AnswerQuerySet:
        """Return answers that the person may see.

        People see their own answers, leads of an owner see all answers, and readers inside the plan see the answers
        that are shown. Only leads see who was named as a colleague, because colleagues have not agreed to anything
        yet.
        """
        if not user.is_authenticated:
            return self.none()
        own = Q(person=user.pk)
        about_led_plan = Q(plan__in=Plan.objects.publishable_by(user).values("pk"))
        about_plan_read_inside = Q(plan__in=Plan.objects.fully_readable_by(user).values("pk")) & Q(
            plan__in=Plan.objects.published_today_for(user).values("pk")
        )
        shown_to_readers = Q(status=AnswerStatus.SHOWN) & ~Q(kind=AnswerKind.COLLEAGUE)
        return self.filter(own | about_led_plan | (about_plan_read_inside & shown_to_readers))

    def waiting(self) -> AnswerQuerySet:
        """Return answers on which an owner must decide."""
        return self.filter(status=AnswerStatus.WAITING)

    def for_listing(self) -> AnswerQuerySet:
        """Return the answers with the related rows that lists show."""
        return self.select_related("person__work_role", "plan__partnership", "question", "decided_by").prefetch_related(
            "files"
        )


# The history of rows leaves out the stakeholders' texts and addresses, because it remains when those are deleted.
@pghistory.track(exclude=["text", "reason", "colleague_name", "colleague_email"])
class Answer(models.Model):
    """A stakeholder's answer about one version of a plan.

    An answer with text waits until an owner of the plan shows or refuses it (see `AnswerStatus`). The database
    guarantees that an answer to a question names the question, that a waiting answer has no decision, and that a
    refusal has a reason.
    """

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="answers")
    version_number = models.PositiveIntegerField()
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="answers")

    # What the stakeholder answered. The kind says which of these fields are filled in.
    kind = models.CharField(max_length=12, choices=AnswerKind)
    question = models.ForeignKey(PlanQuestion, on_delete=models.PROTECT, null=True, blank=True, related_name="answers")
    #: The piece of the plan that a comment is about, and its title at that time.
    anchor = models.CharField(max_length=120, blank=True)
    anchor_label = models.CharField(max_length=500, blank=True)
    text = models.TextField(blank=True)
    colleague_name = models.CharField(max_length=150, blank=True)
    colleague_email = models.EmailField(max_length=254, blank=True)
    #: A key from the form, so that a form sent twice makes only one answer.
    key = models.UUIDField(unique=True)
    made_at = models.DateTimeField()

    # The decision of an owner of the plan.
    status = models.CharField(max_length=7, choices=AnswerStatus, default=AnswerStatus.WAITING)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_for = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.TextField(blank=True, help_text="Why the answer was refused. We email this to the person.")

    objects = AnswerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(kind="question") & Q(question__isnull=False)) | (~Q(kind="question") & Q(question=None)),
                name="answer_to_question_has_question",
            ),
            models.CheckConstraint(
                condition=Q(status="waiting", decided_at=None) | ~Q(status="waiting"),
                name="waiting_answer_has_no_decision",
            ),
            models.CheckConstraint(condition=~Q(status="refused") | ~Q(reason=""), name="refused_answer_has_reason"),
        ]
        indexes = [
            models.Index(fields=["plan", "-made_at"], name="answer_plan"),
            models.Index(fields=["plan"], condition=Q(status="waiting"), name="answer_waiting"),
        ]

    def __str__(self) -> str:
        return f"Answer {self.pk} about {self.plan_id}"

    @property
    def is_waiting(self) -> bool:
        """Return whether an owner must decide on the answer."""
        return self.status == AnswerStatus.WAITING

    @property
    def is_shown(self) -> bool:
        """Return whether readers inside the plan see the answer."""
        return self.status == AnswerStatus.SHOWN

    @property
    def is_refused(self) -> bool:
        """Return whether an owner refused the answer."""
        return self.status == AnswerStatus.REFUSED

    @property
    def names_a_colleague(self) -> bool:
        """Return whether the answer names a colleague who should get the plan."""
        return self.kind == AnswerKind.COLLEAGUE

    @property
    def has_text(self) -> bool:
        """Return whether answers of this kind have text."""
        return self.kind in WITH_TEXT

    @property
    def author_role(self) -> str:
        """Return the person's role at work, in the person's own words; "" if unknown."""
        role = getattr(self.person, "work_role", None)
        return role.title if role else ""
