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
    """Show a page of search results, with facets to narrow the search and a link to the next page."""
    text = _search_text(request)
    filters = _filters(request)
    after = request.GET.get("after", "")
    page = search(user=signed_in(request), text=text, filters=filters, after=after)

    chosen_facets = {name: getattr(filters, name) for name in _FACETS if getattr(filters, name)}
    parameters = {"q": text, **chosen_facets}
    next_parameters = {**parameters, "after": page.next_after}
    context = {
        "text": text,
        "results": page,
        "chosen": chosen_facets,
        "facets": _facets_with_links(page.facets, parameters),
        "all_href": f"?{urlencode({'q': text})}",
        "next_href": f"?{urlencode(next_parameters)}" if page.next_after else "",
        "first_href": f"?{urlencode(parameters)}" if after else "",
    }
    return render(request, "search/results.html", context)


@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    """Show suggestions for the text, in the page while the person types or, without JavaScript, as a page."""
    text = _search_text(request)
    context = {"text": text, "suggestions": suggest(user=signed_in(request), text=text)}
    template = "search/_suggestions.html" if getattr(request, "htmx", False) else "search/suggestions.html"
    return render(request, template, context)


#: The parameters of facets in the URL.
_FACETS = ("kind", "partnership", "organisation", "year")


def _facets_with_links(
    facets: Sequence[Facet], parameters: Mapping[str, object]
) -> list[tuple[Facet, list[tuple[Choice, str]]]]:
    """Return the facets with their choices and the link of each choice."""
    return [
        (facet, [(choice, _choice_href(parameters, facet, choice)) for choice in facet.choices]) for facet in facets
    ]


def _choice_href(parameters: Mapping[str, object], facet: Facet, choice: Choice) -> str:
    """Return the link to the same search with the choice or, if it is selected, without the facet."""
    new_parameters = {**parameters, facet.name: "" if choice.is_chosen else choice.value}
    return f"?{urlencode({name: value for name, value in new_parameters.items() if value})}"


def _search_text(request: HttpRequest) -> str:
    """Return the text that the person typed, without null characters, which PostgreSQL refuses."""
    return request.GET.get("q", "").replace("\x00", "").strip()


def _filters(request: HttpRequest) -> SearchFilters:
    """Return the facets in the URL. Unknown values are ignored, because people can edit the URL."""
    kind = request.GET.get("kind", "")
    return SearchFilters(
        kind=kind if kind in KINDS else "",
        partnership=_positive_number(request, "partnership", limit=2**63),
        organisation=_positive_number(request, "organisation", limit=2**63),
        year=_positive_number(request, "year", limit=9_000),
    )


def _positive_number(request: HttpRequest, name: str, *, limit: int) -> int | None:
    """Return the parameter as a number from 1 to below the limit, or None if it is not such a number."""
    value = request.GET.get(name, "")
    if not (value.isascii() and value.isdecimal() and len(value) < 20):
        return None
    number = int(value)
    return number if 0 < number < limit else None
