"""Rehearse the successions of one order.

Apply, undo and apply them again, then take everything back.
"""

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

#: What an organisation holds: things, homes and pounds by kind.
Holdings = Mapping[str, tuple[int, Decimal, Decimal]]
#: The same for each organisation, by name.
State = Mapping[str, Holdings]

_REASON = "A rehearsal, which will be undone."


class UnableToRehearse(Exception):
    """It took effect already or was cancelled, or it could not take effect on its day either."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What each organisation held before, once the successions were in effect, undone, and in effect again.

    `stays`: what the bodies that end still held while they were in effect.
    """

    successions: int
    before: State
    after: State
    undone: State
    again: State
    stays: int

    @property
    def is_undone(self) -> bool:
        """Whether undoing put everything back."""
        return self.undone == self.before

    @property
    def is_repeated(self) -> bool:
        """Whether applying them again had the same result."""
        return self.again == self.after


class _TakeBack(Exception):
    """Ends the transaction of a rehearsal."""


def rehearse(*, succession: Succession, everything: bool, invent: bool, now: dt.datetime) -> Rehearsal:
    """Try a succession and the others of its order as if their day was today.

    Nothing is kept or sent. `everything`: what has no accepted line goes to the first successor, by name. `invent`:
    each body that ends gets a partnership, a commitment and a post first, for the demonstration. Holds its locks until
    it ends. Raises `UnableToRehearse`.
    """
    rehearsals: list[Rehearsal] = []
    try:
        with transaction.atomic(), without_emails():
            rehearsals.append(_tried(succession, everything=everything or invent, invent=invent, now=now))
            raise _TakeBack
    except _TakeBack:
        return rehearsals[0]
    except (UnableToChangeSuccession, UnableToRecordSuccession, UnableToHandOverLines) as error:
        raise UnableToRehearse(f"It could not take effect today: {error} Nothing was changed.") from error


def _tried(succession: Succession, *, everything: bool, invent: bool, now: dt.datetime) -> Rehearsal:
    """Let it happen, undo it and redo it, counting what each body holds at each step."""
    alike = list(of_same_order(succession).pending())
    if succession not in alike:
        raise UnableToRehearse(
            "Only a pending succession can be rehearsed. Run the command without a number to list them."
        )
    today = known_day(timezone.localdate(now))
    for similar in alike:
        correct_succession(succession=similar, vests_on=today, reason=_REASON, author=None, now=now)
        similar.refresh_from_db()
        if not similar.is_certain:
            change_succession_status(succession=similar, to="order_made", reason=_REASON, author=None, now=now)
    ended = {body.pk: body for similar in alike for body in ending(similar)}
    if invent:
        _invent(list(ended.values()), now)
    for similar in alike if everything else ():
        _propose_everything(similar, now)
    ties = [tie for similar in alike for tie in similar.ties.select_related("predecessor", "successor")]
    bodies = {
        similar.pk: similar for tie in ties for similar in (tie.predecessor, tie.successor) if similar is not None
    }
    named = sorted(bodies.values(), key=lambda body: (body.name, body.pk))

    before = _state(named, now)
    _come_into_effect(alike, alike, now)
    after = _state(named, now)
    backs = _undo(alike, now)
    _come_into_effect(backs, alike, now)
    undone = _state(named, now)
    _come_into_effect(_undo(backs, now), alike, now)
    again = _state(named, now)
    stays = sum(things for pk in ended for things, _, _ in after[bodies[pk].name].values())
    return Rehearsal(successions=len(alike), before=before, after=after, undone=undone, again=again, stays=stays)


def _come_into_effect(successions: Sequence[Succession], moving: Sequence[Succession], now: dt.datetime) -> None:
    """Let successions take effect, and pass on or back what the first ones move."""
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
    """Propose and accept a line for all that the bodies that end hold, except for what is accepted."""
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

    def led(body: Organisation, number: int) -> User:
        address = f"rehearsal-{number}@rehearsal.example"
        lead = User.objects.create(email=address, name=f"Lead {number}", account_since=now)
        add_membership(organisation=body, person=lead, role=Role.LEAD, author=None, now=now)
        return lead

    provider = create_organisation(name="Rehearsal Homes", kind="registered_provider", author=None, now=now)
    landlord = led(provider, 0)
    for number, body in enumerate(bodies, start=1):
        lead = led(body, number)
        made = create_partnership(
            organisation=body, author=lead, title=f"Homes for {body.name}", kind="memorandum", now=now
        )
        party = invite_organisation(
            partnership=made, organisation=provider, role="member", reason=_REASON, author=lead, now=now
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
            partnership=made,
            author=landlord,
            now=now,
        )
        create_post(organisation=body, role="planning", author=lead, now=now)
