"""Queries of the network pages: which organisations work together, as far as a reader may know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence, Set
from dataclasses import dataclass
from itertools import combinations

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from partnerships.agreements.models import Partnership, PartnershipQuerySet, Party, PartyStatus
from partnerships.kit.addresses import page_address
from partnerships.kit.networks import SMALL, Node
from partnerships.organisations.holdings import CheckedForEachRow, for_a_few_records, id_is_among
from partnerships.organisations.models import Organisation, OrganisationQuerySet
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User

#: The most organisations in a picture: with more, names overlap.
MAX_DRAWN = SMALL
#: The most lines in a picture: nobody could distinguish more. Lines to the centre are drawn first.
MAX_LINES = 2 * MAX_DRAWN
#: The most partnerships that the list shows beside each partner. A separate page has all of them.
MAX_TITLES = 3


def known_partnerships(user: User) -> PartnershipQuerySet:
    """Return the live partnerships that the person may see today."""
    return Partnership.objects.visible_today_to(user).live()


def organisations_in_network(user: User) -> OrganisationQuerySet:
    """Return the organisations that take part in a partnership the person may know of, in no order."""
    parties = Party.objects.accepted().filter(
        organisation=OuterRef("pk"), partnership__in=known_partnerships(user).values("pk")
    )
    # A subquery instead of `Exists`, for which PostgreSQL would join all parties before it returns the first names.
    return Organisation.objects.visible_to(user).alias(part=Subquery(parties.values("pk")[:1])).exclude(part=None)


def shared_with(user: User, *organisations: int) -> PartnershipQuerySet:
    """Return the partnerships, known to the person, in which all these organisations take part, in no order."""
    shared = known_partnerships(user)
    for organisation in organisations:
        shared = shared.filter(pk__in=Party.objects.accepted().filter(organisation=organisation).values("partnership"))
    return shared


def partnership_counts(user: User, organisations: Collection[Organisation]) -> dict[int, int]:
    """Return the number of partnerships that the person may know of, for each organisation."""
    return (
        dict(rows_for(_partnership_counts, user, [organisation.pk for organisation in organisations]))
        if organisations
        else {}
    )


def _partnership_counts(user: User, organisations: list[int]) -> QuerySet[Party, tuple[int, int]]:
    """Return each organisation's id, and the number of its partnerships that the person may know of."""
    with for_a_few_records():
        known = known_partnerships(user).filter(pk=OuterRef("partnership"))
    parties = Party.objects.accepted().filter(id_is_among("organisation", organisations), CheckedForEachRow(known))
    return parties.order_by().values_list("organisation").annotate(number=Count("pk"))


@dataclass(frozen=True, slots=True)
class KnownPartnership:
    """A partnership and the organisations that take part in it."""

    pk: int
    title: str
    organisations: tuple[int, ...]


def partnerships_around(user: User, centre: Collection[int]) -> list[KnownPartnership]:
    """Return the partnerships of these organisations that the person may know of, by title."""
    parties = Party.objects.accepted().filter(organisation__in=centre)
    # The ids are read first, because PostgreSQL would otherwise check the rights of every partnership in the country.
    ids = list(parties.values_list("partnership", flat=True))
    return _shared(known_partnerships(user).filter(id_is_among("pk", ids)))


def all_partnerships(user: User) -> list[KnownPartnership]:
    """Return every partnership the person may know of, for a network that is small enough to be drawn."""
    return _shared(known_partnerships(user))


def _shared(partnerships: PartnershipQuerySet) -> list[KnownPartnership]:
    """Return the partnerships with the ids of their present parties, by title."""
    present = ArrayAgg("parties__organisation", filter=Q(parties__status=PartyStatus.ACCEPTED), default=[])
    rows = partnerships.values_list("pk", "title").annotate(present=present).order_by("title", "pk")
    return [KnownPartnership(pk, title, tuple(bodies)) for pk, title, bodies in rows]


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Organisations to draw, and the number of partnerships that each two of them share."""

    nodes: tuple[Node, ...]
    weights: dict[tuple[int, int], int]


def neighbourhood(partnerships: Iterable[KnownPartnership], centre: Set[int]) -> Neighbourhood:
    """Choose what to draw: these organisations, and the partners with the most partnerships.

    At most `MAX_DRAWN` organisations are drawn.
    """
    all_shared = list(partnerships)
    partnership_counts_by_id = Counter(pk for shared in all_shared for pk in shared.organisations)
    ids_by_count = sorted(partnership_counts_by_id, key=lambda pk: (-partnership_counts_by_id[pk], pk))
    partner_ids = [pk for pk in ids_by_count if pk not in centre]
    centre_ids = [pk for pk in ids_by_count if pk in centre]
    # At most half of the picture is for the centre, unless there are too few partners to fill the rest.
    half = MAX_DRAWN // 2
    drawn = [*centre_ids[:half], *partner_ids, *centre_ids[half:]][:MAX_DRAWN]

    weights: Counter[tuple[int, int]] = Counter()
    for shared in all_shared:
        drawn_members = sorted(set(drawn).intersection(shared.organisations))
        weights.update(combinations(drawn_members, 2))

    bodies = Organisation.objects.in_bulk(drawn)
    nodes = (
        Node(
            pk,
            bodies[pk].display_name,
            bodies[pk].kind,
            is_highlighted=pk in centre,
            href=page_address("web:network-partners", pk),
        )
        for pk in drawn
    )

    pairs_in_order = sorted(weights, key=lambda pair: (centre.isdisjoint(pair), -weights[pair], pair))
    return Neighbourhood(tuple(nodes), {pair: weights[pair] for pair in pairs_in_order[:MAX_LINES]})


@dataclass(slots=True)
class Partner:
    """A partner with the first partnerships that it shares, by title, and the number of further ones."""

    organisation: Organisation
    partnerships: list[KnownPartnership]
    more: int = 0


def partners(organisations: Sequence[Organisation], partnerships: Iterable[KnownPartnership]) -> list[Partner]:
    """Return these organisations as partners, each with the partnerships in which it takes part."""
    partner_by_id = {organisation.pk: Partner(organisation, []) for organisation in organisations}
    for shared in partnerships:
        for pk in partner_by_id.keys() & set(shared.organisations):
            if len(partner_by_id[pk].partnerships) < MAX_TITLES:
                partner_by_id[pk].partnerships.append(shared)
            else:
                partner_by_id[pk].more += 1
    return list(partner_by_id.values())
