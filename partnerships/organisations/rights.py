"""The roles of a person, and rights over an organisation (docs/rights.md)."""

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
    """A person's roles on one day, by organisation (id).

    `is_system` means importers, loaders and scheduled jobs, which have no author. They have the rights of an
    administrator and of a lead of every organisation. Administrators act for no organisation.
    """

    by_organisation: Mapping[int, str] = field(default_factory=dict)
    is_system: bool = False
    is_administrator: bool = False
    person_id: int | None = None

    def acts_for(self, organisation_id: int | None) -> bool:
        """Return True if the person acts for the organisation in any role."""
        return self.is_system or organisation_id in self.by_organisation

    def may_edit_for(self, organisation_id: int | None) -> bool:
        """Return True if the person is an editor or lead of the organisation."""
        return self.is_system or self.by_organisation.get(organisation_id or 0) in EDITING_ROLES

    def leads(self, organisation_id: int | None) -> bool:
        """Return True if the person leads the organisation."""
        return self.is_system or self.by_organisation.get(organisation_id or 0) == Role.LEAD

    @property
    def led_ids(self) -> frozenset[int]:
        """Return the ids of the organisations that the person leads; empty for the system."""
        return frozenset(pk for pk, role in self.by_organisation.items() if role == Role.LEAD)

    def led_among(self, organisation_ids: Collection[int]) -> frozenset[int]:
        """Return those of the given organisations (ids) that the person leads."""
        return frozenset(pk for pk in organisation_ids if self.leads(pk))

    def edited_among(self, organisation_ids: Collection[int]) -> frozenset[int]:
        """Return those of the given organisations (ids) where the person is an editor or lead."""
        return frozenset(pk for pk in organisation_ids if self.may_edit_for(pk))

    @property
    def may_change_directory(self) -> bool:
        """Return whether the person may change register data. Only administrators and the system may."""
        return self.is_system or self.is_administrator

    def may_import_published(self, organisation_ids: Collection[int]) -> bool:
        """Return whether the person may import data that these organisations publish.

        Leads of all these organisations may, and everyone who may change register data.
        """
        return self.may_change_directory or (bool(organisation_ids) and all(self.leads(pk) for pk in organisation_ids))

    @property
    def edits_somewhere(self) -> bool:
        """Return True if the person is an editor or lead of any organisation."""
        return self.is_system or any(role in EDITING_ROLES for role in self.by_organisation.values())


def roles_of(person: User | None, now: dt.datetime) -> Roles:
    """Return the roles of a person on the day of `now`; None means the system.

    The roles are read from the database and not from the object, because the account may have been closed in the
    meantime. This takes one query for people and two for administrators.
    """
    if person is None:
        return Roles(is_system=True)
    day = timezone.localdate(now)
    if day == timezone.localdate():
        role_by_organisation = Membership.objects.roles_of(person)
    else:
        role_by_organisation = dict(
            Membership.objects.current(day).of_person(person).values_list("organisation_id", "role")
        )
    return Roles(role_by_organisation, is_administrator=is_administrator(person), person_id=person.pk)


def has_open_account(person: User) -> bool:
    """Return True if the person can sign in today."""
    return User.objects.filter(pk=person.pk, is_active=True, account_since__isnull=False).exists()


@dataclass(frozen=True, slots=True)
class Rights:
    """One person's present rights over one organisation and its memberships."""

    organisation: Organisation
    roles: Roles

    @property
    def may_change_settings(self) -> bool:
        """Return True if the person may change the settings that leads may change, such as the website."""
        return self.roles.leads(self.organisation.pk) or self.roles.may_change_directory

    def may_change(self, fields: Collection[str]) -> bool:
        """Return True if the person may change all these fields.

        Leads may change only the settings. Administrators may change every field.
        """
        return self.roles.may_change_directory or (self.may_change_settings and SETTINGS.issuperset(fields))

    @property
    def may_manage_people(self) -> bool:
        """Return True if the person may manage memberships. Only leads and administrators may."""
        return self.roles.leads(self.organisation.pk) or self.roles.may_change_directory

    def may_name_post(self, membership: Membership) -> bool:
        """Return True if the person may change this membership's job title.

        People may change their own job title, and job titles in memberships that they manage.
        """
        is_own = membership.person_id == self.roles.person_id and self.roles.acts_for(membership.organisation_id)
        return is_own or self.may_manage_people

    @property
    def may_add_people(self) -> bool:
        """Return True if the person may add people without an invitation. Only administrators and loaders may."""
        return self.roles.may_change_directory

    @property
    def may_see_people(self) -> bool:
        """Return True if the person may see addresses, invitations and former people.

        The organisation's own people and administrators may.
        """
        return self.roles.acts_for(self.organisation.pk) or self.roles.is_administrator

    def may_end(self, membership: Membership) -> bool:
        """Return True if the person may end this membership.

        People may end their own memberships, and those that they manage. Fetch the membership's person first.
        """
        is_own = membership.person_id == self.roles.person_id and membership.person.is_active
        return is_own or self.may_manage_people


#: The fields that an organisation's leads may change. Only administrators may change the other fields.
SETTINGS = frozenset({"short_name", "website", "second_factor_required", "own_sign_in_required"})


def rights_over(organisation: Organisation, person: User | None, now: dt.datetime) -> Rights:
    """Return the person's rights over the organisation; None is the system."""
    return Rights(organisation, roles_of(person, now))
