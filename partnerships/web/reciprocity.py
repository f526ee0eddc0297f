"""Pages about the balance of asks and commitments with each partner."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from partnerships.kit.http import keyset_page
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import acting_memberships, organisation_for
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.web.balances import Asked, Quarter, balance_with, balances, over_time, partners_of, sides_of
from partnerships.web.brief import our_side

_WIDTH, _HEIGHT, _BASE, _BAR = 720, 250, 210, 26


def picture(quarters: list[Quarter], ours: str, theirs: str) -> SafeString:
    """A bar chart of asks by quarter: ours filled, theirs outlined."""
    highest = max((max(one.ours.made, one.theirs.made) for one in quarters), default=0) or 1
    step = _WIDTH // max(len(quarters), 1)
    bars = []
    for index, quarter in enumerate(quarters):
        for offset, asked, shade in ((0, quarter.ours, "ours"), (_BAR + 4, quarter.theirs, "theirs")):
            height = round(150 * asked.made / highest)
            left = index * step + step // 2 - _BAR - 2 + offset
            bars.append((shade, left, _BASE - height, _BAR, height, left + _BAR // 2, _BASE - height - 5, asked.made))
    labels = [(index * step + step // 2, quarter.label) for index, quarter in enumerate(quarters)]
    return format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="Asks made each quarter by {} and by {}; the table has these '
        'figures"><line x1="0" x2="{}" y1="{}" y2="{}" stroke="#6B8288"/>{}{}{}</svg>',
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
        _legend(ours, theirs),
    )


def _legend(ours: str, theirs: str) -> SafeString:
    """The legend above the chart."""
    return format_html_join(
        "",
        '<rect x="{}" y="3" width="16" height="16" {}/><text x="{}" y="16" font-size="14">{}</text>',
        ((left, _PAINT[shade], left + 24, f"asked by {name}") for left, shade, name in _places(ours, theirs)),
    )


def _places(ours: str, theirs: str) -> tuple[tuple[int, str, str], ...]:
    return ((1, "ours", ours), (_WIDTH // 2, "theirs", theirs))


#: Fill and outline distinguish the two organisations; the colours of ask and offer would mislead.
_PAINT = {
    "ours": SafeString('fill="#0B5A75" stroke="#0B5A75" stroke-width="2"'),
    "theirs": SafeString('fill="#FFFFFF" stroke="#0B5A75" stroke-width="2"'),
}


@require_safe
def partners(request: HttpRequest) -> HttpResponse:
    """The balance with every partner of the reader's organisation."""
    user = signed_in(request)
    ours = _ours(request, user)
    page = keyset_page(request, partners_of(user, ours), order=("name", "pk"))
    context = {
        "ours": ours,
        "page": page,
        "balances": balances(user=user, ours=ours, partners=page.rows, today=timezone.localdate()),
        "query": urlencode({"for": ours.pk}) if "for" in request.GET else "",
    }
    return render(request, "web/reciprocity.html", context)


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


def _counts(asked: Asked) -> tuple[int, int, int]:
    return asked.made, asked.met, asked.outstanding


@require_safe
def with_partner(request: HttpRequest, pk: int) -> HttpResponse:
    """The balance with one partner, by quarter."""
    user = signed_in(request)
    theirs = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    ours = our_side(request, user, theirs)
    today = timezone.localdate()
    sides = sides_of(ours, theirs)
    quarters = over_time(user=user, sides=sides, today=today)
    return render(
        request,
        "web/reciprocity_partner.html",
        {
            "organisation": theirs,
            "ours": ours,
            "theirs": theirs,
            "summed": [*sides.ours[1:], *sides.theirs[1:]],
            "balance": balance_with(user=user, sides=sides, today=today),
            "any": any(one.ours.made or one.theirs.made for one in quarters),
            "svg": picture(quarters, ours.display_name, theirs.display_name),
            "headings": [
                "Quarter",
                f"{ours.display_name} asked",
                "of which met",
                "outstanding",
                f"{theirs.display_name} asked",
                "of which met",
                "outstanding",
            ],
            "rows": [
                [one.label, *(count for side in (one.ours, one.theirs) for count in _counts(side))] for one in quarters
            ],
            "query": request.GET.urlencode(),
        },
    )
