"""Reciprocity: what an organisation and its partners asked of each other, what was met, and what is outstanding."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from partnerships.agreements.models import Party
from partnerships.commitments.models import Commitment, Kind
from partnerships.exchange.models import Addressee, Audience, Direction, Entry, Status
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import acting_memberships, organisation_for
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.web.brief import our_side

#: Quarters shown over time.
QUARTERS = 8


@dataclass(slots=True)
class Asked:
    """Asks in one direction: how many were made, met, are outstanding, or came to nothing."""

    made: int = 0
    met: int = 0
    outstanding: int = 0

    @property
    def nothing(self) -> int:
        """Declined, lapsed or withdrawn."""
        return self.made - self.met - self.outstanding

    def add(self, entry: Entry) -> None:
        """Count one more ask."""
        self.made += 1
        self.met += entry.status == Status.MET
        self.outstanding += not entry.is_over


@dataclass(slots=True)
class Promised:
    """Commitments in one direction: how many were agreed, kept, broken (cancelled or overdue), or open."""

    agreed: int = 0
    kept: int = 0
    broken: int = 0

    @property
    def outstanding(self) -> int:
        """Still to be kept, and not late."""
        return self.agreed - self.kept - self.broken

    def add(self, commitment: Commitment, today: dt.date) -> None:
        """Count one more; what never was agreed, or was agreed otherwise since, is no promise."""
        if commitment.is_under_way or commitment.is_done or commitment.is_verified or commitment.was_broken:
            self.agreed += 1
            self.kept += commitment.is_done or commitment.is_verified
            self.broken += commitment.was_broken or commitment.is_overdue(today)


@dataclass(slots=True)
class Balance:
    """Both directions between an organisation and one partner."""

    partner: Organisation
    we_asked: Asked = field(default_factory=Asked)
    they_asked: Asked = field(default_factory=Asked)
    we_promised: Promised = field(default_factory=Promised)
    they_promised: Promised = field(default_factory=Promised)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever asked or promised."""
        counts = (self.we_asked.made, self.they_asked.made, self.we_promised.agreed, self.they_promised.agreed)
        return not any(counts)


@dataclass(frozen=True, slots=True)
class Quarter:
    """The asks made in one quarter, in each direction, and how many of them have been met by now."""

    label: str
    ours: Asked
    theirs: Asked


def balances(*, user: User, ours: Organisation, today: dt.date) -> list[Balance]:
    """One balance a partner, by name: those that share a partnership today, and those there was anything with."""
    found: dict[int, Balance] = {}

    def balance(partner: Organisation) -> Balance:
        return found.setdefault(partner.pk, Balance(partner))

    shared = Party.objects.present().filter(organisation=ours).values("partnership")
    for party in Party.objects.present().filter(partnership__in=shared).select_related("organisation"):
        if party.organisation_id != ours.pk:
            balance(party.organisation)
    for entry, partner in _asks(user, ours):
        side = balance(partner)
        (side.we_asked if entry.organisation_id == ours.pk else side.they_asked).add(entry)
    for commitment in _commitments(user, ours):
        other = commitment.receiver if commitment.giver_id == ours.pk else commitment.giver
        if other is not None:
            side = balance(other)
            (side.we_promised if commitment.giver_id == ours.pk else side.they_promised).add(commitment, today)
    return sorted(found.values(), key=lambda one: (one.partner.name, one.partner.pk))


def balance_with(*, user: User, ours: Organisation, theirs: Organisation, today: dt.date) -> Balance:
    """The balance with one partner."""
    every = {one.partner.pk: one for one in balances(user=user, ours=ours, today=today)}
    return every.get(theirs.pk) or Balance(theirs)


def over_time(*, user: User, ours: Organisation, theirs: Organisation, today: dt.date) -> list[Quarter]:
    """The last `QUARTERS` quarters, the oldest first."""
    quarters = {label: Quarter(label, Asked(), Asked()) for label in _last_quarters(today)}
    for entry, partner in _asks(user, ours):
        label = _quarter(timezone.localdate(entry.shared_at)) if entry.shared_at else ""
        if partner.pk == theirs.pk and label in quarters:
            quarter = quarters[label]
            (quarter.ours if entry.organisation_id == ours.pk else quarter.theirs).add(entry)
    return list(quarters.values())


def _asks(user: User, ours: Organisation) -> Iterable[tuple[Entry, Organisation]]:
    """Every shared ask between the organisation and a partner, with that partner, as far as the person may see it.

    An ask is between two when it is addressed to the other by name, or to a partnership in which the other takes part;
    one to a partnership counts once for each of its parties. Asks of the whole network are between nobody.
    """
    shared = Party.objects.present().filter(organisation=ours).values("partnership")
    to_partnership = Q(audience=Audience.PARTNERSHIP, partnership__in=shared)
    asks = (
        Entry.objects.visible_to(user)
        .filter(direction=Direction.ASK, shared_at__isnull=False)
        .filter(
            Q(organisation=ours)
            | Q(pk__in=Addressee.objects.filter(organisation=ours).values("entry"))
            | to_partnership
        )
        .exclude(audience=Audience.NETWORK)
        .select_related("organisation")
        .order_by("pk")
    )
    entries = list(asks)
    named: dict[int, list[Organisation]] = {}
    for addressee in Addressee.objects.filter(entry__in=entries).select_related("organisation"):
        named.setdefault(addressee.entry_id, []).append(addressee.organisation)
    parties: dict[int, list[Organisation]] = {}
    for party in Party.objects.present().filter(partnership__in=shared).select_related("organisation"):
        parties.setdefault(party.partnership_id, []).append(party.organisation)
    for entry in entries:
        if entry.organisation_id != ours.pk:
            yield entry, entry.organisation
            continue
        asked = named.get(entry.pk, [])
        if entry.audience == Audience.PARTNERSHIP:
            asked = parties.get(entry.partnership_id or 0, [])
        for partner in asked:
            if partner.pk != ours.pk:
                yield entry, partner


def _commitments(user: User, ours: Organisation) -> Iterable[Commitment]:
    return (
        Commitment.objects.visible_to(user)
        .of_organisation(ours)
        .filter(kind=Kind.COMMITMENT)
        .select_related("giver", "receiver")
        .order_by("pk")
    )


def _quarter(day: dt.date) -> str:
    """`2026, July to September` as partners write it: `Jul–Sep 2026`."""
    names = ("Jan–Mar", "Apr–Jun", "Jul–Sep", "Oct–Dec")
    return f"{names[(day.month - 1) // 3]} {day.year}"


def _last_quarters(today: dt.date) -> list[str]:
    first = today.year * 4 + (today.month - 1) // 3 - QUARTERS + 1
    return [_quarter(dt.date(number // 4, number % 4 * 3 + 1, 1)) for number in range(first, first + QUARTERS)]


_WIDTH, _HEIGHT, _BASE, _BAR = 720, 220, 180, 26


def picture(quarters: list[Quarter], ours: str, theirs: str) -> SafeString:
    """Two bars a quarter, with their figures: what we asked (outlined) and what they asked (filled)."""
    most = max((max(one.ours.made, one.theirs.made) for one in quarters), default=0) or 1
    step = _WIDTH // max(len(quarters), 1)
    bars = []
    for index, quarter in enumerate(quarters):
        for offset, asked, shade in ((0, quarter.ours, "ask"), (_BAR + 4, quarter.theirs, "offer")):
            height = round(150 * asked.made / most)
            left = index * step + step // 2 - _BAR - 2 + offset
            bars.append((shade, left, _BASE - height, _BAR, height, left + _BAR // 2, _BASE - height - 5, asked.made))
    labels = [(index * step + step // 2, quarter.label) for index, quarter in enumerate(quarters)]
    return format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="Asks made each quarter by {} and by {}; the table below says '
        'the same"><line x1="0" x2="{}" y1="{}" y2="{}" stroke="#6B8288"/>{}{}</svg>',
        _WIDTH,
        _HEIGHT,
        ours,
        theirs,
        _WIDTH,
        _BASE,
        _BASE,
        format_html_join(
            "",
            '<rect class="cg-bar-{}" x="{}" y="{}" width="{}" height="{}" {}/>'
            '<text x="{}" y="{}" text-anchor="middle" font-size="13">{}</text>',
            (
                (shade, x, y, width, height, _PAINT[shade], text_x, text_y, number)
                for shade, x, y, width, height, text_x, text_y, number in bars
            ),
        ),
        format_html_join(
            "",
            '<text x="{}" y="{}" text-anchor="middle" font-size="12" fill="#4A6168">{}</text>',
            ((x, _BASE + 20, label) for x, label in labels),
        ),
    )


#: Told apart by outline and fill, not by colour alone.
_PAINT = {
    "ask": SafeString('fill="#F8E9F3" stroke="#7A1F5C" stroke-width="2"'),
    "offer": SafeString('fill="#00594F"'),
}


@require_safe
def partners(request: HttpRequest) -> HttpResponse:
    """Every partner of one's organisation, with what was asked and promised in each direction."""
    user = signed_in(request)
    ours = _ours(request, user)
    return render(
        request,
        "web/reciprocity.html",
        {
            "ours": ours,
            "balances": balances(user=user, ours=ours, today=timezone.localdate()),
            "query": request.GET.urlencode(),
        },
    )


def _ours(request: HttpRequest, user: User) -> Organisation:
    number = request.GET.get("for", "")
    if number:
        known = number.isascii() and number.isdecimal() and len(number) <= 18
        named = organisation_for(user, int(number)) if known else None
        if named is None:
            raise Http404
        return named
    acting = acting_memberships(user).first()
    if acting is None:
        raise PermissionDenied
    return acting.organisation


@require_safe
def with_partner(request: HttpRequest, pk: int) -> HttpResponse:
    """What was asked and promised in each direction with one partner, over time."""
    user = signed_in(request)
    theirs = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    ours = our_side(request, user, theirs)
    today = timezone.localdate()
    quarters = over_time(user=user, ours=ours, theirs=theirs, today=today)
    return render(
        request,
        "web/reciprocity_partner.html",
        {
            "organisation": theirs,
            "ours": ours,
            "theirs": theirs,
            "balance": balance_with(user=user, ours=ours, theirs=theirs, today=today),
            "any": any(one.ours.made or one.theirs.made for one in quarters),
            "svg": picture(quarters, ours.display_name, theirs.display_name),
            "headings": [
                "Quarter",
                f"{ours.display_name} asked",
                "of which met",
                f"{theirs.display_name} asked",
                "of which met",
            ],
            "rows": [[one.label, one.ours.made, one.ours.met, one.theirs.made, one.theirs.met] for one in quarters],
            "query": request.GET.urlencode(),
        },
    )
