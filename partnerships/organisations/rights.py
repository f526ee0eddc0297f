"""Roles of a person, and rights over an organisation (docs/rights.md)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.utils import timezone

from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation, Role
from partnerships.people.models import User
from partnerships.people.rights import is_administrator


@dataclass(frozen=True, slots=True)
class Roles:
    """A person's organisations (ids) by role on one day.

    `is_system` stands for importers, loaders and scheduled jobs, which have no author. They may do what any
    organisation's lead or an administrator may. Administrators act for no organisation.
    """

    of: Mapping[int, str] = field(default_factory=dict)
    is_system: bool = False
    is_administrator: bool = False
    person_id: int | None = None

    def act_for(self, organisation_id: int | None) -> bool:
        """Whether the person acts for the organisation in any role."""
        return self.is_system or organisation_id in self.of

    def edit_for(self, organisation_id: int | None) -> bool:
        """Whether the person is an editor or lead of the organisation."""
        return self.is_system or self.of.get(organisation_id or 0) in EDITING_ROLES

    def lead(self, organisation_id: int | None) -> bool:
        """Whether the person leads the organisation."""
        return self.is_system or self.of.get(organisation_id or 0) == Role.LEAD

    @property
    def led(self) -> frozenset[int]:
        """The ids of the organisations that the person leads; empty for the system."""
        return frozenset(pk for pk, role in self.of.items() if role == Role.LEAD)

    def led_among(self, organisation_ids: Collection[int]) -> frozenset[int]:
        """Return which of these organisations (ids) the person leads."""
        return frozenset(pk for pk in organisation_ids if self.lead(pk))

    def edited_among(self, organisation_ids: Collection[int]) -> frozenset[int]:
        """Return for which of these organisations (ids) the person is an editor or lead."""
        return frozenset(pk for pk in organisation_ids if self.edit_for(pk))

    @property
    def keeps_directory(self) -> bool:
        """Whether the person may change register data: administrators and the system may."""
        return self.is_system or self.is_administrator

    def keeps_published(self, organisation_ids: Collection[int]) -> bool:
        """Whether the person may import what these organisations publish.

        Their leads, and who keeps the directory.
        """
        return self.keeps_directory or (bool(organisation_ids) and all(self.lead(pk) for pk in organisation_ids))

    @property
    def edits_somewhere(self) -> bool:
        """Whether the person is an editor or lead of any organisation."""
        return self.is_system or any(role in EDITING_ROLES for role in self.of.values())


def roles_of(person: User | None, now: dt.datetime) -> Roles:
    """Return the roles of a person on the day of `now`; None is the system.

    Read from the database and not from the object, because the account may have been closed meanwhile. One query for
    people and two for administrators.
    """
    if person is None:
        return Roles(is_system=True)
    day = timezone.localdate(now)
    if day == timezone.localdate():
        of = Membership.objects.roles_of(person)
    else:
        of = dict(Membership.objects.current(day).of_person(person).values_list("organisation_id", "role"))
    return Roles(of, is_administrator=is_administrator(person), person_id=person.pk)


def has_open_account(person: User) -> bool:
    """Whether the person can sign in today."""
    return User.objects.filter(pk=person.pk, is_active=True, account_since__isnull=False).exists()


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of one person over one organisation and its memberships now."""

    organisation: Organisation
    roles: Roles

    @property
    def may_change_settings(self) -> bool:
        """Whether the person may change the fields in `SETTINGS`."""
        return self.roles.lead(self.organisation.pk) or self.roles.keeps_directory

    def may_change(self, fields: Collection[str]) -> bool:
        """Whether the person may change these fields.

        Leads may change only the settings, administrators every field.
        """
        return self.roles.keeps_directory or (self.may_change_settings and SETTINGS.issuperset(fields))

    @property
    def may_manage_people(self) -> bool:
        """Whether the person may manage memberships: leads and administrators may."""
        return self.roles.lead(self.organisation.pk) or self.roles.keeps_directory

    def may_name_post(self, membership: Membership) -> bool:
        """Whether the person may change a job title: their own, or one of a membership that they manage."""
        own = membership.person_id == self.roles.person_id and self.roles.act_for(membership.organisation_id)
        return own or self.may_manage_people

    @property
    def may_add_people(self) -> bool:
        """Whether the person may add people without an invitation.

        Administrators and loaders may.
        """
        return self.roles.keeps_directory

    @property
    def may_see_people(self) -> bool:
        """Whether the person sees addresses, invitations and former people.

        The organisation's own people and administrators do.
        """
        return self.roles.act_for(self.organisation.pk) or self.roles.is_administrator

    def may_end(self, membership: Membership) -> bool:
        """Whether the person may end this membership: their own, or one that they manage.

        Its person must be fetched already.
        """
        own = membership.person_id == self.roles.person_id and membership.person.is_active
        return own or self.may_manage_people


#: Fields that an organisation's leads may change. The others are for administrators.
SETTINGS = frozenset({"short_name", "website", "second_factor_required", "own_sign_in_required"})


def rights_over(organisation: Organisation, person: User | None, now: dt.datetime) -> Rights:
    """Return the person's rights over the organisation; None is the system."""
    return Rights(organisation, roles_of(person, now))
