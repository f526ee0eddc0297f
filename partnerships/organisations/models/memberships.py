"""Memberships, by which people act for organisations in a role."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pghistory
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from partnerships.kit.compiled import Slot, rows_composed_once
from partnerships.kit.database import IdArray
from partnerships.organisations.holdings import id_is_among, read_once_a_page, stand_ins_in_use
from partnerships.people.models import Invitation, User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class Role(models.TextChoices):
    """The roles in which a person acts for an organisation (docs/rights.md)."""

    VIEWER = "viewer", "Viewer"
    EDITOR = "editor", "Editor"
    LEAD = "lead", "Lead"


#: Roles that may create and edit for their organisation.
EDITING_ROLES = (Role.EDITOR, Role.LEAD)


#: The key in an event's data of the reason why a membership started or ended. Timelines do not show this reason.
REASON_KEY = "reason_for_leads"


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Filters for memberships by person, role and day, and what pages remember about the reader's memberships."""

    def current_or_invited_leads(self, now: dt.datetime) -> MembershipQuerySet:
        """Return current memberships of leads and open invitations to be a lead."""
        is_invited = Q(accepted_at=None, ends_on=None, invitation__revoked_at=None, invitation__expires_at__gt=now)
        is_current = Q(pk__in=MembershipQuerySet(self.model).current(timezone.localdate(now)).values("pk"))
        return self.filter(is_invited | is_current, role=Role.LEAD)

    def current(self, day: dt.date | None = None) -> MembershipQuerySet:
        """Return memberships that are accepted, started and not ended on a day, by default today.

        Memberships of people who have left the network are excluded.
        """
        day = day or timezone.localdate()
        return self.filter(
            Q(ends_on=None) | Q(ends_on__gt=day),
            accepted_at__isnull=False,
            starts_on__lte=day,
            person__is_active=True,
        )

    def visible_to(self, user: User | AnonymousUser) -> MembershipQuerySet:
        """Return the memberships, including pending and ended ones, that the person may read in full.

        These are the person's own memberships and those of their organisations. Administrators may read all
        memberships.
        """
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_staff:
            return self
        return self.filter(
            Q(person_id=user.pk)
            | Q(organisation__in=Membership.objects.current().of_person(user).values("organisation"))
        )

    def of_person(self, user: User | AnonymousUser, *roles: str) -> MembershipQuerySet:
        """Return one person's memberships; if roles are given, only memberships in these roles."""
        own_rows = self.filter(person_id=user.pk)
        return own_rows.filter(role__in=roles) if roles else own_rows

    def organisations_of(self, user: User | AnonymousUser, *roles: str) -> models.QuerySet[Any] | list[int]:
        """Return the ids of the organisations for which a person acts today, for `id_is_among`."""
        current_stand_ins = stand_ins_in_use()
        if current_stand_ins is not None:
            return current_stand_ins.organisations(user.pk, roles)
        memberships = self.remembered_for(user)
        if memberships is None:
            return self.current().of_person(user, *roles).values("organisation")
        return list({organisation for organisation, role, *_ in memberships if not roles or role in roles})

    def roles_of(self, user: User | AnonymousUser) -> dict[int, str]:
        """Return the roles that a person has today, by the id of the organisation."""
        memberships = self.remembered_for(user)
        if memberships is None:
            return dict(self.current().of_person(user).values_list("organisation", "role"))
        return {organisation: role for organisation, role, *_ in memberships}

    def ids_led_by(self, user: User | AnonymousUser) -> list[int]:
        """Return the ids of the organisations that a person leads today, without a query while a page is made."""
        return [organisation for organisation, role in self.roles_of(user).items() if role == Role.LEAD]

    def remembered_for(self, user: User | AnonymousUser) -> list[tuple[int, str, str, dt.date]] | None:
        """Return the person's current memberships, the earliest first; None unless a page is being made.

        Each has the organisation's id, the role, the organisation's name and the first day. They are queried once for
        each page.
        """
        day = timezone.localdate()

        # The SQL is compiled once a day, with a slot for the person's id.
        def compose() -> models.QuerySet[Any, Any]:
            rows = Membership.objects.current(day).filter(id_is_among("person", Slot(0))).order_by("starts_on", "pk")
            return rows.values_list("organisation", "role", "organisation__name", "starts_on")

        def read() -> list[Any]:
            own_id = IdArray([user.pk] if user.pk else [])
            return rows_composed_once((Membership, day), compose, [own_id])

        return read_once_a_page((Membership, user.pk), read)

    def for_listing(self) -> MembershipQuerySet:
        """Return the memberships with person and organisation, in the order in which lists show them."""
        return self.select_related("person", "organisation").order_by("person__name", "pk")


@pghistory.track(exclude=["job_title", "steps_hidden_at"])
class Membership(models.Model):
    """A person's right to act for an organisation in a role.

    States: invited (not accepted yet) → in force → ended. Memberships are ended and never deleted, so that the history
    remains. A person has at most one membership of an organisation that has not ended.
    """

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role)
    job_title = models.CharField(max_length=150, blank=True)

    starts_on = models.DateField()
    #: The first day on which the person no longer acts.
    ends_on = models.DateField(null=True, blank=True)

    invitation = models.ForeignKey(
        Invitation, on_delete=models.SET_NULL, null=True, blank=True, related_name="memberships"
    )
    accepted_at = models.DateTimeField(null=True, blank=True)
    steps_hidden_at = models.DateTimeField(null=True, blank=True, help_text="When this lead hid the first steps.")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "organisation"],
                condition=Q(ends_on=None),
                name="unique_current_membership_per_person",
                violation_error_message="This person already acts for this organisation.",
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="membership_does_not_end_before_start",
            ),
        ]
        indexes = [
            models.Index(fields=["person", "organisation", "role"], name="membership_person"),
            models.Index(fields=["organisation", "role"], name="membership_organisation"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} for {self.organisation_id} as {self.role}"

    @property
    def is_lead(self) -> bool:
        """Return True if the role is lead."""
        return self.role == Role.LEAD

    @property
    def is_pending(self) -> bool:
        """Return True if the person has not accepted the invitation yet."""
        return self.accepted_at is None
