"""Asks and commitments between an organisation and each partner, counted in SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import TruncQuarter

from partnerships.agreements.models import Party, PartyRole, PartyStatus
from partnerships.commitments.models import UNDER_WAY_STATUSES, Commitment, Kind, overdue_on
from partnerships.commitments.models import Status as Promise
from partnerships.exchange.models import (
    FINAL_STATUSES,
    Addressee,
    Audience,
    Direction,
    Entry,
    EntryQuerySet,
    Fulfilment,
    Status,
)
from partnerships.organisations.audience import Reader
from partnerships.organisations.holdings import id_is_among, rows_once_a_page
from partnerships.organisations.lineage import predecessors_summed_with
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.statements import Lookup, lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.reports.counts import AskCounts, Balance, PromiseCounts, Quarter, last_quarters, quarter_label

#: Quarters shown over time.
QUARTERS = 8
#: An ask to a partnership is addressed to the organisations with these roles. Observers are not asked.
_ROLES_ASKED = (PartyRole.CHAIR, PartyRole.LEAD, PartyRole.MEMBER)


def partners_of(user: Reader, ours: Organisation) -> QuerySet[Organisation]:
    """Return the organisation's present partners, and its former partners as far as the person may know them.

    A former partner is included if the person may see an ask or a commitment between the two organisations. The
    partners are in no order.
    """
    return _partners(user, ours.pk, _asked_partnership_ids([ours.pk]))


def first_partners(user: Reader, ours: Organisation, count: int) -> list[Organisation]:
    """Return the organisation's first partners by name, at most `count`. They are those of `partners_of`."""
    sees_all = _sees_all_of(user, ours.pk)
    return rows_for(_first_partners, user, ours.pk, _asked_partnership_ids([ours.pk]), count=count, sees_all=sees_all)


def _sees_all_of(user: Reader, ours: int) -> bool:
    """Return whether the reader acts for this organisation, and so may see all its shared asks and commitments.

    The queries then leave out the conditions of `visible_to`, which would make them slower.
    """
    organisation_ids = Membership.objects.organisations_of(user) if isinstance(user, User) else []
    # Outside the request of a page, the ids are a subquery. The queries then have the conditions of `visible_to`.
    return isinstance(organisation_ids, list) and ours in organisation_ids


def _first_partners(
    user: Reader, ours: int, asked_in: list[int], *, count: int, sees_all: bool
) -> QuerySet[Organisation]:
    """Return the first partners by name."""
    return _partners(user, ours, asked_in, sees_all=sees_all).order_by("name", "pk")[:count]


def _partners(user: Reader, ours: int, asked_in: list[int], *, sees_all: bool = False) -> QuerySet[Organisation]:
    """Return the present partners, and the former ones with visible asks or commitments."""
    present_ids = (
        Party.objects.accepted().filter(partnership__in=_shared_partnership_ids([ours])).values("organisation")
    )
    # The last direction is left out, because organisations that we ask through a partnership are present partners.
    asks = _asks(user, [ours], asked_in, sees_all=sees_all)[:-1]
    ids_by_asks = [in_direction.entries.order_by().values(in_direction.partner) for in_direction in asks]
    ids_by_promises = [
        in_direction.commitments.order_by().values(in_direction.partner)
        for in_direction in _promises(user, ours, sees_all=sees_all)
    ]
    partner_ids = present_ids.order_by().union(*ids_by_asks, *ids_by_promises)
    return Organisation.objects.filter(pk__in=partner_ids).exclude(pk=ours)


def balances(*, user: Reader, ours: Organisation, partners: Sequence[Organisation], today: dt.date) -> list[Balance]:
    """Return the balance with each of these partners, in their order."""
    balance_by_partner = _balances(user, ours.pk, today, _ids(partners))
    return [replace(balance_by_partner.get(body.pk) or Balance(), partner=body) for body in partners]


@dataclass(frozen=True, slots=True)
class Sides:
    """Two organisations, each with the ended organisations whose figures are added to its own.

    In each list, the present organisation is first. For example, a council that replaced two districts is in a list of
    three.
    """

    ours: Sequence[Organisation]
    theirs: Sequence[Organisation]


def sides_with_predecessors(ours: Organisation, theirs: Organisation) -> Sides:
    """Return both organisations, each with the ended organisations that it alone replaced."""
    return Sides([ours, *predecessors_summed_with(ours)], [theirs, *predecessors_summed_with(theirs)])


def read_balance_ahead(*, user: Reader, sides: Sides, today: dt.date) -> None:
    """Read the rows of `balance_with_partner` and `balance_by_quarter` in one query."""
    lookups = _ask_lookups_of_sides(user, sides)
    for organisation in sides.ours:
        lookups += _promise_lookups(user, organisation.pk, today, _ids(sides.theirs))
    read_ahead(lookups)


def balance_with_partner(*, user: Reader, sides: Sides, today: dt.date) -> Balance:
    """Return the balance between two organisations, including the figures of their predecessors.

    An ask that was addressed to several predecessors is counted once.
    """
    balance = Balance(partner=sides.theirs[0])
    for asks in _ask_counts_of_sides(user, sides):
        balance.add_asks(asks.counts, we_asked=asks.we_asked)
    for organisation in sides.ours:
        for promises in _promise_counts(user, organisation.pk, today, _ids(sides.theirs)):
            balance.add_promises(promises.counts, we_promised=promises.we_promised)
    return balance


def balance_by_quarter(*, user: Reader, sides: Sides, today: dt.date) -> list[Quarter]:
    """Return the asks of the last `QUARTERS` quarters, the oldest first, including those of predecessors."""
    quarters = {label: Quarter(label, AskCounts(), AskCounts()) for label in last_quarters(QUARTERS, today)}
    for asks in _ask_counts_of_sides(user, sides):
        quarter = quarters.get(quarter_label(asks.quarter))
        if quarter is not None:
            counts = quarter.ours if asks.we_asked else quarter.theirs
            counts.add(asks.counts)
    return list(quarters.values())


def _ids(bodies: Iterable[Organisation]) -> list[int]:
    """Return the ids of the organisations."""
    return [body.pk for body in bodies]


def _balances(user: Reader, ours: int, today: dt.date, partner_ids: list[int]) -> dict[int, Balance]:
    """Return the balance with each of these partners, by the partner's id."""
    balance_by_partner: dict[int, Balance] = {}
    for asks in _ask_counts(user, ours, partner_ids):
        balance = balance_by_partner.setdefault(asks.partner, Balance())
        balance.add_asks(asks.counts, we_asked=asks.we_asked)
    for promises in _promise_counts(user, ours, today, partner_ids):
        balance = balance_by_partner.setdefault(promises.partner, Balance())
        balance.add_promises(promises.counts, we_promised=promises.we_promised)
    return balance_by_partner


def _shared_partnership_ids(ours: list[int]) -> QuerySet[Party, Any]:
    """Return the ids, as a subquery, of the partnerships in which one of these organisations is present."""
    return Party.objects.accepted().filter(organisation__in=ours).values("partnership")


def _asked_partnership_ids(ours: list[int]) -> list[int]:
    """Return the ids of the partnerships in which one of these organisations does more than observe.

    The ids are a list, because PostgreSQL guesses the number of rows of a subquery badly and then reads all asks.
    """
    asked_in = _shared_partnership_ids(ours).exclude(role=PartyRole.OBSERVER).values_list("partnership", flat=True)
    return rows_once_a_page((_asked_partnership_ids, tuple(ours)), lambda: asked_in)


def _is_met_by(giver: Q) -> Q:
    """Return the condition that an ask is met, and that an organisation matching `giver` delivered part of it."""
    verified_links = Fulfilment.objects.filter(giver, entry=OuterRef("pk"), commitment__status=Promise.VERIFIED)
    return Q(Exists(verified_links), status=Status.MET)


#: Whether we asked, and the path from the asks to the partner's id, in the order of `_asks`. Parameters called
#: `direction` are indexes of this tuple, because functions that compose cached statements cannot have functions or
#: querysets as arguments.
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
    user: Reader, ours: list[int], asked_in: list[int], partner_ids: list[int] | None = None, *, sees_all: bool = False
) -> list[_Asks]:
    """Return shared asks that the person may see, in the four directions of `_DIRECTIONS`.

    An ask is between two organisations if it is addressed to the other by name. It also is if it is addressed to a
    partnership in which the other takes part, except as an observer. Asks to the whole network are left out.
    `sees_all` is the result of `_sees_all_of`.
    """
    visible = Entry.objects.all() if sees_all else Entry.objects.visible_to(user)
    asks = visible.filter(direction=Direction.ASK, shared_at__isnull=False)
    by_them = asks.exclude(organisation__in=ours)
    if partner_ids is not None:
        by_them = by_them.filter(organisation__in=partner_ids)
    # There are four querysets, not one with OR, so that PostgreSQL can use an index for each.
    named_us = by_them.filter(
        audience=Audience.NAMED, pk__in=Addressee.objects.filter(organisation__in=ours).values("entry")
    )
    in_our_partnerships = id_is_among("partnership", asked_in)
    asked_our_partnerships = by_them.filter(in_our_partnerships, audience=Audience.PARTNERSHIP)
    by_us = asks.filter(organisation__in=ours)
    named_them = by_us.filter(audience=Audience.NAMED)
    parties: dict[str, Any] = {
        "partnership__parties__status": PartyStatus.ACCEPTED,
        "partnership__parties__role__in": _ROLES_ASKED,
    }
    if partner_ids is not None:
        named_them = named_them.filter(addressees__organisation__in=partner_ids)
        # This is in the same `filter` as the role and the status below, so that the same party meets all conditions.
        parties["partnership__parties__organisation__in"] = partner_ids
    asked_their_partnerships = by_us.filter(in_our_partnerships, audience=Audience.PARTNERSHIP).filter(**parties)
    shared_asks = (named_us, asked_our_partnerships, named_them, asked_their_partnerships)
    return [_Asks(we_asked, entries, path) for (we_asked, path), entries in zip(_DIRECTIONS, shared_asks, strict=True)]


class _AsksWithPartner(NamedTuple):
    """The number of asks with one partner (by id) in one direction."""

    we_asked: bool
    partner: int
    counts: AskCounts


def _ask_counts(user: Reader, ours: int, partner_ids: list[int]) -> Iterator[_AsksWithPartner]:
    """Count the asks with each partner, by direction.

    An ask to a partnership is counted for each of its parties except observers. For example, an ask to a partnership of
    three councils is counted once with each council. The council that delivered part of it has met the ask.
    """
    asked_in = _asked_partnership_ids([ours])
    sees_all = _sees_all_of(user, ours)
    for direction, (we_asked, _) in enumerate(_DIRECTIONS):
        rows = rows_for(_asks_by_partner, user, [ours], asked_in, partner_ids, direction=direction, sees_all=sees_all)
        yield from (
            _AsksWithPartner(we_asked, row["partner"], _to_ask_counts(row)) for row in rows if row["partner"] != ours
        )


def _asks_by_partner(
    user: Reader, ours: list[int], asked_in: list[int], partner_ids: list[int], *, direction: int, sees_all: bool
) -> QuerySet[Entry, Any]:
    """Return the asks of one direction, counted by partner."""
    asks = _asks(user, ours, asked_in, partner_ids, sees_all=sees_all)[direction]
    met = _is_met_by(Q(commitment__giver=OuterRef("partner")) if asks.we_asked else Q(commitment__giver__in=ours))
    return _with_counts(asks.entries.annotate(partner=F(asks.partner)).values("partner"), met)


class _AsksOfSide(NamedTuple):
    """The number of asks that one organisation made in a quarter, which begins at `quarter`."""

    we_asked: bool
    quarter: dt.datetime
    counts: AskCounts


def _ask_counts_of_sides(user: Reader, sides: Sides) -> list[_AsksOfSide]:
    """Count the asks that each organisation made to the other by quarter, including asks by and to predecessors.

    An ask that was addressed to several predecessors is counted once.
    """

    def read_counts() -> Iterator[_AsksOfSide]:
        for (we_asked, _), asks in zip(_DIRECTIONS, _ask_lookups_of_sides(user, sides), strict=True):
            for row in rows_for(asks.compose, *asks.arguments, **asks.named):
                yield _AsksOfSide(we_asked, row["quarter"], _to_ask_counts(row))

    key = (_ask_counts_of_sides, user, tuple(_ids(sides.ours)), tuple(_ids(sides.theirs)))
    return rows_once_a_page(key, read_counts)


def _ask_lookups_of_sides(user: Reader, sides: Sides) -> list[Lookup]:
    """Return the lookup for each direction of asks between the two organisations."""
    ours, theirs = _ids(sides.ours), _ids(sides.theirs)
    asked_in = _asked_partnership_ids(ours)
    return [
        lookup(_asks_by_quarter, user, ours, asked_in, theirs, direction=direction)
        for direction in range(len(_DIRECTIONS))
    ]


def _asks_by_quarter(
    user: Reader, ours: list[int], asked_in: list[int], theirs: list[int], *, direction: int
) -> QuerySet[Entry, Any]:
    """Return the asks of one direction, counted by the quarter in which they were shared."""
    asks = _asks(user, ours, asked_in, theirs)[direction]
    met = _is_met_by(Q(commitment__giver__in=theirs if asks.we_asked else ours))
    return _with_counts(asks.entries.annotate(quarter=TruncQuarter("shared_at")).values("quarter"), met)


def _with_counts(entries: QuerySet[Entry, Any], met: Q) -> QuerySet[Entry, Any]:
    """Add to each group the numbers of asks made, met by the organisation asked, met by anyone, and open.

    Each number counts distinct asks, because joins to addressees and parties can repeat an ask.
    """
    return entries.order_by().annotate(
        made=Count("pk", distinct=True),
        met=Count("pk", filter=met, distinct=True),
        all_met=Count("pk", filter=Q(status=Status.MET), distinct=True),
        open=Count("pk", filter=~Q(status__in=FINAL_STATUSES), distinct=True),
    )


def _to_ask_counts(row: Mapping[str, Any]) -> AskCounts:
    """Return the counts in a row of `_with_counts`."""
    return AskCounts(made=row["made"], met=row["met"], elsewhere=row["all_met"] - row["met"], outstanding=row["open"])


#: Whether we promised, and the field with the partner, in the order of `_promises`.
_PROMISE_DIRECTIONS = ((True, "receiver"), (False, "giver"))


class _Promises(NamedTuple):
    """Commitments in one direction, and the name of the field with the partner."""

    commitments: QuerySet[Commitment]
    partner: str


def _promises(user: Reader, ours: int, *, sees_all: bool = False) -> tuple[_Promises, _Promises]:
    """Return the commitments that the person may see, first those that we gave, then those that we receive.

    `sees_all` is the result of `_sees_all_of`.
    """
    visible = (Commitment.objects.all() if sees_all else Commitment.objects.visible_to(user)).filter(
        kind=Kind.COMMITMENT
    )
    return (
        _Promises(visible.filter(giver=ours), "receiver"),
        _Promises(visible.filter(receiver=ours, giver__isnull=False), "giver"),
    )


class _PromisesWithPartner(NamedTuple):
    """The number of commitments with one partner (by id) in one direction."""

    we_promised: bool
    partner: int
    counts: PromiseCounts


def _promise_counts(user: Reader, ours: int, today: dt.date, partner_ids: list[int]) -> Iterator[_PromisesWithPartner]:
    """Count the commitments with each partner, by direction.

    Commitments that were never agreed, or were replaced by another, are left out.
    """
    lookups = _promise_lookups(user, ours, today, partner_ids)
    for (we_promised, partner_field), promises in zip(_PROMISE_DIRECTIONS, lookups, strict=True):
        for row in rows_for(promises.compose, *promises.arguments, **promises.named):
            counts = PromiseCounts(agreed=row["agreed"], kept=row["kept"], broken=row["broken"])
            yield _PromisesWithPartner(we_promised, row[partner_field], counts)


def _promise_lookups(user: Reader, ours: int, today: dt.date, partner_ids: list[int]) -> list[Lookup]:
    """Return the lookup for each direction of commitments."""
    sees_all = _sees_all_of(user, ours)
    return [
        lookup(_commitments_by_partner, user, ours, partner_ids, today=today, direction=direction, sees_all=sees_all)
        for direction in range(len(_PROMISE_DIRECTIONS))
    ]


def _commitments_by_partner(
    user: Reader, ours: int, partner_ids: list[int], *, today: dt.date, direction: int, sees_all: bool
) -> QuerySet[Commitment, Any]:
    """Return the commitments of one direction, counted by partner."""
    agreed = Q(giver_confirmed_at__isnull=False, receiver_confirmed_at__isnull=False)
    broken = (agreed & Q(status=Promise.CANCELLED)) | overdue_on(today)
    kept = Q(status__in=[Promise.DONE, Promise.VERIFIED])
    commitments, partner = _promises(user, ours, sees_all=sees_all)[direction]
    by_partner: QuerySet[Commitment, Any] = (
        commitments.filter(**{f"{partner}__in": partner_ids}).order_by().values(partner)
    )
    return by_partner.annotate(
        agreed=Count("pk", filter=broken | kept | Q(status__in=UNDER_WAY_STATUSES)),
        kept=Count("pk", filter=kept),
        broken=Count("pk", filter=broken),
    )
