"""Pages that show which organisations work together, and in which partnerships."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from partnerships.kit.http import Page, keyset_page
from partnerships.kit.networks import lay_out
from partnerships.organisations.holdings import id_is_among
from partnerships.organisations.models import Organisation
from partnerships.organisations.presenting import kind_choices
from partnerships.organisations.queries import find_organisations
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.web import neighbours

_BY_NAME = ("name", "pk")


@require_safe
def network(request: HttpRequest) -> HttpResponse:
    """Show a picture of the reader's own part of the network, and all its organisations by name."""
    user = signed_in(request)
    query = request.GET.get("q", "").strip()
    organisations = neighbours.organisations_in_network(user)
    if query:
        organisations = organisations.filter(pk__in=find_organisations(user=user, text=query).values("pk"))
    page = keyset_page(request, organisations, order=_BY_NAME, size=neighbours.MAX_DRAWN)
    counts = neighbours.partnership_counts(user, page.rows)
    context: dict[str, object] = {
        "page": page,
        "rows": [(row, counts.get(row.pk, 0)) for row in page.rows],
        "query": query,
    }
    if getattr(request, "htmx", False):
        return render(request, "web/_network_results.html", context)
    own_organisations = list(Organisation.objects.of_person(user).order_by(*_BY_NAME))
    context["own"] = own_organisations
    # Only the first page has a picture.
    if not query and not page.previous:
        context |= _own_picture(user, page, {organisation.pk for organisation in own_organisations})
    return render(request, "web/network.html", context)


def _own_picture(user: User, first_page: Page[Organisation], own_ids: set[int]) -> dict[str, object]:
    """Return the context of a picture of the network.

    A small network is drawn as a whole. Of a larger one, only the part around the reader's organisations is drawn. The
    context is empty if the network is large and the reader acts for no organisation.
    """
    if not first_page.next:
        neighbourhood = neighbours.neighbourhood(neighbours.all_partnerships(user), own_ids)
    elif own_ids:
        neighbourhood = neighbours.neighbourhood(neighbours.partnerships_around(user, own_ids), own_ids)
    else:
        return {}
    return {**_drawing(neighbourhood), "is_whole": not first_page.next}


def _drawing(neighbourhood: neighbours.Neighbourhood) -> dict[str, object]:
    """Return the template context of the picture, which is empty if there are no lines."""
    if not neighbourhood.weights:
        return {}
    picture = lay_out(neighbourhood.nodes, neighbourhood.weights)
    return {"picture": picture, "kinds": kind_choices(place.node.kind for place in picture.nodes)}


@require_safe
def partners(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the partners of an organisation, with the partnerships that they share."""
    user = signed_in(request)
    organisation = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    shared_partnerships = neighbours.partnerships_around(user, [pk])
    member_ids = {member_id for partnership in shared_partnerships for member_id in partnership.organisation_ids}
    partner_ids = sorted(member_ids - {pk})
    page = keyset_page(request, Organisation.objects.filter(id_is_among("pk", partner_ids)), order=_BY_NAME)
    context = {
        "organisation": organisation,
        "page": page,
        "rows": neighbours.partners(page.rows, shared_partnerships),
        **({} if page.previous else _drawing(neighbours.neighbourhood(shared_partnerships, {pk}))),
    }
    return render(request, "web/network_partners.html", context)


@require_safe
def pair(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """Show the partnerships in which two organisations both take part."""
    user = signed_in(request)
    organisations = Organisation.objects.visible_to(user).in_bulk([pk, other])
    if len(organisations) < 2:
        raise Http404
    partnerships = neighbours.partnerships_shared_by(user, pk, other)
    page = keyset_page(request, partnerships, order=("title", "pk"), size=50)
    context = {"organisation": organisations[pk], "partner": organisations[other], "page": page}
    return render(request, "web/network_pair.html", context)
