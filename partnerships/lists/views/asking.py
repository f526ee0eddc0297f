"""What an address asks of the list that it names."""

from __future__ import annotations

from django.http import Http404, HttpRequest
from django.urls import reverse

from partnerships.kit.lists import find_list
from partnerships.kit.rights import require
from partnerships.lists.reading import Asked, read
from partnerships.people.requests import signed_in


def asked_of(request: HttpRequest, kind: str) -> tuple[Asked, str]:
    """What the parameters ask of the list, and the address of its page with them; 404 if there is no such list."""
    person, definition = signed_in(request), find_list(kind)
    if definition is None:
        raise Http404
    require(definition.may_open(person))
    asked = read(definition, person, request.GET)
    return asked, f"{reverse(definition.address)}{asked.address()}"
