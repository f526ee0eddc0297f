"""The search page and its suggestions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from partnerships.people.requests import signed_in
from partnerships.search.queries import Choice, Facet, search, suggest
from partnerships.search.queries.candidates import SearchFilters
from partnerships.search.sources.every import KINDS


@require_safe
def results(request: HttpRequest) -> HttpResponse:
    """Search results for the reader."""
    text = _search_text(request)
    after = request.GET.get("after", "")
    filters = _filters(request)
    found = search(user=signed_in(request), text=text, filters=filters, after=after)
    chosen = {name: value for name in _FACETS if (value := getattr(filters, name))}
    parameters = {"q": text, **chosen}
    context = {
        "text": text,
        "results": found,
        "chosen": chosen,
        "facets": _facets_with_links(found.facets, parameters),
        "all_href": f"?{urlencode({'q': text})}",
        "next_href": f"?{urlencode({**parameters, 'after': found.next_after})}" if found.next_after else "",
        "first_href": f"?{urlencode(parameters)}" if after else "",
    }
    return render(request, "search/results.html", context)


@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    """Suggestions for the text: part of a page, fetched while the reader types, or a page of its own."""
    text = _search_text(request)
    context = {"text": text, "suggestions": suggest(user=signed_in(request), text=text)}
    template = "search/_suggestions.html" if getattr(request, "htmx", False) else "search/suggestions.html"
    return render(request, template, context)


#: The parameters of facets in the URL.
_FACETS = ("kind", "partnership", "organisation", "year")


def _facets_with_links(
    facets: Sequence[Facet], parameters: Mapping[str, object]
) -> list[tuple[Facet, list[tuple[Choice, str]]]]:
    """Each facet with its choices, each with the link that chooses it or, once chosen, removes it."""
    return [
        (
            facet,
            [
                (choice, _facet_href(parameters, facet.name, "" if choice.is_chosen else choice.value))
                for choice in facet.choices
            ],
        )
        for facet in facets
    ]


def _facet_href(parameters: Mapping[str, object], facet_name: str, value: str) -> str:
    """The link to the same search with another value of a facet; "" removes the facet."""
    new_parameters = {**parameters, facet_name: value}
    return f"?{urlencode({name: parameter for name, parameter in new_parameters.items() if parameter})}"


def _search_text(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\x00", "").strip()


def _filters(request: HttpRequest) -> SearchFilters:
    """The facets in the URL; unknown values are ignored."""
    kind = request.GET.get("kind", "")
    return SearchFilters(
        kind=kind if kind in KINDS else "",
        partnership=_positive_number(request, "partnership", limit=2**63),
        organisation=_positive_number(request, "organisation", limit=2**63),
        year=_positive_number(request, "year", limit=9_000),
    )


def _positive_number(request: HttpRequest, name: str, *, limit: int) -> int | None:
    """The parameter as a number from 1 to below the limit, or None."""
    value = request.GET.get(name, "")
    if not (value.isascii() and value.isdecimal() and len(value) < 20):
        return None
    number = int(value)
    return number if 0 < number < limit else None
