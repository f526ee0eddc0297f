"""Lock a partnership and its parties, and record events and journal lines about them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import TextChoices

from partnerships.activity.services import record
from partnerships.agreements.models import Partnership, Party
from partnerships.kit import journal
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User


def record_event(
    partnership: Partnership,
    event: TextChoices,
    *,
    author: User | None,
    now: dt.datetime,
    organisation: Organisation | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Record an action of the author in a partnership, and the organisation for which the author acted."""
    record(
        actor_id=author.pk if author else None,
        organisation_id=organisation.pk if organisation else None,
        kind=event,
        target_kind="partnership",
        target_id=partnership.pk,
        within_kind="partnership",
        within_id=partnership.pk,
        now=now,
        data={"title": partnership.title} | (data or {}),
    )


def lock_partnership(partnership_id: int) -> Partnership:
    """Lock the partnership and return it. Check rights and status only after locking."""
    return Partnership.objects.select_for_update().get(pk=partnership_id)


def lock_party(party: Party) -> tuple[Partnership, Party]:
    """Lock the partnership, then the party, and return both."""
    partnership = lock_partnership(party.partnership_id)
    locked_party = Party.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=party.pk)
    return partnership, locked_party


def copy_to_caller(party: Party, locked_party: Party) -> None:
    """Copy the saved columns of the locked row to the caller's object."""
    for name in ("role", "status", "answered_at", "answered_by_id", "reason", "joined_on", "left_on", "left_at"):
        setattr(party, name, getattr(locked_party, name))


def acting_for(partnership: Partnership, author: User | None) -> int | None:
    """Return the id of the organisation for which the author acts in the partnership, or None."""
    if author is None:
        return None
    memberships = Membership.objects.current().of_person(author)
    parties = partnership.parties.accepted().filter(organisation__in=memberships.values("organisation"))
    return parties.order_by("pk").values_list("organisation_id", flat=True).first()


#: Name of the lines in the journal which record that an organisation takes part, or no longer does.
PARTY = "party"


def party_identity(partnership: Partnership, organisation: Organisation) -> str:
    """Return the hash by which the journal recognises the part of an organisation in a partnership."""
    return journal.identity(partnership.pk, partnership.created_at, organisation.pk, organisation.created_at)


def journal_party(partnership: Partnership, party: Party, *, now: dt.datetime, takes_part: bool = False) -> None:
    """Note in the journal whether the party takes part from now on."""
    identity = party_identity(partnership, party.organisation)
    journal.note(PARTY, now=now, party=party.pk, same=identity, role=party.role, undone=takes_part)
