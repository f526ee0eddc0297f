"""Services for terms: propose, edit, confirm, change due date, end."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone

from partnerships.agreements.models import Partnership, PartyRole
from partnerships.commitments.event_kinds import EventKind
from partnerships.commitments.models import Commitment, Kind, Slippage, Status
from partnerships.commitments.origins import From
from partnerships.commitments.registry import tell_listeners
from partnerships.commitments.rights import rights_over, side_of
from partnerships.commitments.services.emails import tell_asked, tell_concerned
from partnerships.commitments.services.replacement import take_place
from partnerships.commitments.services.rows import (
    acts_for,
    locked,
    next_numbers,
    note,
    reference_for,
    terms_of,
)
from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.people.models import User

_NO_SIDE = "You edit for neither of the two organisations."


class UnableToPropose(Exception):
    """The parties, the terms or the owner are invalid."""


class UnableToEdit(Exception):
    """The terms are closed, or were changed by somebody else."""


class UnableToConfirm(Exception):
    """This side has nothing to confirm, or the terms have changed since."""


class UnableToChangeDueDate(Exception):
    """It is not under way, the date is the same, or the reason is missing."""


class UnableToEnd(Exception):
    """It is over already, or the reason is missing."""


@transaction.atomic
def propose_commitment(
    *,
    giver: Organisation,
    receiver: Organisation,
    text: str,
    quantity: Decimal | None,
    unit: str,
    owner: User | None,
    due_on: dt.date,
    partnership: Partnership | None,
    author: User,
    now: dt.datetime,
    confirm: bool = False,
    replaces: Commitment | None = None,
    came_from: From | None = None,
    key: uuid.UUID | None = None,
) -> Commitment:
    """Propose a commitment, which both sides must confirm.

    The author edits for one of the two. `owner` is a person of the giver; if left out, the giver names one when it
    confirms. With `confirm`, a lead confirms for their side at once. `replaces` is the commitment that becomes
    superseded when both have confirmed. `came_from` links it to a record of another room. A `key` used before returns
    the same commitment.

    Raises `UnableToPropose`, or `UnableToConfirm` if the author may not confirm.
    """
    made = Commitment.objects.filter(key=key, proposed_by=author).first() if key else None
    if made is not None:
        return made
    side = giver if acts_for(author, giver, *EDITING_ROLES) else receiver
    require(acts_for(author, side, *EDITING_ROLES), _NO_SIDE)
    _check_terms(giver, receiver, text, quantity, unit, owner, due_on, timezone.localdate(now))
    _check_partnership(partnership, (giver, receiver))
    _check_origin(came_from, (giver, receiver), author)
    if replaces is not None:
        replaced = locked(replaces)
        if {replaced.giver_id, replaced.receiver_id} != {giver.pk, receiver.pk}:
            raise UnableToPropose("A replacement is between the same two organisations.")
        if not replaced.is_under_way:
            raise UnableToPropose(f"{replaced.reference} is {replaced.get_status_display().lower()}.")
        if Commitment.objects.filter(replaces=replaced, status=Status.PROPOSED).exists():
            raise UnableToPropose(f"Other terms for {replaced.reference} wait for an answer already.")
    try:
        with transaction.atomic():
            commitment = _create(
                kind=Kind.COMMITMENT,
                giver=giver,
                receiver=receiver,
                text=text,
                quantity=quantity,
                unit=unit,
                owner=owner,
                due_on=due_on,
                partnership=partnership,
                author=author,
                side=side,
                replaces=replaces,
                came_from=came_from,
                key=key,
                now=now,
            )
    except IntegrityError:
        # The same form was sent twice at once.
        made = Commitment.objects.filter(key=key, proposed_by=author).first() if key else None
        if made is None:
            raise
        return made
    if confirm and side.pk == giver.pk and owner is None:
        raise UnableToPropose("Name who sees it through, or leave your confirmation for later.")
    if confirm:
        commitment = confirm_commitment(
            commitment=commitment, organisation=side, author=author, revision=commitment.revision, now=now
        )
    tell_asked("proposed", commitment, author=author, now=now, revision=commitment.revision)
    return commitment


@transaction.atomic
def propose_action(
    *,
    organisation: Organisation,
    text: str,
    owner: User | None,
    due_on: dt.date,
    author: User,
    now: dt.datetime,
    for_organisation: Organisation | None = None,
    partnership: Partnership | None = None,
    came_from: From | None = None,
) -> Commitment:
    """Propose an action for `organisation`; agreed if its author edits for it.

    Otherwise an editor or lead of `organisation` must confirm. The author edits for one of the two. Raises
    `UnableToPropose`.
    """
    own = acts_for(author, organisation, *EDITING_ROLES)
    require(own or acts_for(author, for_organisation, *EDITING_ROLES), _NO_SIDE)
    if not text.strip():
        raise UnableToPropose("Say what is to be done.")
    if owner is not None and not acts_for(owner, organisation):
        raise UnableToPropose(f"{owner.display_name} does not act for {organisation.display_name}.")
    if for_organisation is not None and for_organisation.pk == organisation.pk:
        for_organisation = None
    _check_partnership(partnership, (organisation,))
    action = _create(
        kind=Kind.ACTION,
        giver=organisation,
        receiver=for_organisation,
        text=text,
        quantity=None,
        unit="",
        owner=owner,
        due_on=due_on,
        partnership=partnership,
        author=author,
        side=organisation if own else for_organisation,
        replaces=None,
        came_from=came_from,
        now=now,
    )
    if own:
        return confirm_commitment(
            commitment=action, organisation=organisation, author=author, revision=action.revision, now=now
        )
    return action


@transaction.atomic
def edit_proposal(
    *,
    commitment: Commitment,
    text: str,
    quantity: Decimal | None,
    unit: str,
    owner: User | None,
    due_on: dt.date,
    revision: int,
    author: User,
    now: dt.datetime,
) -> Commitment:
    """Change proposed terms; earlier confirmations are dropped.

    `revision` is the one the author saw. Raises `UnableToEdit`, or `UnableToPropose` if the new terms are invalid.
    """
    current = locked(commitment)
    rights = rights_over(current, author, now)
    if not current.is_proposed:
        raise UnableToEdit(
            f"{current.reference} is {current.get_status_display().lower()}: propose other terms in its place instead."
        )
    require(rights.may_edit_terms, _NO_SIDE)
    if revision != current.revision:
        raise UnableToEdit("Somebody changed the terms while you were writing. Look at them again first.")
    if current.giver is None:
        raise UnableToEdit("Its giver is outside the network.")
    _check_terms(current.giver, current.receiver, text, quantity, unit, owner, due_on, timezone.localdate(now))
    before, owner_before = terms_of(current), current.owner
    current.text = text.strip()
    current.quantity = quantity
    current.unit = unit if quantity is not None else ""
    current.owner = owner
    current.due_on = current.original_due_on = due_on
    if terms_of(current) == before and owner_before == owner:
        return current
    current.revision += 1
    current.giver_confirmed_at = current.receiver_confirmed_at = None
    current.giver_confirmed_by = current.receiver_confirmed_by = None
    current.save(
        update_fields=[
            "text",
            "quantity",
            "unit",
            "owner",
            "due_on",
            "original_due_on",
            "revision",
            "giver_confirmed_at",
            "giver_confirmed_by",
            "receiver_confirmed_at",
            "receiver_confirmed_by",
        ]
    )
    note(
        current,
        EventKind.TERMS_CHANGED,
        author=author,
        organisation=side_of(rights),
        now=now,
        before=before,
        after=terms_of(current),
    )
    tell_asked("proposed", current, author=author, now=now, revision=current.revision)
    return current


@transaction.atomic
def confirm_commitment(
    *,
    commitment: Commitment,
    organisation: Organisation,
    author: User,
    revision: int,
    now: dt.datetime,
    owner: User | None = None,
) -> Commitment:
    """Confirm for one side; when both have, it is agreed (`take_place`).

    The giver's confirmation needs an owner: the present one, or `owner`, a person of the giver. `revision` is the one
    the author saw. Raises `UnableToConfirm`.
    """
    if commitment.replaces_id:
        # Always lock the older row first, to prevent deadlocks.
        Commitment.objects.select_for_update(of=("self",)).get(pk=commitment.replaces_id)
    current = locked(commitment)
    rights = rights_over(current, author, now)
    giving = organisation.pk == current.giver_id
    if not giving and organisation.pk != current.receiver_id:
        raise UnableToConfirm(f"{organisation.display_name} is neither giver nor receiver.")
    if not current.is_proposed:
        raise UnableToConfirm(f"{current.reference} is {current.get_status_display().lower()} already.")
    if revision != current.revision:
        raise UnableToConfirm("The terms changed after you opened them. Read them again before you confirm.")
    if (current.giver_confirmed_at if giving else current.receiver_confirmed_at) is not None:
        raise UnableToConfirm(f"{organisation.display_name} has confirmed already.")
    may_confirm = rights.may_confirm_giving if giving else rights.may_confirm_receiving
    require(may_confirm, f"Only a lead of {organisation.display_name} can confirm this.")
    changed = []
    if giving:
        if owner is not None and owner.pk != current.owner_id:
            if not acts_for(owner, organisation):
                raise UnableToConfirm(f"{owner.display_name} does not act for {organisation.display_name}.")
            current.owner = owner
            changed.append("owner")
        if current.owner is None and not current.is_action:
            raise UnableToConfirm("Name the person who sees it through.")
        current.giver_confirmed_by, current.giver_confirmed_at = author, now
        changed += ["giver_confirmed_by", "giver_confirmed_at"]
    else:
        current.receiver_confirmed_by, current.receiver_confirmed_at = author, now
        changed += ["receiver_confirmed_by", "receiver_confirmed_at"]
    agreed = current.giver_confirmed_at is not None and (current.is_action or current.receiver_confirmed_at is not None)
    if agreed:
        current.status, current.status_since = Status.AGREED, now
        changed += ["status", "status_since"]
    current.save(update_fields=changed)
    note(
        current,
        EventKind.GIVING_CONFIRMED if giving else EventKind.RECEIVING_CONFIRMED,
        author=author,
        organisation=organisation,
        now=now,
        **({"before": Status.PROPOSED.label, "after": Status.AGREED.label} if agreed else {}),
    )
    if agreed and current.replaces is not None:
        take_place(current.replaces, current, author=author, organisation=organisation, now=now)
    if agreed:
        tell_listeners(commitment=current, author=author, now=now)
        tell_concerned("agreed", current, author=author, now=now)
    return current


@transaction.atomic
def change_due_date(
    *, commitment: Commitment, due_on: dt.date, reason: str, author: User, now: dt.datetime
) -> Slippage:
    """Change the due date, with a reason; all earlier dates are kept.

    Raises `UnableToChangeDueDate`.
    """
    current = locked(commitment)
    rights = rights_over(current, author, now)
    if not current.is_under_way:
        raise UnableToChangeDueDate(f"{current.reference} is {current.get_status_display().lower()}.")
    require(rights.may_report, "Only editors and leads of the organisation that gives can move the date.")
    if not reason.strip():
        raise UnableToChangeDueDate("Say why the date moves.")
    if due_on == current.due_on:
        raise UnableToChangeDueDate("That is the day it is due already.")
    slippage = Slippage.objects.create(
        commitment=current, was=current.due_on, now=due_on, reason=reason.strip(), by=author, at=now
    )
    current.due_on = due_on
    current.save(update_fields=["due_on"])
    note(
        current,
        EventKind.DUE_DATE_MOVED,
        author=author,
        organisation=side_of(rights),
        now=now,
        before={"due": long_date(slippage.was) if slippage.was else ""},
        after={"due": long_date(due_on)},
        reason=reason.strip(),
    )
    return slippage


@transaction.atomic
def end_commitment(*, commitment: Commitment, reason: str, author: User, now: dt.datetime) -> Commitment:
    """Decline or withdraw a proposal, or cancel a commitment; with a reason.

    Raises `UnableToEnd`.
    """
    current = locked(commitment)
    rights = rights_over(current, author, now)
    if current.is_over:
        raise UnableToEnd(f"{current.reference} is {current.get_status_display().lower()} already.")
    require(rights.may_end, "Only leads of the two organisations can end it.")
    if not reason.strip():
        raise UnableToEnd("Give the reason.")
    side = side_of(rights)
    before = current.get_status_display()
    event = EventKind.CANCELLED
    if current.is_proposed:
        own = side is not None and side.pk == current.proposed_for_id
        event = EventKind.PROPOSAL_WITHDRAWN if own else EventKind.PROPOSAL_DECLINED
    current.status, current.status_since, current.reason = Status.CANCELLED, now, reason.strip()
    current.save(update_fields=["status", "status_since", "reason"])
    note(
        current,
        event,
        author=author,
        organisation=side,
        now=now,
        before=before,
        after=current.get_status_display(),
        reason=current.reason,
    )
    tell_listeners(commitment=current, author=author, now=now)
    tell_concerned("ended", current, author=author, now=now)
    return current


def _create(
    *,
    kind: Kind,
    giver: Organisation,
    receiver: Organisation | None,
    text: str,
    quantity: Decimal | None,
    unit: str,
    owner: User | None,
    due_on: dt.date,
    partnership: Partnership | None,
    author: User,
    side: Organisation | None,
    replaces: Commitment | None,
    came_from: From | None,
    now: dt.datetime,
    key: uuid.UUID | None = None,
) -> Commitment:
    (number,) = next_numbers()
    commitment = Commitment.objects.create(
        pk=number,
        reference=reference_for(number),
        kind=kind,
        giver=giver,
        receiver=receiver,
        text=text.strip(),
        quantity=quantity,
        unit=unit if quantity is not None else "",
        owner=owner,
        owner_organisation=giver,
        due_on=due_on,
        original_due_on=due_on,
        partnership=partnership,
        status_since=now,
        proposed_by=author,
        proposed_for=side,
        proposed_at=now,
        replaces=replaces,
        key=key,
    )
    note(
        commitment,
        EventKind.PROPOSED if kind == Kind.COMMITMENT else EventKind.ACTION_NOTED,
        author=author,
        organisation=side,
        now=now,
        after=terms_of(commitment),
    )
    if came_from is not None:
        came_from.origin.link(commitment=commitment, record_id=came_from.record_id, author=author, now=now)
    return commitment


def _check_terms(
    giver: Organisation,
    receiver: Organisation | None,
    text: str,
    quantity: Decimal | None,
    unit: str,
    owner: User | None,
    due_on: dt.date,
    today: dt.date,
) -> None:
    if receiver is not None and giver.pk == receiver.pk:
        raise UnableToPropose("A commitment is between two organisations.")
    if not text.strip():
        raise UnableToPropose("Say what is promised.")
    if quantity is not None and quantity <= 0:
        raise UnableToPropose("The quantity must be more than nothing.")
    if quantity is not None and not unit:
        raise UnableToPropose("Say what the quantity counts.")
    if due_on < today:
        raise UnableToPropose("The due date has passed already.")
    for side in (giver, receiver):
        if side is not None and side.is_ended:
            raise UnableToPropose(f"{side.display_name} has been dissolved.")
    if owner is not None and not acts_for(owner, giver):
        raise UnableToPropose(f"{owner.display_name} does not act for {giver.display_name}.")


def _check_origin(came_from: From | None, sides: tuple[Organisation, ...], author: User) -> None:
    """If the origin names both sides, allow those two only.

    Others could otherwise close a record that is not theirs.
    """
    if came_from is None:
        return
    suggestion = came_from.origin.suggest(user=author, record_id=came_from.record_id)
    if suggestion is None:
        raise UnableToPropose("You may make no commitment from that record.")
    if suggestion.pair and {side.pk for side in suggestion.pair} != {side.pk for side in sides}:
        names = " and ".join(side.display_name for side in suggestion.pair)
        raise UnableToPropose(f"A commitment from {suggestion.words} is between its two sides, {names}.")


def _check_partnership(partnership: Partnership | None, sides: tuple[Organisation, ...]) -> None:
    if partnership is None:
        return
    if partnership.is_over:
        raise UnableToPropose(f"{partnership.title} is over.")
    parties = partnership.parties.present().exclude(role=PartyRole.OBSERVER)
    present = set(parties.values_list("organisation_id", flat=True))
    for side in sides:
        if side.pk not in present:
            raise UnableToPropose(f"{side.display_name} does not take part in {partnership.title}.")
