"""The rights of a person over a partnership (docs/rights.md)."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import QuerySet
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
from partnerships.organisations.holdings import of_page
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.organisations.rights import Roles, roles_of
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User
from partnerships.people.rights import is_administrator

#: Roles of posts that act for the organisation: only its leads fill them.
ACTING_POSTS = (PostRole.LEAD, PostRole.SIGNATORY)


def may_name_in(role: str, roles: Roles, organisation_id: int) -> bool:
    """Return whether they may create, fill, vacate and end posts of this role.

    Editors and leads of the organisation may, but only its leads for the posts of lead and signatory.
    """
    return roles.lead(organisation_id) if role in ACTING_POSTS else roles.edit_for(organisation_id)


def edits_for(person: User, place: Organisation | Partnership) -> bool:
    """Return whether they edit for the organisation, or for a present party of the partnership."""
    if isinstance(place, Organisation):
        return Organisation.objects.of_person(person, *EDITING_ROLES).filter(pk=place.pk).exists()
    return Partnership.objects.present_for(person, *EDITING_ROLES).filter(pk=place.pk).exists()


def holdings_of(reader: User) -> str:
    """Return a digest of what the reader's rights come from.

    A file that was made for them stays theirs while the digest stays the same. It covers the partnerships that one of
    their organisations is invited to, which they read in full until it declines.
    """
    roles = Membership.objects.roles_of(reader)
    parties = Party.objects.filter(organisation__in=list(roles), status__in=[PartyStatus.ACCEPTED, PartyStatus.INVITED])
    taken_parts = sorted(parties.values_list("partnership", "organisation", "status"))
    cache_key = [sorted(roles.items()), taken_parts, is_administrator(reader)]
    return hashlib.sha256(json.dumps(cache_key).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of one person over one partnership now.

    `present` holds the roles of its present parties, by organisation id.
    """

    partnership: Partnership
    present: Mapping[int, str]
    roles: Roles

    @property
    def leading(self) -> frozenset[int]:
        """Chair's and lead organisations that the person leads."""
        return self.roles.led_among([pk for pk, role in self.present.items() if role in LEADING_ROLES])

    @property
    def leads(self) -> bool:
        """Whether they may change terms and status, and manage parties."""
        return self.roles.is_system or bool(self.leading)

    def leads_for(self, organisation: Organisation | None) -> bool:
        """Whether they may do so for this organisation, if one is given."""
        return self.leads and (organisation is None or self.roles.is_system or organisation.pk in self.leading)

    def may_start_group_for(self, organisation: Organisation) -> bool:
        """Whether they may start a working group for it.

        Leads of a present party that is not an observer.
        """
        takes_part = self.present.get(organisation.pk, PartyRole.OBSERVER) != PartyRole.OBSERVER
        return takes_part and self.roles.lead(organisation.pk)

    def may_answer(self, party: Party) -> bool:
        """Whether they may answer an invitation: leads of the invited."""
        return self.roles.lead(party.organisation_id)

    def may_leave(self, party: Party) -> bool:
        """Whether they may leave for this organisation: its leads."""
        return self.roles.lead(party.organisation_id)

    @property
    def adds_documents_for(self) -> frozenset[int]:
        """Parties for which they add and remove documents.

        Editors and leads of present parties may, except observers.
        """
        return self.roles.edited_among([pk for pk, role in self.present.items() if role != PartyRole.OBSERVER])

    def may_add_document(self, organisation: Organisation | None) -> bool:
        """Whether they may add a document for the organisation."""
        if organisation is None:
            return self.roles.is_system
        return organisation.pk in self.adds_documents_for

    def may_remove(self, document: Document) -> bool:
        """Whether they may remove a document: editors and leads of its party."""
        return self.roles.is_system or document.added_for_id in self.adds_documents_for

    def may_withdraw_notice(self, notice: Notice) -> bool:
        """Whether they may withdraw a notice: leads of the party that gave it."""
        return self.roles.lead(notice.organisation_id)

    @property
    def may_keep_objectives(self) -> bool:
        """Whether they may add and change objectives and report progress.

        Editors and leads of present parties may, except observers.
        """
        return self.roles.is_system or bool(self.adds_documents_for)

    @property
    def signing(self) -> frozenset[int]:
        """Present parties that sign: all but observers."""
        return frozenset(pk for pk, role in self.present.items() if role != PartyRole.OBSERVER)

    @property
    def may_draft(self) -> bool:
        """Whether they may change a draft of the terms.

        Editors and leads of parties that sign may.
        """
        return self.roles.is_system or bool(self.adds_documents_for)

    @property
    def proposes_for(self) -> frozenset[int]:
        """Parties for which they may propose an amendment: those that sign and that they lead."""
        return self.roles.led_among(self.signing)

    @property
    def may_tell_stakeholders(self) -> bool:
        """Whether they lead a present party that is not an observer."""
        return bool(self.proposes_for)

    def may_propose_for(self, organisation: Organisation | None) -> bool:
        """Whether they may propose an amendment for this organisation."""
        return self.roles.is_system or (organisation is not None and organisation.pk in self.proposes_for)

    def may_send_for_signature(self, proposal: TermsProposal) -> bool:
        """Whether they may send a proposal for signature, take it back or withdraw it.

        Leads of the party that proposes, and of the chair's and lead organisations.
        """
        return self.leads or proposal.proposed_by_id in self.proposes_for

    def may_record_paper_for(self, organisation_id: int) -> bool:
        """Whether they may record a signature on paper of this party.

        Its own leads may, and leads of the chair's and lead organisations.
        """
        return organisation_id in self.signing and (self.leads or self.roles.lead(organisation_id))

    @property
    def may_load(self) -> bool:
        """Whether they may count acceptances as signatures: loaders only."""
        return self.roles.is_system

    @property
    def may_restore_documents(self) -> bool:
        """Whether they may restore documents: administrators."""
        return self.roles.keeps_directory


def rights_over(partnership: Partnership, person: User | None, now: dt.datetime) -> Rights:
    """Return the rights of the person (None: the system) on the day of `now`.

    A party whose notice has run out does not count, whether or not a job has recorded that it left.
    """
    pk = partnership.pk
    roles_by_party = of_page((rights_over, pk, timezone.localdate(now)), lambda: rows_for(_present_roles, pk, now))
    return Rights(
        partnership, dict(_present_roles(pk, now) if roles_by_party is None else roles_by_party), roles_of(person, now)
    )


def rights_lookup(partnership: int, now: dt.datetime) -> Lookup:
    """Return what `rights_over` is going to ask for, for `read_ahead`."""
    return lookup(_present_roles, partnership, now)


def _present_roles(partnership: int, now: dt.datetime) -> QuerySet[Party, tuple[int, str]]:
    run_out = Notice.objects.run_out_by(timezone.localdate(now)).filter(partnership=partnership)
    present = Party.objects.present().filter(partnership=partnership)
    return present.exclude(organisation__in=run_out.values("organisation")).values_list("organisation_id", "role")
