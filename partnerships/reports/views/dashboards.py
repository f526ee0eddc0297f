"""Dashboards of the network, of a partnership and of an organisation."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.agreements.models import Partnership
from partnerships.organisations.models import Organisation
from partnerships.people.requests import signed_in
from partnerships.reports import dashboards


@require_safe
def network_dashboard(request: HttpRequest) -> HttpResponse:
    """Show the dashboard of everything that the reader may read."""
    return _dashboard(request, None, dashboards.NETWORK_TILE_FILTERS)


@require_safe
def partnership_dashboard(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the dashboard of a partnership that the reader takes part in."""
    partnership = get_object_or_404(Partnership.objects.readable_today_by(signed_in(request)), pk=pk)
    return _dashboard(request, partnership, dashboards.partnership_tile_filters(partnership))


@require_safe
def organisation_dashboard(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the dashboard of an organisation that the reader acts for."""
    organisation = get_object_or_404(Organisation.objects.of_person(signed_in(request)), pk=pk)
    return _dashboard(request, organisation, dashboards.organisation_tile_filters(organisation))


def _dashboard(
    request: HttpRequest, body: Partnership | Organisation | None, tile_filters: dashboards.TileFilters
) -> HttpResponse:
    """Show the dashboard, or one of its tiles.

    The page fetches each tile in a separate request (`?tile=contact`), so that a slow report delays only its tile.
    Without JavaScript, a link on the page shows all tiles at once (`?whole=1`).
    """
    reader, now = signed_in(request), timezone.now()
    if "tile" in request.GET:
        chosen_filters = [(slug, filters) for slug, filters in tile_filters if slug == request.GET["tile"]]
        if not chosen_filters:
            raise Http404
        (tile,) = dashboards.computed_tiles(chosen_filters, reader, now)
        return render(request, "reports/_tile.html", {"tile": tile})

    is_whole = "whole" in request.GET
    if is_whole:
        tiles = dashboards.computed_tiles(tile_filters, reader, now)
    else:
        tiles = dashboards.waiting_tiles(tile_filters)
    return render(request, "reports/dashboard.html", {"body": body, "tiles": tiles, "is_whole": is_whole})
