"""Read the list that an address names, with the filters and order of its parameters."""

from __future__ import annotations

from django.http import Http404, HttpRequest
from django.urls import reverse

from partnerships.kit.lists import find_list
from partnerships.kit.rights import require
from partnerships.lists.reading import Listing, read
from partnerships.people.requests import signed_in


def listing_of(request: HttpRequest, kind: str) -> tuple[Listing, str]:
    """Return the list with the parameters of the request, and the address of its page, or raise 404."""
    person, definition = signed_in(request), find_list(kind)
    if definition is None:
        raise Http404
    require(definition.may_open(person))
    listing = read(definition, person, request.GET)
    return listing, f"{reverse(definition.address)}{listing.address()}"
