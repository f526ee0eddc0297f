"""What a person may do with a plan (docs/rights.md).

The models' querysets say who may read one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from partnerships.agreements.models import Party
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import Roles, roles_of
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User
from partnerships.plans.models import WIDER_THAN_PARTNERSHIP, Comment, Plan, Share, SignOff


@dataclass(frozen=True, slots=True)
class Rights:
    """What one person may do with one plan now.

    `owners` and `parties` are the ids of its owners and of the present parties of its partnership. `comments_by_share`
    says whether the draft is shared with the person to comment on.
    """

    plan: Plan
    owners: frozenset[int]
    parties: frozenset[int]
    comments_by_share: bool
    roles: Roles

    @property
    def keeps_import(self) -> bool:
        """Whether they maintain it as an imported plan.

        Administrators do, and imports as the system.
        """
        return self.roles.keeps_directory and bool(self.plan.external_reference)

    @property
    def edits_for_owner(self) -> bool:
        """Whether they are an editor or lead of an owner.

        Pages show their buttons to these.
        """
        return bool(self.roles.edited_among(self.owners))

    @property
    def leads_owner(self) -> bool:
        """Whether they lead an owner."""
        return bool(self.roles.led_among(self.owners))

    @property
    def may_edit(self) -> bool:
        """Whether they may change and share the draft.

        Editors and leads of an owner may.
        """
        return self.roles.is_system or self.keeps_import or self.edits_for_owner

    @property
    def may_publish(self) -> bool:
        """Whether they may publish and change the status: leads of an owner."""
        return self.roles.is_system or self.keeps_import or self.leads_owner

    def may_revoke(self, share: Share) -> bool:
        """Whether they may end a share.

        Leads of an owner, and editors if they shared it themselves.
        """
        return self.may_publish or (self.may_edit and share.shared_by_id == self.roles.person_id)

    def may_offer_for(self, organisation_id: int) -> bool:
        """Whether they may offer or give up the plan for an owner.

        Leads of that owner may.
        """
        return organisation_id in self.owners and self.roles.lead(organisation_id)

    def may_sign_for(self, organisation_id: int) -> bool:
        """Whether they may sign or confirm a condition for the organisation.

        Its leads may.
        """
        return self.roles.lead(organisation_id)

    def may_meet(self, sign_off: SignOff) -> bool:
        """Whether they may confirm that a condition is met.

        Leads of the organisation that set it.
        """
        return self.may_sign_for(sign_off.organisation_id)

    @property
    def is_inside(self) -> bool:
        """Whether they act for an owner or a present party, in any role."""
        return not self.roles.of.keys().isdisjoint(self.owners | self.parties)

    @property
    def takes_part(self) -> bool:
        """Whether they may comment on versions that they can read.

        People of owners and present parties, with observers; of any organisation, if the audience is wider.
        """
        return self.is_inside or (self.plan.audience in WIDER_THAN_PARTNERSHIP and bool(self.roles.of))

    def may_comment(self, version_number: int) -> bool:
        """Whether they may comment on a version (0: the draft)."""
        return self.takes_part if version_number else self.may_edit or self.comments_by_share

    def may_resolve(self, thread: Comment) -> bool:
        """Whether they may resolve or reopen a thread.

        Its author may, and editors and leads of an owner.
        """
        own = thread.author_id == self.roles.person_id or self.may_edit
        return own and self.may_comment(thread.version_number)


def rights_over(plan: Plan, person: User | None, now: dt.datetime) -> Rights:
    """The rights of the person (None: the system) over the plan."""
    roles = roles_of(person, now)
    owners = frozenset(owner.organisation_id for owner in plan.owners.all())
    parties: frozenset[int] = frozenset()
    if plan.partnership_id and roles.of:
        parties = frozenset(rows_for(_present, plan.partnership_id))
    # A share counts only while the person acts for an organisation; who may edit the draft needs none.
    by_share = bool(roles.of) and not roles.edited_among(owners)
    may_comment = person is not None and by_share and bool(rows_for(_shared, person, plan.pk, now))
    return Rights(plan, owners, parties, comments_by_share=may_comment, roles=roles)


def _present(partnership: int) -> QuerySet[Party, int]:
    return Party.objects.present().filter(partnership=partnership).values_list("organisation_id", flat=True)


def _shared(person: User, plan: int, now: dt.datetime) -> QuerySet[Share, int]:
    active = Share.objects.active(now).filter(plan=plan, person=person, may_comment=True)
    return active.values_list("pk", flat=True)


def may_begin(owners: Sequence[Organisation], *, imported: bool, roles: Roles) -> bool:
    """Whether somebody may create a plan for these owners.

    Editors and leads of one may. Administrators may import plans, and leads of all the owners.
    """
    if imported:
        return roles.keeps_published([owner.pk for owner in owners])
    return any(roles.edit_for(owner.pk) for owner in owners)


def may_ask_for_access(partnership_id: int, roles: Roles) -> bool:
    """Whether somebody may ask to see a draft.

    People of present parties of the partnership may.
    """
    parties = Party.objects.present().filter(partnership=partnership_id)
    return any(roles.act_for(pk) for pk in parties.values_list("organisation_id", flat=True))
