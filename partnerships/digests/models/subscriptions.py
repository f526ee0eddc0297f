"""Subscriptions: who follows which record, why, and whether the person has agreed."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

import pghistory
from django.db import models
from django.db.models import Q

from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Commitment
from partnerships.digests.models.preferences import Frequency
from partnerships.digests.models.targets import Piece, Target, title_of
from partnerships.exchange.models import Entry
from partnerships.kit.addresses import page_address
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.recommendations.models import Recommendation

#: For this long, no partner may ask a person again to follow a record that the person declined or stopped. The person
#: may follow the record again at any time.
REFUSAL_PERIOD = dt.timedelta(days=180)


class SubscriptionOrigin(models.TextChoices):
    """How a subscription began."""

    SELF = "self", "Subscribed themselves"
    LEAD = "lead", "Added by a partner, confirmed by the person"
    ROLE = "role", "By their role"


@lru_cache(maxsize=2048)
def reason_for_digests(how: str, why: str, target: str, organisation: str | None) -> str:
    """Return why a person gets digests about a target, in a text that follows the word "because".

    The reason that a lead has typed (`why`) is quoted, because it is in the lead's words and not ours.
    """
    if how == SubscriptionOrigin.LEAD:
        return f"{organisation} asked you to follow {target}{_quoted(why)}, and you confirmed"
    if how == SubscriptionOrigin.ROLE:
        return why or "you have a role that gets these digests"
    return f"you follow {target}"


def _quoted(why: str) -> str:
    """Return a typed reason in quotes and brackets, without its full stop; "" if there is none."""
    reason = why.rstrip(". ")
    return f" (“{reason}”)" if reason else ""


class ChangeFilter(models.TextChoices):
    """Which changes of a followed record a person wants to be told about."""

    EVERYTHING = "everything", "Everything"
    DATES_AND_MONEY = "dates", "Dates and money only"
    OWN = "own", "Only what concerns my organisation"


class SubscriptionStatus(models.TextChoices):
    """The status of a subscription: asked → confirmed ⇄ paused → ended; suppressed while emails to the address bounce.

    When the address is released, a suppressed subscription gets its earlier status back. Only confirmed subscriptions
    send digests.
    """

    ASKED = "asked", "Waiting for confirmation"
    CONFIRMED = "confirmed", "Active"
    PAUSED = "paused", "Paused"
    ENDED = "ended", "Ended"
    SUPPRESSED = "suppressed", "Stopped: emails bounce"


#: The wording for a stakeholder whose name and address the reader may not see.
UNNAMED_STAKEHOLDER = "a stakeholder"

#: The name of each kind of target, with its article.
TARGET_NAMES = {
    "plan": "a plan",
    "partnership": "a partnership",
    "organisation": "an organisation",
    "request": "an ask or offer",
    "commitment": "a commitment",
    "recommendation": "a recommendation",
}
#: The fields of a subscription that refer to the followed record; exactly one is set.
TARGETS = tuple(TARGET_NAMES)


def _has_one_target() -> Q:
    """Return the condition that exactly one target is set; only a subscription to a plan may have a `key`."""
    condition = Q(pk__in=[])  # matches nothing; each target adds its own condition
    for target in TARGETS:
        other_targets = {name: None for name in TARGETS if name != target}
        is_only_target = Q(**{f"{target}__isnull": False}, **other_targets)
        if target != "plan":
            is_only_target &= Q(key="")
        condition |= is_only_target
    return condition


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    """Filters for subscriptions by status."""

    def live(self) -> SubscriptionQuerySet:
        """Return the subscriptions that have not ended."""
        return self.exclude(status=SubscriptionStatus.ENDED)

    def confirmed(self) -> SubscriptionQuerySet:
        """Return the subscriptions that are active, so that their person gets digests."""
        return self.filter(status=SubscriptionStatus.CONFIRMED)

    def refused(self) -> SubscriptionQuerySet:
        """Return the subscriptions that the person declined or stopped themselves."""
        return self.filter(status=SubscriptionStatus.ENDED, refused_at__isnull=False)

    def for_listing(self) -> SubscriptionQuerySet:
        """Fetch the subscriptions with the records that a list shows, to avoid further queries."""
        return self.select_related("person", *TARGETS, "added_for", "added_by")


@pghistory.track()
class Subscription(models.Model):
    """A person follows one target, such as a plan or a partnership; its states are those of `SubscriptionStatus`.

    * A subscription to a plan with a `key` is about only one site or milestone of the plan.
    * There is one row for a person and a target. If the person follows the target again, the same row is used.
    * While a stakeholder's subscription is confirmed, they may read the outside content of a plan that the organisation
      in `added_for` may read (docs/rights.md). While it is paused, they may read what they received before.
    """

    # Who follows what: exactly one of the targets is set.
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="subscriptions")
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, null=True, blank=True, related_name="subscriptions")
    partnership = models.ForeignKey(
        Partnership, on_delete=models.CASCADE, null=True, blank=True, related_name="subscriptions"
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, null=True, blank=True, related_name="subscriptions"
    )
    request = models.ForeignKey(Entry, on_delete=models.CASCADE, null=True, blank=True, related_name="subscriptions")
    commitment = models.ForeignKey(
        Commitment, on_delete=models.CASCADE, null=True, blank=True, related_name="subscriptions"
    )
    recommendation = models.ForeignKey(
        Recommendation, on_delete=models.CASCADE, null=True, blank=True, related_name="subscriptions"
    )
    key = models.CharField(
        max_length=80, blank=True, default="", db_default="", help_text="The site or milestone that is followed."
    )

    hears = models.CharField(
        max_length=10,
        choices=ChangeFilter,
        default=ChangeFilter.EVERYTHING,
        db_default=ChangeFilter.EVERYTHING,
        help_text="Which changes to the record the digests include.",
    )
    status = models.CharField(max_length=10, choices=SubscriptionStatus, default=SubscriptionStatus.ASKED)

    # How it began, and who asked the person.
    how = models.CharField(max_length=4, choices=SubscriptionOrigin, default=SubscriptionOrigin.SELF)
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    added_for = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The organisation that asked the stakeholder. It must be able to read the target itself.",
    )
    why = models.CharField(
        max_length=300, blank=True, help_text="The person sees this after “You are receiving this email because”."
    )

    frequency = models.CharField(
        max_length=8,
        choices=Frequency,
        blank=True,
        help_text="How often, for this subscription only. Empty if the person’s own preference applies.",
    )

    # When it was asked for, confirmed and ended.
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the person themselves said no. Partners may not ask them again for 180 days.",
    )

    stopped_from = models.CharField(
        max_length=10,
        choices=SubscriptionStatus,
        blank=True,
        help_text="The status before the address was blocked. It returns when the address is unblocked.",
    )
    reason = models.CharField(max_length=300, blank=True, help_text="Why the subscription ended or was stopped.")

    # What happened with the person's address.
    replaces = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The subscription at an earlier address, which ends when this one is confirmed.",
    )
    has_own_address = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The person gave this address themselves, so the organisation that added them does not see it.",
    )

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=_has_one_target(),
                name="subscription_has_one_target",
                violation_error_message="Choose one thing to follow.",
            ),
            models.UniqueConstraint(fields=["person", "plan", "key"], name="unique_subscription_per_plan"),
            models.UniqueConstraint(fields=["person", "partnership"], name="unique_subscription_per_partnership"),
            models.UniqueConstraint(fields=["person", "organisation"], name="unique_subscription_per_organisation"),
            models.UniqueConstraint(fields=["person", "request"], name="unique_subscription_per_request"),
            models.UniqueConstraint(fields=["person", "commitment"], name="unique_subscription_per_commitment"),
            models.UniqueConstraint(fields=["person", "recommendation"], name="unique_subscription_per_recommendation"),
            models.CheckConstraint(
                condition=~Q(status=SubscriptionStatus.CONFIRMED) | Q(confirmed_at__isnull=False),
                name="confirmed_subscription_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(how=SubscriptionOrigin.LEAD) | Q(added_for__isnull=False),
                name="added_stakeholder_has_organisation",
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
            models.Index(fields=["request", "person"], name="subscription_request", condition=Q(request__isnull=False)),
            models.Index(
                fields=["commitment", "person"], name="subscription_commitment", condition=Q(commitment__isnull=False)
            ),
            models.Index(
                fields=["recommendation", "person"],
                name="subscription_recommendation",
                condition=Q(recommendation__isnull=False),
            ),
            models.Index(fields=["plan", "person"], name="subscription_of_part", condition=~Q(key="")),
            models.Index(
                fields=["plan", "person"],
                name="subscription_refused_plan",
                condition=Q(plan__isnull=False, refused_at__isnull=False, status="ended"),
            ),
        ]

    #: Whether the reader of the page may see the name of the target; set by `set_names_for` in queries/naming.py.
    named = False
    #: The name of the site or milestone that is followed; also set by `set_names_for`.
    piece_name = ""

    def __str__(self) -> str:
        return f"Subscription {self.pk} of {self.person_id}"

    def get_absolute_url(self) -> str:
        """Return the path of the stakeholder's page, which is for the organisation that asked the stakeholder."""
        return page_address("digests:stakeholder", self.pk)

    @property
    def target(self) -> Plan | Partnership | Organisation | Entry | Commitment | Recommendation:
        """Return the record that is followed; for a site or milestone, its plan."""
        agreed = self.plan or self.partnership or self.organisation
        target = agreed or self.request or self.commitment or self.recommendation
        if target is None:
            raise ValueError("Choose something to follow.")
        return target

    @property
    def followed_item(self) -> Target:
        """Return the site or milestone that is followed, if any, and otherwise the target."""
        if self.plan is not None and self.key:
            return Piece(self.plan, self.key)
        return self.target

    @property
    def target_id(self) -> int:
        """Return the id of the target, without a query."""
        pk: int = getattr(self, f"{self.target_kind}_id")
        return pk

    @property
    def shown_name(self) -> str:
        """Return the name of the followed record, or "a plan you can no longer read" if the reader may not know it."""
        if not self.named:
            return f"{TARGET_NAMES[self.target_kind]} you can no longer read"
        if self.piece_name:
            return f"{self.piece_name} in {self.target}"
        return title_of(self.followed_item)

    @property
    def target_kind(self) -> str:
        """Return the name of the field that refers to the target, such as `plan`."""
        return next(name for name in TARGETS if getattr(self, f"{name}_id") is not None)

    @property
    def reason_words(self) -> str:
        """Return why the person gets digests or, before they confirm, who asks them, in a text for the person.

        If the person may not see the name of the target, the typed reason is left out too, because it may contain the
        name.
        """
        why = self.why if self.named else ""
        organisation = self.added_for.name if self.added_for else None
        if self.confirmed_at:
            return reason_for_digests(self.how, why, self.shown_name, organisation)
        if organisation:
            return f"{organisation} asks you{_quoted(why)}"
        return "you, or someone who entered your address, asked for these digests"

    @property
    def is_waiting(self) -> bool:
        """Return True if the person has not answered the question yet."""
        return self.status == SubscriptionStatus.ASKED

    @property
    def person_for_askers(self) -> str:
        """Return the person as shown to the organisation that asked: by address and, once confirmed, by name."""
        if self.confirmed_at and self.person.name:
            return self.person.display_name
        return self.address_for_askers or UNNAMED_STAKEHOLDER

    @property
    def address_for_askers(self) -> str:
        """Return the person's address as shown to the organisation that asked.

        It is "" once a confirmed subscription has ended, and if the person gave another address themselves.
        """
        has_ended = self.confirmed_at is not None and self.is_ended
        return "" if has_ended or self.has_own_address else self.person.email

    @property
    def reason_for_askers(self) -> str:
        """Return why it ended, for the organisation that asked; after a refusal, only the person can restart it."""
        ended_by_refusal = self.is_refused and self.refused_at == self.ended_at
        return f"{self.reason} Only they can ask for these digests again." if ended_by_refusal else self.reason

    @property
    def is_confirmed(self) -> bool:
        """Return True if the subscription is active, so that the person gets digests."""
        return self.status == SubscriptionStatus.CONFIRMED

    @property
    def is_paused(self) -> bool:
        """Return True if the person has paused the subscription."""
        return self.status == SubscriptionStatus.PAUSED

    @property
    def is_ended(self) -> bool:
        """Return True if the subscription has ended."""
        return self.status == SubscriptionStatus.ENDED

    @property
    def is_refused(self) -> bool:
        """Return True if the subscription ended because the person declined or stopped it themselves."""
        return self.is_ended and self.refused_at is not None

    def was_refused_recently(self, now: dt.datetime) -> bool:
        """Return True if the person refused so recently that no partner may ask them again."""
        return self.is_ended and self.refused_at is not None and now - self.refused_at < REFUSAL_PERIOD
