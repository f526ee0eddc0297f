"""What a person may do with an ask or offer, its answers and their saved filters (docs/rights.md)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Set
from dataclasses import dataclass

from partnerships.commitments.models import Commitment
from partnerships.exchange.models import Entry, Response, SavedFilter
from partnerships.exchange.queries.addressing import addressed_ids
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import Roles, has_open_account, roles_of
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Rights:
    """What one person may do with one entry now. `asked` are the organisations it asks (None: the whole network)."""

    entry: Entry
    asked: Set[int] | None
    roles: Roles

    @property
    def is_own(self) -> bool:
        """Whether they act for the entry's organisation, in any role."""
        return self.roles.act_for(self.entry.organisation_id)

    @property
    def may_edit(self) -> bool:
        """Whether they may change, share, withdraw and agree the entry, and decide its answers: editors and leads."""
        return self.roles.edit_for(self.entry.organisation_id)

    @property
    def answers_for(self) -> frozenset[int]:
        """The organisations (ids) for which they may answer: those asked, of which they are an editor or lead."""
        if self.entry.is_draft:
            return frozenset()
        asked = self.roles.of if self.asked is None else self.asked & self.roles.of.keys()
        return self.roles.edited_among(asked) - {self.entry.organisation_id}

    def may_answer_for(self, organisation: Organisation) -> bool:
        """Whether they may acknowledge, refer, ask back, respond or decline for the organisation."""
        return organisation.pk in self.answers_for

    def may_withdraw(self, response: Response) -> bool:
        """Whether they may take an answer back: editors and leads of the organisation that gave it."""
        return self.roles.edit_for(response.organisation_id)

    def may_link(self, commitment: Commitment) -> bool:
        """Whether they may say that a commitment meets the entry: editors and leads of one of its sides, where the
        entry's organisation is a side.
        """
        sides = {commitment.giver_id, commitment.receiver_id}
        return self.entry.organisation_id in sides and any(self.roles.edit_for(side) for side in sides if side)

    def may_judge_for(self, organisation: Organisation, counterpart: Entry) -> bool:
        """Whether they may put the pair aside for the organisation: editors and leads of one of its two sides."""
        sides = {self.entry.organisation_id, counterpart.organisation_id}
        return organisation.pk in sides and self.roles.edit_for(organisation.pk)


def rights_over(entry: Entry, person: User | None, now: dt.datetime) -> Rights:
    """What the person (the system where None) may do with the entry on the day of `now`."""
    return Rights(entry, addressed_ids(entry), roles_of(person, now))


def may_read_both(entry: Entry, counterpart: Entry, person: User) -> bool:
    """Whether the person may read both entries of a pair, which whoever judges or introduces it must."""
    pair = {entry.pk, counterpart.pk}
    return Entry.objects.visible_to(person).filter(pk__in=pair).count() == len(pair)


def owns_filter(saved: SavedFilter, person: User) -> bool:
    """Whether the filter is the person's own, and their account open."""
    return saved.person_id == person.pk and has_open_account(person)
