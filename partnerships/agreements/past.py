"""A partnership as it was when an organisation left it.

Row history is read up to a line that was written while the partnership was locked, not up to a time: the database
stamps a row with the start of its transaction, which may be earlier than the departure that it waited for.
"""

from __future__ import annotations

from pghistory import create_event

from partnerships.activity.models import Event
from partnerships.agreements.models import LEFT_BEHIND, Partnership, Party, PartyStatus
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def keep_for_leavers(partnership: Partnership) -> None:
    """Record the partnership as it is now, for a party that leaves.

    Call with the partnership locked.
    """
    create_event(partnership, label=LEFT_BEHIND)


def former_party(user: User, partnership: Partnership) -> Party | None:
    """The former party through which the person reads it, or None.

    None also for people of a present party.
    """
    if Partnership.objects.inside_for(user).filter(pk=partnership.pk).exists():
        return None
    return (
        Party.objects.filter(
            partnership=partnership, status=PartyStatus.LEFT, organisation__in=Organisation.objects.of_person(user)
        )
        .order_by("-left_at", "pk")
        .first()
    )


def as_read_by(user: User, partnership: Partnership) -> Partnership:
    """The partnership as the person may read it: as it is, or as it was.

    Never save the result: it may come from history.
    """
    party = former_party(user, partnership)
    return partnership if party is None else as_then(partnership, party)


def as_then(partnership: Partnership, party: Party) -> Partnership:
    """The partnership with the terms it had when the party left."""
    events = Partnership.pgh_event_model.objects.filter(pgh_obj_id=partnership.pk)  # type: ignore[attr-defined]  # made by pghistory
    then = (
        events.filter(pgh_label=LEFT_BEHIND, pgh_created_at__gte=party.left_at).order_by("pgh_id").first()
        or events.filter(pgh_created_at__lte=party.left_at).order_by("-pgh_created_at", "-pgh_id").first()
        or events.order_by("pgh_id").first()
    )
    if then is not None:
        for field in Partnership._meta.concrete_fields:
            if not field.primary_key:
                setattr(partnership, field.attname, getattr(then, field.attname))
    return partnership


def parties_then(party: Party) -> list[Party]:
    """All parties as they were when this one left, by role and name.

    Includes the one that left. Never save the result.
    """
    events = Party.pgh_event_model.objects.filter(partnership_id=party.partnership_id)  # type: ignore[attr-defined]  # made by pghistory
    leaving = events.filter(pgh_obj_id=party.pk, status=PartyStatus.LEFT).order_by("-pgh_id").first()
    if leaving is None:
        return [party]
    newest = events.filter(pgh_id__lte=leaving.pgh_id).order_by("pgh_obj_id", "-pgh_id").distinct("pgh_obj_id")
    names = [field.attname for field in Party._meta.concrete_fields if not field.primary_key]
    parties = [Party(pk=row.pgh_obj_id, **{name: getattr(row, name) for name in names}) for row in newest]
    bodies = Organisation.objects.in_bulk([one.organisation_id for one in parties])
    for one in parties:
        one.organisation = bodies[one.organisation_id]
    return sorted(parties, key=lambda one: (one.role, one.organisation.name, one.pk))


def areas_then(partnership: Partnership, party: Party) -> list[str]:
    """Names of its areas when the party left.

    From the first change since then, which holds the earlier names.
    """
    since = Event.objects.filter(target_kind="partnership", target_id=partnership.pk, at__gt=party.left_at)
    changed = since.filter(data__before__has_key="areas").order_by("pk").first()
    if changed is not None:
        return list(changed.data["before"]["areas"])
    return list(partnership.areas.order_by("name", "pk").values_list("name", flat=True))
