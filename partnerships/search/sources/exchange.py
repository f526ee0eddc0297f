"""Index rows of asks and offers, without their private notes."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from partnerships.exchange.models import Entry
from partnerships.exchange.models.routes import ROUTES
from partnerships.organisations.holdings import id_is_among
from partnerships.people.models import User
from partnerships.search.entries import EntryRow, joined_lines
from partnerships.search.sources.source import KindNames, Source, check_by_record, readers_by_routes
from partnerships.search.sources.texts import all_names_of


def _entry_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield a row for each ask or offer."""
    readers = readers_by_routes(Entry, ROUTES, ids)
    entries = Entry.objects.filter(pk__in=ids).select_related("organisation")
    for entry in entries.prefetch_related("areas", "organisation__names"):
        yield EntryRow(
            object_id=entry.pk,
            kind=entry.direction,
            title=entry.title,
            text=joined_lines(
                entry.statement,
                entry.rationale,
                entry.conditions,
                entry.site,
                ", ".join(sorted(area.name for area in entry.areas.all())),
                all_names_of(entry.organisation),
            ),
            partnership_id=entry.partnership_id,
            organisation_id=entry.organisation_id,
            day=timezone.localdate(entry.shared_at or entry.created_at),
            path=reverse("exchange:detail", args=[entry.pk]),
            readers=readers[entry.pk],
        )


def _readable_entries(user: User, ids: list[int]) -> QuerySet[Entry, int]:
    """Return the ids of the asks and offers that the person may read."""
    return Entry.objects.visible_to(user).filter(id_is_among("pk", ids)).values_list("pk", flat=True)


ENTRIES = Source(
    code="entry",
    model=Entry,
    kinds={"ask": KindNames("Ask", "Asks"), "offer": KindNames("Offer", "Offers")},
    read=_entry_rows,
    check=check_by_record(_readable_entries),
    follows={
        "exchange_entry.id": ("pk",),
        "exchange_entry_areas.entry_id": ("pk",),
        "exchange_addressee.entry_id": ("pk",),
        "agreements_party.partnership_id": ("partnership",),
        "organisations_organisation.id": ("organisation",),
        "organisations_organisationname.organisation_id": ("organisation",),
    },
)
