"""Rehearse the successions of one order, which are applied, undone, applied again and rolled back."""

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
from partnerships.organisations.lineage import ending_predecessors, successions_of_order
from partnerships.organisations.models import HandoverState, Organisation, Role, Succession
from partnerships.organisations.obligations import held_records_by_kind
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
from partnerships.outbox.services import recording_no_emails
from partnerships.people.models import User

#: The numbers of records, homes and pounds for which an organisation is responsible, by the label of the record's kind.
Holdings = Mapping[str, tuple[int, Decimal, Decimal]]
#: The holdings of each organisation, by its name.
State = Mapping[str, Holdings]

_REASON = "A rehearsal, which will be undone."


class UnableToRehearse(Exception):
    """Raised if the succession is not pending, or could not take effect today."""


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
    repeated: State
    #: The number of records that did not move from an organisation that ended.
    remaining_count: int

    @property
    def is_undone(self) -> bool:
        """Whether undoing the successions restored the first state."""
        return self.undone == self.before

    @property
    def is_repeated(self) -> bool:
        """Whether applying the successions again had the same result as the first time."""
        return self.repeated == self.after


class _RollBack(Exception):
    """Raised to roll back the transaction of a rehearsal."""


def rehearse(*, succession: Succession, everything: bool, invent: bool, now: dt.datetime) -> Rehearsal:
    """Try a succession and the others of its order as if their day was today.

    Everything is rolled back, and no emails are sent. With `everything`, records without an accepted handover line go
    to the first successor by name. With `invent`, each organisation that ends first gets a partnership, a commitment
    and a post, for the demonstration. Rows are locked until the end. Raises `UnableToRehearse` if the succession is not
    pending or cannot take effect.
    """
    # The result must outlive the exception that rolls the transaction back.
    rehearsals: list[Rehearsal] = []
    try:
        with transaction.atomic(), recording_no_emails():
            rehearsals.append(_rehearse(succession, everything=everything or invent, invent=invent, now=now))
            raise _RollBack
    except _RollBack:
        return rehearsals[0]
    except (UnableToChangeSuccession, UnableToRecordSuccession, UnableToHandOverLines) as error:
        raise UnableToRehearse(f"This succession could not take effect today: {error} Nothing was changed.") from error


def _rehearse(succession: Succession, *, everything: bool, invent: bool, now: dt.datetime) -> Rehearsal:
    """Apply the successions, undo them and apply them again, and count the holdings at each step."""
    successions = list(successions_of_order(succession).pending())
    if succession not in successions:
        raise UnableToRehearse(
            "Only a pending succession can be rehearsed. Run the command without a number to list them."
        )
    _move_to_today(successions, now)
    ending_by_pk = {
        organisation.pk: organisation for pending in successions for organisation in ending_predecessors(pending)
    }
    if invent:
        _invent(list(ending_by_pk.values()), now)
    if everything:
        for pending in successions:
            _propose_everything(pending, now)
    organisation_by_pk = _organisations_of(successions)
    organisations = sorted(organisation_by_pk.values(), key=lambda organisation: (organisation.name, organisation.pk))

    before = _state(organisations, now)
    _come_into_effect(successions, successions, now)
    after = _state(organisations, now)
    # Undoing creates successions in the other direction, which can be undone in turn.
    reversals = _undo(successions, now)
    _come_into_effect(reversals, successions, now)
    undone = _state(organisations, now)
    _come_into_effect(_undo(reversals, now), successions, now)
    repeated = _state(organisations, now)

    remaining_count = 0
    for pk in ending_by_pk:
        holdings = after[organisation_by_pk[pk].name]
        remaining_count += sum(record_count for record_count, _homes, _pounds in holdings.values())
    return Rehearsal(
        successions=len(successions),
        before=before,
        after=after,
        undone=undone,
        repeated=repeated,
        remaining_count=remaining_count,
    )


def _move_to_today(successions: Sequence[Succession], now: dt.datetime) -> None:
    """Correct the day of each succession to today, and make the successions certain, so that they can take effect."""
    today = known_day(timezone.localdate(now))
    for succession in successions:
        correct_succession(succession=succession, vests_on=today, reason=_REASON, author=None, now=now)
        succession.refresh_from_db()
        if not succession.is_certain:
            change_succession_status(succession=succession, to="order_made", reason=_REASON, author=None, now=now)


def _organisations_of(successions: Sequence[Succession]) -> dict[int, Organisation]:
    """Return all predecessors and successors of these successions, by id."""
    return {
        organisation.pk: organisation
        for succession in successions
        for tie in succession.ties.select_related("predecessor", "successor")
        for organisation in (tie.predecessor, tie.successor)
        if organisation is not None
    }


def _come_into_effect(
    successions: Sequence[Succession], successions_of_order: Sequence[Succession], now: dt.datetime
) -> None:
    """Let successions take effect, and then move the records of the order's successions, forwards or back.

    `successions` may be reversals of the order's successions. Records move back if their succession was undone.
    """
    for succession in successions:
        take_effect(succession=succession, author=None, now=now)
    for succession in successions_of_order:
        succession.refresh_from_db()
        apply_handovers(succession=succession, now=now)
        undo_handovers(succession=succession, now=now)


def _undo(successions: Sequence[Succession], now: dt.datetime) -> list[Succession]:
    """Create the reversals of these successions, which take effect later, and return them."""
    today = known_day(timezone.localdate(now))
    return [
        undo_succession(
            succession=succession, vests_on=today, status="order_made", reason=_REASON, author=None, now=now
        )
        for succession in successions
    ]


def _propose_everything(succession: Succession, now: dt.datetime) -> None:
    """Propose and accept handover lines for all records that have no accepted line yet."""
    accepted_records = set(succession.handovers.filter(state=HandoverState.ACCEPTED).values_list("kind", "record"))
    for organisation in ending_predecessors(succession):
        successor = _first_successor(succession, organisation)
        if successor is None:
            continue
        for group in held_records_by_kind(organisation, timezone.localdate(now)):
            records = [record.pk for record in group.records if (group.kind.code, record.pk) not in accepted_records]
            if records:
                propose_handovers(
                    succession=succession,
                    predecessor=organisation,
                    kind=group.kind.code,
                    records=records,
                    successor=successor,
                    author=None,
                    now=now,
                )

    proposed_lines = list(succession.handovers.filter(state=HandoverState.PROPOSED))
    if proposed_lines:
        answer_handovers(lines=proposed_lines, accept=True, author=None, now=now)


def _first_successor(succession: Succession, organisation: Organisation) -> Organisation | None:
    """Return the organisation's first successor by name, or None if it has no successor."""
    ties = succession.ties.filter(predecessor=organisation).exclude(successor=None)
    first_tie = ties.select_related("successor").order_by("successor__name", "pk").first()
    return first_tie.successor if first_tie is not None else None


def _state(organisations: Sequence[Organisation], now: dt.datetime) -> State:
    """Return the current holdings of these organisations, by their names."""
    day = timezone.localdate(now)
    return {
        organisation.name: {
            group.kind.label: (len(group.records), group.homes, group.money)
            for group in held_records_by_kind(Organisation.objects.get(pk=organisation.pk), day)
        }
        for organisation in organisations
    }


def _invent(organisations: Sequence[Organisation], now: dt.datetime) -> None:
    """Give each organisation a lead, and a partnership, a commitment and a post, with an invented provider."""
    provider = create_organisation(name="Rehearsal Homes", kind="registered_provider", author=None, now=now)
    landlord = _invent_lead(provider, 0, now)
    for number, organisation in enumerate(organisations, start=1):
        lead = _invent_lead(organisation, number, now)
        partnership = create_partnership(
            organisation=organisation, author=lead, title=f"Homes for {organisation.name}", kind="memorandum", now=now
        )
        party = invite_organisation(
            partnership=partnership, organisation=provider, role="member", reason=_REASON, author=lead, now=now
        )
        answer_invitation(party=party, accept=True, reason="", author=landlord, now=now)
        propose_commitment(
            giver=provider,
            receiver=organisation,
            text=f"Forty homes for {organisation.name}.",
            quantity=Decimal(40),
            unit="homes",
            owner=landlord,
            due_on=timezone.localdate(now) + dt.timedelta(days=365),
            partnership=partnership,
            author=landlord,
            now=now,
        )
        create_post(organisation=organisation, role="planning", author=lead, now=now)


def _invent_lead(organisation: Organisation, number: int, now: dt.datetime) -> User:
    """Create a person with an account, who leads the organisation."""
    address = f"rehearsal-{number}@rehearsal.example"
    lead = User.objects.create(email=address, name=f"Lead {number}", account_since=now)
    add_membership(organisation=organisation, person=lead, role=Role.LEAD, author=None, now=now)
    return lead
