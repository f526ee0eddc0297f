"""Rehearse the successions of one order: apply them, undo them and apply them again, then roll everything back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.services import answer_invitation, create_partnership, create_post, invite_organisation
from partnerships.commitments.services import propose_commitment
from partnerships.kit.dates import known_day
from partnerships.organisations.lineage import ending, of_same_order
from partnerships.organisations.models import HandoverState, Organisation, Role, Succession
from partnerships.organisations.obligations import held_by
from partnerships.organisations.services import (
    UnableToChangeSuccession,
    UnableToHandOverLines,
    UnableToRecordSuccession,
    add_membership,
    answer_handovers,
    apply_handovers,
    change_succession_status,
    correct_succession,
    create_organisation,
    propose_handovers,
    take_effect,
    undo_handovers,
    undo_succession,
)
from partnerships.outbox.services import without_emails
from partnerships.people.models import User

#: The numbers of records, homes and pounds that an organisation is responsible for, by the label of the kind.
Holdings = Mapping[str, tuple[int, Decimal, Decimal]]
#: The holdings of each organisation, by its name.
State = Mapping[str, Holdings]

_REASON = "A rehearsal, which will be undone."


class UnableToRehearse(Exception):
    """The succession is not pending, or could not take effect on its day either."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The holdings of each organisation at each step of a rehearsal."""

    #: The number of successions of the order.
    successions: int
    before: State
    #: While the successions were in effect.
    after: State
    undone: State
    #: When the successions were in effect again.
    again: State
    #: The number of records that stayed with organisations that ended.
    stays: int

    @property
    def is_undone(self) -> bool:
        """Whether undoing put everything back."""
        return self.undone == self.before

    @property
    def is_repeated(self) -> bool:
        """Whether applying them again had the same result."""
        return self.again == self.after


class _RollBack(Exception):
    """Rolls the transaction of a rehearsal back."""


def rehearse(*, succession: Succession, everything: bool, invent: bool, now: dt.datetime) -> Rehearsal:
    """Try a succession and the others of its order as if their day was today.

    Everything is rolled back, and no emails are sent. With `everything`, records without an accepted handover line go
    to the first successor by name. With `invent`, each organisation that ends first gets a partnership, a commitment
    and a post, for the demonstration. Rows stay locked until the end. Raises `UnableToRehearse`.
    """
    # The result must outlive the exception that rolls the transaction back.
    rehearsals: list[Rehearsal] = []
    try:
        with transaction.atomic(), without_emails():
            rehearsals.append(_rehearse(succession, everything=everything or invent, invent=invent, now=now))
            raise _RollBack
    except _RollBack:
        return rehearsals[0]
    except (UnableToChangeSuccession, UnableToRecordSuccession, UnableToHandOverLines) as error:
        raise UnableToRehearse(f"It could not take effect today: {error} Nothing was changed.") from error


def _rehearse(succession: Succession, *, everything: bool, invent: bool, now: dt.datetime) -> Rehearsal:
    """Apply the successions, undo them and apply them again, and count the holdings at each step."""
    successions = list(of_same_order(succession).pending())
    if succession not in successions:
        raise UnableToRehearse(
            "Only a pending succession can be rehearsed. Run the command without a number to list them."
        )
    today = known_day(timezone.localdate(now))
    for pending in successions:
        correct_succession(succession=pending, vests_on=today, reason=_REASON, author=None, now=now)
        pending.refresh_from_db()
        if not pending.is_certain:
            change_succession_status(succession=pending, to="order_made", reason=_REASON, author=None, now=now)
    ending_by_pk = {organisation.pk: organisation for pending in successions for organisation in ending(pending)}
    if invent:
        _invent(list(ending_by_pk.values()), now)
    if everything:
        for pending in successions:
            _propose_everything(pending, now)
    organisation_by_pk = {
        organisation.pk: organisation
        for pending in successions
        for tie in pending.ties.select_related("predecessor", "successor")
        for organisation in (tie.predecessor, tie.successor)
        if organisation is not None
    }
    organisations = sorted(organisation_by_pk.values(), key=lambda organisation: (organisation.name, organisation.pk))

    before = _state(organisations, now)
    _come_into_effect(successions, successions, now)
    after = _state(organisations, now)
    # Undoing creates successions in the other direction, which can be undone in turn.
    reversals = _undo(successions, now)
    _come_into_effect(reversals, successions, now)
    undone = _state(organisations, now)
    _come_into_effect(_undo(reversals, now), successions, now)
    again = _state(organisations, now)
    stays = sum(
        record_count for pk in ending_by_pk for record_count, _, _ in after[organisation_by_pk[pk].name].values()
    )
    return Rehearsal(successions=len(successions), before=before, after=after, undone=undone, again=again, stays=stays)


def _come_into_effect(successions: Sequence[Succession], moving: Sequence[Succession], now: dt.datetime) -> None:
    """Let successions take effect, and pass the records of the `moving` ones on, or back if they were undone."""
    for succession in successions:
        take_effect(succession=succession, author=None, now=now)
    for succession in moving:
        succession.refresh_from_db()
        apply_handovers(succession=succession, now=now)
        undo_handovers(succession=succession, now=now)


def _undo(successions: Sequence[Succession], now: dt.datetime) -> list[Succession]:
    today = known_day(timezone.localdate(now))
    return [
        undo_succession(
            succession=succession, vests_on=today, status="order_made", reason=_REASON, author=None, now=now
        )
        for succession in successions
    ]


def _propose_everything(succession: Succession, now: dt.datetime) -> None:
    """Propose and accept handover lines for all records that have no accepted line yet."""
    accepted = set(succession.handovers.filter(state=HandoverState.ACCEPTED).values_list("kind", "record"))
    for body in ending(succession):
        following = succession.ties.filter(predecessor=body).exclude(successor=None).order_by("successor__name", "pk")
        first = following.select_related("successor").first()
        for group in held_by(body, timezone.localdate(now)) if first is not None else ():
            records = [thing.pk for thing in group.things if (group.kind.code, thing.pk) not in accepted]
            if records and first is not None and first.successor is not None:
                propose_handovers(
                    succession=succession,
                    predecessor=body,
                    kind=group.kind.code,
                    records=records,
                    successor=first.successor,
                    author=None,
                    now=now,
                )
    if waiting := list(succession.handovers.filter(state=HandoverState.PROPOSED)):
        answer_handovers(lines=waiting, accept=True, author=None, now=now)


def _state(bodies: Sequence[Organisation], now: dt.datetime) -> State:
    """Return what these organisations are responsible for now."""
    day = timezone.localdate(now)
    return {
        body.name: {
            group.kind.label: (len(group.things), group.homes, group.money)
            for group in held_by(Organisation.objects.get(pk=body.pk), day)
        }
        for body in bodies
    }


def _invent(bodies: Sequence[Organisation], now: dt.datetime) -> None:
    """Give each organisation a lead, and a partnership, a commitment and a post, with an invented provider."""

    def add_lead(body: Organisation, number: int) -> User:
        address = f"rehearsal-{number}@rehearsal.example"
        lead = User.objects.create(email=address, name=f"Lead {number}", account_since=now)
        add_membership(organisation=body, person=lead, role=Role.LEAD, author=None, now=now)
        return lead

    provider = create_organisation(name="Rehearsal Homes", kind="registered_provider", author=None, now=now)
    landlord = add_lead(provider, 0)
    for number, body in enumerate(bodies, start=1):
        lead = add_lead(body, number)
        partnership = create_partnership(
            organisation=body, author=lead, title=f"Homes for {body.name}", kind="memorandum", now=now
        )
        party = invite_organisation(
            partnership=partnership, organisation=provider, role="member", reason=_REASON, author=lead, now=now
        )
        answer_invitation(party=party, accept=True, reason="", author=landlord, now=now)
        propose_commitment(
            giver=provider,
            receiver=body,
            text=f"Forty homes for {body.name}.",
            quantity=Decimal(40),
            unit="homes",
            owner=landlord,
            due_on=timezone.localdate(now) + dt.timedelta(days=365),
            partnership=partnership,
            author=landlord,
            now=now,
        )
        create_post(organisation=body, role="planning", author=lead, now=now)
