"""Read a partnership as it was when an organisation left it, from the row history.

The history is read up to a row that was written while the partnership was locked, and not up to a time: the time of a
row is the start of its transaction, and the transaction may have waited for the departure.
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


def record_state_for_leavers(partnership: Partnership) -> None:
    """Record the partnership as it is now, for a party that leaves. Call with the partnership locked."""
    create_event(partnership, label=LEFT_BEHIND)


def former_party(user: User, partnership: Partnership) -> Party | None:
    """Return the former party for which the person reads the partnership.

    Returns None for people who may read the partnership in full today.
    """
    return former_parties(user, [partnership.pk]).get(partnership.pk)


def former_parties(user: User, partnerships: Collection[int]) -> dict[int, Party]:
    """Return the former party for which the person reads each partnership, by partnership id.

    Partnerships that the person may read in full today are left out.
    """
    partnerships_left = Party.objects.remembered_partnership_ids(user, Q(status=PartyStatus.LEFT))
    if partnerships_left is not None and not set(partnerships_left).intersection(partnerships):
        return {}
    readable_today = Partnership.objects.readable_today_by(user).filter(pk__in=partnerships).values("pk")
    rows = former_parties_of(user).filter(partnership__in=partnerships).exclude(partnership__in=readable_today)
    return {party.partnership_id: party for party in rows}


def former_parties_of(user: User) -> QuerySet[Party]:
    """Return the former parties of the person's organisations: for each partnership, the party that left last."""
    former_parties_of_person = Party.objects.filter(
        status=PartyStatus.LEFT, organisation__in=Organisation.objects.of_person(user)
    )
    return former_parties_of_person.order_by("partnership", "-left_at", "pk").distinct("partnership")


def partnership_as_read_by(user: User, partnership: Partnership) -> Partnership:
    """Return the partnership as the person may read it: as it is, or as it was.

    Never save the result: it may come from history.
    """
    party = former_party(user, partnership)
    return partnership if party is None else as_party_left_it(partnership, party)


def as_party_left_it(partnership: Partnership, party: Party) -> Partnership:
    """Return the partnership, with its columns set back to the values that they had when the party left."""
    restore_past_values([partnership], {partnership.pk: party})
    return partnership


def restore_past_values(partnerships: Iterable[Partnership], parties: Mapping[int, Party]) -> None:
    """Give each partnership the columns that it had when its party (by partnership id) left, in one query.

    The columns come from the row that `record_state_for_leavers` wrote. Parties that left before such rows were written
    get the last row before they left or, if there is none, the first row.
    """
    if not parties:
        return
    leaving_times = Party.objects.filter(
        pk__in=[party.pk for party in parties.values()], partnership=OuterRef("pgh_obj_id")
    )
    kept_for_leavers = Q(pgh_label=LEFT_BEHIND, pgh_created_at__gte=F("left_at"))
    before_leaving = Q(pgh_created_at__lte=F("left_at"))
    rows = (
        Partnership.pgh_event_model.objects.filter(pgh_obj_id__in=list(parties))  # type: ignore[attr-defined]  # made by pghistory
        .annotate(left_at=Subquery(leaving_times.values("left_at")[:1]))
        .annotate(rank=Case(When(kept_for_leavers, then=0), When(before_leaving, then=1), default=2))
        .order_by(
            "pgh_obj_id",
            "rank",
            Case(When(rank=1, then=F("pgh_created_at"))).desc(nulls_last=True),
            Case(When(rank=1, then=F("pgh_id"))).desc(nulls_last=True),
            "pgh_id",
        )
        .distinct("pgh_obj_id")
    )
    past_row_by_pk = {row.pgh_obj_id: row for row in rows}
    column_names = [field.attname for field in Partnership._meta.concrete_fields if not field.primary_key]
    for partnership in partnerships:
        if partnership.pk in parties and (left_at := parties[partnership.pk].left_at):
            partnership.read_on = timezone.localdate(left_at)
        past_row = past_row_by_pk.get(partnership.pk)
        if past_row is not None:
            for name in column_names:
                setattr(partnership, name, getattr(past_row, name))


def parties_when_left(party: Party) -> list[Party]:
    """Return all parties of the partnership as they were when this party left, by role and name.

    The party that left is included. Never save the result: it comes from the history.
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
    names = [field.attname for field in Party._meta.concrete_fields if not field.primary_key]
    parties = [Party(pk=row.pgh_obj_id, **{name: getattr(row, name) for name in names}) for row in newest_events]
    organisations = Organisation.objects.in_bulk([party.organisation_id for party in parties])
    for past_party in parties:
        past_party.organisation = organisations[past_party.organisation_id]
    return sorted(parties, key=lambda party: (party.role, party.organisation.name, party.pk))


def organisations_when_left(parties: Iterable[Party]) -> dict[int, set[int]]:
    """Return the ids of the organisations that took part when each of these parties left, by partnership id.

    Makes one query.
    """
    leaver_by_partnership = {party.partnership_id: party for party in parties}
    events = Party.pgh_event_model.objects.filter(partnership_id__in=list(leaver_by_partnership)).order_by("pgh_id")  # type: ignore[attr-defined]  # made by pghistory
    #: For each partnership, the status of each organisation up to the event that the loop has reached.
    statuses_so_far: dict[int, dict[int, str]] = {pk: {} for pk in leaver_by_partnership}
    present_ids: dict[int, set[int]] = {}
    for partnership, party, organisation, status, left_at in events.values_list(
        "partnership_id", "pgh_obj_id", "organisation_id", "status", "left_at"
    ):
        statuses_so_far[partnership][organisation] = status
        leaver = leaver_by_partnership[partnership]
        is_leaving = party == leaver.pk and status == PartyStatus.LEFT and left_at == leaver.left_at
        # Take only the first such event: the status becomes "left" again when a new invitation is declined.
        if is_leaving and partnership not in present_ids:
            present_ids[partnership] = {
                member for member, state in statuses_so_far[partnership].items() if state == PartyStatus.ACCEPTED
            }
    return present_ids


def areas_when_left(partnership: Partnership, party: Party) -> list[str]:
    """Return the names of the partnership's areas when the party left.

    If the areas have changed since, the first event about such a change has the earlier names.
    """
    later_events = Event.objects.filter(target_kind="partnership", target_id=partnership.pk, at__gt=party.left_at)
    first_change = later_events.filter(data__before__has_key="areas").order_by("pk").first()
    if first_change is not None:
        return list(first_change.data["before"]["areas"])
    return list(partnership.areas.order_by("name", "pk").values_list("name", flat=True))
