"""The rights of a person over a partnership (docs/rights.md)."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from partnerships.agreements.models import (
    LEADING_ROLES,
    Document,
    Notice,
    Partnership,
    Party,
    PartyRole,
    PartyStatus,
    PostRole,
    TermsProposal,
)
from partnerships.organisations.holdings import read_once_a_page
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.organisations.rights import Roles, roles_of
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User
from partnerships.people.rights import is_administrator

#: Roles of posts that act for the organisation. Only its leads may fill these posts.
ACTING_POSTS = (PostRole.LEAD, PostRole.SIGNATORY)


def may_fill_posts_with(role: str, roles: Roles, organisation_id: int) -> bool:
    """Return whether the person with these roles may create, fill, vacate and end posts of one role.

    Editors and leads of the organisation may, but only its leads for the posts of lead and signatory.
    """
    return roles.leads(organisation_id) if role in ACTING_POSTS else roles.may_edit_for(organisation_id)


def may_edit_for(person: User, target: Organisation | Partnership) -> bool:
    """Return whether the person is editor or lead of the target.

    In a partnership, this means editor or lead of at least one present party.
    """
    if isinstance(target, Organisation):
        return Organisation.objects.of_person(person, *EDITING_ROLES).filter(pk=target.pk).exists()
    return Partnership.objects.with_party_of(person, *EDITING_ROLES).filter(pk=target.pk).exists()


def rights_fingerprint(reader: User) -> str:
    """Return a hash of everything that decides what the reader may read.

    A file that was made for the reader can be downloaded only until the hash changes. For example, it changes when an
    organisation of the reader leaves a partnership. Invitations are included, because the people of an invited
    organisation may read the partnership in full until the organisation declines.
    """
    roles = Membership.objects.roles_of(reader)
    parties = Party.objects.filter(organisation__in=list(roles), status__in=[PartyStatus.ACCEPTED, PartyStatus.INVITED])
    party_statuses = sorted(parties.values_list("partnership", "organisation", "status"))
    hashed_values = [sorted(roles.items()), party_statuses, is_administrator(reader)]
    return hashlib.sha256(json.dumps(hashed_values).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of one person over one partnership now.

    `present` has the role of each present party by organisation id. `roles` has the person's role in each organisation.
    """

    partnership: Partnership
    present: Mapping[int, str]
    roles: Roles

    @property
    def leading(self) -> frozenset[int]:
        """Return the parties (ids of organisations) with the role chair or lead that the person leads."""
        return self.roles.led_among([pk for pk, role in self.present.items() if role in LEADING_ROLES])

    @property
    def leads(self) -> bool:
        """Return whether the person may change terms and status, and manage parties."""
        return self.roles.is_system or bool(self.leading)

    def leads_for(self, organisation: Organisation | None) -> bool:
        """Return whether the person may change terms and status, for this organisation if one is given."""
        return self.leads and (organisation is None or self.roles.is_system or organisation.pk in self.leading)

    def may_start_group_for(self, organisation: Organisation) -> bool:
        """Return whether the person may start a working group for the organisation.

        Leads of a present party that is not an observer may.
        """
        takes_part = self.present.get(organisation.pk, PartyRole.OBSERVER) != PartyRole.OBSERVER
        return takes_part and self.roles.leads(organisation.pk)

    def may_answer(self, party: Party) -> bool:
        """Return whether the person may answer an invitation. Leads of the invited organisation may."""
        return self.roles.leads(party.organisation_id)

    def may_leave(self, party: Party) -> bool:
        """Return whether the person may leave the partnership for this party. Its leads may."""
        return self.roles.leads(party.organisation_id)

    @property
    def adds_documents_for(self) -> frozenset[int]:
        """Return the parties (ids of organisations) for which the person may add and remove documents.

        Editors and leads of present parties may, except observers.
        """
        return self.roles.edited_among([pk for pk, role in self.present.items() if role != PartyRole.OBSERVER])

    def may_add_document(self, organisation: Organisation | None) -> bool:
        """Return whether the person may add a document for the organisation.

        Only the system may add a document for no organisation.
        """
        if organisation is None:
            return self.roles.is_system
        return organisation.pk in self.adds_documents_for

    def may_remove(self, document: Document) -> bool:
        """Return whether the person may remove a document. Editors and leads of the party that added it may."""
        return self.roles.is_system or document.added_for_id in self.adds_documents_for

    def may_withdraw_notice(self, notice: Notice) -> bool:
        """Return whether the person may withdraw a notice. Leads of the party that gave notice may."""
        return self.roles.leads(notice.organisation_id)

    @property
    def may_edit_objectives(self) -> bool:
        """Return whether the person may add and change objectives and report progress.

        Editors and leads of present parties may, except observers.
        """
        return self.roles.is_system or bool(self.adds_documents_for)

    @property
    def signing(self) -> frozenset[int]:
        """Return the present parties (ids of organisations) that sign terms. Observers do not sign."""
        return frozenset(pk for pk, role in self.present.items() if role != PartyRole.OBSERVER)

    @property
    def may_draft(self) -> bool:
        """Return whether the person may change a draft of the terms.

        Editors and leads of parties that sign may.
        """
        return self.roles.is_system or bool(self.adds_documents_for)

    @property
    def proposes_for(self) -> frozenset[int]:
        """Return the signing parties (ids) that the person leads and may propose amendments for."""
        return self.roles.led_among(self.signing)

    @property
    def may_tell_stakeholders(self) -> bool:
        """Return whether the person may write to stakeholders.

        Leads of a present party that is not an observer may.
        """
        return bool(self.proposes_for)

    def may_propose_for(self, organisation: Organisation | None) -> bool:
        """Return whether the person may propose an amendment for this organisation."""
        return self.roles.is_system or (organisation is not None and organisation.pk in self.proposes_for)

    def may_send_for_signature(self, proposal: TermsProposal) -> bool:
        """Return whether the person may send a proposal for signature, return it to draft or withdraw it.

        Leads of the party that proposes, and of the chair's and lead organisations, may.
        """
        return self.leads or proposal.proposed_by_id in self.proposes_for

    def may_record_paper_for(self, organisation_id: int) -> bool:
        """Return whether the person may record a signature on paper of this party.

        Its own leads may, and leads of the chair's and lead organisations.
        """
        return organisation_id in self.signing and (self.leads or self.roles.leads(organisation_id))

    @property
    def may_load(self) -> bool:
        """Return whether the person may sign for parties that accepted their invitations.

        Only the system may, when it loads a network file.
        """
        return self.roles.is_system

    @property
    def may_restore_documents(self) -> bool:
        """Return whether the person may restore documents. Administrators may."""
        return self.roles.may_change_directory


def rights_over(partnership: Partnership, person: User | None, now: dt.datetime) -> Rights:
    """Return the rights of the person over the partnership on the day of `now`. Without a person, the system acts.

    A party whose notice is over gives no rights, even if no job has recorded yet that the party left. The roles of the
    parties are read once for each page.
    """
    pk = partnership.pk
    roles_of_parties: Iterable[tuple[int, str]] | None = read_once_a_page(
        (rights_over, pk, timezone.localdate(now)), lambda: rows_for(_present_roles, pk, now)
    )
    if roles_of_parties is None:
        # No page is being built, for example in a background job.
        roles_of_parties = _present_roles(pk, now)
    return Rights(partnership=partnership, present=dict(roles_of_parties), roles=roles_of(person, now))


def rights_lookup(partnership_id: int, now: dt.datetime) -> Lookup:
    """Return the lookup with which `read_ahead` reads the rows for a later `rights_over`."""
    return lookup(_present_roles, partnership_id, now)


def present_parties(partnership_ids: list[int], now: dt.datetime) -> QuerySet[Party, tuple[int, int]]:
    """Return each partnership with each present party whose notice is not over, as ids. Use it with `rows_for`."""
    notices_over = Notice.objects.past_last_day(timezone.localdate(now)).filter(
        partnership=OuterRef("partnership"), organisation=OuterRef("organisation")
    )
    parties = Party.objects.accepted().filter(~Exists(notices_over), partnership__in=partnership_ids)
    return parties.values_list("partnership_id", "organisation_id")


def _present_roles(partnership_id: int, now: dt.datetime) -> QuerySet[Party, tuple[int, str]]:
    """Return pairs of organisation id and role, for the present parties whose notice is not over."""
    notices_over = Notice.objects.past_last_day(timezone.localdate(now)).filter(partnership=partnership_id)
    present_parties = Party.objects.accepted().filter(partnership=partnership_id)
    return present_parties.exclude(organisation__in=notices_over.values("organisation")).values_list(
        "organisation_id", "role"
    )
