"""Hand over records without an owner to people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from contextlib import suppress

from django.db import transaction
from django.utils import timezone

from partnerships.kit.rights import UnableToAct, require
from partnerships.organisations.departures import Departure
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.owned import OwnershipHandover, UnableToHandOver, owned_kind_with_code, owned_kinds
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.recording import lock_organisation
from partnerships.people.models import User


@transaction.atomic
def hand_over_records(
    *,
    organisation: Organisation,
    kind: str,
    records: Collection[int],
    to: User,
    reason: str,
    author: User,
    now: dt.datetime,
) -> int:
    """Hand over records of one kind without an owner to a person, all or none; return their number.

    Raises `UnableToHandOver`.
    """
    locked_organisation = lock_organisation(organisation.pk)
    require(roles_of(author, now).leads(locked_organisation.pk))
    day = timezone.localdate(now)
    if not reason.strip():
        raise UnableToHandOver("Enter a reason.")
    if not Membership.objects.current(day).of_person(to).filter(organisation=locked_organisation).exists():
        raise UnableToHandOver(
            f"{to.display_name} does not act for {locked_organisation.name}. Choose someone who does."
        )
    owned_kind = owned_kind_with_code(kind)
    ownerless_records = owned_kind.without_owner(locked_organisation.pk, now)
    record_ids = [record.pk for record in ownerless_records if record.pk in records]
    if not record_ids or len(record_ids) < len(set(records)):
        raise UnableToHandOver(
            "Another person has already handed over some of the records you ticked. Reload the "
            "page to see what is left."
        )

    for pk in record_ids:
        owned_kind.hand_over(
            OwnershipHandover(
                pk=pk, organisation=locked_organisation, to=to, reason=reason.strip(), author=author, now=now
            )
        )
    return len(record_ids)


def hand_over_to_colleague(departure: Departure) -> int:
    """Hand over a leaver's records to the colleague who takes over, and return their number.

    A record is left without an owner if the author may not hand it over or the colleague may not own it. The leads then
    decide.
    """
    membership, successor, author = departure.membership, departure.successor, departure.author
    if successor is None or author is None:
        return 0
    organisation = membership.organisation
    day = timezone.localdate(departure.now)

    count = 0
    for kind in owned_kinds():
        if not kind.goes_to_colleague:
            continue
        for record in kind.held(membership.person, organisation, day):
            handover = OwnershipHandover(
                pk=record.pk,
                organisation=organisation,
                to=successor,
                reason=f"The colleague who was responsible no longer acts for {organisation.display_name}.",
                author=author,
                now=departure.now,
            )
            with suppress(UnableToHandOver, UnableToAct):
                kind.hand_over(handover)
                count += 1
    return count
