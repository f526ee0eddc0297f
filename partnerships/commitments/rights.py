"""The rights of a person over a commitment (docs/rights.md)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from partnerships.commitments.models import Commitment, Status
from partnerships.organisations.models import EDITING_ROLES, Organisation, Role
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of one person over one commitment.

    They follow from the roles of the person at the giver and at the receiver. A role is "" if the person has none.
    """

    commitment: Commitment
    giver_role: str
    receiver_role: str
    person_id: int

    @property
    def edits_for_deliverer(self) -> bool:
        """Return whether the person edits for the organisation that reports deliveries.

        This is the giver or, if the giver is not in the directory, the receiver.
        """
        role = self.giver_role if self.commitment.giver_id else self.receiver_role
        return role in EDITING_ROLES

    @property
    def edits(self) -> bool:
        """Return whether the person edits for the giver or the receiver."""
        return self.giver_role in EDITING_ROLES or self.receiver_role in EDITING_ROLES

    @property
    def leads(self) -> bool:
        """Return whether the person leads the giver or the receiver."""
        return Role.LEAD in (self.giver_role, self.receiver_role)

    def decides_for(self, *, giving: bool) -> bool:
        """Return whether the person may decide for the giver (`giving`) or for the receiver.

        Only leads may. For the giver of an action, editors may too.
        """
        if giving and self.commitment.is_action:
            return self.giver_role in EDITING_ROLES
        role = self.giver_role if giving else self.receiver_role
        return role == Role.LEAD

    @property
    def may_edit_terms(self) -> bool:
        """Return whether the person may change the terms.

        Editors and leads of both organisations may, until both have confirmed.
        """
        return self.commitment.is_proposed and self.edits

    @property
    def may_confirm_giving(self) -> bool:
        """Return whether the person may confirm for the giver.

        Its leads may. If it is an action, its editors may too.
        """
        unconfirmed = self.commitment.is_proposed and self.commitment.giver_confirmed_at is None
        return unconfirmed and self.decides_for(giving=True)

    @property
    def may_confirm_receiving(self) -> bool:
        """Return whether the person may confirm for the receiver, as one of its leads."""
        unconfirmed = self.commitment.is_proposed and self.commitment.receiver_confirmed_at is None
        return unconfirmed and not self.commitment.is_action and self.decides_for(giving=False)

    @property
    def may_confirm(self) -> bool:
        """Return whether the person may confirm for the giver or the receiver."""
        return self.may_confirm_giving or self.may_confirm_receiving

    @property
    def may_withdraw(self) -> bool:
        """Return whether the person acts for the organisation that proposed the commitment.

        If they end the proposal, they withdraw it. Anyone else who ends it declines it.
        """
        organisation = acting_organisation(self)
        return organisation is not None and organisation.pk == self.commitment.proposed_for_id

    @property
    def pending_for(self) -> frozenset[int | None]:
        """Return the organisations (ids) for which the person must confirm or verify."""
        if self.commitment.is_action and self.may_verify:
            return frozenset({self.commitment.giver_id, self.commitment.receiver_id})
        organisation_ids: set[int | None] = set()
        if self.may_confirm_giving:
            organisation_ids.add(self.commitment.giver_id)
        if self.may_confirm_receiving or self.may_verify:
            organisation_ids.add(self.commitment.receiver_id)
        return frozenset(organisation_ids)

    @property
    def may_report(self) -> bool:
        """Return whether the person may report progress and change the due date."""
        return self.commitment.is_under_way and self.edits_for_deliverer

    @property
    def may_attach(self) -> bool:
        """Return whether the person may attach evidence.

        This is possible from the day on which the commitment is agreed until it is verified.
        """
        return (self.commitment.is_under_way or self.commitment.is_done) and self.edits_for_deliverer

    @property
    def may_escalate(self) -> bool:
        """Return whether the person may escalate. Editors and leads of both organisations may."""
        return self.commitment.is_under_way and self.edits

    @property
    def may_change_owner(self) -> bool:
        """Return whether the person may change the owner.

        People who may report progress may, until the commitment is over.
        """
        return not self.commitment.is_over and self.edits_for_deliverer

    @property
    def verifies(self) -> bool:
        """Return whether the person may verify the commitment, once it is done.

        Leads of the receiver verify a delivery. Editors and leads of both organisations verify an action, except its
        owner and the person who reported it done.
        """
        if self.commitment.is_action:
            return self.edits and self.person_id not in (self.commitment.done_by_id, self.commitment.owner_id)
        return self.decides_for(giving=False)

    @property
    def may_verify(self) -> bool:
        """Return whether the person may verify the commitment now."""
        return self.commitment.is_done and not self.commitment.is_over and self.verifies

    @property
    def may_end(self) -> bool:
        """Return whether the person may end the commitment.

        Leads of both organisations may. Editors may if their organisation proposed it, and if it is still a proposal or
        an action.
        """
        commitment = self.commitment
        if commitment.is_over:
            return False
        proposer_role = self.giver_role if commitment.proposed_for_id == commitment.giver_id else self.receiver_role
        may_withdraw = proposer_role in EDITING_ROLES and (commitment.is_proposed or commitment.is_action)
        return self.leads or may_withdraw

    @property
    def may_replace(self) -> bool:
        """Return whether the person may propose new terms for an agreed commitment between two organisations.

        Editors and leads of both may, while the commitment is under way. An action cannot be replaced.
        """
        commitment = self.commitment
        is_between_two = bool(commitment.giver_id and commitment.receiver_id)
        can_be_replaced = is_between_two and commitment.is_under_way and not commitment.is_action
        return can_be_replaced and self.edits

    @property
    def may_act(self) -> bool:
        """Return whether the person may do anything with the commitment."""
        return not self.commitment.is_over and self.edits


def rights_over(commitment: Commitment, person: User, now: dt.datetime) -> Rights:
    """Return the rights of the person over the commitment on the day of `now`. Makes one query."""
    return rights_over_each([commitment], person, now)[0]


def rights_over_each(commitments: Iterable[Commitment], person: User, now: dt.datetime) -> list[Rights]:
    """Return the rights of the person over each commitment, in the same order. Makes one query."""
    roles = roles_of(person, now).by_organisation
    return [
        Rights(
            commitment,
            giver_role=roles.get(commitment.giver_id or 0, ""),
            receiver_role=roles.get(commitment.receiver_id or 0, ""),
            person_id=person.pk,
        )
        for commitment in commitments
    ]


def acting_organisation(rights: Rights) -> Organisation | None:
    """Return the organisation for which the person acts, or None. If they edit for both, it is the giver."""
    if rights.giver_role in EDITING_ROLES:
        return rights.commitment.giver
    if rights.receiver_role in EDITING_ROLES:
        return rights.commitment.receiver
    return None


def organisations_to_act(commitment: Commitment) -> tuple[Organisation, ...]:
    """Return the organisations that must confirm or verify the commitment now.

    The receiver of an action does not confirm it. An action without a receiver is verified by the giver. Fetch `giver`
    and `receiver` with the commitment.
    """
    giver, receiver = commitment.giver, commitment.receiver
    if commitment.status == Status.PROPOSED:
        unconfirmed = []
        if giver is not None and commitment.giver_confirmed_at is None:
            unconfirmed.append(giver)
        if receiver is not None and commitment.receiver_confirmed_at is None and not commitment.is_action:
            unconfirmed.append(receiver)
        return tuple(unconfirmed)
    if commitment.is_done and not commitment.is_over:
        if receiver is not None:
            return (receiver,)
        if giver is not None and commitment.is_action:
            return (giver,)
    return ()
