"""Queries for entries of one organisation or between two, and for the events of entries that a person may see."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from partnerships.activity.registry import Records
from partnerships.agreements.models import Party
from partnerships.exchange.models import Entry, EntryQuerySet, Response
from partnerships.organisations.models import Organisation
from partnerships.organisations.naming import AsAt, show_names_of_day
from partnerships.people.models import User


def name_as_at(
    entries: Iterable[Entry], *, beside: Iterable[AsAt] = (), asked: Iterable[tuple[Entry, Organisation]] = ()
) -> None:
    """Give the organisations of the entries the names that they had at the time of sharing, with one query.

    If an entry is not over, its organisation shows the present name too. `beside` has other organisations on the page,
    each with the day for which to show its name. `asked` has entries, each with an organisation that it asks.

    Call this only for pages that show the names. The organisations must not be saved afterwards, because their names
    have been replaced.
    """
    then_only: list[AsAt] = list(beside)
    then_and_now: list[AsAt] = []
    entries_with_organisation = [(entry, entry.organisation) for entry in entries]
    entries_with_organisation += asked
    for entry, organisation in entries_with_organisation:
        day = timezone.localdate(entry.shared_at) if entry.shared_at else None
        if entry.is_over:
            then_only.append((day, organisation))
        else:
            then_and_now.append((day, organisation))
    show_names_of_day(then_only, with_present=then_and_now)


def events_of_entries(user: User, records: Records) -> Q:
    """Return the condition on events about these entries that the person may see.

    They see all events of entries that they can read now. If their party left a partnership, they also see the events
    of its entries up to that day.
    """
    former_parties = Party.objects.left_after("at", user).filter(partnership=OuterRef("within_id"))
    followed = Entry.objects.followed_by(user).filter(pk__in=records).values("pk")
    return Q(target_id__in=followed) | Q(Exists(former_parties), within_kind="partnership")


def standing_offers_of(organisation: Organisation | int, user: User) -> EntryQuerySet:
    """Return the standing offers of an organisation that the person can see, ordered by theme and title."""
    return (
        Entry.objects.visible_to(user)
        .filter(organisation=organisation, standing=True)
        .live()
        .for_listing()
        .order_by("theme", "title", "pk")
    )


def entries_between(user: User, own_side: int, other_side: int) -> EntryQuerySet:
    """Return the entries between two organisations (ids) that the person can see, the newest first.

    In such an entry, one organisation asks the other by name or through a partnership of both. An entry for the whole
    network is included only if the other organisation answered it.
    """
    both_ids = {own_side, other_side}
    own_partnerships = Party.objects.accepted().filter(organisation=own_side).values("partnership")
    common_parties = Party.objects.accepted().filter(organisation=other_side, partnership__in=own_partnerships)
    asks_by_name = Q(addressees__organisation__in=both_ids)
    asks_in_partnership = Q(audience="partnership", partnership__in=common_parties.values("partnership"))
    is_answered = Q(pk__in=Response.objects.filter(organisation__in=both_ids).values("entry"))
    return (
        Entry.objects.visible_to(user)
        .filter(organisation__in=both_ids)
        .filter(asks_by_name | asks_in_partnership | is_answered)
        .distinct()
        .for_listing()
        .order_by("-shared_at", "-pk")
    )
