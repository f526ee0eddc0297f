"""The rights of a person to change, publish, sign or comment on a plan (docs/rights.md).

The right to read a plan is decided elsewhere, by the querysets of the models.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from partnerships.agreements.models import Party
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import Roles, roles_of
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.plans.models import WIDER_THAN_PARTNERSHIP, Comment, Plan, Share, SignOff


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of one person over one plan now."""

    plan: Plan
    #: The organisations that own the plan.
    owner_ids: frozenset[int]
    #: The present parties of its partnership. Empty if the person acts for no organisation.
    party_ids: frozenset[int]
    #: Whether the draft is shared with the person, and the person may comment on it.
    comments_by_share: bool
    roles: Roles

    @property
    def maintains_import(self) -> bool:
        """Return whether the plan is an import and the person an administrator, or the system itself."""
        return self.roles.may_change_directory and bool(self.plan.external_reference)

    @property
    def edits_for_owner(self) -> bool:
        """Return whether the person is an editor or lead of an owner. Only they see buttons for editing."""
        return bool(self.roles.edited_among(self.owner_ids))

    @property
    def leads_owner(self) -> bool:
        """Return whether the person leads an owner."""
        return bool(self.roles.led_among(self.owner_ids))

    @property
    def may_edit(self) -> bool:
        """Return whether the person may change and share the draft, as editors and leads of an owner may."""
        return self.roles.is_system or self.maintains_import or self.edits_for_owner

    @property
    def may_publish(self) -> bool:
        """Return whether the person may publish the plan and change its status, as leads of an owner may."""
        return self.roles.is_system or self.maintains_import or self.leads_owner

    def may_revoke(self, share: Share) -> bool:
        """Return whether the person may end a share.

        Leads of an owner may end any share. Editors may end the shares that they made themselves.
        """
        return self.may_publish or (self.may_edit and share.shared_by_id == self.roles.person_id)

    def may_offer_for(self, organisation_id: int) -> bool:
        """Return whether the person may offer or give up the plan for an owner, as the leads of that owner may."""
        return organisation_id in self.owner_ids and self.roles.leads(organisation_id)

    def may_sign_for(self, organisation_id: int) -> bool:
        """Return whether the person may sign or confirm a condition for the organisation, as its leads may."""
        return self.roles.leads(organisation_id)

    def may_meet(self, sign_off: SignOff) -> bool:
        """Return whether the person may confirm that the condition of a decision is met.

        Only the organisation that set the condition can confirm it.
        """
        return self.may_sign_for(sign_off.organisation_id)

    @property
    def is_inside(self) -> bool:
        """Return whether the person acts for an owner or a present party, in any role."""
        return not self.roles.by_organisation.keys().isdisjoint(self.owner_ids | self.party_ids)

    @property
    def takes_part(self) -> bool:
        """Return whether the person may comment on the versions that they can read.

        People of owners and present parties may comment, including observers. If the audience is wider than the
        partnership, everybody who acts for an organisation may comment.
        """
        return self.is_inside or (self.plan.audience in WIDER_THAN_PARTNERSHIP and bool(self.roles.by_organisation))

    def may_comment(self, version_number: int) -> bool:
        """Return whether the person may comment on a version that they can read. Version 0 is the draft."""
        if version_number == 0:
            return self.may_edit or self.comments_by_share
        return self.takes_part

    def may_resolve(self, thread: Comment) -> bool:
        """Return whether the person may resolve or reopen a thread.

        The author of a thread may do this, and the editors and leads of an owner.
        """
        is_author_or_editor = thread.author_id == self.roles.person_id or self.may_edit
        return is_author_or_editor and self.may_comment(thread.version_number)


def rights_over(plan: Plan, person: User | None, now: dt.datetime) -> Rights:
    """Return the rights of a person, or of the system (None), over a plan."""
    roles = roles_of(person, now)
    owner_ids = frozenset(owner.organisation_id for owner in plan.owners.all())
    # People who may edit the draft need no share, and a share gives no right to people without an organisation.
    gets_shares = bool(roles.by_organisation) and not roles.edited_among(owner_ids)
    if plan.partnership_id and person is not None and gets_shares:
        parties = lookup(_present_party_ids, plan.partnership_id)
        read_ahead([parties, lookup(_shares_to_comment, person, plan.pk, now)])

    party_ids: frozenset[int] = frozenset()
    if plan.partnership_id and roles.by_organisation:
        party_ids = frozenset(rows_for(_present_party_ids, plan.partnership_id))
    comments_by_share = False
    if person is not None and gets_shares:
        comments_by_share = bool(rows_for(_shares_to_comment, person, plan.pk, now))
    return Rights(plan=plan, owner_ids=owner_ids, party_ids=party_ids, comments_by_share=comments_by_share, roles=roles)


def edits_for_owner(plan: Plan, person: User, now: dt.datetime) -> bool:
    """Return whether the person is an editor or lead of an owner, without asking for their other rights."""
    return bool(roles_of(person, now).edited_among({owner.organisation_id for owner in plan.owners.all()}))


def _present_party_ids(partnership_id: int) -> QuerySet[Party, int]:
    """Return the ids of the organisations that take part in a partnership now."""
    return Party.objects.accepted().filter(partnership=partnership_id).values_list("organisation_id", flat=True)


def _shares_to_comment(person: User, plan_id: int, now: dt.datetime) -> QuerySet[Share, int]:
    """Return the ids of the shares of a draft by which the person may comment on it now."""
    shares = Share.objects.active(now).filter(plan=plan_id, person=person, may_comment=True)
    return shares.values_list("pk", flat=True)


def may_create_plan(owners: Sequence[Organisation], *, imported: bool, roles: Roles) -> bool:
    """Return whether a person may create a plan for these owners.

    An editor or lead of one of the owners may create the plan. A plan from an import may be created only by an
    administrator or by a lead of all owners.
    """
    if imported:
        return roles.may_import_published([owner.pk for owner in owners])
    return any(roles.may_edit_for(owner.pk) for owner in owners)


def may_ask_for_access(partnership_id: int, roles: Roles) -> bool:
    """Return whether a person may ask to see drafts of a partnership, as people of its present parties may."""
    parties = Party.objects.accepted().filter(partnership=partnership_id)
    return any(roles.acts_for(pk) for pk in parties.values_list("organisation_id", flat=True))
