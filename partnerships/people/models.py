"""People with an account, stakeholders, and the records of their accounts."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar

import pghistory
import pgtrigger
from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


def confirm_address(user: User) -> None:
    """Mark the person's address as verified in allauth, because an invitation, a loader or the first link proved it."""
    addresses = apps.get_model("account", "EmailAddress")
    addresses.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})


class UserManager(BaseUserManager["User"]):
    """Creates people by their email address, which is stored in lower case."""

    def known_to(self, user: User | AnonymousUser) -> models.QuerySet[User]:
        """Return the people that a person may see. Administrators see everyone, and other people only themselves."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        return self.all() if user.is_staff else self.filter(pk=user.pk)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a person. A person without a password is a stakeholder, who cannot sign in."""
        user = self.model(email=email.strip().lower(), **fields)
        if password is None:
            user.set_unusable_password()
        else:
            user.set_password(password)
            user.account_since = user.account_since or timezone.now()
        user.save(using=self._db)
        if password is not None:
            confirm_address(user)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create an administrator with every right in Django admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        """Return the person with this address, ignoring upper and lower case."""
        return self.get(email__iexact=username)


# Row history leaves out personal data, so that the history need not change when a person is erased.
@pghistory.track(exclude=["password", "last_login", "email", "name"])
class User(AbstractBaseUser, PermissionsMixin):
    """A person, identified by their email address.

    A *stakeholder* has no account (`account_since` is empty) and cannot sign in. A person who is not active has left,
    and can neither sign in nor receive emails. Staff are the administrators of the network.
    """

    # Who the person is.
    email = models.EmailField("email address", max_length=254)
    name = models.CharField(max_length=150, blank=True)

    # What the person may do, and since when.
    is_staff = models.BooleanField("network administrator", default=False)
    is_active = models.BooleanField("active", default=True)
    joined_at = models.DateTimeField(auto_now_add=True)
    time_zone = models.CharField(max_length=64, default="Europe/London")
    account_since = models.DateTimeField(
        null=True, blank=True, help_text="When the person could first sign in. Empty for a stakeholder."
    )
    left_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the person’s data was erased. We then show the person as “a former member”.",
    )

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="unique_email_per_person",
                violation_error_message="Another person already has this email address.",
            )
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """Return the name that other people see. It is never part of the address, which only some people may see."""
        if self.erased_at:
            return "a former member"
        return self.name or ("a stakeholder" if self.is_stakeholder else "a person without a name")

    @property
    def is_stakeholder(self) -> bool:
        """Return True if this person has no account."""
        return self.account_since is None

    def get_short_name(self) -> str:
        """Return the first word of the full name."""
        return self.get_full_name().split()[0]

    def get_full_name(self) -> str:
        """Return the name for the person's own emails and pages; without a name, the first part of the address."""
        return self.name.strip() or self.email.partition("@")[0]


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Filters for invitations by whether they can still be used."""

    def open_at(self, now: dt.datetime) -> InvitationQuerySet:
        """Return invitations that have not been used, revoked or expired."""
        return self.filter(accepted_at=None, revoked_at=None, expires_at__gt=now)


@pghistory.track(exclude=["token_hash", "message"])
class Invitation(models.Model):
    """An invitation to sign in, which is emailed to one person. It works once and expires.

    Only a SHA-256 hash of the token is stored; the token itself is only in the email.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="invitations_made")
    token_hash = models.CharField(max_length=64, unique=True)
    message = models.TextField(blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Invitation {self.pk}"

    def is_open(self, now: dt.datetime) -> bool:
        """Return True if the invitation has not been used, revoked or expired."""
        return self.accepted_at is None and self.revoked_at is None and self.expires_at > now


class SecurityEventKind(models.TextChoices):
    """The kinds of events in the security log of an account."""

    SIGNED_IN = "signed_in", "Signed in"
    NEW_PLACE = "new_place", "Signed in from a new place"
    REFUSED = "refused", "Sign-in refused"
    PASSWORD_CHANGED = "password_changed", "Password changed"
    SECOND_FACTOR_CHANGED = "second_factor_changed", "Second factor changed"
    ADDRESS_CHANGED = "address_changed", "Email address changed"
    ADMINISTRATION = "administration", "Administrator rights given or withdrawn"
    SESSIONS_ENDED = "sessions_ended", "Sessions ended"
    ACCESS_ENDED = "access_ended", "Access ended"
    DATA_EXPORTED = "data_exported", "Personal data exported"
    VIEWED_AS = "viewed_as", "Site viewed by an administrator as this person"
    DIGEST_SEEN = "digest_seen", "Digest viewed by an administrator"


class SecurityEvent(models.Model):
    """An event in the security log of an account, stored for twelve months (docs/privacy.md).

    The application's database role can only add events. Functions of the table's owner (migration 0008) delete old
    events, and clear the IP addresses and browsers of erased people. Nothing else can be altered.

    A sign-in with an email address that no account has is also logged, with `person` null. The address itself is not
    stored.
    """

    person = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="security_events")
    kind = models.CharField(max_length=24, choices=SecurityEventKind)
    at = models.DateTimeField()
    ip = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["person", "-at"], name="security_event_person"),
            models.Index(fields=["at"], name="security_event_at"),
        ]
        triggers = [
            # These triggers protect the log if the database role that runs the application also owns the tables.
            pgtrigger.Trigger(
                name="unaltered",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF ROW(OLD.id, OLD.person_id, OLD.kind, OLD.at)
                            IS DISTINCT FROM ROW(NEW.id, NEW.person_id, NEW.kind, NEW.at)
                        OR NEW.ip IS NOT NULL OR NEW.user_agent <> ''
                        OR NOT EXISTS (
                            SELECT 1 FROM people_user WHERE id = OLD.person_id AND erased_at IS NOT NULL
                        )
                    THEN
                        RAISE EXCEPTION 'The security log is never altered';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="kept_its_time",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func="""
                    IF OLD.at > clock_timestamp() - interval '365 days' THEN
                        RAISE EXCEPTION 'The security log is kept for twelve months';
                    END IF;
                    RETURN OLD;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.person_id}"


class ViewAs(models.Model):
    """A period in which an administrator viewed the site as another person, stored permanently with the reason."""

    administrator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="views_as")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="viewed_as")
    reason = models.TextField()
    began_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "view of the site as another person"
        verbose_name_plural = "views of the site as another person"
        constraints = [
            models.CheckConstraint(condition=~models.Q(reason=""), name="view_as_has_reason"),
            models.CheckConstraint(
                condition=~models.Q(administrator=models.F("person")), name="view_as_person_is_not_administrator"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="kept_for_ever", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="only_ends",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.ended_at IS NOT NULL OR ROW(OLD.id, OLD.administrator_id, OLD.person_id, OLD.reason, "
                    "OLD.began_at, OLD.expires_at) IS DISTINCT FROM ROW(NEW.id, NEW.administrator_id, NEW.person_id, "
                    "NEW.reason, NEW.began_at, NEW.expires_at)"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.administrator_id} as {self.person_id}"


class ReminderKind(models.TextChoices):
    """The kinds of reminder that people receive before a date."""

    COMMITMENTS = "commitments", "Commitments"
    DATES = "dates", "Dates of partnerships"
    REPORTS = "reports", "Progress reports"
    SIGNATURES = "signatures", "Signatures"
    ASKS = "asks", "Asks and offers"


@pghistory.track()
class LeadTimes(models.Model):
    """How many days before a date a person gets reminders of one kind.

    An empty list means no reminders. A person without a row has the usual lead times (`people/lead_times.py`).
    """

    # The field needs no index, because the index of the unique constraint begins with the person.
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="lead_times", db_index=False)
    kind = models.CharField(max_length=12, choices=ReminderKind)
    days = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)

    class Meta:
        verbose_name_plural = "lead times"
        constraints = [models.UniqueConstraint(fields=["person", "kind"], name="unique_lead_times_per_kind")]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.kind} {self.days}"


class Tally(models.Model):
    """A count for a rate limit within one period, for example of sign-ins. The key is a hash that identifies nobody."""

    key = models.CharField(max_length=64)
    began_at = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [models.UniqueConstraint(fields=["key", "began_at"], name="unique_tally_per_key_and_start")]
        indexes = [models.Index(fields=["began_at"], name="tally_began_at")]

    def __str__(self) -> str:
        return f"{self.count} since {self.began_at:%H:%M}"


class RefusedAddress(models.Model):
    """An address that must not receive digests, because its owner refused them and was then erased or changed address.

    Only a hash is stored, made with a key from the settings (`people/refusals.py`).
    """

    address_hash = models.CharField(max_length=64, unique=True)
    kept_since = models.DateTimeField()

    class Meta:
        verbose_name_plural = "refused addresses"

    def __str__(self) -> str:
        return f"Refused address {self.pk}"


class RetentionRun(models.Model):
    """One night's run of all retention rules.

    A process claims the day by adding the row. `ended_at` stays empty if a rule failed, so that the run is repeated.
    """

    day = models.DateField(unique=True)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    removed = models.JSONField(default=dict, help_text="How many rows each rule removed.")

    def __str__(self) -> str:
        return f"Retention of {self.day}"


class RetentionRuleState(models.Model):
    """When a retention rule last completed, and the error of later attempts."""

    rule = models.CharField(max_length=100, unique=True)
    first_tried_at = models.DateTimeField()
    tried_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(
        max_length=100,
        blank=True,
        help_text="The kind of error. We do not keep its text, because it may contain personal data.",
    )

    def __str__(self) -> str:
        return self.rule
