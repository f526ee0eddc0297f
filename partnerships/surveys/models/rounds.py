"""Rounds of a survey, their questions and who is asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import pghistory
import pgtrigger
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.utils import timezone

from partnerships.agreements.models import Partnership, PartyStatus
from partnerships.kit.addresses import page_address
from partnerships.kit.disclosure import MIN_FLOOR
from partnerships.organisations.audience import Organisations, visible_to
from partnerships.people.models import User
from partnerships.surveys.bodies import Group
from partnerships.surveys.questions import Questions, in_language


class Way(models.TextChoices):
    """Whether answers are anonymous.

    A partnership too small for that can only ask by name.
    """

    ANONYMOUS = "anonymous", "Anonymous"
    NAMED = "named", "By name"


class RoundStatus(models.TextChoices):
    """Draft → open → closed; or abandoned, without results.

    Closing by the clock is decided by `closes_on`; a worker opens the answers then.
    """

    DRAFT = "draft", "Being prepared"
    OPEN = "open", "Open"
    CLOSED = "closed", "Closed"
    ABANDONED = "abandoned", "Ended without results"


class QuestionSet(models.Model):
    """A version of a set of questions.

    Never changes. `questions.check` says what `content` holds.
    """

    code = models.SlugField(max_length=40)
    version = models.PositiveSmallIntegerField()
    content = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "version"], name="one_question_set_a_version")]
        triggers = [pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.content.get('name', self.code)}, version {self.version}"


#: People of all present parties.
PARTIES = (
    Organisations("partnership__parties__organisation", when=Q(partnership__parties__status=PartyStatus.ACCEPTED)),
)


#: Where figures of several partnerships stand together, a figure rests on this many answers.
JOINT_FLOOR = 10


class RoundQuerySet(models.QuerySet["Round"]):
    """Rounds by reader."""

    def visible_to(self, user: User | AnonymousUser) -> RoundQuerySet:
        """Rounds of partnerships in which an organisation of the person takes part, and that these have joined."""
        joined = Joining.objects.accepted().filter(visible_to(Joining, PARTIES, user))
        return self.filter(visible_to(Round, PARTIES, user) | Q(pk__in=joined.values("round")))

    def of_any(self, partnerships: Iterable[int]) -> RoundQuerySet:
        """Rounds that any of these partnerships (ids) runs, alone or with others."""
        pks = list(partnerships)
        joined = Joining.objects.accepted().filter(partnership__in=pks)
        return self.filter(Q(partnership__in=pks) | Q(pk__in=joined.values("round")))

    def named_to_read(self, user: User | AnonymousUser) -> RoundQuerySet:
        """Rounds whose comments the person was named to read, while outside all parties, past and present."""
        inside = Partnership.objects.filter(parties__organisation__memberships__person=user.pk or 0)
        joined = Joining.objects.filter(partnership__in=inside.values("pk"))
        named = self.filter(moderator=user.pk or 0).exclude(partnership__in=inside)
        return named.exclude(pk__in=joined.values("round"))

    def moderated_by(self, user: User | AnonymousUser) -> RoundQuerySet:
        """Closed rounds whose comments the person reads before the parties do."""
        return self.named_to_read(user).filter(status=RoundStatus.CLOSED)

    def asking(self, user: User | AnonymousUser) -> RoundQuerySet:
        """Drafts that wait for the person to agree to read comments.

        Anybody without an account is asked in vain.
        """
        waiting = self.named_to_read(user).filter(moderator__account_since__isnull=False, moderator__is_active=True)
        return waiting.filter(
            status=RoundStatus.DRAFT, moderator_asked_at__isnull=False, moderator_agreed_at__isnull=True
        )

    def for_pages(self) -> RoundQuerySet:
        """With partnership, questions and moderator."""
        return self.select_related("partnership", "question_set", "moderator")


@pghistory.track()
class Round(models.Model):
    """One round of a survey in a partnership.

    Other partnerships may run it together with `partnership` (`Joining`); then `floor` is ten. The moderator agrees to
    read comments, and to the list of people asked, before it opens. `counted` says how groups are counted together, and
    is fixed when the round opens, like the number of people asked. `answered_at_least` is the only number of answers
    that is ever shown: a multiple of five, 0 for fewer than five.
    """

    partnership = models.ForeignKey(Partnership, on_delete=models.PROTECT, related_name="surveys")
    number = models.PositiveSmallIntegerField(help_text="The number of the round: 1 for the partnership’s first.")
    title = models.CharField(max_length=120)
    question_set = models.ForeignKey(QuestionSet, on_delete=models.PROTECT, related_name="+")
    way = models.CharField(max_length=9, choices=Way)
    status = models.CharField(max_length=9, choices=RoundStatus, default=RoundStatus.DRAFT)
    closes_on = models.DateField(help_text="The last day to answer.")
    moderator = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    moderator_asked_at = models.DateTimeField(null=True, blank=True)
    moderator_agreed_at = models.DateTimeField(null=True, blank=True)
    floor = models.PositiveSmallIntegerField(
        default=MIN_FLOOR, help_text="The smallest number of answers for which a figure is shown."
    )
    public_key = models.BinaryField(null=True, blank=True)
    asked = models.JSONField(default=dict, help_text="How many people were asked, by group.")
    counted = models.JSONField(default=dict, help_text="For each group, the groups it is counted with.")
    answered_at_least = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    reminded_on = models.DateField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, help_text="Why it ended without results.")

    objects = RoundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partnership", "number"], name="one_survey_round_a_number"),
            models.UniqueConstraint(
                fields=["partnership"], condition=Q(status__in=["draft", "open"]), name="one_survey_round_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(answered_at_least=0) | Q(answered_at_least__gte=5), name="five_answered"
            ),
            models.CheckConstraint(
                condition=Q(status="draft", opened_at=None) | Q(status="abandoned") | Q(opened_at__isnull=False),
                name="survey_round_opened_whole",
            ),
            models.CheckConstraint(
                condition=~Q(status="open", way="anonymous")
                | Q(public_key__isnull=False, moderator__isnull=False, moderator_agreed_at__isnull=False),
                name="anonymous_rounds_have_key_and_moderator",
            ),
            models.CheckConstraint(condition=Q(floor__in=[MIN_FLOOR, JOINT_FLOOR]), name="floor_of_five_or_ten"),
            models.CheckConstraint(condition=~Q(status="abandoned") | ~Q(reason=""), name="abandoned_with_a_reason"),
        ]

    def __str__(self) -> str:
        return f"round {self.number} of partnership {self.partnership_id}"

    def get_absolute_url(self) -> str:
        """Its page."""
        return page_address("surveys:detail", self.partnership_id, self.number)

    @property
    def key_name(self) -> str:
        """The name of its key outside the database.

        The number alone could be given again after a restore.
        """
        return f"{self.pk}-{self.created_at.astimezone(dt.UTC):%Y%m%d%H%M%S%f}"

    @property
    def is_anonymous(self) -> bool:
        """Whether answers carry no name."""
        return self.way == Way.ANONYMOUS

    @property
    def is_joint(self) -> bool:
        """Whether several partnerships run it together."""
        return self.floor == JOINT_FLOOR

    @property
    def may_open(self) -> bool:
        """Whether the moderator of an anonymous draft has agreed to who is asked."""
        return not self.is_anonymous or self.moderator_agreed_at is not None

    @property
    def is_draft(self) -> bool:
        """Whether nobody has been asked yet."""
        return self.status == RoundStatus.DRAFT

    @property
    def is_closed(self) -> bool:
        """Whether its results are published."""
        return self.status == RoundStatus.CLOSED

    def takes_answers(self, now: dt.datetime) -> bool:
        """Whether people can answer now."""
        return self.status == RoundStatus.OPEN and timezone.localdate(now) <= self.closes_on

    @property
    def people_asked(self) -> int:
        """How many people were asked."""
        return sum(self.asked.values())

    @property
    def were_asked(self) -> str:
        """How many people were asked, in words: `1 person was asked`."""
        number = self.people_asked
        return "1 person was asked" if number == 1 else f"{number:,} people were asked"

    def questions(self, language: str = "") -> Questions:
        """What it asks, in this language or the first of its question set.

        Fetch it with its question set.
        """
        return in_language(self.question_set.content, language)


class JoiningQuerySet(models.QuerySet["Joining"]):
    """Partnerships that run a round with another one."""

    def accepted(self) -> JoiningQuerySet:
        """Partnerships whose leads said yes."""
        return self.filter(accepted_at__isnull=False)


@pghistory.track()
class Joining(models.Model):
    """Another partnership that was asked to join a round.

    Its leads answer before the round opens.
    """

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="joinings")
    partnership = models.ForeignKey(Partnership, on_delete=models.PROTECT, related_name="joint_surveys")
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField()
    accepted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    accepted_at = models.DateTimeField(null=True, blank=True)

    objects = JoiningQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "partnership"], name="one_joining_a_partnership")]

    def __str__(self) -> str:
        return f"joining {self.pk}"


class Invitation(models.Model):
    """Somebody who is asked, until the round is over.

    Says nothing of whether they answered. Not in row history. After the round only the ledger of emails says that an
    invitation went to somebody.
    """

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="invitations")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    group = models.CharField(max_length=12, choices=Group)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "person"], name="asked_once_a_survey_round")]

    def __str__(self) -> str:
        return f"invitation {self.pk}"
