"""Find the organisations that work together, for the network pages."""

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

#: The most organisations in a picture. With more of them, names overlap.
MAX_DRAWN = SMALL
#: The most lines in a picture, because nobody could distinguish more. Lines to the centre are drawn first.
MAX_LINES = 2 * MAX_DRAWN
#: The most partnerships that the list shows for each partner. A separate page has all of them.
MAX_TITLES = 3


def visible_partnerships(user: User) -> PartnershipQuerySet:
    """Return the live partnerships that the person may see today."""
    return Partnership.objects.visible_today_to(user).live()


def organisations_in_network(user: User) -> OrganisationQuerySet:
    """Return the organisations that take part in a partnership the person may see, in no order."""
    parties = Party.objects.accepted().filter(
        organisation=OuterRef("pk"), partnership__in=visible_partnerships(user).values("pk")
    )
    # Not `Exists`, with which PostgreSQL would join all parties before it returns the first names.
    return Organisation.objects.visible_to(user).alias(part=Subquery(parties.values("pk")[:1])).exclude(part=None)


def partnerships_shared_by(user: User, *organisation_ids: int) -> PartnershipQuerySet:
    """Return the partnerships that the person may see and in which all these organisations take part, in no order."""
    partnerships = visible_partnerships(user)
    for organisation_id in organisation_ids:
        parties = Party.objects.accepted().filter(organisation=organisation_id)
        partnerships = partnerships.filter(pk__in=parties.values("partnership"))
    return partnerships


def partnership_counts(user: User, organisations: Collection[Organisation]) -> dict[int, int]:
    """Return how many partnerships of each organisation the person may see, by the organisation's id."""
    if not organisations:
        return {}
    organisation_ids = [organisation.pk for organisation in organisations]
    return dict(rows_for(_partnership_counts, user, organisation_ids))


def _partnership_counts(user: User, organisation_ids: list[int]) -> QuerySet[Party, tuple[int, int]]:
    """Return each organisation's id, and the number of its partnerships that the person may see."""
    with for_a_few_records():
        is_visible = CheckedForEachRow(visible_partnerships(user).filter(pk=OuterRef("partnership")))
    parties = Party.objects.accepted().filter(id_is_among("organisation", organisation_ids), is_visible)
    return parties.order_by().values_list("organisation").annotate(number=Count("pk"))


@dataclass(frozen=True, slots=True)
class SharedPartnership:
    """A partnership with the ids of the organisations that take part in it."""

    pk: int
    title: str
    organisation_ids: tuple[int, ...]


def partnerships_around(user: User, centre_ids: Collection[int]) -> list[SharedPartnership]:
    """Return the partnerships of these organisations that the person may see, by title."""
    parties = Party.objects.accepted().filter(organisation__in=centre_ids)
    # Read the ids first. In one query, PostgreSQL would check the rights of every partnership in the country.
    partnership_ids = list(parties.values_list("partnership", flat=True))
    return _with_organisations(visible_partnerships(user).filter(id_is_among("pk", partnership_ids)))


def all_partnerships(user: User) -> list[SharedPartnership]:
    """Return every partnership the person may see, for a network that is small enough to be drawn."""
    return _with_organisations(visible_partnerships(user))


def _with_organisations(partnerships: PartnershipQuerySet) -> list[SharedPartnership]:
    """Return the partnerships with the ids of their present parties, by title."""
    present_ids = ArrayAgg("parties__organisation", filter=Q(parties__status=PartyStatus.ACCEPTED), default=[])
    partnerships_with_ids = partnerships.values_list("pk", "title").annotate(present_ids=present_ids)
    return [
        SharedPartnership(pk, title, tuple(organisation_ids))
        for pk, title, organisation_ids in partnerships_with_ids.order_by("title", "pk")
    ]


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The organisations to draw, and the number of partnerships that each two of them share."""

    nodes: tuple[Node, ...]
    #: By the ids of two organisations, the lower id first.
    weights: dict[tuple[int, int], int]


def neighbourhood(partnerships: Sequence[SharedPartnership], centre_ids: Set[int]) -> Neighbourhood:
    """Return the part of the network to draw around the organisations in the centre.

    It has at most `MAX_DRAWN` organisations and `MAX_LINES` lines. The partners with the most partnerships are drawn.
    """
    drawn_ids = _ids_to_draw(partnerships, centre_ids)
    drawn_id_set = set(drawn_ids)
    weights: Counter[tuple[int, int]] = Counter()
    for partnership in partnerships:
        drawn_members = sorted(drawn_id_set.intersection(partnership.organisation_ids))
        weights.update(combinations(drawn_members, 2))
    pairs_in_order = sorted(weights, key=lambda pair: (centre_ids.isdisjoint(pair), -weights[pair], pair))

    organisations = Organisation.objects.in_bulk(drawn_ids)
    nodes = tuple(
        Node(
            pk,
            organisations[pk].display_name,
            organisations[pk].kind,
            is_highlighted=pk in centre_ids,
            href=page_address("web:network-partners", pk),
        )
        for pk in drawn_ids
    )
    return Neighbourhood(nodes, {pair: weights[pair] for pair in pairs_in_order[:MAX_LINES]})


def _ids_to_draw(partnerships: Sequence[SharedPartnership], centre_ids: Set[int]) -> list[int]:
    """Return the ids of the organisations to draw, those with the most partnerships first.

    At most half of the picture is for the centre, unless there are too few partners to fill the rest.
    """
    partnership_count = Counter(pk for partnership in partnerships for pk in partnership.organisation_ids)
    ids_by_count = sorted(partnership_count, key=lambda pk: (-partnership_count[pk], pk))
    partner_ids = [pk for pk in ids_by_count if pk not in centre_ids]
    central_ids = [pk for pk in ids_by_count if pk in centre_ids]
    half = MAX_DRAWN // 2
    return [*central_ids[:half], *partner_ids, *central_ids[half:]][:MAX_DRAWN]


@dataclass(slots=True)
class Partner:
    """A partner of an organisation, with the partnerships that they share."""

    organisation: Organisation
    #: The first `MAX_TITLES` partnerships, by title.
    partnerships: list[SharedPartnership]
    #: The number of partnerships that are not listed.
    more: int = 0


def partners(organisations: Sequence[Organisation], partnerships: Iterable[SharedPartnership]) -> list[Partner]:
    """Return these organisations as partners, each with those of the partnerships in which it takes part."""
    partner_by_id = {organisation.pk: Partner(organisation, []) for organisation in organisations}
    for partnership in partnerships:
        for pk in partner_by_id.keys() & set(partnership.organisation_ids):
            partner = partner_by_id[pk]
            if len(partner.partnerships) < MAX_TITLES:
                partner.partnerships.append(partnership)
            else:
                partner.more += 1
    return list(partner_by_id.values())
