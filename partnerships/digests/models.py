"""Who wants to be told of what, what they have been told, and every letter on its way: the record that the broker is
not."""

from __future__ import annotations

import datetime as dt
import secrets
from functools import lru_cache

import pghistory
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from partnerships.agreements.models import Partnership
from partnerships.digests import schedule
from partnerships.exchange.models import Entry
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models import Plan

#: So long nobody is asked again about what they declined or stopped themselves; they may ask at any time.
REFUSAL_HOLDS = dt.timedelta(days=180)


class Frequency(models.TextChoices):
    """How often somebody wants to be told."""

    AT_ONCE = schedule.AT_ONCE, "At once"
    DAILY = schedule.DAILY, "Daily"
    WEEKLY = schedule.WEEKLY, "Weekly"
    FORTNIGHTLY = schedule.FORTNIGHTLY, "Every two weeks"
    MONTHLY = schedule.MONTHLY, "Monthly"


class Weekday(models.IntegerChoices):
    """Days as `datetime.date.weekday` counts them."""

    MONDAY = 0, "Monday"
    TUESDAY = 1, "Tuesday"
    WEDNESDAY = 2, "Wednesday"
    THURSDAY = 3, "Thursday"
    FRIDAY = 4, "Friday"
    SATURDAY = 5, "Saturday"
    SUNDAY = 6, "Sunday"


class How(models.TextChoices):
    """How a subscription came about."""

    SELF = "self", "Subscribed themselves"
    LEAD = "lead", "Added by a partner, confirmed by the person"
    ROLE = "role", "By their role"


@lru_cache(maxsize=2048)
def because(how: str, why: str, target: str, organisation: str | None) -> str:
    """Why somebody gets digests about something, in words that follow "because", on pages and in letters; what a lead
    typed is quoted, for it may be anything."""
    if how == How.LEAD:
        return f"{organisation} added you to digests about {target}{_quoted(why)}, and you confirmed"
    if how == How.ROLE:
        return why or "your role brings it"
    return f"you subscribed to {target}"


def _quoted(why: str) -> str:
    words = why.rstrip(". ")
    return f" (“{words}”)" if words else ""


class SubscriptionStatus(models.TextChoices):
    """asked → confirmed ⇄ paused → ended; suppressed on a hard bounce, and back to what it was when the address is
    released. Any but confirmed sends nothing."""

    ASKED = "asked", "Waiting for confirmation"
    CONFIRMED = "confirmed", "Active"
    PAUSED = "paused", "Paused"
    ENDED = "ended", "Ended"
    SUPPRESSED = "suppressed", "Stopped: their mail comes back"


_A = {"plan": "a plan", "partnership": "a partnership", "organisation": "an organisation"}


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    """Subscriptions by whether they still stand."""

    def live(self) -> SubscriptionQuerySet:
        """Those that tell, or would once confirmed or resumed."""
        return self.exclude(status=SubscriptionStatus.ENDED)

    def confirmed(self) -> SubscriptionQuerySet:
        """Those that tell."""
        return self.filter(status=SubscriptionStatus.CONFIRMED)

    def refused(self) -> SubscriptionQuerySet:
        """Those to which the person themselves said no."""
        return self.filter(status=SubscriptionStatus.ENDED, refused_at__isnull=False)

    def for_listing(self) -> SubscriptionQuerySet:
        """With what a list shows."""
        return self.select_related("person", "plan", "partnership", "organisation", "added_for", "added_by")


@pghistory.track()
class Subscription(models.Model):
    """A person wants to be told of a plan, of the plans of a partnership, or of the plans an organisation owns.

    asked → confirmed ⇄ paused → ended; suppressed on a hard bounce. One row a person and thing: who comes back
    confirms it again. For a stakeholder a confirmed subscription is what grants reading the outside content
    (RIGHTS.md), as long as the organisation it was `added_for` may itself read the plan; a paused one, reading what was
    received before.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="subscriptions")
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, null=True, blank=True, related_name="subscriptions")
    partnership = models.ForeignKey(
        Partnership, on_delete=models.CASCADE, null=True, blank=True, related_name="subscriptions"
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, null=True, blank=True, related_name="subscriptions"
    )
    status = models.CharField(max_length=10, choices=SubscriptionStatus, default=SubscriptionStatus.ASKED)
    how = models.CharField(max_length=4, choices=How, default=How.SELF)
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    added_for = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The organisation on whose behalf a stakeholder was added; it must itself be able to read the plan.",
    )
    why = models.CharField(max_length=300, blank=True, help_text="Shown to the person: “you get this because…”.")
    frequency = models.CharField(
        max_length=8, choices=Frequency, blank=True, help_text="Only for this; empty means as the person prefers."
    )
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(
        null=True, blank=True, help_text="When the person themselves said no: nobody asks them again soon."
    )
    stopped_from = models.CharField(
        max_length=10,
        choices=SubscriptionStatus,
        blank=True,
        help_text="What it was when mail to the address was stopped, and is again when the address is released.",
    )
    reason = models.CharField(max_length=300, blank=True, help_text="Why it ended or was stopped.")

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(plan__isnull=False, partnership=None, organisation=None)
                | Q(plan=None, partnership__isnull=False, organisation=None)
                | Q(plan=None, partnership=None, organisation__isnull=False),
                name="subscription_to_one_thing",
                violation_error_message="Choose a plan, a partnership or an organisation.",
            ),
            models.UniqueConstraint(fields=["person", "plan"], name="one_subscription_a_plan"),
            models.UniqueConstraint(fields=["person", "partnership"], name="one_subscription_a_partnership"),
            models.UniqueConstraint(fields=["person", "organisation"], name="one_subscription_an_organisation"),
            models.CheckConstraint(
                condition=~Q(status=SubscriptionStatus.CONFIRMED) | Q(confirmed_at__isnull=False),
                name="confirmed_subscription_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(how=How.LEAD) | Q(added_for__isnull=False), name="added_stakeholder_has_an_organisation"
            ),
        ]
        indexes = [
            models.Index(fields=["plan", "person"], name="subscription_plan", condition=Q(plan__isnull=False)),
            models.Index(
                fields=["partnership", "person"],
                name="subscription_partnership",
                condition=Q(partnership__isnull=False),
            ),
            models.Index(
                fields=["organisation", "person"],
                name="subscription_organisation",
                condition=Q(organisation__isnull=False),
            ),
            models.Index(
                fields=["plan", "person"],
                name="subscription_refused_plan",
                condition=Q(plan__isnull=False, refused_at__isnull=False, status="ended"),
            ),
        ]

    #: Whether pages may name what it is about to whoever reads them: `queries/naming.py` finds out.
    named = False

    def __str__(self) -> str:
        return f"Subscription {self.pk} of {self.person_id}"

    @property
    def target(self) -> Plan | Partnership | Organisation:
        """What it is about."""
        target = self.plan or self.partnership or self.organisation
        if target is None:
            raise ValueError("A subscription is always about something.")
        return target

    @property
    def called(self) -> str:
        """What pages call it: what may no longer be read has no name, and can be stopped all the same."""
        return str(self.target) if self.named else f"{_A[self.target_kind]} you can no longer read"

    @property
    def target_kind(self) -> str:
        """`plan`, `partnership` or `organisation`."""
        return "plan" if self.plan_id else "partnership" if self.partnership_id else "organisation"

    @property
    def because(self) -> str:
        """Why it comes, or who asks, said to the person; what has no name for them has no reason, which may tell it."""
        why, organisation = self.why if self.named else "", self.added_for.name if self.added_for else None
        if self.confirmed_at:
            return because(self.how, why, self.called, organisation)
        return f"{organisation} asks you{_quoted(why)}" if organisation else "asked for with your address"

    @property
    def is_waiting(self) -> bool:
        """Whether the person has not confirmed yet."""
        return self.status == SubscriptionStatus.ASKED

    @property
    def person_for_askers(self) -> str:
        """The person as the organisation that asked them may know them: by the address that it typed, and by name once
        they have confirmed."""
        named = bool(self.confirmed_at and self.person.name)
        return self.person.display_name if named else self.address_for_askers or self.person.display_name

    @property
    def address_for_askers(self) -> str:
        """Their address, as whoever asked them may know it: that of somebody who had said yes no longer after the
        end."""
        return "" if self.confirmed_at and self.is_ended else self.person.email

    @property
    def reason_for_askers(self) -> str:
        """Why it ended or was stopped, and whether they said no themselves."""
        refused = self.is_refused and self.refused_at == self.ended_at
        return f"{self.reason} Only they can ask for it again." if refused else self.reason

    @property
    def is_confirmed(self) -> bool:
        """Whether it tells."""
        return self.status == SubscriptionStatus.CONFIRMED

    @property
    def is_paused(self) -> bool:
        """Whether the person has paused just this one."""
        return self.status == SubscriptionStatus.PAUSED

    @property
    def is_ended(self) -> bool:
        """Whether it is over."""
        return self.status == SubscriptionStatus.ENDED

    @property
    def is_refused(self) -> bool:
        """Whether the person themselves said no."""
        return self.is_ended and self.refused_at is not None

    def was_refused(self, now: dt.datetime) -> bool:
        """Whether the person said no so recently that no partner may ask them about it."""
        return self.is_ended and self.refused_at is not None and now - self.refused_at < REFUSAL_HOLDS


class TypedAddress(models.Model):
    """An address that somebody typed who is not signed in, until the sweep takes it up: for new links or, with a plan,
    to be asked about its digests.

    The page writes this row and does nothing else, whosever address it is: what is known about one cannot be measured.
    """

    address = models.EmailField(max_length=254)
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, null=True, related_name="+")
    frequency = models.CharField(max_length=8, choices=Frequency, blank=True)
    typed_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name_plural = "typed addresses"

    def __str__(self) -> str:
        return f"Typed address {self.pk}"


class Following(models.Model):
    """A view of the database: every pair of person and plan that a confirmed subscription covers, once a subscription.

    `rank` says how closely it fits: 1 for the plan itself, 2 for its partnership, 3 for an owner. A plan that the
    person refused by itself does not come through what they confirmed before that.
    """

    subscription = models.OneToOneField(Subscription, on_delete=models.DO_NOTHING, primary_key=True, related_name="+")
    person = models.ForeignKey(User, on_delete=models.DO_NOTHING, related_name="+")
    plan = models.ForeignKey(Plan, on_delete=models.DO_NOTHING, related_name="+")
    how = models.CharField(max_length=4)
    added_for = models.ForeignKey(Organisation, on_delete=models.DO_NOTHING, null=True, related_name="+")
    frequency = models.CharField(max_length=8)
    confirmed_at = models.DateTimeField()
    rank = models.SmallIntegerField()

    class Meta:
        managed = False
        db_table = "digests_following"

    def __str__(self) -> str:
        return f"{self.person_id} follows {self.plan_id}"


def _link_key() -> str:
    return secrets.token_hex(16)


@pghistory.track(exclude=["link_key"])
class Preference(models.Model):
    """How one person wants their digests. The zone of the hour is the person's own (`User.time_zone`).

    `link_key` goes into every signed link of theirs: a new one makes all earlier links worthless.
    """

    person = models.OneToOneField(User, on_delete=models.CASCADE, related_name="digest_preference")
    frequency = models.CharField(max_length=8, choices=Frequency, default=Frequency.AT_ONCE)
    hour = models.PositiveSmallIntegerField(default=8, validators=[MinValueValidator(0), MaxValueValidator(23)])
    weekday = models.PositiveSmallIntegerField(choices=Weekday, default=Weekday.MONDAY)
    working_days_only = models.BooleanField(default=False)
    tells_matches = models.BooleanField(
        default=True, help_text="New matches of the asks and offers of one's organisation; for people with an account."
    )
    paused_until = models.DateField(null=True, blank=True, help_text="The first day on which mail may come again.")
    refused_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the person themselves stopped everything: whoever types their address asks them nothing.",
    )
    link_key = models.CharField(max_length=32, default=_link_key, editable=False)
    introduced_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the first letter said who holds the address and why (UK GDPR Article 14).",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(hour__lte=23), name="preference_hour_of_the_day"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="preference_day_of_the_week"),
        ]

    def __str__(self) -> str:
        return f"Preference of {self.person_id}"

    def pause_at(self, now: dt.datetime, zone: str) -> dt.date | None:
        """The first day on which mail may come again, while there is a pause."""
        over = self.paused_until is None or self.paused_until <= schedule.local_day(now, zone)
        return None if over else self.paused_until

    def rhythm(self, zone: str, frequency: str = "") -> schedule.Rhythm:
        """The same as the pure module wants it, in a zone, with the frequency of a single subscription where it has
        one."""
        return schedule.Rhythm(
            frequency=frequency or self.frequency,
            hour=self.hour,
            weekday=self.weekday,
            working_days_only=self.working_days_only,
            zone=zone,
            paused_until=self.paused_until,
        )


@pghistory.track()
class RoleRule(models.Model):
    """Everybody of a role is told: all people of a partnership's parties, or of the organisations that must sign a
    plan.

    The people get subscriptions of their own (how: role), which each may end; nobody who ended one is given it again.
    Who loses the role loses the subscription, and gets it back with the role.
    """

    class Role(models.TextChoices):
        """Whom the rule means."""

        MEMBERS = "members", "Everyone who acts for a party of the partnership"
        SIGNATORIES = "signatories", "Leads of the organisations that must sign"

    partnership = models.ForeignKey(
        Partnership, on_delete=models.CASCADE, null=True, blank=True, related_name="digest_rules"
    )
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, null=True, blank=True, related_name="digest_rules")
    role = models.CharField(max_length=12, choices=Role)
    set_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(role="members", partnership__isnull=False, plan=None)
                | Q(role="signatories", plan__isnull=False, partnership=None),
                name="role_rule_fits_its_target",
            ),
            models.UniqueConstraint(
                fields=["partnership", "plan", "role"], name="one_rule_a_role", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} ({self.pk})"


class Told(models.Model):
    """How far one person has been told of one plan: the watermark from which their next digest begins.

    `number` is the version they last received, or counted as told of; 0 means that the plan is new to them.
    `reading_class` is what they might read then; `none` means they could read nothing, and gaining access later is
    not a change. `due_at` is set while something waits to be told; `slotted` says that it waits for a daily or weekly
    hour.
    """

    class Reading(models.TextChoices):
        """What of the plan the person could read."""

        INSIDE = "inside", "Everything"
        OUTSIDE = "outside", "Without what is confidential"
        NONE = "none", "Nothing"

    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="told", db_index=False)
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="told", db_index=False)
    number = models.PositiveIntegerField()
    reading_class = models.CharField(max_length=8, choices=Reading)
    told_at = models.DateTimeField()
    waiting_since = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    slotted = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "told"
        constraints = [models.UniqueConstraint(fields=["recipient", "plan"], name="one_watermark_a_plan")]
        indexes = [
            models.Index(fields=["due_at"], name="told_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["recipient", "plan"], name="told_without_access", condition=Q(reading_class="none")),
            models.Index(fields=["plan", "number"], name="told_of_plan"),
            models.Index(fields=["told_at", "id"], name="told_unreadable", condition=Q(reading_class="none")),
        ]

    def __str__(self) -> str:
        return f"{self.recipient_id} told of {self.plan_id} up to {self.number}"


class Publication(models.Model):
    """A version that was published, until its readers have been marked as waiting for it.

    Written in the transaction that publishes, so that neither a lost nudge nor an absent broker loses it, and taken up
    in place: commits out of order cannot hide one.
    """

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    published_at = models.DateTimeField()
    available_at = models.DateTimeField(help_text="When to take it up: at once, and again when an embargo ends.")
    spread_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "number"], name="one_publication_a_version")]
        indexes = [models.Index(fields=["available_at"], name="publication_waiting", condition=Q(spread_at=None))]

    def __str__(self) -> str:
        return f"{self.plan_id} version {self.number}"


class Piece(models.Model):
    """A part of letters that many share (a plan's changes, the frame), as it went out: kept once, encoded for the wire.

    `body` is quoted-printable ASCII with CRLF line ends. Removed when no letter that is kept needs it.
    """

    digest = models.CharField(max_length=64, unique=True)
    body = models.TextField()
    used_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Piece {self.pk}"


class DeliveryKind(models.TextChoices):
    """What sort of letter it is."""

    DIGEST = "digest", "Digest"
    CONFIRMATION = "confirmation", "Asking to confirm"
    LINKS = "links", "New links"


class DeliveryStatus(models.TextChoices):
    """queued → sending → sent, failed or suppressed; sent → bounced. What is sending returns to the queue when its
    lease ends."""

    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    BOUNCED = "bounced", "Bounced"
    SUPPRESSED = "suppressed", "Not sent"


#: The reason of a letter that could not be written begins so.
NOT_WRITTEN = "It could not be written"
#: Deliveries that are still to leave.
OPEN = (DeliveryStatus.QUEUED, DeliveryStatus.SENDING)


class Delivery(models.Model):
    """One letter to one person: chosen, claimed under a lease, frozen, sent, settled.

    queued → sending → sent, failed or suppressed; sent → bounced. `available_at` is when it may next be claimed: the
    time of the next try of a queued one, the end of the lease of one that is being sent. `message_id` is given when
    it is first written. `recipe` is the message exactly as sent (see pieces.Recipe); removed 30 days after. A letter
    that a server may have taken without our hearing of it is `in_doubt`: it goes again as it is; any other is written
    anew.
    """

    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    kind = models.CharField(max_length=12, choices=DeliveryKind, default=DeliveryKind.DIGEST)
    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )
    message_id = models.CharField(max_length=120, blank=True)
    status = models.CharField(max_length=10, choices=DeliveryStatus, default=DeliveryStatus.QUEUED)
    address = models.CharField(max_length=254, blank=True)
    subject = models.CharField(max_length=400, blank=True)
    recipe = models.JSONField(null=True, blank=True)
    slot_on = models.DateField(
        null=True, blank=True, help_text="The local date of a daily or weekly digest: one a date."
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    deferrals = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="How often a mail server said “later” to it.",
    )
    unanswered = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How often it was taken up since a mail server last answered, or was away."
    )
    in_doubt = models.BooleanField(
        default=False, db_default=False, help_text="A server may have taken it: it goes again only as it is."
    )
    waiting = models.JSONField(
        null=True, blank=True, help_text="The addresses of the things it said wait for its reader."
    )
    available_at = models.DateTimeField()
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    provider_id = models.CharField(max_length=200, blank=True)
    repeat_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="repeats", db_index=False
    )

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["recipient"],
                condition=Q(kind="digest", status__in=["queued", "sending"], repeat_of=None),
                name="one_open_digest_a_person",
            ),
            models.UniqueConstraint(
                fields=["repeat_of"],
                condition=Q(repeat_of__isnull=False, status__in=["queued", "sending"]),
                name="one_open_repeat_a_letter",
            ),
            models.UniqueConstraint(
                fields=["recipient", "slot_on"],
                condition=Q(slot_on__isnull=False),
                name="one_digest_a_local_date",
            ),
            models.CheckConstraint(
                condition=~Q(status="sent") | Q(settled_at__isnull=False), name="sent_delivery_is_settled"
            ),
        ]
        indexes = [
            models.Index(
                fields=["available_at", "id"], name="delivery_open", condition=Q(status__in=["queued", "sending"])
            ),
            models.Index(fields=["recipient", "-created_at"], name="delivery_of_person"),
            models.Index(fields=["provider_id"], name="delivery_provider", condition=~Q(provider_id="")),
        ]

    def __str__(self) -> str:
        return self.subject or f"Delivery {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether it is still to leave."""
        return self.status in OPEN

    @property
    def is_sent(self) -> bool:
        """Whether a server has taken it."""
        return self.status == DeliveryStatus.SENT

    @property
    def is_kept(self) -> bool:
        """Whether the message as sent is still there to look at."""
        return self.recipe is not None

    @property
    def can_be_sent_again(self) -> bool:
        """Whether a person may ask for another try."""
        return self.kind == DeliveryKind.DIGEST and self.status in (
            DeliveryStatus.FAILED,
            DeliveryStatus.BOUNCED,
            DeliveryStatus.SENT,
        )


class MatchTold(models.Model):
    """A match is told, or to be told, to a person who acts for one of its sides: once, even if it is found anew.

    `told_at` is set when a letter said so, or when there was nothing left that the person may see.
    """

    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    ask = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="+")
    offer = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="+")
    noted_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    slotted = models.BooleanField(default=False)
    told_at = models.DateTimeField(null=True, blank=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.SET_NULL, null=True, blank=True, related_name="matches")

    class Meta:
        verbose_name_plural = "matches told"
        constraints = [
            models.UniqueConstraint(fields=["recipient", "ask", "offer"], name="one_telling_a_match"),
        ]
        indexes = [
            models.Index(fields=["due_at", "recipient"], name="match_to_tell", condition=Q(told_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.recipient_id}: {self.ask_id} and {self.offer_id}"


class DeliveryItemQuerySet(models.QuerySet["DeliveryItem"]):
    """Items by whether their letter tells of them."""

    def told(self) -> DeliveryItemQuerySet:
        """Those that the letter says, or will say."""
        return self.filter(left_out="")


class DeliveryItem(models.Model):
    """What a letter says of one plan: the changes from one version to another, as one class of readers may.

    What was chosen, but could not be told when the letter was composed, stays with the reason in `left_out`.
    """

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="items", db_index=False)
    # The database need not look for the plan of each item: it has a published version, and a trigger keeps those, and
    # so their plan, from being deleted.
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    from_number = models.PositiveIntegerField()
    to_number = models.PositiveIntegerField()
    reading_class = models.CharField(max_length=8, choices=Told.Reading)
    left_out = models.CharField(
        max_length=100, blank=True, db_default="", help_text="Why the letter does not say it; empty where it does."
    )

    objects = DeliveryItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "plan"], name="one_item_a_plan"),
            models.CheckConstraint(condition=Q(to_number__gte=F("from_number")), name="item_goes_forward"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}: {self.from_number} to {self.to_number}"


#: In SQL: whether a letter `d`, looked up by its number, is being sent, and whether it is still to leave. The empty
#: text keeps PostgreSQL from using the index over all that are to leave: when it last looked, nothing was, and reading
#: all of that seemed cheaper than looking one up.
STILL_SENDING = "d.status || '' = 'sending'"
STILL_OPEN = "d.status || '' IN ('queued', 'sending')"

#: In SQL: the people who have a digest under way, other than one sent again.
UNDER_WAY = (
    "SELECT d.recipient_id FROM digests_delivery d"
    " WHERE d.kind = 'digest' AND d.repeat_of_id IS NULL AND d.status IN ('queued', 'sending')"
)

#: In SQL: whether nothing is sent to the address of a person `u`. OFFSET 0 lets PostgreSQL look up each person by the
#: index: without it, it may read every suppressed address first.
SUPPRESSED = (
    "EXISTS (SELECT 1 FROM digests_suppression s"
    " WHERE lower(s.address) = lower(u.email) AND s.released_at IS NULL OFFSET 0)"
)


@pghistory.track(exclude=["address"])
class Suppression(models.Model):
    """An address to which nothing is sent any more, until somebody releases it."""

    address = models.EmailField(max_length=254)
    reason = models.CharField(max_length=300)
    since = models.DateTimeField()
    set_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("address"), condition=Q(released_at=None), name="one_suppression_an_address")
        ]

    def __str__(self) -> str:
        return f"Suppression {self.pk}"


class Bounce(models.Model):
    """A letter came back, or somebody complained of it."""

    class Kind(models.TextChoices):
        """Hard: the address is none. Soft: it may work later. Complaint: marked as unwanted. Refused: by a policy,
        which says nothing of the address. Delayed: still being tried."""

        HARD = "hard", "Came back for good"
        SOFT = "soft", "Came back for now"
        COMPLAINT = "complaint", "Complaint"
        REFUSED = "refused", "Refused by a policy"
        DELAYED = "delayed", "Delayed"

    kind = models.CharField(max_length=10, choices=Kind)
    address = models.EmailField(max_length=254)
    delivery = models.ForeignKey(Delivery, on_delete=models.SET_NULL, null=True, blank=True, related_name="bounces")
    at = models.DateTimeField()
    text = models.CharField(max_length=500, blank=True)
    event_id = models.CharField(
        max_length=200, blank=True, help_text="The provider's own number, so that one counts once."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event_id"], condition=~Q(event_id=""), name="one_bounce_an_event")
        ]
        indexes = [models.Index(fields=["address", "-at"], name="bounce_of_address")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class MailRead(models.Model):
    """A mail of the mailbox that was acted on: whoever reads the mailbox again does nothing twice."""

    event_id = models.CharField(max_length=80, unique=True, help_text="A digest of its Message-ID, or of all of it.")
    read_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "mails read"

    def __str__(self) -> str:
        return f"Mail {self.pk}"


class Pace(models.Model):
    """How many letters were claimed for a domain in a minute: what throttling counts, across all workers."""

    domain = models.CharField(max_length=253)
    minute = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "paces"
        constraints = [models.UniqueConstraint(fields=["domain", "minute"], name="one_pace_a_minute")]
        indexes = [models.Index(fields=["minute"], name="pace_minute")]

    def __str__(self) -> str:
        return f"{self.domain} {self.minute:%H:%M}: {self.count}"
