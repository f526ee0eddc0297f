"""The rights of a person over asks and offers (docs/rights.md)."""

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
    """The rights of a person over an entry.

    `asked_ids` are the organisations that the entry asks; None if it asks the whole network.
    """

    entry: Entry
    asked_ids: Set[int] | None
    roles: Roles

    @property
    def is_own(self) -> bool:
        """Return whether the person has any role in the entry's organisation."""
        return self.roles.acts_for(self.entry.organisation_id)

    @property
    def may_edit(self) -> bool:
        """Return whether the person may change the entry and decide about answers.

        Editors and leads of the entry's organisation may.
        """
        return self.roles.may_edit_for(self.entry.organisation_id)

    @property
    def answers_for(self) -> frozenset[int]:
        """Return the ids of the asked organisations for which the person is an editor or lead."""
        if self.entry.is_draft:
            return frozenset()
        own_asked_ids = set(self.roles.by_organisation)
        if self.asked_ids is not None:
            own_asked_ids &= self.asked_ids
        return self.roles.edited_among(own_asked_ids) - {self.entry.organisation_id}

    def may_answer_for(self, organisation: Organisation) -> bool:
        """Return whether the person may respond, decline, ask a question, refer or acknowledge for the organisation."""
        return organisation.pk in self.answers_for

    def may_withdraw(self, response: Response) -> bool:
        """Return whether the person may withdraw a response, as an editor or lead of the organisation that answered."""
        return self.roles.may_edit_for(response.organisation_id)

    def may_link(self, commitment: Commitment) -> bool:
        """Return whether the person may link a commitment to the entry.

        Editors and leads of either side of the commitment may, if the entry's organisation is one of the sides.
        """
        side_ids = {commitment.giver_id, commitment.receiver_id}
        edits_for_a_side = any(side_id is not None and self.roles.may_edit_for(side_id) for side_id in side_ids)
        return self.entry.organisation_id in side_ids and edits_for_a_side

    def may_judge_for(self, organisation: Organisation, counterpart: Entry) -> bool:
        """Return whether the person may dismiss the pair for the organisation.

        Editors and leads of the organisation may, if it is one of the two sides.
        """
        side_ids = {self.entry.organisation_id, counterpart.organisation_id}
        return organisation.pk in side_ids and self.roles.may_edit_for(organisation.pk)


def rights_over(entry: Entry, person: User | None, now: dt.datetime) -> Rights:
    """Return the rights of a person over an entry at `now`. The person None is the system."""
    return Rights(entry=entry, asked_ids=addressed_ids(entry), roles=roles_of(person, now))


def may_read_both(entry: Entry, counterpart: Entry, person: User) -> bool:
    """Return whether the person may read both entries of a pair."""
    pair = {entry.pk, counterpart.pk}
    return Entry.objects.visible_to(person).filter(pk__in=pair).count() == len(pair)
