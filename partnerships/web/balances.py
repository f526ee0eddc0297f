"""Asks and commitments between an organisation and each partner, counted in SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import TruncQuarter

from partnerships.agreements.models import Party, PartyRole, PartyStatus
from partnerships.commitments.models import UNDER_WAY, Commitment, Kind
from partnerships.commitments.models import Status as Promise
from partnerships.exchange.models import OVER, Addressee, Audience, Direction, Entry, EntryQuerySet, Fulfilment, Status
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

#: Quarters shown over time.
QUARTERS = 8
#: Roles in a partnership whose holders are asked.
_ASKED = (PartyRole.CHAIR, PartyRole.LEAD, PartyRole.MEMBER)


@dataclass(slots=True)
class Asked:
    """Asks in one direction: how many were made, met by the one asked or by others, are outstanding, or came to
    nothing.
    """

    made: int = 0
    met: int = 0
    elsewhere: int = 0
    outstanding: int = 0

    @property
    def nothing(self) -> int:
        """Declined, lapsed or withdrawn."""
        return self.made - self.met - self.elsewhere - self.outstanding

    def add(self, more: Asked) -> None:
        """Count more of them."""
        self.made += more.made
        self.met += more.met
        self.elsewhere += more.elsewhere
        self.outstanding += more.outstanding


@dataclass(slots=True)
class Promised:
    """Commitments in one direction: how many were agreed, kept, broken (cancelled or overdue), or open."""

    agreed: int = 0
    kept: int = 0
    broken: int = 0

    @property
    def outstanding(self) -> int:
        """Agreed, not yet delivered and not late."""
        return self.agreed - self.kept - self.broken


@dataclass(slots=True)
class Balance:
    """Asks and commitments in both directions between an organisation and a partner."""

    partner: Organisation | None = None
    we_asked: Asked = field(default_factory=Asked)
    they_asked: Asked = field(default_factory=Asked)
    we_promised: Promised = field(default_factory=Promised)
    they_promised: Promised = field(default_factory=Promised)

    @property
    def is_empty(self) -> bool:
        """Whether neither side has ever asked or promised anything."""
        counts = (self.we_asked.made, self.they_asked.made, self.we_promised.agreed, self.they_promised.agreed)
        return not any(counts)


@dataclass(frozen=True, slots=True)
class Quarter:
    """The asks made in one quarter, in each direction, and how many of them have been met by now."""

    label: str
    ours: Asked
    theirs: Asked


def balances(*, user: User, ours: Organisation, today: dt.date) -> list[Balance]:
    """A balance for each present partner, and each former one with any asks; by name."""
    found = _balances(user, ours, today)
    partners = Party.objects.present().filter(partnership__in=_shared(ours)).exclude(organisation=ours)
    bodies = Organisation.objects.filter(Q(pk__in=found) | Q(pk__in=partners.values("organisation")))
    return [replace(found.get(body.pk) or Balance(), partner=body) for body in bodies.order_by("name", "pk")]


def balance_with(*, user: User, ours: Organisation, theirs: Organisation, today: dt.date) -> Balance:
    """The balance with one partner."""
    return replace(_balances(user, ours, today, theirs).get(theirs.pk) or Balance(), partner=theirs)


def over_time(*, user: User, ours: Organisation, theirs: Organisation, today: dt.date) -> list[Quarter]:
    """The last `QUARTERS` quarters, the oldest first."""
    quarters = {label: Quarter(label, Asked(), Asked()) for label in _last_quarters(today)}
    for we_asked, _, quarter, asked in _asked(user, ours, theirs, by_quarter=True):
        label = _quarter(quarter) if quarter else ""
        if label in quarters:
            (quarters[label].ours if we_asked else quarters[label].theirs).add(asked)
    return list(quarters.values())


def _balances(user: User, ours: Organisation, today: dt.date, only: Organisation | None = None) -> dict[int, Balance]:
    found: dict[int, Balance] = {}
    for we_asked, partner, _, asked in _asked(user, ours, only):
        balance = found.setdefault(partner, Balance())
        (balance.we_asked if we_asked else balance.they_asked).add(asked)
    for we_promised, partner, promised in _promised(user, ours, today, only):
        balance = found.setdefault(partner, Balance())
        if we_promised:
            balance.we_promised = promised
        else:
            balance.they_promised = promised
    return found


def _shared(ours: Organisation) -> QuerySet[Party, Any]:
    return Party.objects.present().filter(organisation=ours).values("partnership")


def _asked_in(ours: Organisation) -> QuerySet[Party, Any]:
    """Its parties in partnerships that it does not only observe."""
    return _shared(ours).exclude(role=PartyRole.OBSERVER)


def _met_by(giver: Organisation | OuterRef) -> Q:
    """An ask is met and this organisation delivered part of it."""
    kept = Fulfilment.objects.filter(entry=OuterRef("pk"), commitment__status=Promise.VERIFIED, commitment__giver=giver)
    return Q(Exists(kept), status=Status.MET)


def _asked(
    user: User, ours: Organisation, only: Organisation | None, *, by_quarter: bool = False
) -> Iterable[tuple[bool, int, dt.date | None, Asked]]:
    """Whether we asked, the partner, the quarter if wanted, and how many: of the shared asks that the person may see.

    An ask is between two when it is addressed to the other by name, or to a partnership in which the other takes part;
    one to a partnership counts once for each of its parties that does not only observe. It is met by whoever delivered
    something of it. Asks of the whole network are between nobody.
    """
    asks = Entry.objects.visible_to(user).filter(direction=Direction.ASK, shared_at__isnull=False)
    to_us = asks.exclude(organisation=ours).filter(
        Q(audience=Audience.NAMED, pk__in=Addressee.objects.filter(organisation=ours).values("entry"))
        | Q(audience=Audience.PARTNERSHIP, partnership__in=_asked_in(ours))
    )
    by_us = asks.filter(organisation=ours)
    named = by_us.filter(audience=Audience.NAMED)
    if only:
        to_us = to_us.filter(organisation=only)
        named = named.filter(addressees__organisation=only)
    # One filter for both conditions: of one and the same party.
    parties = {"partnership__parties__organisation": only} if only else {}
    to_parties = by_us.filter(audience=Audience.PARTNERSHIP, partnership__in=_asked_in(ours)).filter(
        partnership__parties__status=PartyStatus.ACCEPTED, partnership__parties__role__in=_ASKED, **parties
    )
    ways: tuple[tuple[bool, EntryQuerySet, str], ...] = (
        (False, to_us, "organisation"),
        (True, named, "addressees__organisation"),
        (True, to_parties, "partnership__parties__organisation"),
    )
    for we_asked, entries, partner in ways:
        met = _met_by(OuterRef("partner") if we_asked else ours)
        keys = {"partner": F(partner), **({"quarter": TruncQuarter("shared_at")} if by_quarter else {})}
        rows = (
            entries.order_by()
            .annotate(**keys)
            .values(*keys)
            .annotate(
                made=Count("pk"),
                met=Count("pk", filter=met),
                all_met=Count("pk", filter=Q(status=Status.MET)),
                open=Count("pk", filter=~Q(status__in=OVER)),
            )
        )
        for row in rows:
            if row["partner"] != ours.pk:
                elsewhere = row["all_met"] - row["met"]
                asked = Asked(row["made"], row["met"], elsewhere, row["open"])
                yield we_asked, row["partner"], row.get("quarter"), asked


def _promised(
    user: User, ours: Organisation, today: dt.date, only: Organisation | None
) -> Iterable[tuple[bool, int, Promised]]:
    """Whether we promised, the partner, and how many; what never was agreed, or was replaced, is no promise."""
    broken = Q(status=Promise.CANCELLED, giver_confirmed_at__isnull=False, receiver_confirmed_at__isnull=False) | Q(
        status__in=UNDER_WAY, due_on__lt=today
    )
    kept = Q(status__in=[Promise.DONE, Promise.VERIFIED])
    seen = Commitment.objects.visible_to(user).filter(kind=Kind.COMMITMENT)
    for we_promised, rows, partner in (
        (True, seen.filter(giver=ours), "receiver"),
        (False, seen.filter(receiver=ours, giver__isnull=False), "giver"),
    ):
        wanted = rows.filter(**{partner: only}) if only else rows
        counted = (
            wanted.order_by()
            .values(partner)
            .annotate(
                agreed=Count("pk", filter=broken | kept | Q(status__in=UNDER_WAY)),
                kept=Count("pk", filter=kept),
                broken=Count("pk", filter=broken),
            )
        )
        for row in counted:
            yield we_promised, row[partner], Promised(row["agreed"], row["kept"], row["broken"])


def _quarter(day: dt.date) -> str:
    """A quarter as partners write it: `Jul–Sep 2026`."""
    names = ("Jan–Mar", "Apr–Jun", "Jul–Sep", "Oct–Dec")
    return f"{names[(day.month - 1) // 3]} {day.year}"


def _last_quarters(today: dt.date) -> list[str]:
    first = today.year * 4 + (today.month - 1) // 3 - QUARTERS + 1
    return [_quarter(dt.date(number // 4, number % 4 * 3 + 1, 1)) for number in range(first, first + QUARTERS)]
