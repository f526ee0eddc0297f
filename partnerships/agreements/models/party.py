"""The parties of a partnership."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pghistory
from django.db import models
from django.db.models import F, Q

from partnerships.agreements.models.choices import FORMER_STATUSES, LEADING_ROLES, PartyRole, PartyStatus
from partnerships.agreements.models.partnership import Partnership
from partnerships.kit.addresses import page_address
from partnerships.organisations.audience import Organisations
from partnerships.organisations.holdings import held_record_ids, id_is_among, remember
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

#: The route from a record with a `partnership` to the people of its present parties, including observers.
PEOPLE_OF_PRESENT_PARTIES = Organisations(
    "partnership__parties__organisation", when=Q(partnership__parties__status=PartyStatus.ACCEPTED)
)


class PartyQuerySet(models.QuerySet["Party"]):
    """Filters by whether a party takes part, today or at an earlier moment."""

    def left_after(self, moment: str, user: User | AnonymousUser) -> PartyQuerySet:
        """Return former parties of the person's organisations that still took part at a moment.

        Use this in a subquery. `moment` is a column of the outer query, for example `added_at` of a document.
        """
        own_organisations = Organisation.objects.of_person(user)
        return self.filter(
            organisation__in=own_organisations, status__in=FORMER_STATUSES, left_at__gte=models.OuterRef(moment)
        )

    def remembered_partnership_ids(self, user: User | AnonymousUser, condition: Q, *roles: str) -> list[int] | None:
        """Return the ids of partnerships in which the person has one of the roles for a matching party.

        While a page is made, these ids are in memory, and this saves a query. At other times, it returns None, and the
        caller must query. `condition` may compare only the status and role of the party.
        """
        organisations_of = Membership.objects.organisations_of
        return held_record_ids(
            Party,
            "partnership",
            condition,
            person_id=user.pk or 0,
            everywhere=partial(organisations_of, user),
            organisations=organisations_of(user, *roles),
        )

    def person_takes_part(self, user: User | AnonymousUser, partnership_id: int, *roles: str) -> bool:
        """Return whether the person has one of the roles for a present party."""
        return self._has_party(user, partnership_id, Q(status=PartyStatus.ACCEPTED), *roles)

    def person_takes_decisions(self, user: User | AnonymousUser, partnership_id: int, *roles: str) -> bool:
        """Return whether the person has one of the roles for a present party that is not an observer."""
        is_deciding = Q(status=PartyStatus.ACCEPTED) & ~Q(role=PartyRole.OBSERVER)
        return self._has_party(user, partnership_id, is_deciding, *roles)

    def _has_party(self, user: User | AnonymousUser, partnership_id: int, condition: Q, *roles: str) -> bool:
        """Return whether the person has one of the roles for a matching party of the partnership."""
        partnership_ids = self.remembered_partnership_ids(user, condition, *roles)
        if partnership_ids is None:
            own_organisations = Membership.objects.organisations_of(user, *roles)
            return self.filter(
                condition, id_is_among("organisation", own_organisations), partnership=partnership_id
            ).exists()
        return partnership_id in partnership_ids

    def accepted(self) -> PartyQuerySet:
        """Return parties that accepted and have not left."""
        return self.filter(status=PartyStatus.ACCEPTED)

    def invited_or_accepted(self) -> PartyQuerySet:
        """Return the invited and present parties. Their people may read all of the partnership today."""
        return self.filter(status__in=[PartyStatus.INVITED, PartyStatus.ACCEPTED])

    def required_to_sign(self) -> PartyQuerySet:
        """Return the invited and present parties, without observers. All must sign before the partnership is active."""
        return self.invited_or_accepted().exclude(role=PartyRole.OBSERVER)

    def by_role_and_name(self) -> PartyQuerySet:
        """Return the parties with their organisations, ordered by role, then by the organisation's name."""
        return self.select_related("organisation").order_by("role", "organisation__name", "pk")


@remember("status", "role")
@pghistory.track()
class Party(models.Model):
    """An organisation in a partnership.

    An invited organisation accepts or declines. A party that has accepted may leave, and may be invited again. Until it
    accepts again, its row still has `left_at`, and its people may read what people of a former party may read. If it
    declines, or the invitation is withdrawn, its status is "left" again.
    """

    partnership = models.ForeignKey(Partnership, on_delete=models.CASCADE, related_name="parties")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="parties")
    role = models.CharField(max_length=8, choices=PartyRole, default=PartyRole.MEMBER)
    status = models.CharField(max_length=8, choices=PartyStatus, default=PartyStatus.INVITED)

    # The invitation and its answer.
    invited_at = models.DateTimeField()
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    reason = models.TextField(blank=True)

    # The days on which the organisation takes part. People of a former party read what could be read at `left_at`.
    joined_on = models.DateField(null=True, blank=True)
    left_on = models.DateField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)

    objects = PartyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "parties"
        constraints = [
            models.UniqueConstraint(
                fields=["partnership", "organisation"],
                name="unique_party_per_partnership",
                violation_error_message="This organisation already takes part or is invited. "
                "Choose another organisation.",
            ),
            models.CheckConstraint(
                condition=Q(left_on=None) | Q(joined_on=None) | Q(left_on__gte=F("joined_on")),
                name="party_does_not_leave_before_joining",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "status", "partnership"], name="party_organisation")]

    def __str__(self) -> str:
        return f"{self.organisation_id} in {self.partnership_id}"

    @property
    def reminders_address(self) -> str:
        """Return the address of the page where the organisation chooses its reminders of dates."""
        return page_address("agreements:date-reminders", self.partnership_id, self.pk)

    @property
    def is_present(self) -> bool:
        """Return whether the organisation takes part today."""
        return self.status == PartyStatus.ACCEPTED

    @property
    def is_leading(self) -> bool:
        """Return whether the organisation's leads may change terms and status."""
        return self.role in LEADING_ROLES

    @property
    def is_waiting(self) -> bool:
        """Return whether the invitation has no answer yet."""
        return self.status == PartyStatus.INVITED
