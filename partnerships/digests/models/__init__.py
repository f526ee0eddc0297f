"""Subscriptions, per-recipient watermarks and digests under way. The database, not the broker, is the record."""

from __future__ import annotations

import datetime as dt
import secrets
from functools import lru_cache

import pghistory
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from partnerships.agreements.models import Partnership
from partnerships.digests import schedule
from partnerships.exchange.models import Entry
from partnerships.organisations.models import Organisation
from partnerships.outbox.models import OPEN, EmailStatus
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
    confirms it again. A stakeholder's confirmed subscription lets them read the outside content
    (docs/rights.md) while the organisation it was `added_for` may read the plan. A paused one lets them read what they
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
    replaces = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The same at an earlier address, which ends once this one is confirmed.",
    )

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
        indexes = [
            models.Index(fields=["paused_until"], name="preference_paused", condition=Q(paused_until__isnull=False))
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


class DeliveryKind(models.TextChoices):
    """The kinds of email that this room sends, as the outbox knows them."""

    DIGEST = "digests.digest", "Digest"
    CONFIRMATION = "digests.confirmation", "Asking to confirm"
    LINKS = "digests.links", "New links"


class DeliveryManager(models.Manager["Delivery"]):
    """Emails of this room alone."""

    def get_queryset(self) -> models.QuerySet[Delivery]:
        """Only kinds of this room."""
        return super().get_queryset().filter(kind__in=DeliveryKind.values)


class Delivery(models.Model):
    """An email of this room in the outbox, with its recipient as a relation. Read only.

    See `outbox.models.Email` for its states. What it is composed from stands in `params`: the subscription that a
    confirmation asks about.
    """

    recipient = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, related_name="deliveries", db_column="person_id", db_constraint=False
    )
    kind = models.CharField(max_length=40, choices=DeliveryKind)
    params = models.JSONField()
    subscription = models.ForeignKey(
        Subscription, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False
    )
    message_id = models.CharField(max_length=120)
    status = models.CharField(max_length=10, choices=EmailStatus)
    address = models.CharField(max_length=254)
    subject = models.CharField(max_length=400)
    recipe = models.JSONField(null=True)
    attempts = models.PositiveSmallIntegerField()
    in_doubt = models.BooleanField()
    available_at = models.DateTimeField()
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500)
    repeat_of_id = models.BigIntegerField(null=True)
    bounced = models.BooleanField(help_text="Whether it came back.")

    objects = DeliveryManager()

    class Meta:
        managed = False
        db_table = "digests_delivery"
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return self.subject or f"Delivery {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether it is still to leave."""
        return self.status in OPEN

    @property
    def is_sent(self) -> bool:
        """Whether a server has accepted it, and it did not come back."""
        return self.status == EmailStatus.SENT and not self.bounced

    @property
    def status_label(self) -> str:
        """Its status in words; one that came back says so."""
        return "Came back" if self.bounced and not self.is_open else self.get_status_display()

    @property
    def is_kept(self) -> bool:
        """Whether the message as sent is still there to look at."""
        return self.recipe is not None

    @property
    def can_be_sent_again(self) -> bool:
        """Whether a person may ask for another try."""
        return self.kind == DeliveryKind.DIGEST and self.status in (EmailStatus.FAILED, EmailStatus.SENT)


class Slot(models.Model):
    """The local date of a daily or weekly digest: one a person and date, in whichever month the email was recorded.

    Written with the email, and removed by a trigger when it turns out that there is nothing to say.
    """

    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    slot_on = models.DateField()
    email_id = models.BigIntegerField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recipient", "slot_on"], name="one_digest_a_date")]

    def __str__(self) -> str:
        return f"{self.recipient_id} on {self.slot_on}"


class OpenDigest(models.Model):
    """A digest that is under way: one a person, and one repeat of each email. A trigger removes it with settling."""

    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    repeat_of_id = models.BigIntegerField(default=0, db_default=0, help_text="0: the digest itself.")
    email_id = models.BigIntegerField(unique=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recipient", "repeat_of_id"], name="one_open_digest_of_each")]

    def __str__(self) -> str:
        return f"Digest {self.email_id} to {self.recipient_id}"


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
    delivery = models.ForeignKey(
        Delivery, on_delete=models.DO_NOTHING, null=True, blank=True, related_name="matches", db_constraint=False
    )

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

    delivery = models.ForeignKey(
        Delivery, on_delete=models.DO_NOTHING, related_name="items", db_index=False, db_constraint=False
    )
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


#: In SQL: the people who have a digest under way, other than a repeat.
UNDER_WAY = "SELECT o.recipient_id FROM digests_opendigest o WHERE o.repeat_of_id = 0"
