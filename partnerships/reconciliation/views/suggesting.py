"""Suggestions of bodies, types and properties, and the properties that can be fetched."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.html import format_html

from partnerships.kit.names import fold_name
from partnerships.reconciliation.presenting import description_of_body, suggestion_json, type_json
from partnerships.reconciliation.queries import SUGGESTED, lineage_of, suggested_bodies
from partnerships.reconciliation.reading import clean
from partnerships.reconciliation.views.service import public_service
from partnerships.reconciliation.views.showing import body_or_404
from partnerships.reconciliation.vocabulary import PROPERTIES, TYPES

#: The largest number of suggestions that a client can skip.
_MAX_SKIPPED = 1_000


@public_service("GET")
def suggest(request: HttpRequest, what: str, version: str) -> HttpResponse:
    """Return the bodies, types or properties that fit the text that a person is typing.

    Before the person types anything, all types and properties are returned, but no bodies.
    """
    typed = clean(request.GET.get("prefix", ""))
    skip = _capped_number(request.GET.get("cursor", ""), maximum=_MAX_SKIPPED)
    if what == "entity":
        result = _bodies(typed, skip)
    elif what == "type":
        result = _types(typed)[skip : skip + SUGGESTED]
    else:
        result = _properties(typed)[skip : skip + SUGGESTED]
    return JsonResponse({"result": result})


def _bodies(typed: str, skip: int) -> list[dict[str, Any]]:
    """Return the bodies that fit the typed text, after the first `skip`."""
    bodies = suggested_bodies(typed, skip) if typed else []
    lineage = lineage_of([body.pk for body in bodies], timezone.localdate())
    return [suggestion_json(body, lineage) for body in bodies]


def _types(typed: str) -> list[dict[str, Any]]:
    """Return the types with a word that begins with the typed text."""
    types = [body_type for body_type in TYPES.values() if _has_word_beginning(typed, body_type.id, body_type.name)]
    return [type_json(body_type) for body_type in types]


def _properties(typed: str) -> list[dict[str, str]]:
    """Return the properties with a word that begins with the typed text. Those that can narrow a search come first.

    OpenRefine also requests this address when it adds columns, so properties that can only be fetched are included.
    """
    properties = [prop for prop in PROPERTIES.values() if _has_word_beginning(typed, prop.id, prop.name)]
    properties.sort(key=lambda prop: not prop.can_narrow)
    return [{"id": prop.id, "name": prop.name, "description": prop.about} for prop in properties]


@public_service("GET")
def propose(request: HttpRequest, version: str) -> HttpResponse:
    """Return the properties that a client can fetch, at most `limit` or, without a limit, all of them.

    The properties are the same for every type. The type of the request is only repeated in the response.
    """
    # A limit that is 0, missing or not a number means no limit.
    limit = _capped_number(request.GET.get("limit", ""), maximum=len(PROPERTIES)) or len(PROPERTIES)
    properties = [{"id": prop.id, "name": prop.name} for prop in PROPERTIES.values() if prop.can_fetch]
    return JsonResponse({"type": clean(request.GET.get("type", "")), "limit": limit, "properties": properties[:limit]})


@public_service("GET")
def flyout(request: HttpRequest, what: str) -> HttpResponse:
    """Return a short text about a suggestion (version 0.2 only)."""
    suggestion_id = clean(request.GET.get("id", ""))
    if what == "entity":
        body = body_or_404(suggestion_id)
        name = body.name
        description = description_of_body(body, lineage_of([body.pk], timezone.localdate()))
    elif what == "type" and suggestion_id in TYPES:
        name, description = TYPES[suggestion_id].name, "A type of English housing body."
    elif what == "property" and suggestion_id in PROPERTIES:
        name, description = PROPERTIES[suggestion_id].name, PROPERTIES[suggestion_id].about
    else:
        raise Http404
    html = format_html("<p><strong>{}</strong></p><p>{}</p>", name, description)
    return JsonResponse({"id": suggestion_id, "html": html})


def _has_word_beginning(typed: str, *texts: str) -> bool:
    """Return True if one of the texts has a word that begins with the typed text, or if nothing is typed."""
    folded = fold_name(typed)
    return not folded or any(f" {folded}" in f" {fold_name(text)}" for text in texts)


def _capped_number(text: str, *, maximum: int) -> int:
    """Return the whole number that a query parameter contains, at most the maximum, or 0 if it contains no number."""
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    return min(int(text), maximum) if is_number else 0
