"""Suggestions of bodies, types and properties, and what can be fetched."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.html import format_html

from partnerships.kit.names import fold_name
from partnerships.reconciliation.presenting import described, suggestion, type_of
from partnerships.reconciliation.queries import SUGGESTED, bodies_of, kept_ids, lineage_of, suggested
from partnerships.reconciliation.reading import clean
from partnerships.reconciliation.views.service import public_service
from partnerships.reconciliation.vocabulary import PROPERTIES, TYPES, Property

#: Suggestions beyond this are not looked up.
_FURTHEST = 1_000


@public_service("GET")
def suggest(request: HttpRequest, what: str, version: str) -> HttpResponse:
    """Suggestions for what is being typed.

    If nothing was typed yet, they are all types and properties.
    """
    typed, skip = clean(request.GET.get("prefix", "")), _number(request.GET.get("cursor", ""), _FURTHEST)
    if what == "entity":
        found = suggested(typed, skip) if typed else []
        lineage = lineage_of([organisation.pk for organisation in found], timezone.localdate())
        return JsonResponse({"result": [suggestion(organisation, lineage) for organisation in found]})
    if what == "type":
        types = [type_of(type_) for type_ in TYPES.values() if _begins(typed, type_.id, type_.name)]
        return JsonResponse({"result": types[skip : skip + SUGGESTED]})
    # OpenRefine asks here too when it adds columns: what can only be fetched comes last.
    properties = [prop for prop in PROPERTIES.values() if _begins(typed, prop.id, prop.name)]
    properties.sort(key=lambda prop: not prop.asked)
    return JsonResponse({"result": [_property(prop) for prop in properties[skip : skip + SUGGESTED]]})


@public_service("GET")
def propose(request: HttpRequest, version: str) -> HttpResponse:
    """The properties that can be fetched: the same for every type."""
    limit = _number(request.GET.get("limit", ""), len(PROPERTIES)) or len(PROPERTIES)
    given = [{"id": prop.id, "name": prop.name} for prop in PROPERTIES.values() if prop.given]
    return JsonResponse({"type": clean(request.GET.get("type", "")), "limit": limit, "properties": given[:limit]})


@public_service("GET")
def flyout(request: HttpRequest, what: str) -> HttpResponse:
    """A short text about a suggestion (version 0.2 only)."""
    code = clean(request.GET.get("id", ""))
    if what == "entity":
        bodies = bodies_of(kept_ids([code]).values())
        if not bodies:
            raise Http404
        [body] = bodies.values()
        name, about = body.name, described(body, lineage_of([body.pk], timezone.localdate()))
    elif what == "type" and code in TYPES:
        name, about = TYPES[code].name, "A type of English housing body."
    elif what == "property" and code in PROPERTIES:
        name, about = PROPERTIES[code].name, PROPERTIES[code].about
    else:
        raise Http404
    return JsonResponse({"id": code, "html": format_html("<p><strong>{}</strong></p><p>{}</p>", name, about)})


def _begins(typed: str, *texts: str) -> bool:
    """Whether one of the texts, or a word of it, begins with what is typed.

    Anything does with nothing.
    """
    wanted = fold_name(typed)
    return not wanted or any(f" {fold_name(text)}".find(f" {wanted}") >= 0 for text in texts)


def _property(one: Property) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "description": one.about}


def _number(text: str, limit: int) -> int:
    """A count in an address; 0 if it is none."""
    return min(int(text), limit) if text.isascii() and text.isdigit() and len(text) < 10 else 0
