"""Rounds of a survey, their questions, and the people who are asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import pghistory
import pgtrigger
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.utils import timezone

from partnerships.agreements.models import PEOPLE_OF_PRESENT_PARTIES, Partnership
from partnerships.kit.addresses import page_address
from partnerships.kit.disclosure import MIN_FLOOR
from partnerships.organisations.audience import visible_to
from partnerships.people.models import User
from partnerships.surveys.bodies import Group
from partnerships.surveys.questions import Questions, questions_in_language


class AnswerMode(models.TextChoices):
    """Whether answers are anonymous. A partnership that is too small for anonymous answers can only ask by name."""

    ANONYMOUS = "anonymous", "Anonymous"
    NAMED = "named", "By name"


class RoundStatus(models.TextChoices):
    """The status of a round: draft → open → closed. A draft or open round can be abandoned without results.

    Nobody can answer after `closes_on`. A worker then decrypts the answers and closes the round.
    """

    DRAFT = "draft", "Being prepared"
    OPEN = "open", "Open"
    CLOSED = "closed", "Closed"
    ABANDONED = "abandoned", "Ended without results"


class QuestionSet(models.Model):
    """A version of a set of questions. Rows never change. `questions.check` defines the form of `content`."""

    code = models.SlugField(max_length=40)
    version = models.PositiveSmallIntegerField()
    content = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "version"], name="unique_question_set_version")]
        triggers = [pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.content.get('name', self.code)}, version {self.version}"


#: Readers of surveys.
READERS = (PEOPLE_OF_PRESENT_PARTIES,)


#: A figure of a round that several partnerships run needs at least this many answers.
JOINT_FLOOR = 10


class RoundQuerySet(models.QuerySet["Round"]):
    """Filters for rounds by reader, moderator and partnership."""

    def visible_to(self, user: User | AnonymousUser) -> RoundQuerySet:
        """Return rounds that the person's partnerships run, alone or with others."""
        joined = Joining.objects.accepted().filter(visible_to(Joining, READERS, user))
        return self.filter(visible_to(Round, READERS, user) | Q(pk__in=joined.values("round")))

    def of_partnerships(self, partnerships: Iterable[int]) -> RoundQuerySet:
        """Return rounds that any of these partnerships, given by id, run alone or with others."""
        partnership_ids = list(partnerships)
        joined = Joining.objects.accepted().filter(partnership__in=partnership_ids)
        return self.filter(Q(partnership__in=partnership_ids) | Q(pk__in=joined.values("round")))

    def with_moderator(self, user: User | AnonymousUser) -> RoundQuerySet:
        """Return rounds that name the person as moderator.

        A moderator must be outside all parties, past and present.
        """
        own_partnerships = Partnership.objects.filter(parties__organisation__memberships__person=user.pk or 0)
        own_joinings = Joining.objects.filter(partnership__in=own_partnerships.values("pk"))
        rounds = self.filter(moderator=user.pk or 0).exclude(partnership__in=own_partnerships)
        return rounds.exclude(pk__in=own_joinings.values("round"))

    def moderated_by(self, user: User | AnonymousUser) -> RoundQuerySet:
        """Return closed rounds whose comments the person reads as moderator."""
        return self.with_moderator(user).filter(status=RoundStatus.CLOSED)

    def asking_to_moderate(self, user: User | AnonymousUser) -> RoundQuerySet:
        """Return drafts whose moderator is this person and has not agreed yet. The person must have an account."""
        waiting = self.with_moderator(user).filter(moderator__account_since__isnull=False, moderator__is_active=True)
        return waiting.filter(
            status=RoundStatus.DRAFT, moderator_asked_at__isnull=False, moderator_agreed_at__isnull=True
        )

    def for_pages(self) -> RoundQuerySet:
        """Fetch the partnership, the questions and the moderator."""
        return self.select_related("partnership", "question_set", "moderator")


@pghistory.track()
class Round(models.Model):
    """One round of a survey in a partnership. `RoundStatus` describes its states.

    Other partnerships may run the round together with `partnership` (`Joining`). Before an anonymous round opens, its
    moderator agrees to read the comments, and to the list of people. `asked` and `counted` are set when the round opens
    and never change.

    A partnership has at most one round that is a draft or open. The database refuses to open an anonymous round without
    a key and a moderator who has agreed.
    """

    partnership = models.ForeignKey(Partnership, on_delete=models.PROTECT, related_name="surveys")
    number = models.PositiveSmallIntegerField(help_text="The number of the round, starting at 1 in each partnership.")
    title = models.CharField(max_length=120)
    question_set = models.ForeignKey(QuestionSet, on_delete=models.PROTECT, related_name="+")
    way = models.CharField(max_length=9, choices=AnswerMode)
    status = models.CharField(max_length=9, choices=RoundStatus, default=RoundStatus.DRAFT)
    closes_on = models.DateField(help_text="The last day to answer.")

    # Who reads comments before others do.
    moderator = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    moderator_asked_at = models.DateTimeField(null=True, blank=True)
    moderator_agreed_at = models.DateTimeField(null=True, blank=True)

    # What anonymity needs. The floor is ten if several partnerships run the round.
    floor = models.PositiveSmallIntegerField(
        default=MIN_FLOOR, help_text="The smallest number of answers for which a figure is shown."
    )
    public_key = models.BinaryField(null=True, blank=True)
    asked = models.JSONField(default=dict, help_text="How many people were asked, by group.")
    counted = models.JSONField(default=dict, help_text="For each group, the groups it is counted with.")
    #: The only number of answers that is ever shown. It is a multiple of five, and 0 for fewer than five.
    answered_at_least = models.PositiveSmallIntegerField(default=0)

    # When each step was taken.
    created_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    reminded_on = models.DateField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, help_text="Why the survey ended without results.")

    objects = RoundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partnership", "number"], name="unique_survey_round_number"),
            models.UniqueConstraint(
                fields=["partnership"], condition=Q(status__in=["draft", "open"]), name="unique_current_survey_round"
            ),
            models.CheckConstraint(
                condition=Q(answered_at_least=0) | Q(answered_at_least__gte=5),
                name="survey_round_count_zero_or_from_five",
            ),
            models.CheckConstraint(
                condition=Q(status="draft", opened_at=None) | Q(status="abandoned") | Q(opened_at__isnull=False),
                name="opened_survey_round_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="open", way="anonymous")
                | Q(public_key__isnull=False, moderator__isnull=False, moderator_agreed_at__isnull=False),
                name="anonymous_round_has_key_and_moderator",
            ),
            models.CheckConstraint(
                condition=Q(floor__in=[MIN_FLOOR, JOINT_FLOOR]), name="survey_round_floor_is_five_or_ten"
            ),
            models.CheckConstraint(
                condition=~Q(status="abandoned") | ~Q(reason=""), name="abandoned_survey_round_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"round {self.number} of partnership {self.partnership_id}"

    def get_absolute_url(self) -> str:
        """Return the URL of the round's page."""
        return page_address("surveys:detail", self.partnership_id, self.number)

    @property
    def key_name(self) -> str:
        """Return the name of the round's key outside the database.

        It contains the time of creation, because a restored database may give the same id to another round.
        """
        return f"{self.pk}-{self.created_at.astimezone(dt.UTC):%Y%m%d%H%M%S%f}"

    @property
    def is_anonymous(self) -> bool:
        """Return whether people answer without giving their name."""
        return self.way == AnswerMode.ANONYMOUS

    @property
    def is_joint(self) -> bool:
        """Return whether several partnerships run the round together."""
        return self.floor == JOINT_FLOOR

    @property
    def can_open(self) -> bool:
        """Return whether the round needs no moderator, or the moderator has agreed to the list of people."""
        return not self.is_anonymous or self.moderator_agreed_at is not None

    @property
    def is_draft(self) -> bool:
        """Return whether the round is being prepared, so that nobody has been asked yet."""
        return self.status == RoundStatus.DRAFT

    @property
    def is_closed(self) -> bool:
        """Return whether the results of the round are published."""
        return self.status == RoundStatus.CLOSED

    def takes_answers(self, now: dt.datetime) -> bool:
        """Return whether people can answer now."""
        return self.status == RoundStatus.OPEN and timezone.localdate(now) <= self.closes_on

    @property
    def people_asked(self) -> int:
        """Return the number of people who were asked."""
        return sum(self.asked.values())

    @property
    def people_asked_words(self) -> str:
        """Return the number of people who were asked, such as `1 person was asked`."""
        return "1 person was asked" if self.people_asked == 1 else f"{self.people_asked:,} people were asked"

    def questions(self, language: str = "") -> Questions:
        """Return the questions in this language or, without a translation, in the first language of the set.

        The question set should be fetched with the round.
        """
        return questions_in_language(self.question_set.content, language)


class JoiningQuerySet(models.QuerySet["Joining"]):
    """Filters for joinings by the partnership's answer."""

    def accepted(self) -> JoiningQuerySet:
        """Return joinings that a lead of the partnership has accepted."""
        return self.filter(accepted_at__isnull=False)


@pghistory.track()
class Joining(models.Model):
    """A partnership that is asked to run a round together with another. Its leads answer before the round opens."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="joinings")
    partnership = models.ForeignKey(Partnership, on_delete=models.PROTECT, related_name="joint_surveys")
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField()
    accepted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    accepted_at = models.DateTimeField(null=True, blank=True)

    objects = JoiningQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "partnership"], name="unique_joining_per_partnership")]

    def __str__(self) -> str:
        return f"joining {self.pk}"


class Invitation(models.Model):
    """A person who is asked to answer, until the round is over. The row does not say whether they have answered.

    Invitations have no row history. So after the round, only the ledger of emails shows who was invited.
    """

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="invitations")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    group = models.CharField(max_length=12, choices=Group)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "person"], name="unique_invitation_per_person")]

    def __str__(self) -> str:
        return f"invitation {self.pk}"
