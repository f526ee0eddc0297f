"""A partnership as it was when an organisation left it.

Row history is read up to a line that was written while the partnership was locked, not up to a time: the database
stamps a row with the start of its transaction, which may be earlier than the departure that it waited for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, When
from django.utils import timezone
from pghistory import create_event

from partnerships.activity.models import Event
from partnerships.agreements.models import LEFT_BEHIND, Partnership, Party, PartyStatus
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def keep_for_leavers(partnership: Partnership) -> None:
    """Record the partnership as it is now, for a party that leaves. Call with the partnership locked."""
    create_event(partnership, label=LEFT_BEHIND)


def former_party(user: User, partnership: Partnership) -> Party | None:
    """Return the former party through which the person reads the partnership, or None.

    None also for people of a present party.
    """
    return former_parties(user, [partnership.pk]).get(partnership.pk)


def former_parties(user: User, partnerships: Collection[int]) -> dict[int, Party]:
    """Return the former party through which the person reads each partnership.

    Leaves out partnerships whose present state the person reads in full.
    """
    partnerships_left = Party.objects.held_in(user, Q(status=PartyStatus.LEFT))
    if partnerships_left is not None and not set(partnerships_left).intersection(partnerships):
        return {}
    inside = Partnership.objects.inside_for(user).filter(pk__in=partnerships).values("pk")
    rows = former_of(user).filter(partnership__in=partnerships).exclude(partnership__in=inside)
    return {party.partnership_id: party for party in rows}


def former_of(user: User) -> QuerySet[Party]:
    """Return the parties through which the person's organisations left; of each partnership the one that left last."""
    former = Party.objects.filter(status=PartyStatus.LEFT, organisation__in=Organisation.objects.of_person(user))
    return former.order_by("partnership", "-left_at", "pk").distinct("partnership")


def as_read_by(user: User, partnership: Partnership) -> Partnership:
    """Return the partnership as the person may read it: as it is, or as it was.

    Never save the result: it may come from history.
    """
    party = former_party(user, partnership)
    return partnership if party is None else as_then(partnership, party)


def as_then(partnership: Partnership, party: Party) -> Partnership:
    """Return the partnership with the terms that it had when the party left."""
    set_back([partnership], {partnership.pk: party})
    return partnership


def set_back(partnerships: Iterable[Partnership], parties: Mapping[int, Party]) -> None:
    """Give each partnership the terms that it had when its party (by partnership id) left.

    One query. The terms come from the row that was kept for leavers; without one, from the last row before the party
    left; without that either, from the first.
    """
    if not parties:
        return
    leaving_times = Party.objects.filter(
        pk__in=[party.pk for party in parties.values()], partnership=OuterRef("pgh_obj_id")
    )
    unchanged, before = Q(pgh_label=LEFT_BEHIND, pgh_created_at__gte=F("left_at")), Q(pgh_created_at__lte=F("left_at"))
    rows = (
        Partnership.pgh_event_model.objects.filter(pgh_obj_id__in=list(parties))  # type: ignore[attr-defined]  # made by pghistory
        .annotate(left_at=Subquery(leaving_times.values("left_at")[:1]))
        .annotate(rank=Case(When(unchanged, then=0), When(before, then=1), default=2))
        .order_by(
            "pgh_obj_id",
            "rank",
            Case(When(rank=1, then=F("pgh_created_at"))).desc(nulls_last=True),
            Case(When(rank=1, then=F("pgh_id"))).desc(nulls_last=True),
            "pgh_id",
        )
        .distinct("pgh_obj_id")
    )
    past_rows = {row.pgh_obj_id: row for row in rows}
    for partnership in partnerships:
        if partnership.pk in parties and (left_at := parties[partnership.pk].left_at):
            partnership.read_on = timezone.localdate(left_at)
        if partnership.pk in past_rows:
            for field in Partnership._meta.concrete_fields:
                if not field.primary_key:
                    setattr(partnership, field.attname, getattr(past_rows[partnership.pk], field.attname))


def parties_then(party: Party) -> list[Party]:
    """Return all parties as they were when this one left, by role and name.

    Includes the one that left. Never save the result.
    """
    events = Party.pgh_event_model.objects.filter(partnership_id=party.partnership_id)  # type: ignore[attr-defined]  # made by pghistory
    # The first such line: the status is left again when a new invitation is declined.
    leaving = (
        events.filter(pgh_obj_id=party.pk, status=PartyStatus.LEFT, left_at=party.left_at).order_by("pgh_id").first()
    )
    if leaving is None:
        return [party]
    newest = events.filter(pgh_id__lte=leaving.pgh_id).order_by("pgh_obj_id", "-pgh_id").distinct("pgh_obj_id")
    names = [field.attname for field in Party._meta.concrete_fields if not field.primary_key]
    parties = [Party(pk=row.pgh_obj_id, **{name: getattr(row, name) for name in names}) for row in newest]
    organisations = Organisation.objects.in_bulk([party.organisation_id for party in parties])
    for past_party in parties:
        past_party.organisation = organisations[past_party.organisation_id]
    return sorted(parties, key=lambda party: (party.role, party.organisation.name, party.pk))


def present_then(parties: Iterable[Party]) -> dict[int, set[int]]:
    """Return the organisations that took part when each of these parties left, by partnership id. One query."""
    leaving = {party.partnership_id: party for party in parties}
    events = Party.pgh_event_model.objects.filter(partnership_id__in=list(leaving)).order_by("pgh_id")  # type: ignore[attr-defined]  # made by pghistory
    status: dict[int, dict[int, str]] = {pk: {} for pk in leaving}
    organisations: dict[int, set[int]] = {}
    for partnership, party, organisation, new_status, left_at in events.values_list(
        "partnership_id", "pgh_obj_id", "organisation_id", "status", "left_at"
    ):
        status[partnership][organisation] = new_status
        leaver = leaving[partnership]
        # The first such line: the status is left again when a new invitation is declined.
        is_leaving = party == leaver.pk and new_status == PartyStatus.LEFT and left_at == leaver.left_at
        if is_leaving and partnership not in organisations:
            organisations[partnership] = {
                member for member, state in status[partnership].items() if state == PartyStatus.ACCEPTED
            }
    return organisations


def areas_then(partnership: Partnership, party: Party) -> list[str]:
    """Return the names of its areas when the party left.

    From the first change since then, which holds the earlier names.
    """
    since = Event.objects.filter(target_kind="partnership", target_id=partnership.pk, at__gt=party.left_at)
    first_change = since.filter(data__before__has_key="areas").order_by("pk").first()
    if first_change is not None:
        return list(first_change.data["before"]["areas"])
    return list(partnership.areas.order_by("name", "pk").values_list("name", flat=True))
