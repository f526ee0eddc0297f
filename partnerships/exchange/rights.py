"""What a person may do with asks and offers (docs/rights.md)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Set
from dataclasses import dataclass

from partnerships.commitments.models import Commitment
from partnerships.exchange.models import Entry, Response
from partnerships.exchange.queries.addressing import addressed_ids
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import Roles, roles_of
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Rights:
    """What one person may do with one entry.

    `asked` are ids of the organisations that it asks; None if it asks the whole network.
    """

    entry: Entry
    asked: Set[int] | None
    roles: Roles

    @property
    def is_own(self) -> bool:
        """Whether they have any role in the entry's organisation."""
        return self.roles.act_for(self.entry.organisation_id)

    @property
    def may_edit(self) -> bool:
        """Whether they may change it and decide its answers: editors and leads."""
        return self.roles.edit_for(self.entry.organisation_id)

    @property
    def answers_for(self) -> frozenset[int]:
        """Ids of the asked organisations that they are an editor or lead of."""
        if self.entry.is_draft:
            return frozenset()
        asked = self.roles.of if self.asked is None else self.asked & self.roles.of.keys()
        return self.roles.edited_among(asked) - {self.entry.organisation_id}

    def may_answer_for(self, organisation: Organisation) -> bool:
        """Whether they may answer for the organisation in any way."""
        return organisation.pk in self.answers_for

    def may_withdraw(self, response: Response) -> bool:
        """Whether they are an editor or lead of the answer's organisation."""
        return self.roles.edit_for(response.organisation_id)

    def may_link(self, commitment: Commitment) -> bool:
        """Whether they may link a commitment to the entry.

        Editors and leads of either side of the commitment may, if the entry's organisation is one of the sides.
        """
        sides = {commitment.giver_id, commitment.receiver_id}
        return self.entry.organisation_id in sides and any(self.roles.edit_for(side) for side in sides if side)

    def may_judge_for(self, organisation: Organisation, counterpart: Entry) -> bool:
        """Whether they may dismiss the pair for the organisation.

        It must be one of the two sides, and they must be its editor or lead.
        """
        sides = {self.entry.organisation_id, counterpart.organisation_id}
        return organisation.pk in sides and self.roles.edit_for(organisation.pk)


def rights_over(entry: Entry, person: User | None, now: dt.datetime) -> Rights:
    """What the person (None: the system) may do with the entry at `now`."""
    return Rights(entry, addressed_ids(entry), roles_of(person, now))


def may_read_both(entry: Entry, counterpart: Entry, person: User) -> bool:
    """Whether the person may read both entries of a pair."""
    pair = {entry.pk, counterpart.pk}
    return Entry.objects.visible_to(person).filter(pk__in=pair).count() == len(pair)
