"""Read a partnership as it was when an organisation left it, from the row history.

The row to read was written while the partnership was locked for the departure. Times cannot find this row, because a
row gets the time at which its transaction started. The transaction may then have waited for the lock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, When
from django.utils import timezone
from pghistory import create_event

from partnerships.activity.models import Event
from partnerships.agreements.models import LEFT_BEHIND, Partnership, Party, PartyStatus
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def record_state_for_leavers(partnership: Partnership) -> None:
    """Record the partnership as it is now, for a party that leaves. Call with the partnership locked."""
    create_event(partnership, label=LEFT_BEHIND)


def former_party(user: User, partnership: Partnership) -> Party | None:
    """Return the former party through which the person may read the partnership as it was.

    Returns None for people who may read the partnership in full today.
    """
    return former_parties(user, [partnership.pk]).get(partnership.pk)


def former_parties(user: User, partnership_ids: Collection[int]) -> dict[int, Party]:
    """Return the former party through which the person may read each partnership, by partnership id.

    Partnerships that the person may read in full today are left out.
    """
    # While a page is made, these ids are in memory and save the query for most people.
    left_partnership_ids = Party.objects.remembered_partnership_ids(user, Q(status=PartyStatus.LEFT))
    if left_partnership_ids is not None and not set(left_partnership_ids).intersection(partnership_ids):
        return {}
    readable_today = Partnership.objects.readable_today_by(user).filter(pk__in=partnership_ids).values("pk")
    parties = former_parties_of(user).filter(partnership__in=partnership_ids).exclude(partnership__in=readable_today)
    return {party.partnership_id: party for party in parties}


def former_parties_of(user: User) -> QuerySet[Party]:
    """Return the former parties of the person's organisations, one for each partnership.

    If several of the person's organisations left a partnership, this is the party that left last.
    """
    own_former_parties = Party.objects.filter(
        status=PartyStatus.LEFT, organisation__in=Organisation.objects.of_person(user)
    )
    return own_former_parties.order_by("partnership", "-left_at", "pk").distinct("partnership")


def partnership_as_read_by(user: User, partnership: Partnership) -> Partnership:
    """Return the partnership as it is or, for people of a former party, as it was when the party left.

    Never save the result, because its columns may come from the history.
    """
    party = former_party(user, partnership)
    return partnership if party is None else as_party_left_it(partnership, party)


def as_party_left_it(partnership: Partnership, party: Party) -> Partnership:
    """Set the partnership's columns back to their values when the party left, and return the partnership."""
    restore_past_values([partnership], {partnership.pk: party})
    return partnership


def restore_past_values(partnerships: Iterable[Partnership], parties: Mapping[int, Party]) -> None:
    """Set each partnership's columns back to their values when its party left, in one query.

    `parties` are the former parties by partnership id. Partnerships without a former party remain as they are.
    """
    if not parties:
        return
    past_row_by_partnership = {row.pgh_obj_id: row for row in _rows_when_left(parties)}
    column_names = [field.attname for field in Partnership._meta.concrete_fields if not field.primary_key]
    for partnership in partnerships:
        if partnership.pk in parties and (left_at := parties[partnership.pk].left_at):
            partnership.read_on = timezone.localdate(left_at)
        past_row = past_row_by_partnership.get(partnership.pk)
        if past_row is not None:
            for name in column_names:
                setattr(partnership, name, getattr(past_row, name))


def _rows_when_left(parties: Mapping[int, Party]) -> QuerySet[Any]:
    """Return one row of the history for each partnership, with its state when its party (by partnership id) left.

    `record_state_for_leavers` wrote this row. Before the site wrote such rows, parties left without one. For them, this
    is the last row before they left or, if there is none, the first row of all.
    """
    leaving_times = Party.objects.filter(
        pk__in=[party.pk for party in parties.values()], partnership=OuterRef("pgh_obj_id")
    )
    written_for_leavers = Q(pgh_label=LEFT_BEHIND, pgh_created_at__gte=F("left_at"))
    before_leaving = Q(pgh_created_at__lte=F("left_at"))
    rows: QuerySet[Any] = (
        Partnership.pgh_event_model.objects.filter(pgh_obj_id__in=list(parties))  # type: ignore[attr-defined]  # made by pghistory
        .annotate(left_at=Subquery(leaving_times.values("left_at")[:1]))
        .annotate(rank=Case(When(written_for_leavers, then=0), When(before_leaving, then=1), default=2))
        # Of the rows before the departure, the newest comes first. Of all other rows, the oldest does.
        .order_by(
            "pgh_obj_id",
            "rank",
            Case(When(rank=1, then=F("pgh_created_at"))).desc(nulls_last=True),
            Case(When(rank=1, then=F("pgh_id"))).desc(nulls_last=True),
            "pgh_id",
        )
        .distinct("pgh_obj_id")
    )
    return rows


def parties_when_left(party: Party) -> list[Party]:
    """Return all parties of the partnership as they were when this party left, by role and name.

    The party that left is included. Never save these parties, because they come from the history.
    """
    events = Party.pgh_event_model.objects.filter(partnership_id=party.partnership_id)  # type: ignore[attr-defined]  # made by pghistory
    # Take only the first such event: the status becomes "left" again when a new invitation is declined.
    leaving_event = (
        events.filter(pgh_obj_id=party.pk, status=PartyStatus.LEFT, left_at=party.left_at).order_by("pgh_id").first()
    )
    if leaving_event is None:
        return [party]
    newest_events = (
        events.filter(pgh_id__lte=leaving_event.pgh_id).order_by("pgh_obj_id", "-pgh_id").distinct("pgh_obj_id")
    )
    column_names = [field.attname for field in Party._meta.concrete_fields if not field.primary_key]
    past_parties = [
        Party(pk=event.pgh_obj_id, **{name: getattr(event, name) for name in column_names}) for event in newest_events
    ]
    organisation_by_pk = Organisation.objects.in_bulk([past_party.organisation_id for past_party in past_parties])
    for past_party in past_parties:
        past_party.organisation = organisation_by_pk[past_party.organisation_id]
    return sorted(past_parties, key=lambda past_party: (past_party.role, past_party.organisation.name, past_party.pk))


def organisations_when_left(parties: Iterable[Party]) -> dict[int, set[int]]:
    """Return the ids of the organisations that still took part when each party left, by partnership id.

    The organisation that left is not among them. Makes one query.
    """
    leaver_by_partnership = {party.partnership_id: party for party in parties}
    events = Party.pgh_event_model.objects.filter(partnership_id__in=list(leaver_by_partnership)).order_by("pgh_id")  # type: ignore[attr-defined]  # made by pghistory
    # The events are in the order in which they happened. These are the statuses of the organisations so far.
    statuses_by_partnership: dict[int, dict[int, str]] = {pk: {} for pk in leaver_by_partnership}
    present_ids_by_partnership: dict[int, set[int]] = {}
    for partnership_id, party_id, organisation_id, status, left_at in events.values_list(
        "partnership_id", "pgh_obj_id", "organisation_id", "status", "left_at"
    ):
        statuses = statuses_by_partnership[partnership_id]
        statuses[organisation_id] = status
        leaver = leaver_by_partnership[partnership_id]
        is_leaving = party_id == leaver.pk and status == PartyStatus.LEFT and left_at == leaver.left_at
        # Take only the first such event: the status becomes "left" again when a new invitation is declined.
        if is_leaving and partnership_id not in present_ids_by_partnership:
            present_ids_by_partnership[partnership_id] = {
                pk for pk, status_then in statuses.items() if status_then == PartyStatus.ACCEPTED
            }
    return present_ids_by_partnership


def areas_when_left(partnership: Partnership, party: Party) -> list[str]:
    """Return the names of the partnership's areas when the party left.

    If the areas have changed since, the first event about such a change has the earlier names.
    """
    later_events = Event.objects.filter(target_kind="partnership", target_id=partnership.pk, at__gt=party.left_at)
    first_change = later_events.filter(data__before__has_key="areas").order_by("pk").first()
    if first_change is not None:
        return list(first_change.data["before"]["areas"])
    return list(partnership.areas.order_by("name", "pk").values_list("name", flat=True))
