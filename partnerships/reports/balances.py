"""Asks and commitments between an organisation and each partner, counted in SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.db.models import Count, DateField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import TruncQuarter

from partnerships.agreements.models import Party, PartyRole, PartyStatus
from partnerships.commitments.models import UNDER_WAY, Commitment, Kind, overdue_on
from partnerships.commitments.models import Status as Promise
from partnerships.exchange.models import OVER, Addressee, Audience, Direction, Entry, EntryQuerySet, Fulfilment, Status
from partnerships.organisations.audience import Reader
from partnerships.organisations.holdings import among, of_page
from partnerships.organisations.lineage import predecessors_summed_with
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User
from partnerships.reports.counts import AskCounts, Balance, PromiseCounts, Quarter

#: Quarters shown over time.
QUARTERS = 8
#: Roles in a partnership whose organisations an ask to the partnership asks. An observer is not asked.
_ROLES_ASKED = (PartyRole.CHAIR, PartyRole.LEAD, PartyRole.MEMBER)


def partners_of(user: Reader, ours: Organisation) -> QuerySet[Organisation]:
    """Return present partners, and former ones with any asks or commitments that the person may see; not ordered."""
    return _partners(user, ours.pk, _asked_in([ours.pk]))


def first_partners(user: Reader, ours: Organisation, count: int) -> list[Organisation]:
    """Return the first of `partners_of` by name."""
    sees_all = _sees_all_of(user, ours.pk)
    return rows_for(_first_partners, user, ours.pk, _asked_in([ours.pk]), count=count, sees_all=sees_all)


def _sees_all_of(user: Reader, ours: int) -> bool:
    """Whether the reader acts for this organisation, and so may see all its shared asks and commitments.

    The queries then leave out the conditions of `visible_to`, which would make them slower.
    """
    organisation_ids = Membership.objects.organisations_of(user) if isinstance(user, User) else []
    # Outside the request of a page these are a subquery; the general query, with `visible_to`, is then used.
    return isinstance(organisation_ids, list) and ours in organisation_ids


def _first_partners(
    user: Reader, ours: int, asked_in: list[int], *, count: int, sees_all: bool
) -> QuerySet[Organisation]:
    return _partners(user, ours, asked_in, sees_all=sees_all).order_by("name", "pk")[:count]


def _partners(user: Reader, ours: int, asked_in: list[int], *, sees_all: bool = False) -> QuerySet[Organisation]:
    present = Party.objects.present().filter(partnership__in=_shared([ours])).values("organisation")
    # Without the last direction: organisations that we ask through a partnership are present in it.
    asks = _asks(user, [ours], asked_in, sees_all=sees_all)[:-1]
    ids_by_asks = [in_direction.entries.order_by().values(in_direction.partner) for in_direction in asks]
    ids_by_promises = [
        in_direction.commitments.order_by().values(in_direction.partner)
        for in_direction in _promises(user, ours, sees_all=sees_all)
    ]
    partner_ids = present.order_by().union(*ids_by_asks, *ids_by_promises)
    return Organisation.objects.filter(pk__in=partner_ids).exclude(pk=ours)


def balances(*, user: Reader, ours: Organisation, partners: Sequence[Organisation], today: dt.date) -> list[Balance]:
    """Return the balance with each of these partners, in their order."""
    balance_by_partner = _balances(user, ours.pk, today, _ids(partners))
    return [replace(balance_by_partner.get(body.pk) or Balance(), partner=body) for body in partners]


@dataclass(frozen=True, slots=True)
class Sides:
    """Two organisations, each first, with the ended bodies whose figures count with theirs."""

    ours: Sequence[Organisation]
    theirs: Sequence[Organisation]


def sides_of(ours: Organisation, theirs: Organisation) -> Sides:
    """Return both organisations with the bodies that they alone followed."""
    return Sides([ours, *predecessors_summed_with(ours)], [theirs, *predecessors_summed_with(theirs)])


def balance_with(*, user: Reader, sides: Sides, today: dt.date) -> Balance:
    """Return the balance with one partner; predecessors are summed, and an ask to several of them counts once."""
    total = Balance(partner=sides.theirs[0])
    for group in _asked_together(user, sides):
        (total.we_asked if group.we_asked else total.they_asked).add(group.asked)
    for ours in sides.ours:
        for promises in _promised(user, ours.pk, today, _ids(sides.theirs)):
            (total.we_promised if promises.we_promised else total.they_promised).add(promises.promised)
    return total


def over_time(*, user: Reader, sides: Sides, today: dt.date) -> list[Quarter]:
    """Return the last `QUARTERS` quarters, the oldest first; predecessors are summed."""
    quarters = {label: Quarter(label, AskCounts(), AskCounts()) for label in _last_quarters(today)}
    for group in _asked_together(user, sides, by_quarter=True):
        label = _quarter(group.quarter) if group.quarter else ""
        if label in quarters:
            (quarters[label].ours if group.we_asked else quarters[label].theirs).add(group.asked)
    return list(quarters.values())


def _ids(bodies: Iterable[Organisation]) -> list[int]:
    return [body.pk for body in bodies]


def _balances(user: Reader, ours: int, today: dt.date, only: list[int]) -> dict[int, Balance]:
    balance_by_partner: dict[int, Balance] = {}
    for group in _asked(user, ours, only):
        balance = balance_by_partner.setdefault(group.partner, Balance())
        (balance.we_asked if group.we_asked else balance.they_asked).add(group.asked)
    for promises in _promised(user, ours, today, only):
        balance = balance_by_partner.setdefault(promises.partner, Balance())
        (balance.we_promised if promises.we_promised else balance.they_promised).add(promises.promised)
    return balance_by_partner


def _shared(ours: list[int]) -> QuerySet[Party, Any]:
    return Party.objects.present().filter(organisation__in=ours).values("partnership")


def _asked_in(ours: list[int]) -> list[int]:
    """Return the ids of the partnerships that one of these does not only observe.

    A list, because PostgreSQL guesses the length of a subquery badly and then reads all asks.
    """
    asked_in = _shared(ours).exclude(role=PartyRole.OBSERVER).values_list("partnership", flat=True)
    partnership_ids = of_page((_asked_in, tuple(ours)), lambda: asked_in)
    return list(asked_in) if partnership_ids is None else partnership_ids


def _met_by(giver: Q) -> Q:
    """Return the condition that an ask is met, and that a giver who matches `giver` delivered part of the ask."""
    verified_links = Fulfilment.objects.filter(giver, entry=OuterRef("pk"), commitment__status=Promise.VERIFIED)
    return Q(Exists(verified_links), status=Status.MET)


#: Whether we asked, and the path from the asks to the partner's id, in the order of `_asks`. `direction` is an index
#: of this tuple: the functions that build kept statements take no functions or querysets as arguments.
_DIRECTIONS = (
    (False, "organisation"),
    (False, "organisation"),
    (True, "addressees__organisation"),
    (True, "partnership__parties__organisation"),
)


class _Asks(NamedTuple):
    """Asks in one direction, and the path from them to the partner's id."""

    we_asked: bool
    entries: EntryQuerySet
    partner: str


def _asks(
    user: Reader, ours: list[int], asked_in: list[int], only: list[int] | None = None, *, sees_all: bool = False
) -> list[_Asks]:
    """Return shared asks that the person may see, in the four directions; `sees_all` as returned by `_sees_all_of`.

    An ask is between two when it is addressed to the other by name, or to a partnership in which the other takes part
    and does not only observe. Asks of the whole network are between nobody.
    """
    visible = Entry.objects.all() if sees_all else Entry.objects.visible_to(user)
    asks = visible.filter(direction=Direction.ASK, shared_at__isnull=False)
    by_them = asks.exclude(organisation__in=ours)
    if only is not None:
        by_them = by_them.filter(organisation__in=only)
    # Four querysets, not one with OR: PostgreSQL can then use an index for each.
    named_us = by_them.filter(
        audience=Audience.NAMED, pk__in=Addressee.objects.filter(organisation__in=ours).values("entry")
    )
    in_our_partnerships = among("partnership", asked_in)
    asked_our_partnerships = by_them.filter(in_our_partnerships, audience=Audience.PARTNERSHIP)
    by_us = asks.filter(organisation__in=ours)
    named_them = by_us.filter(audience=Audience.NAMED)
    parties: dict[str, Any] = {
        "partnership__parties__status": PartyStatus.ACCEPTED,
        "partnership__parties__role__in": _ROLES_ASKED,
    }
    if only is not None:
        named_them = named_them.filter(addressees__organisation__in=only)
        # In the same `filter` as the role and status below, so that all conditions hold for one and the same party.
        parties["partnership__parties__organisation__in"] = only
    asked_their_partnerships = by_us.filter(in_our_partnerships, audience=Audience.PARTNERSHIP).filter(**parties)
    shared_asks = (named_us, asked_our_partnerships, named_them, asked_their_partnerships)
    return [_Asks(we_asked, entries, path) for (we_asked, path), entries in zip(_DIRECTIONS, shared_asks, strict=True)]


class _AskedWith(NamedTuple):
    """How many asks there are with one partner (id) in one direction."""

    we_asked: bool
    partner: int
    asked: AskCounts


def _asked(user: Reader, ours: int, only: list[int]) -> Iterator[_AskedWith]:
    """Count the asks with each partner, by direction.

    An ask to a partnership counts once for each of its parties that does not only observe. It is met by the partner
    if that partner delivered part of it.
    """
    asked_in = _asked_in([ours])
    sees_all = _sees_all_of(user, ours)
    for direction, (we_asked, _) in enumerate(_DIRECTIONS):
        rows = rows_for(_asked_with, user, [ours], asked_in, only, direction=direction, sees_all=sees_all)
        yield from (_AskedWith(we_asked, row["partner"], _as_asked(row)) for row in rows if row["partner"] != ours)


def _asked_with(
    user: Reader, ours: list[int], asked_in: list[int], only: list[int], *, direction: int, sees_all: bool
) -> QuerySet[Entry, Any]:
    """Return the asks of one direction, counted by partner."""
    asks = _asks(user, ours, asked_in, only, sees_all=sees_all)[direction]
    met = _met_by(Q(commitment__giver=OuterRef("partner")) if asks.we_asked else Q(commitment__giver__in=ours))
    return _counted(asks.entries.annotate(partner=F(asks.partner)).values("partner"), met)


class _AskedIn(NamedTuple):
    """How many asks one side made: in one quarter, or in all time if `quarter` is None."""

    we_asked: bool
    quarter: dt.date | None
    asked: AskCounts


def _asked_together(user: Reader, sides: Sides, *, by_quarter: bool = False) -> Iterator[_AskedIn]:
    """Count the asks that our side and theirs made; an ask to several of a side counts once."""
    ours, theirs = _ids(sides.ours), _ids(sides.theirs)
    for asks in _asks(user, ours, _asked_in(ours), theirs):
        quarter = TruncQuarter("shared_at") if by_quarter else Value(None, output_field=DateField())
        met = _met_by(Q(commitment__giver__in=theirs if asks.we_asked else ours))
        rows = _counted(asks.entries.annotate(quarter=quarter).values("quarter"), met)
        yield from (_AskedIn(asks.we_asked, row["quarter"], _as_asked(row)) for row in rows)


def _counted(entries: QuerySet[Entry, Any], met: Q) -> QuerySet[Entry, Any]:
    """Return the numbers of asks per group: made, met by the one asked, met by anyone, and open.

    `distinct`, because joins to addressees and parties can repeat an ask.
    """
    return entries.order_by().annotate(
        made=Count("pk", distinct=True),
        met=Count("pk", filter=met, distinct=True),
        all_met=Count("pk", filter=Q(status=Status.MET), distinct=True),
        open=Count("pk", filter=~Q(status__in=OVER), distinct=True),
    )


def _as_asked(row: Mapping[str, Any]) -> AskCounts:
    return AskCounts(made=row["made"], met=row["met"], elsewhere=row["all_met"] - row["met"], outstanding=row["open"])


class _Promises(NamedTuple):
    """Commitments in one direction, and their field with the partner."""

    commitments: QuerySet[Commitment]
    partner: str


def _promises(user: Reader, ours: int, *, sees_all: bool = False) -> tuple[_Promises, _Promises]:
    """Return commitments that the person may see, given and received; `sees_all` as returned by `_sees_all_of`."""
    visible = (Commitment.objects.all() if sees_all else Commitment.objects.visible_to(user)).filter(
        kind=Kind.COMMITMENT
    )
    return (
        _Promises(visible.filter(giver=ours), "receiver"),
        _Promises(visible.filter(receiver=ours, giver__isnull=False), "giver"),
    )


class _PromisedWith(NamedTuple):
    """How many commitments there are with one partner (id) in one direction."""

    we_promised: bool
    partner: int
    promised: PromiseCounts


def _promised(user: Reader, ours: int, today: dt.date, only: list[int]) -> Iterator[_PromisedWith]:
    """Count the commitments with each partner, by direction.

    Commitments that were never agreed, or were replaced, do not count.
    """
    sees_all = _sees_all_of(user, ours)
    for direction, (we_promised, partner_field) in enumerate(((True, "receiver"), (False, "giver"))):
        for row in rows_for(_promised_with, user, ours, only, today=today, direction=direction, sees_all=sees_all):
            promised = PromiseCounts(agreed=row["agreed"], kept=row["kept"], broken=row["broken"])
            yield _PromisedWith(we_promised, row[partner_field], promised)


def _promised_with(
    user: Reader, ours: int, only: list[int], *, today: dt.date, direction: int, sees_all: bool
) -> QuerySet[Commitment, Any]:
    """Return the commitments of one direction, counted by partner."""
    agreed = Q(giver_confirmed_at__isnull=False, receiver_confirmed_at__isnull=False)
    broken = (agreed & Q(status=Promise.CANCELLED)) | overdue_on(today)
    kept = Q(status__in=[Promise.DONE, Promise.VERIFIED])
    commitments, partner = _promises(user, ours, sees_all=sees_all)[direction]
    by_partner: QuerySet[Commitment, Any] = commitments.filter(**{f"{partner}__in": only}).order_by().values(partner)
    return by_partner.annotate(
        agreed=Count("pk", filter=broken | kept | Q(status__in=UNDER_WAY)),
        kept=Count("pk", filter=kept),
        broken=Count("pk", filter=broken),
    )


def _quarter(day: dt.date) -> str:
    """Return a quarter as partners write it: `Jul–Sep 2026`."""
    names = ("Jan–Mar", "Apr–Jun", "Jul–Sep", "Oct–Dec")
    return f"{names[(day.month - 1) // 3]} {day.year}"


def _last_quarters(today: dt.date) -> list[str]:
    first = today.year * 4 + (today.month - 1) // 3 - QUARTERS + 1
    return [_quarter(dt.date(number // 4, number % 4 * 3 + 1, 1)) for number in range(first, first + QUARTERS)]
