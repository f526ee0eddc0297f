"""Pages about the balance of asks and commitments with each partner."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from partnerships.kit.charts import bar_chart
from partnerships.kit.http import keyset_page
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import acting_memberships
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.reports.balances import (
    balance_by_quarter,
    balance_with_partner,
    balances,
    first_partners,
    partners_of,
    read_balance_ahead,
    sides_with_predecessors,
)
from partnerships.reports.counts import AskCounts, Quarter
from partnerships.web.brief import chosen_side, our_side_for


def asks_chart(quarters: list[Quarter], ours: str, theirs: str) -> SafeString:
    """Return a bar chart of asks by quarter, with our bars filled and theirs outlined."""
    groups = [
        (quarter.label, ((quarter.ours.made, str(quarter.ours.made)), (quarter.theirs.made, str(quarter.theirs.made))))
        for quarter in quarters
    ]
    label = f"Asks made each quarter by {ours} and by {theirs}. The table gives the figures"
    return bar_chart(label, (f"asked by {ours}", f"asked by {theirs}"), groups)


@require_safe
def partners(request: HttpRequest) -> HttpResponse:
    """Show the balance with every partner of the reader's organisation."""
    user = signed_in(request)
    ours = _ours(request, user)
    page = keyset_page(
        request,
        partners_of(user, ours),
        order=("name", "pk"),
        read_first_rows=lambda count: first_partners(user, ours, count),
    )
    context = {
        "ours": ours,
        "page": page,
        "balances": balances(user=user, ours=ours, partners=page.rows, today=timezone.localdate()),
        "query": urlencode({"for": ours.pk}) if "for" in request.GET else "",
    }
    return render(request, "web/reciprocity.html", context)


def _ours(request: HttpRequest, user: User) -> Organisation:
    """Return the organisation whose balances are shown: the one in `for`, else where the person has most rights.

    Raises `PermissionDenied` if the person acts for no organisation.
    """
    chosen = chosen_side(request, user)
    if chosen is not None:
        return chosen
    membership = acting_memberships(user).first()
    if membership is None:
        raise PermissionDenied
    return membership.organisation


def _counts(asked: AskCounts) -> tuple[int, int, int]:
    """Return one side's three cells in a row of the table of quarters."""
    return asked.made, asked.met, asked.outstanding


@require_safe
def with_partner(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the balance with one partner, by quarter."""
    user = signed_in(request)
    theirs = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    ours = our_side_for(request, user, theirs)
    today = timezone.localdate()
    sides = sides_with_predecessors(ours, theirs)
    read_balance_ahead(user=user, sides=sides, today=today)
    quarters = balance_by_quarter(user=user, sides=sides, today=today)
    return render(
        request,
        "web/reciprocity_partner.html",
        {
            "organisation": theirs,
            "ours": ours,
            "theirs": theirs,
            "summed": [*sides.ours[1:], *sides.theirs[1:]],
            "balance": balance_with_partner(user=user, sides=sides, today=today),
            "any": any(quarter.ours.made or quarter.theirs.made for quarter in quarters),
            "svg": asks_chart(quarters, ours.display_name, theirs.display_name),
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
                [quarter.label, *(count for side in (quarter.ours, quarter.theirs) for count in _counts(side))]
                for quarter in quarters
            ],
            "query": request.GET.urlencode(),
        },
    )
