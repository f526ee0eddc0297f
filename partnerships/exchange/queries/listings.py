"""Entries of one organisation or between two, and events about entries."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from partnerships.activity.registry import Records
from partnerships.agreements.models import Party
from partnerships.exchange.models import Entry, EntryQuerySet, Response
from partnerships.organisations.models import Organisation
from partnerships.organisations.naming import AsAt, show_as_at
from partnerships.people.models import User


def name_as_at(
    entries: Iterable[Entry], *, beside: Iterable[AsAt] = (), asked: Iterable[tuple[Entry, Organisation]] = ()
) -> None:
    """Let entries, for a page that only shows them, name organisations as on the day they were shared; one query.

    Those that are not over say the present name too. `asked`: an entry with an organisation that it asks. `beside`:
    what else the page shows, with its day.
    """
    named = [*((entry, entry.organisation) for entry in entries), *asked]
    pairs = [
        (named_entry.is_over, (timezone.localdate(named_entry.shared_at) if named_entry.shared_at else None, body))
        for named_entry, body in named
    ]
    over = [pair for is_over, pair in pairs if is_over]
    show_as_at([*over, *beside], with_present=[pair for is_over, pair in pairs if not is_over])


def events_of_entries(user: User, records: Records) -> Q:
    """The condition on events about these entries that the person may see.

    These are events of entries they can read now, and of partnerships they left, up to that day.
    """
    former = Party.objects.left_after("at", user).filter(partnership=OuterRef("within_id"))
    followed = Entry.objects.followed_by(user).filter(pk__in=records).values("pk")
    return Q(target_id__in=followed) | Q(Exists(former), within_kind="partnership")


def standing_offers_of(organisation: Organisation | int, user: User) -> EntryQuerySet:
    """The standing offers of an organisation that the person can see."""
    return (
        Entry.objects.visible_to(user)
        .filter(organisation=organisation, standing=True)
        .live()
        .for_listing()
        .order_by("theme", "title", "pk")
    )


def entries_between(*, user: User, ours: Organisation, theirs: Organisation) -> EntryQuerySet:
    """Entries between two organisations that the person can see.

    They ask each other by name or through a partnership that both belong to. An entry for the whole network counts only
    if one of them answered it.
    """
    pair = {ours.pk, theirs.pk}
    shared = Party.objects.present().filter(organisation=ours).values("partnership")
    both = Party.objects.present().filter(organisation=theirs, partnership__in=shared).values("partnership")
    answered = Response.objects.filter(organisation__in=pair).values("entry")
    return (
        Entry.objects.visible_to(user)
        .filter(organisation__in=pair)
        .filter(
            Q(addressees__organisation__in=pair) | Q(audience="partnership", partnership__in=both) | Q(pk__in=answered)
        )
        .distinct()
        .for_listing()
        .order_by("-shared_at", "-pk")
    )
